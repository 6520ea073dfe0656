import type { TaskStore } from "@task-platform/client/sync";
import { auth, client } from "../platform.ts";
import { forgetSession } from "../session/session.ts";

/** Remove all that this browser keeps of the account. */
export async function leave(store: TaskStore): Promise<void> {
  client.tokens.forget();
  await store.erase();
  forgetSession();
}

/** End the session on the server, then here. Returns why not, in a sentence. */
export async function signOut(store: TaskStore): Promise<string | null> {
  const { error } = await auth
    .signOut()
    .catch(() => ({ error: { message: "The server cannot be reached." } }));
  if (error !== null) {
    const reason = "The sign-in service cannot be reached";
    return `${reason}, so you are still signed in. Try again when you are online.`;
  }
  await leave(store);
  return null;
}
