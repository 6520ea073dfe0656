import { expect, test } from "vitest";

import { createServerClient } from "../src/server/index.js";

test("requests that are known by another header share no token", async () => {
  const clientFor = createServerClient({
    url: "http://platform.test",
    getToken: (headers) => Promise.resolve(`token-of.${headers.get("x-api-key") ?? ""}.x`),
  });
  const tokenOf = (key: string, cookie: Record<string, string> = {}) =>
    clientFor(new Headers({ "x-api-key": key, ...cookie })).tokens.get();

  expect(await tokenOf("ada")).toBe("token-of.ada.x");
  expect(await tokenOf("grace")).toBe("token-of.grace.x");
  expect(await tokenOf("ada", { cookie: "theme=dark" })).toBe("token-of.ada.x");
  expect(await tokenOf("grace", { cookie: "theme=dark" })).toBe("token-of.grace.x");
});
