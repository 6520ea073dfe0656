import { DndContext, closestCenter } from "@dnd-kit/core";
import { SortableContext, verticalListSortingStrategy } from "@dnd-kit/sortable";
import { useConflicts } from "@task-platform/client/react";
import type { LocalTask } from "@task-platform/client/sync";
import { defaultRangeExtractor, useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef, useState } from "react";
import { useNow } from "../ui/use-now.ts";
import { TaskRow, type RowActions } from "./task-row.tsx";
import { useReorder } from "./use-reorder.ts";

/** Pixels; rows that are on the page are measured. */
const ROW_HEIGHT = 56;
const ROWS_BEYOND_VIEW = 8;
/** Pixels of the end of the list that the box of a conflict covers. */
const CONFLICT_HEIGHT = 320;

interface TaskListProps {
  tasks: readonly LocalTask[];
  listNames: ReadonlyMap<string, string> | null;
  isSortable: boolean;
  selectedId: string | null;
  /** A task to bring into view, once it is in the list. */
  revealId: string | null;
  onShowDetails: (id: string) => void;
  onDelete: (task: LocalTask) => void;
}

/** The tasks, of which only those in view are in the document. */
export function TaskList(props: TaskListProps) {
  const { tasks, isSortable, revealId } = props;
  const now = useNow();
  const scroller = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const [editingId, setEditingId] = useState<string | null>(null);
  /** `goneId`: not before this task has left the list, which may be a question away. */
  const focusNext = useRef<{ id: string; selector: string; goneId?: string } | null>(null);
  const reorder = useReorder(tasks);
  const [conflict] = useConflicts();
  const undecidedId = conflict?.taskId;

  // Rows that have the focus must stay in the document wherever the list is scrolled to.
  const keptIndex = tasks.findIndex((task) => task.id === (reorder.activeId ?? editingId));
  // eslint-disable-next-line react-hooks/incompatible-library -- it is about the React Compiler, which is not in use
  const rows = useVirtualizer({
    count: tasks.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: ROWS_BEYOND_VIEW,
    scrollPaddingEnd: undecidedId === undefined ? 0 : CONFLICT_HEIGHT,
    getItemKey: (index) => tasks[index]?.id ?? index,
    rangeExtractor: (range) => {
      const indexes = defaultRangeExtractor(range);
      if (keptIndex < 0 || indexes.includes(keptIndex)) return indexes;
      return [...indexes, keptIndex].sort((a, b) => a - b);
    },
  });

  useEffect(() => {
    const index = tasks.findIndex((task) => task.id === revealId);
    if (index >= 0) rows.scrollToIndex(index);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- later changes of the list must not scroll it
  }, [revealId]);

  // The box of the conflict stands above the end of the list, where its task may be.
  useEffect(() => {
    const index = tasks.findIndex((task) => task.id === undecidedId);
    if (index >= 0) rows.scrollToIndex(index);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- as above
  }, [undecidedId]);

  useEffect(() => {
    const target = focusNext.current;
    if (target === null || tasks.some((task) => task.id === target.goneId)) return;
    const row = list.current?.querySelector(`[data-task="${CSS.escape(target.id)}"]`);
    const control = row?.querySelector<HTMLElement>(target.selector);
    if (control == null) return;
    focusNext.current = null;
    control.focus();
  });

  const actions: RowActions = {
    edit: setEditingId,
    closeEditor: (id, isLeaving) => {
      if (!isLeaving) focusNext.current = { id, selector: '[aria-label="Edit"]' };
      setEditingId((current) => (current === id ? null : current));
    },
    showDetails: props.onShowDetails,
    delete: (task) => {
      const index = tasks.indexOf(task);
      const neighbour = tasks[index + 1] ?? tasks[index - 1];
      if (neighbour) focusNext.current = { id: neighbour.id, selector: "input", goneId: task.id };
      props.onDelete(task);
    },
    step: (id, steps) => {
      const index = tasks.findIndex((task) => task.id === id) + steps;
      const target = tasks[index];
      if (target === undefined) return;
      rows.scrollToIndex(index);
      list.current
        ?.querySelector<HTMLElement>(`[data-task="${CSS.escape(target.id)}"] input`)
        ?.focus();
    },
  };

  const sortableIds = useMemo(
    () => tasks.filter((task) => !task.is_completed).map((task) => task.id),
    [tasks],
  );
  return (
    <DndContext {...reorder.context} collisionDetection={closestCenter}>
      <SortableContext items={sortableIds} strategy={verticalListSortingStrategy}>
        <div ref={scroller} className="task-scroller">
          <ul
            ref={list}
            className="tasks"
            aria-label="Tasks"
            style={{ height: rows.getTotalSize() }}
          >
            {rows.getVirtualItems().map(({ index, key, start }) => {
              const task = tasks[index];
              if (task === undefined) return null;
              return (
                <TaskRow
                  key={key}
                  task={task}
                  place={index + 1}
                  count={tasks.length}
                  top={start}
                  now={now}
                  listName={listNameOf(task, props.listNames)}
                  isSortable={isSortable && !task.is_completed}
                  isEditing={editingId === task.id}
                  isSelected={props.selectedId === task.id}
                  isUndecided={undecidedId === task.id}
                  measure={rows.measureElement}
                  actions={actions}
                />
              );
            })}
          </ul>
        </div>
      </SortableContext>
    </DndContext>
  );
}

function listNameOf(
  task: LocalTask,
  names: ReadonlyMap<string, string> | null,
): string | undefined {
  if (names === null) return undefined;
  return task.list_id === null ? "Inbox" : names.get(task.list_id);
}
