import { useSyncStatus, useTaskStore } from "@task-platform/client/react";
import { describeProblem } from "../describe-problem.ts";
import { Icon } from "../ui/icon.tsx";

/** What a person should know about saving, above the tasks; nothing while all is well. */
export function SyncNotices() {
  const store = useTaskStore();
  const { state, pending, isKept, problem } = useSyncStatus();
  const edits = pending === 1 ? "1 edit" : `${pending.toLocaleString()} edits`;
  return (
    <>
      {!isKept && (
        <p className="notice">
          <Icon name="warning" />
          <span>
            This browser keeps nothing for this page, as in a private window. Your tasks are saved
            on the server, but are not here without a network or after a reload.
          </span>
        </p>
      )}
      {problem !== undefined && (
        <p className="notice" role="alert">
          <Icon name="warning" />
          <span>An edit was refused and undone. {describeProblem(problem)}</span>
          <button
            type="button"
            className="link"
            onClick={() => {
              store.dismissProblem();
            }}
          >
            Dismiss
          </button>
        </p>
      )}
      {state === "offline" && pending > 0 && (
        <p className="notice">
          <Icon name="cloud" />
          <span>
            {edits} {isKept ? "kept on this device; sent" : "will be sent"} when you are back
            online.
          </span>
        </p>
      )}
      {state === "not-saved" && (
        <p className="notice warning">
          <Icon name="warning" />
          <span>
            {pending > 0
              ? `${edits} could not be sent yet.`
              : "The server does not answer as it should."}{" "}
            Your tasks stay here, and this page tries again by itself.
          </span>
          <button type="button" className="link" onClick={() => void store.sync()}>
            Try again
          </button>
        </p>
      )}
    </>
  );
}
