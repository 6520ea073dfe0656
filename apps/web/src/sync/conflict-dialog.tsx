import { useConflicts, useLists, useTaskStore } from "@task-platform/client/react";
import type { Conflict } from "@task-platform/client/sync";
import { useNow } from "../ui/use-now.ts";
import { describeField, describeValue } from "./describe-value.ts";

/**
 * Shows both texts when one field was changed here and elsewhere.
 *
 * It does not take the focus: the user may be in the middle of typing.
 */
export function ConflictDialog() {
  const conflicts = useConflicts();
  const [conflict] = conflicts;
  if (conflict === undefined) return null;
  return <ConflictCard key={conflict.id} conflict={conflict} count={conflicts.length} />;
}

function ConflictCard({ conflict, count }: { conflict: Conflict; count: number }) {
  return (
    <dialog open className="conflict" aria-label="Conflict" aria-describedby="conflict-text">
      <h2>Changed in two places</h2>
      <p id="conflict-text">
        {describeField(conflict)} was changed here and elsewhere.
        {count > 1 && ` ${(count - 1).toString()} more like this.`}
      </p>
      <div className="conflict-sides">
        <ConflictSide conflict={conflict} side="mine" heading="Mine, from this browser" />
        <ConflictSide conflict={conflict} side="theirs" heading="Theirs, from elsewhere" />
      </div>
    </dialog>
  );
}

interface ConflictSideProps {
  conflict: Conflict;
  side: "mine" | "theirs";
  heading: string;
}

function ConflictSide({ conflict, side, heading }: ConflictSideProps) {
  const store = useTaskStore();
  const { lists } = useLists();
  const now = useNow();
  const titleOf = (taskId: string) => store.getTask(taskId)?.title;
  const text = describeValue(conflict.field, conflict[side], lists, titleOf, now);
  return (
    <section className="conflict-side">
      <h3>{heading}</h3>
      <p className="conflict-text">{text}</p>
      <button
        type="button"
        className={side === "mine" ? "button primary" : "button"}
        onClick={() => {
          store.resolveConflict(conflict, side);
        }}
      >
        Keep {side}
      </button>
    </section>
  );
}
