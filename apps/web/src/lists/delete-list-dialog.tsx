import type { List } from "@task-platform/client";
import { useTasks, useTaskStore } from "@task-platform/client/react";
import { useMemo } from "react";
import { showNotice } from "../notices/notices.ts";
import { Modal } from "../ui/modal.tsx";
import { showView } from "../workspace/view.ts";

/** Asks what becomes of the tasks of a list that is deleted. */
export function DeleteListDialog({ list, onClose }: { list: List; onClose: () => void }) {
  const store = useTaskStore();
  const { tasks } = useTasks(useMemo(() => ({ listId: list.id }), [list.id]));
  const count = tasks.length === 1 ? "its task" : `its ${tasks.length.toLocaleString()} tasks`;

  function deleteList(choice: "keep" | "delete") {
    store.deleteList(list.id, { tasks: choice });
    onClose();
    showView({ kind: "inbox" });
    showNotice(`Deleted the list “${list.name}”`);
  }

  return (
    <Modal title={`Delete “${list.name}”?`} onClose={onClose}>
      <p>
        {tasks.length === 0
          ? "The list has no tasks. This cannot be undone."
          : `What should happen to ${count}? This cannot be undone.`}
      </p>
      <div className="dialog-buttons stacked">
        {tasks.length > 0 && (
          <button
            type="button"
            className="button primary"
            onClick={() => {
              deleteList("keep");
            }}
          >
            Keep tasks in the Inbox
          </button>
        )}
        <button
          type="button"
          className="button danger"
          onClick={() => {
            deleteList("delete");
          }}
        >
          {tasks.length === 0 ? "Delete list" : "Delete list and tasks"}
        </button>
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
      </div>
    </Modal>
  );
}
