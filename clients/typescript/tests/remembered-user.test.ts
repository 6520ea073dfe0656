import type { createAuthClient } from "better-auth/react";
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { expect, expectTypeOf, test } from "vitest";

import * as clientBoundary from "../src/react/client-boundary.js";
import * as react from "../src/react/index.js";
import { type SessionResult, useRememberedUser } from "../src/react/index.js";

test("the result of Better Auth's `useSession` fits", () => {
  type BetterAuthResult = ReturnType<ReturnType<typeof createAuthClient>["useSession"]>;

  expectTypeOf<BetterAuthResult>().toExtend<SessionResult>();
});

test("a server shows what the sign-in says, and remembers nobody", () => {
  function User({ session }: { session: SessionResult }) {
    const { user, isPending } = useRememberedUser(session);
    return isPending ? "pending" : (user ?? "nobody");
  }
  const render = (session: SessionResult) => renderToString(createElement(User, { session }));
  const data = { user: { id: "ada" }, session: { id: "first" } };

  expect(render({ data: null, isPending: true, error: null })).toBe("pending");
  expect(render({ data, isPending: false, error: null })).toBe("ada");
  expect(render({ data: null, isPending: false, error: null })).toBe("nobody");
});

test("server components can name all that is for client components", () => {
  expect(Object.keys(clientBoundary).sort()).toEqual(Object.keys(react).sort());
});
