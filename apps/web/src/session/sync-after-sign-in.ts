import { useTaskStore } from "@task-platform/client/react";
import { useEffect, useRef } from "react";
import { useSession } from "./session.ts";

/**
 * Send the edits of a session that had ended as soon as the user is back, here or in another tab.
 *
 * A component that shows nothing, because the store comes from the provider around it.
 */
export function SyncAfterSignIn() {
  const store = useTaskStore();
  const { state } = useSession();
  const hadEnded = useRef(false);
  useEffect(() => {
    if (state === "signed-in" && hadEnded.current) void store.sync();
    hadEnded.current = state === "ended";
  }, [state, store]);
  return null;
}
