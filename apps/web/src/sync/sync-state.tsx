import { useSyncStatus } from "@task-platform/client/react";

const WORDS = {
  saved: "Saved",
  saving: "Saving",
  offline: "Offline",
  "not-saved": "Not saved yet",
} as const;

/** The state of the synchronization in one or two words, always on the page. */
export function SyncState() {
  const { state } = useSyncStatus();
  return (
    <div className="sync-state" data-state={state} role="status">
      {WORDS[state]}
    </div>
  );
}
