import { openStore, type TaskStore } from "@task-platform/client/sync";
import { auth, client } from "../platform.ts";
import {
  beginSignOut,
  clearSignOut,
  forgetAccount,
  isOtherAccountHere,
  showSignedOut,
  shownAccountId,
  unfinishedSignOut,
} from "../session/session.ts";

/** How long the next page waits for the server when it finishes a sign-out, and shows nothing. */
const FINISH_MILLISECONDS = 5000;

/** Remove all that this browser keeps of the account, once its session has ended or the account is deleted. */
export async function removeLocalAccount(store: TaskStore): Promise<void> {
  beginSignOut();
  forgetAccount(shownAccountId());
  client.tokens.forget();
  await store.erase();
  clearSignOut();
  showSignedOut();
}

/** End the session on the server, then here. Returns why that failed, in a sentence; null if it did not. */
export async function signOut(store: TaskStore): Promise<string | null> {
  beginSignOut();
  if (!(await endServerSession())) {
    clearSignOut();
    return "The sign-in service cannot be reached, so you are still signed in. Try again when you are online.";
  }
  await removeLocalAccount(store);
  return null;
}

/**
 * Finish the sign-out of a page that was closed too early.
 *
 * Without the server the copy is removed all the same, and the next start tries again to end the session.
 */
export async function finishSignOut(): Promise<void> {
  const user = unfinishedSignOut();
  if (user === null) return;
  if (!isOtherAccountHere(user)) forgetAccount(user);
  await openStore({ client, user }).erase();
  if (isOtherAccountHere(user)) {
    // The session of the other user has taken the place of the one to end.
    clearSignOut();
    return;
  }
  if (await endServerSession(FINISH_MILLISECONDS)) clearSignOut();
  showSignedOut();
}

async function endServerSession(timeout?: number): Promise<boolean> {
  const fetchOptions = timeout === undefined ? {} : { timeout };
  try {
    const { error } = await auth.signOut({ fetchOptions });
    return error === null;
  } catch {
    return false;
  }
}
