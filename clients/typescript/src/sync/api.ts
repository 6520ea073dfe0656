import type { Client } from "../client.js";

/** What the store needs of a client. */
export type SyncClient = Pick<Client, "url" | "tokens" | "request" | "forUser">;
