import { useTaskStore } from "@task-platform/client/react";
import type { LocalTask } from "@task-platform/client/sync";
import { Icon } from "../ui/icon.tsx";

interface ParentLineProps {
  subtask: LocalTask;
  onShowDetails: (id: string) => void;
}

/** Says whose part a subtask is, leads there, and takes it out. */
export function ParentLine({ subtask, onShowDetails }: ParentLineProps) {
  const store = useTaskStore();
  const parent = subtask.parent_id === null ? undefined : store.getTask(subtask.parent_id);
  if (parent === undefined) return null;
  return (
    <p className="parent-line">
      <Icon name="checklist" />
      <span>
        Part of{" "}
        <button
          type="button"
          className="link"
          onClick={() => {
            onShowDetails(parent.id);
          }}
        >
          {parent.title}
        </button>
      </span>
      <button
        type="button"
        className="link"
        onClick={() => {
          store.changeTask(subtask.id, { parent_id: null });
        }}
      >
        Take it out
      </button>
    </p>
  );
}
