/** Return the cursor of the next page from the header `Link` (RFC 8288), whose host may be an internal one. */
export function nextCursor(headers: Headers): string | null {
  return nextMatch(headers, /[?&]cursor=([^&]+)/);
}

/** Return the id of the next occurrence of a task that was completed, from the header `Link`. */
export function nextIdOf(headers: Headers): string | null {
  return nextMatch(headers, /\/tasks\/([^/?]+)$/);
}

function nextMatch(headers: Headers, pattern: RegExp): string | null {
  const [, url = ""] = /<([^>]+)>;\s*rel="next"/.exec(headers.get("link") ?? "") ?? [];
  const [, text] = pattern.exec(url) ?? [];
  return text === undefined ? null : decodeURIComponent(text.replaceAll("+", " "));
}
