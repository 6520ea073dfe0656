import { createClient } from "@task-platform/client";
import { createAuthClient } from "better-auth/client";
import { endSession } from "./session/session.ts";

/** Better Auth and the API have the origin of this page. */
export const auth = createAuthClient({ baseURL: window.location.origin });

export const client = createClient({
  url: window.location.origin,
  auth,
  onSignedOut: endSession,
});
