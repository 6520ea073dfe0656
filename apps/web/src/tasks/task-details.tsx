import type { DueChange, TaskChange } from "@task-platform/client";
import { useLists, useTaskStore } from "@task-platform/client/react";
import type { LocalTask } from "@task-platform/client/sync";
import { useId, useState } from "react";
import { LabelEditor } from "../labels/label-editor.tsx";
import { showNotice } from "../notices/notices.ts";
import { moveRecurrence } from "../recurrence/choices.ts";
import { RepeatEditor } from "../recurrence/repeat-editor.tsx";
import { Checklist } from "../subtasks/checklist.tsx";
import { ParentLine } from "../subtasks/parent-line.tsx";
import { Fault } from "../ui/fault.tsx";
import { Icon } from "../ui/icon.tsx";
import { useDraft } from "../ui/use-draft.ts";
import { DueEditor } from "./due-editor.tsx";
import { titleFault } from "./title.ts";

const PRIORITIES = [
  { value: "none", label: "None" },
  { value: "low", label: "Low" },
  { value: "medium", label: "Medium" },
  { value: "high", label: "High" },
] as const;

interface TaskDetailsProps {
  task: LocalTask;
  onShowDetails: (id: string) => void;
  onDelete: (task: LocalTask) => void;
}

/** Everything about one task. Each field saves itself. */
export function TaskDetails({ task, onShowDetails, onDelete }: TaskDetailsProps) {
  const store = useTaskStore();
  const id = useId();
  /** The date that the task got because it was made to repeat, and what the user has made of it since. */
  const [guessedDue, setGuessedDue] = useState<{ date: string; isChosen: boolean } | null>(null);

  function change(fields: TaskChange) {
    store.changeTask(task.id, fields);
  }

  /** While the date is the picker's guess, its rule follows the one that the user chooses. */
  function changeDue(due: DueChange | null) {
    const { recurrence } = task;
    if (due !== null && recurrence !== null && guessedDue !== null) {
      setGuessedDue({ date: due.date, isChosen: true });
      change({ due, recurrence: moveRecurrence(recurrence, guessedDue.date, due.date) });
      return;
    }
    if (due !== null || recurrence === null) {
      change({ due });
      return;
    }
    // A task repeats from a date: without one it does not.
    change({ due, recurrence: null });
    showNotice("Cleared the due date; the task does not repeat any more", {
      label: "Undo",
      run: () => {
        // It may have been deleted since.
        if (store.getTask(task.id) !== undefined) change({ due: task.due, recurrence });
      },
    });
  }

  function changeRecurrence(fields: TaskChange) {
    if (fields.due != null) setGuessedDue({ date: fields.due.date, isChosen: false });
    change(fields);
  }

  const isSubtask = task.parent_id !== null;
  return (
    <div className="details">
      {isSubtask && <ParentLine subtask={task} onShowDetails={onShowDetails} />}
      <TaskName task={task} />
      {!isSubtask && <Checklist task={task} onShowDetails={onShowDetails} />}
      <Notes task={task} />
      {!isSubtask && (
        <ListChoice
          task={task}
          onChange={(list_id) => {
            change({ list_id });
          }}
        />
      )}
      <DueEditor due={task.due} onChange={changeDue} />
      {!isSubtask && (
        <RepeatEditor
          task={task}
          isDueGuessed={guessedDue?.isChosen === false}
          onChange={changeRecurrence}
        />
      )}
      <fieldset className="field">
        <legend>Priority</legend>
        <div className="segments wide">
          {PRIORITIES.map(({ value, label }) => (
            <label key={value} className="segment">
              <input
                type="radio"
                name={`${id}-priority`}
                checked={task.priority === value}
                onChange={() => {
                  change({ priority: value });
                }}
              />
              <span>{label}</span>
            </label>
          ))}
        </div>
      </fieldset>
      <LabelEditor
        labels={task.labels}
        onChange={(labels) => {
          change({ labels });
        }}
      />
      <footer className="details-footer">
        <span className="quiet">{describeHistory(task)}</span>
        <button
          type="button"
          className="button danger-text"
          onClick={() => {
            onDelete(task);
          }}
        >
          <Icon name="trash" />
          Delete task
        </button>
      </footer>
    </div>
  );
}

function TaskName({ task }: { task: LocalTask }) {
  const store = useTaskStore();
  const [fault, setFault] = useState<string | null>(null);
  const faultId = useId();
  const draft = useDraft(task.title, (title, seen) => {
    const newFault = titleFault(title);
    setFault(newFault);
    if (newFault !== null) return;
    store.changeTask(task.id, { title: title.trim() }, { seen: { title: seen } });
  });
  return (
    <div className="field">
      <textarea
        className="details-name"
        aria-label="Task name"
        rows={1}
        value={draft.text}
        aria-invalid={fault !== null}
        aria-describedby={fault === null ? undefined : faultId}
        onChange={(event) => {
          draft.change(event.target.value.replace(/\s*\n\s*/g, " "));
        }}
        onBlur={draft.flush}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.nativeEvent.isComposing) return;
          event.preventDefault();
          draft.flush();
        }}
      />
      <Fault id={faultId} message={fault} />
    </div>
  );
}

function Notes({ task }: { task: LocalTask }) {
  const store = useTaskStore();
  const id = useId();
  const draft = useDraft(task.description ?? "", (text, seen) => {
    const description = text === "" ? null : text;
    store.changeTask(
      task.id,
      { description },
      { seen: { description: seen === "" ? null : seen } },
    );
  });
  return (
    <div className="field">
      <label htmlFor={id}>Notes</label>
      <textarea
        id={id}
        className="notes"
        rows={4}
        maxLength={10_000}
        placeholder="Anything worth remembering"
        value={draft.text}
        onChange={(event) => {
          draft.change(event.target.value);
        }}
        onBlur={draft.flush}
      />
    </div>
  );
}

interface ListChoiceProps {
  task: LocalTask;
  onChange: (listId: string | null) => void;
}

function ListChoice({ task, onChange }: ListChoiceProps) {
  const { lists } = useLists();
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>List</label>
      <select
        id={id}
        value={task.list_id ?? ""}
        onChange={(event) => {
          onChange(event.target.value === "" ? null : event.target.value);
        }}
      >
        <option value="">Inbox</option>
        {lists.map((list) => (
          <option key={list.id} value={list.id}>
            {list.name}
          </option>
        ))}
      </select>
    </div>
  );
}

function describeHistory(task: LocalTask): string {
  const [verb, instant] =
    task.completed_at === null ? ["Added", task.created_at] : ["Completed", task.completed_at];
  const text = new Date(instant).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  return `${verb} ${text}`;
}
