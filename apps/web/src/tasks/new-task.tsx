import type { TaskCreate } from "@task-platform/client";
import { useTaskStore } from "@task-platform/client/react";
import { useEffect, useId, useRef, useState, type SyntheticEvent } from "react";
import { Fault } from "../ui/fault.tsx";
import { Icon } from "../ui/icon.tsx";
import type { View } from "../workspace/view.ts";
import { NEW_TASK_ID, takeFocusIfWanted } from "./focus-new-task.ts";
import { titleFault } from "./title.ts";

interface NewTaskProps {
  view: View;
  today: string;
  onAdded: (id: string) => void;
}

/** The field that adds a task to what is shown: to the list, due today, or with the label. */
export function NewTask({ view, today, onAdded }: NewTaskProps) {
  const store = useTaskStore();
  const [title, setTitle] = useState("");
  const [fault, setFault] = useState<string | null>(null);
  const faultId = useId();
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    takeFocusIfWanted(field.current);
  }, []);

  function add(event: SyntheticEvent) {
    event.preventDefault();
    if (title.trim() === "") return;
    const newFault = titleFault(title);
    setFault(newFault);
    if (newFault !== null) return;
    const task = store.createTask({ title: title.trim(), ...fieldsOf(view, today) });
    setTitle("");
    onAdded(task.id);
  }

  return (
    <form className="new-task" onSubmit={add}>
      <Icon name="plus" />
      <input
        ref={field}
        id={NEW_TASK_ID}
        aria-label="New task"
        placeholder="Add a task"
        value={title}
        autoComplete="off"
        enterKeyHint="done"
        aria-invalid={fault !== null}
        aria-describedby={fault === null ? undefined : faultId}
        onChange={(event) => {
          setTitle(event.target.value);
          setFault(null);
        }}
        onKeyDown={(event) => {
          // What was typed stays: the key leaves the field, as elsewhere it leaves a dialog.
          if (event.key === "Escape" && !event.nativeEvent.isComposing) event.currentTarget.blur();
        }}
      />
      <kbd className="hint-key" aria-hidden="true">
        N
      </kbd>
      <Fault id={faultId} message={fault} />
    </form>
  );
}

function fieldsOf(view: View, today: string): Partial<TaskCreate> {
  if (view.kind === "list") return { list_id: view.id };
  if (view.kind === "label") return { labels: [view.name] };
  if (view.kind === "today") return { due: { date: today } };
  return {};
}
