import { closestCenter, DndContext, type DragEndEvent } from "@dnd-kit/core";
import { SortableContext, useSortable, verticalListSortingStrategy } from "@dnd-kit/sortable";
import { CSS } from "@dnd-kit/utilities";
import type { List } from "@task-platform/client";
import { useLabels, useLists, useTasks, useTaskStore } from "@task-platform/client/react";
import type { TaskFilter } from "@task-platform/client/sync";
import { useMemo } from "react";
import { isDueUntil } from "../tasks/arrange.ts";
import { localDay } from "../tasks/due.ts";
import { Icon } from "../ui/icon.tsx";
import { foldName } from "../ui/name-fault.ts";
import { placeAfter } from "../ui/place-after.ts";
import { sortingAccessibility, sortingModifiers, useSortingSensors } from "../ui/sorting.ts";
import { useNow } from "../ui/use-now.ts";
import type { View } from "../workspace/view.ts";
import { NavigationLink } from "./navigation-link.tsx";
import { NewList } from "./new-list.tsx";

const OPEN: TaskFilter = { status: "pending" };

/** Links to the fixed views, and to the user's lists and labels. */
export function ListNavigation({ view }: { view: View }) {
  const { labels } = useLabels();
  const counts = useOpenCounts();
  return (
    <nav className="navigation" aria-label="Lists">
      <ul>
        <NavigationLink
          view={{ kind: "inbox" }}
          currentView={view}
          icon="inbox"
          count={counts.inbox}
        >
          Inbox
        </NavigationLink>
        <NavigationLink view={{ kind: "today" }} currentView={view} icon="sun" count={counts.today}>
          Today
        </NavigationLink>
        <NavigationLink view={{ kind: "all" }} currentView={view} icon="layers" count={counts.all}>
          All tasks
        </NavigationLink>
      </ul>
      <SortableLists view={view} counts={counts.lists} />
      <NewList />
      {labels.length > 0 && (
        <>
          <h2 className="navigation-heading">Labels</h2>
          <ul>
            {labels.map(({ id, name }) => (
              <NavigationLink
                key={id}
                view={{ kind: "label", name }}
                currentView={view}
                icon="label"
                count={counts.labels.get(foldName(name)) ?? 0}
              >
                {name}
              </NavigationLink>
            ))}
          </ul>
        </>
      )}
    </nav>
  );
}

interface OpenCounts {
  all: number;
  inbox: number;
  today: number;
  lists: ReadonlyMap<string, number>;
  /** By folded name. */
  labels: ReadonlyMap<string, number>;
}

function useOpenCounts(): OpenCounts {
  const { tasks } = useTasks(OPEN);
  const today = localDay(useNow());
  return useMemo(() => {
    const lists = new Map<string, number>();
    const labels = new Map<string, number>();
    let inbox = 0;
    let dueToday = 0;
    let all = 0;
    for (const task of tasks) {
      if (task.parent_id === null) {
        all += 1;
        if (task.list_id === null) inbox += 1;
        else increment(lists, task.list_id);
      }
      for (const label of task.labels) increment(labels, foldName(label));
      if (isDueUntil(task, today)) dueToday += 1;
    }
    return { all, inbox, today: dueToday, lists, labels };
  }, [tasks, today]);
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

interface SortableListsProps {
  view: View;
  counts: ReadonlyMap<string, number>;
}

function SortableLists({ view, counts }: SortableListsProps) {
  const store = useTaskStore();
  const { lists } = useLists();
  const sensors = useSortingSensors();
  const accessibility = useMemo(() => sortingAccessibility(lists), [lists]);
  const ids = useMemo(() => lists.map(({ id }) => id), [lists]);

  function onDragEnd({ active, over }: DragEndEvent) {
    if (over === null || over.id === active.id) return;
    const id = String(active.id);
    store.moveList(id, { after: placeAfter(ids, id, String(over.id)) });
  }

  if (lists.length === 0) return null;
  return (
    <DndContext
      sensors={sensors}
      modifiers={sortingModifiers}
      accessibility={accessibility}
      collisionDetection={closestCenter}
      onDragEnd={onDragEnd}
    >
      <SortableContext items={ids} strategy={verticalListSortingStrategy}>
        <ul>
          {lists.map((list) => (
            <ListLink key={list.id} list={list} view={view} count={counts.get(list.id) ?? 0} />
          ))}
        </ul>
      </SortableContext>
    </DndContext>
  );
}

function ListLink({ list, view, count }: { list: List; view: View; count: number }) {
  const { setNodeRef, setActivatorNodeRef, listeners, transform, transition, isDragging } =
    useSortable({ id: list.id });
  return (
    <NavigationLink
      view={{ kind: "list", id: list.id }}
      currentView={view}
      count={count}
      itemRef={setNodeRef}
      itemStyle={{ transform: CSS.Translate.toString(transform), transition }}
      isDragging={isDragging}
      handle={
        <button
          type="button"
          className="navigation-handle"
          ref={setActivatorNodeRef}
          aria-label="Reorder list"
          aria-describedby="reorder-help"
          {...listeners}
        >
          <Icon name="grip" />
        </button>
      }
    >
      {list.name}
    </NavigationLink>
  );
}
