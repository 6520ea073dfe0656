import { useTaskStore } from "@task-platform/client/react";
import { useId, useState, type FocusEvent, type KeyboardEvent } from "react";
import { titleFault } from "../tasks/title.ts";
import { Fault } from "../ui/fault.tsx";
import { Icon } from "../ui/icon.tsx";

/** The field that adds a subtask after the others. It keeps the focus for the next one. */
export function NewSubtask({ parentId }: { parentId: string }) {
  const store = useTaskStore();
  const [title, setTitle] = useState("");
  const [fault, setFault] = useState<string | null>(null);
  const faultId = useId();

  function add() {
    if (title.trim() === "") return;
    const newFault = titleFault(title);
    setFault(newFault);
    if (newFault !== null) return;
    store.createTask({ title: title.trim(), parent_id: parentId });
    setTitle("");
  }

  function onKeyDown(event: KeyboardEvent<HTMLInputElement>) {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Enter") {
      event.preventDefault();
      add();
    }
    if (event.key === "Escape" && title !== "") {
      // The first Escape is for the text, the second for the details around it.
      event.preventDefault();
      event.stopPropagation();
      setTitle("");
      setFault(null);
    }
  }

  /** Add what was typed when the user goes on to another field; closing the details adds nothing. */
  function onBlur({ currentTarget, relatedTarget }: FocusEvent<HTMLInputElement>) {
    if (currentTarget.closest(".details")?.contains(relatedTarget) === true) add();
  }

  return (
    <div className="field new-subtask">
      <Icon name="plus" />
      <input
        aria-label="New subtask"
        placeholder="Add a subtask"
        value={title}
        autoComplete="off"
        enterKeyHint="done"
        aria-invalid={fault !== null}
        aria-describedby={fault === null ? undefined : faultId}
        onChange={(event) => {
          setTitle(event.target.value);
          setFault(null);
        }}
        onKeyDown={onKeyDown}
        onBlur={onBlur}
      />
      <Fault id={faultId} message={fault} />
    </div>
  );
}
