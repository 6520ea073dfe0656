import { closestCenter, DndContext, type DragEndEvent } from "@dnd-kit/core";
import { SortableContext, useSortable, verticalListSortingStrategy } from "@dnd-kit/sortable";
import { CSS } from "@dnd-kit/utilities";
import { useSubtasks, useTaskStore } from "@task-platform/client/react";
import type { LocalTask } from "@task-platform/client/sync";
import { useId, useMemo, useRef } from "react";
import { showNotice } from "../notices/notices.ts";
import { quote } from "../sync/describe-value.ts";
import { titleFault } from "../tasks/title.ts";
import { Icon } from "../ui/icon.tsx";
import { IconButton } from "../ui/icon-button.tsx";
import { placeAfter } from "../ui/place-after.ts";
import { sortingAccessibility, sortingModifiers, useSortingSensors } from "../ui/sorting.ts";
import { useDraft } from "../ui/use-draft.ts";
import { NewSubtask } from "./new-subtask.tsx";
import { Progress } from "./progress.tsx";

/** The server allows no more. */
const SUBTASKS_MAX = 100;

interface ChecklistProps {
  task: LocalTask;
  /** Show the details of a subtask in place of these. */
  onShowDetails: (id: string) => void;
}

/** The subtasks of a task: ticked off, named, ordered and deleted in place. */
export function Checklist({ task, onShowDetails }: ChecklistProps) {
  const store = useTaskStore();
  const { subtasks, completed } = useSubtasks(task.id);
  const sensors = useSortingSensors();
  const section = useRef<HTMLElement>(null);
  const headingId = useId();
  const ids = useMemo(() => subtasks.map(({ id }) => id), [subtasks]);
  const accessibility = useMemo(
    () => sortingAccessibility(subtasks.map(({ id, title }) => ({ id, name: title }))),
    [subtasks],
  );

  function onDragEnd({ active, over }: DragEndEvent) {
    if (over === null || over.id === active.id) return;
    const id = String(active.id);
    store.moveTask(id, { after: placeAfter(ids, id, String(over.id)) });
  }

  function deleteSubtask(subtask: LocalTask) {
    const index = ids.indexOf(subtask.id);
    const neighbourId = ids[index + 1] ?? ids[index - 1];
    focusIn(neighbourId);
    const undo = store.deleteTask(subtask.id);
    showNotice(`Deleted ${quote(subtask.title)}`, { label: "Undo", run: undo });
  }

  /** Keep the focus in the checklist when the item that has it goes away. */
  function focusIn(id: string | undefined) {
    const selector =
      id === undefined ? ".new-subtask input" : `[data-subtask="${id}"] input[type="checkbox"]`;
    section.current?.querySelector<HTMLElement>(selector)?.focus();
  }

  return (
    <section ref={section} className="checklist" aria-labelledby={headingId}>
      <div className="checklist-header">
        <h3 id={headingId}>Subtasks</h3>
        {subtasks.length > 0 && <Progress completed={completed} count={subtasks.length} />}
      </div>
      {subtasks.length > 0 && (
        <DndContext
          sensors={sensors}
          modifiers={sortingModifiers}
          accessibility={accessibility}
          collisionDetection={closestCenter}
          onDragEnd={onDragEnd}
        >
          <SortableContext items={ids} strategy={verticalListSortingStrategy}>
            <ul aria-labelledby={headingId}>
              {subtasks.map((subtask) => (
                <Subtask
                  key={subtask.id}
                  subtask={subtask}
                  onDelete={deleteSubtask}
                  onShowDetails={onShowDetails}
                />
              ))}
            </ul>
          </SortableContext>
        </DndContext>
      )}
      {subtasks.length < SUBTASKS_MAX ? (
        <NewSubtask parentId={task.id} />
      ) : (
        <p className="hint">A task has at most {SUBTASKS_MAX} subtasks.</p>
      )}
    </section>
  );
}

interface SubtaskProps {
  subtask: LocalTask;
  onDelete: (subtask: LocalTask) => void;
  onShowDetails: (id: string) => void;
}

function Subtask({ subtask, onDelete, onShowDetails }: SubtaskProps) {
  const store = useTaskStore();
  const { setNodeRef, setActivatorNodeRef, listeners, transform, transition, isDragging } =
    useSortable({ id: subtask.id });
  const draft = useDraft(subtask.title, (title, seen) => {
    // An empty or too long title is not saved: the field shows the old one again.
    if (titleFault(title) !== null) return;
    store.changeTask(subtask.id, { title: title.trim() }, { seen: { title: seen } });
  });
  return (
    <li
      ref={setNodeRef}
      className="subtask"
      data-subtask={subtask.id}
      data-completed={subtask.is_completed || undefined}
      data-dragging={isDragging || undefined}
      style={{ transform: CSS.Translate.toString(transform), transition }}
    >
      <button
        type="button"
        className="task-handle"
        ref={setActivatorNodeRef}
        aria-label={`Reorder ${subtask.title}`}
        aria-describedby="reorder-help"
        {...listeners}
      >
        <Icon name="grip" />
      </button>
      <label className="task-check" data-priority={subtask.priority}>
        <input
          type="checkbox"
          aria-label={subtask.title}
          checked={subtask.is_completed}
          onChange={(event) => {
            store.changeTask(subtask.id, { is_completed: event.target.checked });
          }}
        />
        <Icon name="check" />
      </label>
      <textarea
        className="subtask-title"
        aria-label={`Title of ${subtask.title}`}
        rows={1}
        value={draft.text}
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
      <div className="subtask-actions">
        <IconButton
          icon="details"
          label={`Details of ${subtask.title}`}
          onClick={() => {
            onShowDetails(subtask.id);
          }}
        />
        <IconButton
          icon="trash"
          label={`Delete ${subtask.title}`}
          onClick={() => {
            onDelete(subtask);
          }}
        />
      </div>
    </li>
  );
}
