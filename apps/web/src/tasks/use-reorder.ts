import type { DragEndEvent, DndContextProps } from "@dnd-kit/core";
import { useTaskStore } from "@task-platform/client/react";
import type { LocalTask } from "@task-platform/client/sync";
import { useMemo, useState } from "react";
import { placeAfter } from "../ui/place-after.ts";
import { sortingAccessibility, sortingModifiers, useSortingSensors } from "../ui/sorting.ts";

interface Reorder {
  /** The task that is being dragged. */
  activeId: string | null;
  context: Pick<
    DndContextProps,
    "sensors" | "modifiers" | "accessibility" | "onDragStart" | "onDragEnd" | "onDragCancel"
  >;
}

/** Drag a task to another place among the open ones. */
export function useReorder(tasks: readonly LocalTask[]): Reorder {
  const store = useTaskStore();
  const sensors = useSortingSensors();
  const [activeId, setActiveId] = useState<string | null>(null);
  const open = useMemo(() => tasks.filter((task) => !task.is_completed), [tasks]);
  const accessibility = useMemo(
    () => sortingAccessibility(open.map(({ id, title }) => ({ id, name: title }))),
    [open],
  );

  function onDragEnd({ active, over }: DragEndEvent) {
    setActiveId(null);
    if (over === null || over.id === active.id) return;
    const ids = open.map((task) => task.id);
    const id = String(active.id);
    store.moveTask(id, { after: placeAfter(ids, id, String(over.id)) });
  }

  return {
    activeId,
    context: {
      sensors,
      modifiers: sortingModifiers,
      accessibility,
      onDragStart: ({ active }) => {
        setActiveId(String(active.id));
      },
      onDragEnd,
      onDragCancel: () => {
        setActiveId(null);
      },
    },
  };
}
