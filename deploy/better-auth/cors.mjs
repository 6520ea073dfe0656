const PREFLIGHT_SECONDS = 600;

/**
 * Let pages of exactly these origins call with the session cookie and read the answers. Source: Fetch, 3.2.
 * Returns a function that sets the headers of a response, and tells whether the request was a preflight, which it
 * has answered. Pages of other origins are left to the browser, which shows them nothing.
 */
export function createCors(origins) {
  const allowed = new Set(origins);
  return (request, response) => {
    const { origin } = request.headers;
    const isPreflight =
      request.method === "OPTIONS" && "access-control-request-method" in request.headers;
    response.setHeader("vary", "Origin");
    if (allowed.has(origin)) {
      response.setHeader("access-control-allow-origin", origin);
      response.setHeader("access-control-allow-credentials", "true");
      // Better Auth names set-auth-jwt and set-auth-token itself, on the answers that have them.
      response.setHeader("access-control-expose-headers", "X-Retry-After");
      if (isPreflight) {
        response.setHeader("access-control-allow-methods", "GET, POST");
        response.setHeader("access-control-allow-headers", "Authorization, Content-Type");
        response.setHeader("access-control-max-age", String(PREFLIGHT_SECONDS));
      }
    }
    if (isPreflight) response.writeHead(204).end();
    return isPreflight;
  };
}
