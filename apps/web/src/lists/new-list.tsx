import { useLists, useTaskStore } from "@task-platform/client/react";
import { useId, useState, type SyntheticEvent } from "react";
import { Fault } from "../ui/fault.tsx";
import { Icon } from "../ui/icon.tsx";
import { nameFault } from "../ui/name-fault.ts";
import { focusNextNewTask } from "../tasks/focus-new-task.ts";
import { showView } from "../workspace/view.ts";

/** The field that adds a list and goes there. */
export function NewList() {
  const store = useTaskStore();
  const { lists } = useLists();
  const [name, setName] = useState("");
  const [fault, setFault] = useState<string | null>(null);
  const faultId = useId();

  function add(event: SyntheticEvent) {
    event.preventDefault();
    if (name.trim() === "") return;
    const newFault = nameFault("list", name, lists);
    setFault(newFault);
    if (newFault !== null) return;
    const list = store.createList({ name: name.trim() });
    setName("");
    focusNextNewTask();
    showView({ kind: "list", id: list.id });
  }

  return (
    <form className="new-list" onSubmit={add}>
      <label>
        <Icon name="plus" />
        <input
          aria-label="New list"
          placeholder="New list"
          value={name}
          autoComplete="off"
          enterKeyHint="done"
          aria-invalid={fault !== null}
          aria-describedby={fault === null ? undefined : faultId}
          onChange={(event) => {
            setName(event.target.value);
            setFault(null);
          }}
          onKeyDown={(event) => {
            if (event.key === "Escape" && !event.nativeEvent.isComposing)
              event.currentTarget.blur();
          }}
        />
      </label>
      <Fault id={faultId} message={fault} />
    </form>
  );
}
