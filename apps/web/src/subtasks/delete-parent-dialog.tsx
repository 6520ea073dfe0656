import { useSubtasks } from "@task-platform/client/react";
import type { LocalTask } from "@task-platform/client/sync";
import { quote } from "../sync/describe-value.ts";
import { Modal } from "../ui/modal.tsx";

interface DeleteParentDialogProps {
  task: LocalTask;
  onDelete: (subtasks: "keep" | "delete") => void;
  onClose: () => void;
}

/** Asks what becomes of the subtasks of a task that is deleted. */
export function DeleteParentDialog({ task, onDelete, onClose }: DeleteParentDialogProps) {
  const { subtasks } = useSubtasks(task.id);
  const isOne = subtasks.length === 1;
  const count = subtasks.length.toLocaleString();
  return (
    <Modal title={`Delete ${quote(task.title)}?`} onClose={onClose}>
      <p>
        {isOne
          ? "It has a subtask. What should happen to it?"
          : `It has ${count} subtasks. What should happen to them?`}
      </p>
      <div className="dialog-buttons stacked">
        <button
          type="button"
          className="button primary"
          onClick={() => {
            onDelete("keep");
          }}
        >
          {isOne ? "Keep it as a task" : "Keep them as tasks"}
        </button>
        <button
          type="button"
          className="button danger"
          onClick={() => {
            onDelete("delete");
          }}
        >
          {isOne ? "Delete it too" : "Delete them too"}
        </button>
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
      </div>
    </Modal>
  );
}
