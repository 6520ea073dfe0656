import { useLists, useTasks } from "@task-platform/client/react";
import type { TaskFilter } from "@task-platform/client/sync";
import { useEffect, useRef } from "react";
import { auth } from "../platform.ts";
import { endSession, useSession } from "./session.ts";

/** Longer than the deletion of an account takes: the tasks go first, the session after them. */
const PAUSE_MILLISECONDS = 3000;

const EVERYTHING: TaskFilter = {};

/**
 * Ask once for the session when all tasks and lists have gone, because the account may have been deleted elsewhere.
 *
 * Its token stays good for some minutes, in which the empty list would look like one that is saved. A component that
 * shows nothing, because the store comes from the provider around it.
 */
export function CheckSession() {
  const { state } = useSession();
  const { tasks } = useTasks(EVERYTHING);
  const { lists } = useLists();
  const isEmpty = tasks.length === 0 && lists.length === 0;
  const wasFilled = useRef(false);
  useEffect(() => {
    const isEmptied = isEmpty && wasFilled.current;
    wasFilled.current = state === "signed-in" && !isEmpty;
    if (state !== "signed-in" || !isEmptied) return;
    const timer = setTimeout(() => void endMissingSession(), PAUSE_MILLISECONDS);
    return () => {
      clearTimeout(timer);
    };
  }, [state, isEmpty]);
  return null;
}

async function endMissingSession(): Promise<void> {
  try {
    const { data, error } = await auth.getSession({ query: { disableCookieCache: true } });
    if (error === null && data === null) endSession();
  } catch {
    // Without an answer nobody is signed out.
  }
}
