/** Return the cursor of the next page from the header `Link` (RFC 8288), whose host may be an internal one. */
export function nextCursor(headers: Headers): string | null {
  return nextAfter("[?&]cursor=", headers);
}

/** Return the id of the next occurrence of a task that was completed, from the header `Link`. */
export function nextIdOf(headers: Headers): string | null {
  return nextAfter("/tasks/", headers);
}

/** Return what follows a part of the URL of the next one. */
function nextAfter(part: string, headers: Headers): string | null {
  const link = new RegExp(`<[^>]*${part}([^&>]+)[^>]*>; *rel="next"`);
  const text = link.exec(headers.get("link") ?? "")?.[1];
  return text === undefined ? null : decodeURIComponent(text.replaceAll("+", " "));
}

const nextIds = new WeakMap<object, string | null>();

/** Keep what the headers of a response say of the object in its body. */
export function rememberNext(body: object, headers: Headers): void {
  nextIds.set(body, nextIdOf(headers));
}

/** Return the id of the next occurrence that the response with this task has named. */
export function rememberedNext(task: object): string | null {
  return nextIds.get(task) ?? null;
}
