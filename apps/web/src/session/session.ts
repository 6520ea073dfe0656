import { useSyncExternalStore } from "react";
import { stored } from "./stored.ts";

/** Who is signed in. `id` is Better Auth's and names the local copy. */
export interface Account {
  id: string;
  name: string;
  email: string;
}

export type Session =
  /** Nobody is remembered; a session cookie may exist all the same. */
  | { state: "unknown"; account: null }
  | { state: "signed-in"; account: Account }
  /** The server ended the session. The account's local copy and its unsaved edits stay. */
  | { state: "ended"; account: Account }
  /** A page was closed while its user signed out; this one has to finish that. */
  | { state: "signing-out"; account: null }
  | { state: "signed-out"; account: null };

const KEY = "task-platform.account";
/** Set by the first sign-in, so that later the form to sign in comes first. */
const KNOWN_KEY = "task-platform.known-browser";

/** The id of an account from the click on "Sign out" until nothing of it is left here. */
const SIGN_OUT_KEY = "task-platform.sign-out";

let current = readAtStart();

/** The id of the account that was forgotten here, until somebody signs in. */
let forgottenId: string | null = null;

const listeners = new Set<() => void>();

/** The account is remembered apart from the cookie, so that the app starts without a network. */
function read(otherwise: "unknown" | "signed-out"): Session {
  const value = stored.read(KEY);
  if (typeof value !== "object" || value === null) return { state: otherwise, account: null };
  const { id, name, email, isEnded } = value as Partial<Account & { isEnded: boolean }>;
  if (typeof id !== "string") return { state: otherwise, account: null };
  const account = { id, name: name ?? "", email: email ?? "" };
  return { state: isEnded === true ? "ended" : "signed-in", account };
}

/** An account whose sign-out is not finished is not shown again. */
function readAtStart(): Session {
  const session = read("unknown");
  const unfinishedId = unfinishedSignOut();
  if (unfinishedId === null) return session;
  // Another user may have signed in since, in another tab.
  if (session.account !== null && session.account.id !== unfinishedId) return session;
  return { state: "signing-out", account: null };
}

function set(session: Session): void {
  current = session;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

window.addEventListener("storage", (event) => {
  // Another tab signed in or out; `key` is null when all storage was cleared.
  if (event.key !== KEY && event.key !== null) return;
  const session = read("signed-out");
  if (session.state === "ended" && session.account.id === forgottenId) {
    // That tab was told that the copy is erased before it saw that the account is forgotten.
    stored.remove(KEY);
    return;
  }
  if (session.state === "signed-in") forgottenId = null;
  set(session);
});

/** A user has signed in. */
export function startSession({ id, name, email }: Account): void {
  const account = { id, name, email };
  forgottenId = null;
  stored.write(KEY, account);
  stored.write(KNOWN_KEY, true);
  if (unfinishedSignOut() === id) stored.remove(SIGN_OUT_KEY);
  set({ state: "signed-in", account });
}

/** The server says that the session is over. */
export function endSession(): void {
  if (current.state === "unknown") set({ state: "signed-out", account: null });
  if (current.state !== "signed-in") return;
  // A tab that was frozen may learn of the end before it learns that another one signed out, or another user in.
  const inOtherTabs = read("signed-out");
  if (inOtherTabs.account !== null && inOtherTabs.account.id !== current.account.id) {
    set(inOtherTabs);
    return;
  }
  if (inOtherTabs.account !== null) stored.write(KEY, { ...current.account, isEnded: true });
  set({ state: "ended", account: current.account });
}

/** The user signs out. A page that is closed before the end leaves the rest to the next one. */
export function beginSignOut(): void {
  if (current.account !== null) stored.write(SIGN_OUT_KEY, current.account.id);
}

/** Signing out was not possible, or there is nothing left to do for it. */
export function clearSignOut(): void {
  stored.remove(SIGN_OUT_KEY);
}

/** The id of an account whose sign-out is not finished. */
export function unfinishedSignOut(): string | null {
  const id = stored.read(SIGN_OUT_KEY);
  return typeof id === "string" ? id : null;
}

/** Remember this account no more. Before its local copy is erased: a tab that learns of that must not bring it back. */
export function forgetAccount(id: string | null): void {
  forgottenId = id;
  stored.remove(KEY);
}

/** The id of the account that is shown. */
export function shownAccountId(): string | null {
  return current.account?.id ?? null;
}

/** There is nothing left of the account in this browser, even if another tab has just remembered it. */
export function showSignedOut(): void {
  stored.remove(KEY);
  set({ state: "signed-out", account: null });
}

/** Whether another account than this one is signed in by now. */
export function isOtherAccountHere(id: string): boolean {
  const { account } = read("signed-out");
  return account !== null && account.id !== id;
}

/** Let the form to sign up come first again. */
export function forgetBrowser(): void {
  stored.remove(KNOWN_KEY);
}

export function isKnownBrowser(): boolean {
  return stored.read(KNOWN_KEY) === true;
}

/** The session, shared by all tabs of this browser. */
export function useSession(): Session {
  return useSyncExternalStore(subscribe, () => current);
}
