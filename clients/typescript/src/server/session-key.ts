/** The name that Better Auth gives to its session cookie by default. */
export const SESSION_COOKIE_DEFAULT = "better-auth.session_token";

/**
 * Return what distinguishes the session of a request from all others.
 *
 * It contains credentials: it must not be logged or stored. Without the session cookie all headers count, so that
 * two sessions never look alike: `getToken` may know its users by a header such as `x-api-key`.
 */
export function sessionKey(headers: Headers, cookieName: string): string {
  const authorization = headers.get("authorization") ?? "";
  const cookies = (headers.get("cookie") ?? "").split(";").map((cookie) => cookie.trim());
  const ofSession = cookies.filter((cookie) => isSessionCookie(cookie, cookieName));
  return JSON.stringify(ofSession.length > 0 ? [authorization, ...ofSession] : [...headers]);
}

function isSessionCookie(cookie: string, name: string): boolean {
  return cookie.startsWith(`${name}=`) || cookie.startsWith(`__Secure-${name}=`);
}
