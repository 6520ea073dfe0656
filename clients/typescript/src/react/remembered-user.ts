import { useLayoutEffect, useState, useSyncExternalStore } from "react";

import type { SyncClient, TaskStore } from "../sync/index.js";

/** What `useSession` of a Better Auth client returns, as far as it matters here. */
export interface SessionResult {
  readonly data: {
    readonly user: { readonly id: string };
    readonly session: { readonly id: string };
  } | null;
  readonly isPending: boolean;
  readonly error: { readonly status?: number } | null;
}

/** Whose local copy to show. */
export interface RememberedUser {
  /** The id of the signed-in user; while the sign-in cannot be asked, that of the last one. */
  readonly user: string | null;
  /** True until the first answer of the sign-in, if nobody is remembered. */
  readonly isPending: boolean;
}

interface SeenSession {
  readonly id: string;
  readonly user: string;
}

interface Memory {
  /** As it is in storage. */
  readonly user: string | null;
  /** The last session that this page has seen. */
  readonly session: SeenSession | null;
  /** `session` is over here: an answer that was on its way must not bring it back. */
  readonly isForgotten: boolean;
}

/** Nothing but the id is kept between visits, never a token. */
const STORAGE_KEY = "task-platform.user";

const NO_MEMORY: Memory = { user: null, session: null, isForgotten: false };

let memory: Memory | undefined;
const listeners = new Set<() => void>();

/**
 * Remember who is signed in, so that the local copy is shown while the sign-in cannot be asked.
 *
 * `session`: the result of `useSession()`. Its answer that nobody is signed in ends the memory; the
 * local copy stays for the next sign-in of that user. On sign-out call `forgetUser`.
 */
export function useRememberedUser(session: SessionResult): RememberedUser {
  const remembered = useSyncExternalStore(subscribe, readMemory, () => NO_MEMORY);
  // Better Auth says `isPending` again at each later question: a form must not vanish for it.
  const [hasAnswer, setHasAnswer] = useState(false);
  if (!session.isPending && !hasAnswer) {
    setHasAnswer(true);
  }

  const { data, isPending, error } = session;
  const isForgotten = remembered.isForgotten && data?.session.id === remembered.session?.id;
  const current = isForgotten ? null : data;
  const isNobody = data === null && !isPending && (error === null || error.status === 401);
  const sessionId = current?.session.id;
  const userId = current?.user.id;
  // Before the answer is on the screen: whoever then leaves the page finds it again.
  useLayoutEffect(() => {
    if (sessionId !== undefined && userId !== undefined) {
      rememberUser({ id: sessionId, user: userId });
    } else if (isNobody) {
      endRemembering(shownUser());
    }
  }, [sessionId, userId, isNobody]);

  const user = userId ?? (isNobody ? null : remembered.user);
  return { user, isPending: user === null && isPending && !hasAnswer };
}

/**
 * Remove what this browser keeps of the user, after the sign-out of Better Auth: the token, the local
 * copy with what is not saved, and who it was.
 */
export async function forgetUser(
  client: Pick<SyncClient, "tokens">,
  store: Pick<TaskStore, "erase">,
): Promise<void> {
  const user = shownUser();
  const sessionId = readMemory().session?.id;
  // First: a page that is closed meanwhile must leave nothing that the next one would show.
  removeFromStorage(user);
  client.tokens.forget();
  await store.erase();
  // The user may have signed in again by now.
  if (readMemory().session?.id === sessionId) {
    endRemembering(user);
  }
}

/** Show the user's local copy no more: the session is over, here or at the server. */
export function endRemembering(user: string | null): void {
  removeFromStorage(user);
  const { session, isForgotten } = readMemory();
  const isOver = isForgotten || session?.user === user;
  setMemory({ user: readStorage(), session, isForgotten: isOver });
}

function shownUser(): string | null {
  const { user, session, isForgotten } = readMemory();
  return session === null || isForgotten ? user : session.user;
}

/** Another user may have signed in since, in another tab: that one stays. */
function removeFromStorage(user: string | null): void {
  if (readStorage() === user) {
    attempt(() => {
      localStorage.removeItem(STORAGE_KEY);
    });
  }
}

function rememberUser(session: SeenSession): void {
  attempt(() => {
    localStorage.setItem(STORAGE_KEY, session.user);
  });
  setMemory({ user: session.user, session, isForgotten: false });
}

function readMemory(): Memory {
  memory ??= { ...NO_MEMORY, user: readStorage() };
  return memory;
}

function setMemory(next: Memory): void {
  memory = next;
  for (const listener of listeners) {
    listener();
  }
}

function subscribe(listener: () => void): () => void {
  const hearOtherTabs = ({ key }: StorageEvent) => {
    // `key` is null when all storage was cleared.
    if (key === STORAGE_KEY || key === null) {
      setMemory({ ...readMemory(), user: readStorage() });
    }
  };
  listeners.add(listener);
  // React Native has a window without events, and no other tabs.
  const hasTabs = typeof document === "object";
  if (hasTabs) {
    window.addEventListener("storage", hearOtherTabs);
  }
  return () => {
    listeners.delete(listener);
    if (hasTabs) {
      window.removeEventListener("storage", hearOtherTabs);
    }
  };
}

function readStorage(): string | null {
  let user: string | null = null;
  attempt(() => {
    user = localStorage.getItem(STORAGE_KEY);
  });
  return user;
}

/** Where storage is missing or forbidden, the user is remembered until the page is left. */
function attempt(access: () => void): void {
  try {
    access();
  } catch {
    // As above.
  }
}
