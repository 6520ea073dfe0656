/** Who a token (JWT, RFC 7519) was issued for; null if it cannot be read. */
export function subjectOf(token: string): string | null {
  const payload = token.split(".")[1] ?? "";
  try {
    const bytes = Uint8Array.from(atob(fromBase64Url(payload)), (character) =>
      character.charCodeAt(0),
    );
    const claims = JSON.parse(new TextDecoder().decode(bytes)) as { sub?: unknown };
    return typeof claims.sub === "string" ? claims.sub : null;
  } catch {
    return null;
  }
}

function fromBase64Url(text: string): string {
  return text.replaceAll("-", "+").replaceAll("_", "/");
}
