import { useConflicts, useLists, useTaskStore } from "@task-platform/client/react";
import type { Conflict } from "@task-platform/client/sync";
import { useNow } from "../ui/use-now.ts";
import { describeField, describeValue } from "./describe-value.ts";

/**
 * Shows both texts when one field was changed here and elsewhere.
 *
 * It does not take the focus: somebody may be in the middle of typing.
 */
export function ConflictDialog() {
  const conflicts = useConflicts();
  const [conflict] = conflicts;
  if (conflict === undefined) return null;
  return <ConflictCard key={conflict.id} conflict={conflict} count={conflicts.length} />;
}

function ConflictCard({ conflict, count }: { conflict: Conflict; count: number }) {
  const store = useTaskStore();
  const { lists } = useLists();
  const now = useNow();
  const describe = (value: unknown) => describeValue(conflict.field, value, lists, now);
  return (
    <dialog open className="conflict" aria-label="Conflict" aria-describedby="conflict-text">
      <h2>Changed in two places</h2>
      <p id="conflict-text">
        {describeField(conflict)} was changed here and elsewhere.
        {count > 1 && ` ${(count - 1).toString()} more like this.`}
      </p>
      <div className="conflict-sides">
        <section className="conflict-side">
          <h3>Mine, from this browser</h3>
          <p className="conflict-text">{describe(conflict.mine)}</p>
          <button
            type="button"
            className="button primary"
            onClick={() => {
              store.resolveConflict(conflict, "mine");
            }}
          >
            Keep mine
          </button>
        </section>
        <section className="conflict-side">
          <h3>Theirs, from elsewhere</h3>
          <p className="conflict-text">{describe(conflict.theirs)}</p>
          <button
            type="button"
            className="button"
            onClick={() => {
              store.resolveConflict(conflict, "theirs");
            }}
          >
            Keep theirs
          </button>
        </section>
      </div>
    </dialog>
  );
}
