import { createClient } from "@task-platform/client";
import { openStore, type TaskStore } from "@task-platform/client/sync";
import { createAuthClient } from "better-auth/client";
import { openDB } from "idb";

declare global {
  interface Window {
    store: TaskStore;
    openUserStore: () => Promise<void>;
    titles: () => string[];
    databaseIsIdle: () => Promise<void>;
  }
}

/** Open the local copy of whoever is signed in, as an app does. */
window.openUserStore = async () => {
  const auth = createAuthClient({ baseURL: location.origin });
  const user = new URLSearchParams(location.search).get("user") ?? "";
  const client = createClient({ url: location.origin, auth });
  window.store = openStore({ client, user });
  await window.store.sync();
};

window.titles = () => window.store.getTasks().map((task) => task.title);

/** Resolves when all transactions that were started before have ended. */
window.databaseIsIdle = async () => {
  for (const { name = "" } of await indexedDB.databases()) {
    const database = await openDB(name);
    await database.transaction([...database.objectStoreNames], "readwrite").done;
    database.close();
  }
};
