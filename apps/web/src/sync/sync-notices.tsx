import type { ProblemError } from "@task-platform/client";
import { useConflicts, useSyncStatus, useTaskStore } from "@task-platform/client/react";
import type { Conflict, TaskStore } from "@task-platform/client/sync";
import { describeProblem } from "../describe-problem.ts";
import { Icon } from "../ui/icon.tsx";

/** What the user should know about saving, above the tasks; nothing while all is well. */
export function SyncNotices() {
  const store = useTaskStore();
  const { isKept, problem } = useSyncStatus();
  return (
    <>
      {!isKept && (
        <p className="notice">
          <Icon name="warning" />
          <span>
            This browser keeps nothing for this page, as in a private window: without a network your
            tasks are not here, and edits that are not saved yet are lost on a reload.
          </span>
        </p>
      )}
      {problem !== undefined && (
        <p className="notice" role="alert">
          <Icon name="warning" />
          <span>{describeRefusal(problem)}</span>
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
    </>
  );
}

/** How many edits wait, and for what: a part of a line, so that nothing moves when the network goes. */
export function WaitingEdits() {
  const store = useTaskStore();
  const { state, pending } = useSyncStatus();
  const undecided = useConflicts();
  if (state !== "offline" && state !== "not-saved") return null;
  const waiting = pending - countUndecidedOnly(store, undecided);
  const cause = state === "offline" ? "the network" : "the server";
  return (
    <>
      {waiting > 0 && ` · ${describeEdits(waiting)} for ${cause}`}
      {state === "not-saved" && (
        <>
          {" "}
          <span className="unbroken">
            ·{" "}
            <button type="button" className="link" onClick={() => void store.sync()}>
              Try again
            </button>
          </span>
        </>
      )}
    </>
  );
}

function describeRefusal(problem: ProblemError): string {
  // The task itself is kept: new ones are in the inbox, others where they were.
  if (problem.code === "list-not-found")
    return "The list is gone; the task is in the Inbox, or where it was before.";
  return `An edit was refused and undone. ${describeProblem(problem)}`;
}

/** How many tasks and lists wait for nothing but the user's decision. */
function countUndecidedOnly(store: TaskStore, conflicts: readonly Conflict[]): number {
  const lists = store.getLists();
  const ids = new Set(conflicts.map(({ taskId }) => taskId));
  const undecidedOnly = [...ids].filter((id) => {
    const item = store.getTask(id) ?? lists.find((list) => list.id === id);
    return item?.isPending !== true;
  });
  return undecidedOnly.length;
}

function describeEdits(count: number): string {
  return count === 1 ? "1 edit waits" : `${count.toLocaleString()} edits wait`;
}
