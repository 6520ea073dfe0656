import { useSortable } from "@dnd-kit/sortable";
import { CSS } from "@dnd-kit/utilities";
import { useTaskStore } from "@task-platform/client/react";
import type { LocalTask } from "@task-platform/client/sync";
import type { KeyboardEvent } from "react";
import { completeRepeating } from "../recurrence/complete-repeating.ts";
import { Icon } from "../ui/icon.tsx";
import { IconButton } from "../ui/icon-button.tsx";
import { TaskMeta } from "./task-meta.tsx";
import { TitleEditor } from "./title-editor.tsx";

export interface RowActions {
  edit: (id: string) => void;
  closeEditor: (id: string, isLeaving: boolean) => void;
  showDetails: (id: string) => void;
  delete: (task: LocalTask) => void;
  /** Move the focus to the row before or after. */
  step: (id: string, rows: 1 | -1) => void;
}

interface TaskRowProps {
  task: LocalTask;
  /** Place in the whole list, from 1; only a part of a long list is in the document. */
  place: number;
  count: number;
  /** Pixels from the top of the list. */
  top: number;
  now: Date;
  listName: string | undefined;
  isSortable: boolean;
  isEditing: boolean;
  isSelected: boolean;
  /** Whether the conflict on the page is about this task. */
  isUndecided: boolean;
  measure: (element: HTMLElement | null) => void;
  actions: RowActions;
}

/** One task of the list. */
export function TaskRow(props: TaskRowProps) {
  const { task, isSortable, isEditing, actions } = props;
  const store = useTaskStore();
  const { setNodeRef, setActivatorNodeRef, listeners, transform, transition, isDragging } =
    useSortable({ id: task.id, disabled: !isSortable });

  function complete(isCompleted: boolean) {
    if (isCompleted && task.recurrence !== null) completeRepeating(store, task);
    else store.changeTask(task.id, { is_completed: isCompleted });
  }

  function onKeyDown(event: KeyboardEvent) {
    const isTyping = event.target instanceof HTMLInputElement && event.target.type !== "checkbox";
    if (isTyping || isDragging || event.defaultPrevented) return;
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    actions.step(task.id, event.key === "ArrowDown" ? 1 : -1);
  }

  return (
    <li
      ref={(element) => {
        setNodeRef(element);
        props.measure(element);
      }}
      className="task"
      data-index={props.place - 1}
      data-task={task.id}
      data-completed={task.is_completed || undefined}
      data-selected={props.isSelected || undefined}
      data-undecided={props.isUndecided || undefined}
      data-dragging={isDragging || undefined}
      aria-setsize={props.count}
      aria-posinset={props.place}
      style={{
        top: props.top,
        transform: CSS.Translate.toString(transform),
        transition: transition,
      }}
      onKeyDown={onKeyDown}
    >
      <button
        type="button"
        className="task-handle"
        ref={setActivatorNodeRef}
        aria-label="Reorder"
        aria-describedby="reorder-help"
        disabled={!isSortable}
        {...listeners}
      >
        <Icon name="grip" />
      </button>
      <label className="task-check" data-priority={task.priority}>
        <input
          type="checkbox"
          aria-label={task.title}
          checked={task.is_completed}
          onChange={(event) => {
            complete(event.target.checked);
          }}
        />
        <Icon name="check" />
      </label>
      <div
        className="task-body"
        // The same for the pointer as the button "Details".
        onClick={() => {
          if (!isEditing) actions.showDetails(task.id);
        }}
      >
        {isEditing ? (
          <TitleEditor
            title={task.title}
            onSave={(title, seen) => {
              store.changeTask(task.id, { title }, { seen: { title: seen } });
            }}
            onClose={(isLeaving) => {
              actions.closeEditor(task.id, isLeaving);
            }}
          />
        ) : (
          <span className="task-title">{task.title}</span>
        )}
        <TaskMeta task={task} now={props.now} listName={props.listName} />
      </div>
      {!isEditing && (
        <div className="task-actions">
          <IconButton
            icon="edit"
            label="Edit"
            onClick={() => {
              actions.edit(task.id);
            }}
          />
          <IconButton
            icon="details"
            label="Details"
            className="details-button"
            onClick={() => {
              actions.showDetails(task.id);
            }}
          />
          <IconButton
            icon="trash"
            label="Delete"
            onClick={() => {
              actions.delete(task);
            }}
          />
        </div>
      )}
    </li>
  );
}
