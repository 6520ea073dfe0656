import { createClient } from "@task-platform/client";
import type { Client } from "@task-platform/client";
import { createAuthClient } from "better-auth/client";

declare global {
  interface Window {
    createTestClient: () => Client;
  }
}

/** As in an app at the platform's own origin, where the browser sends the session cookie. */
window.createTestClient = () =>
  createClient({ url: location.origin, auth: createAuthClient({ baseURL: location.origin }) });
