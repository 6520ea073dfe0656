import { useLists, useTasks, useTaskStore } from "@task-platform/client/react";
import { isOverdue, type LocalTask } from "@task-platform/client/sync";
import { Suspense, useDeferredValue, useEffect, useMemo, useState } from "react";
import { InboxOptions } from "../lists/inbox-options.tsx";
import { ListOptions } from "../lists/list-options.tsx";
import { LabelOptions } from "../labels/label-options.tsx";
import { showNotice } from "../notices/notices.ts";
import { quote } from "../sync/describe-value.ts";
import { SyncNotices, WaitingEdits } from "../sync/sync-notices.tsx";
import { lazyPart } from "../ui/lazy-part.tsx";
import { useNow } from "../ui/use-now.ts";
import type { View } from "../workspace/view.ts";
import { arrangeTasks, filterOf, type StatusFilter } from "./arrange.ts";
import { DetailsArea } from "./details-area.tsx";
import { localDay, localZone } from "./due.ts";
import { EmptyList, MissingList } from "./empty-list.tsx";
import { NewTask } from "./new-task.tsx";
import { TaskFilters } from "./task-filters.tsx";
import { TaskList } from "./task-list.tsx";

const DeleteParentDialog = lazyPart(
  async () => (await import("../subtasks/delete-parent-dialog.tsx")).DeleteParentDialog,
);

const TITLES = { inbox: "Inbox", today: "Today", all: "All tasks" } as const;

/** One view: its heading, the field for a new task, filters, the list, and the details of a task. */
export function TaskPage({ view }: { view: View }) {
  const store = useTaskStore();
  const { lists } = useLists();
  const now = useNow();
  const today = localDay(now);
  const [status, setStatus] = useState<StatusFilter>("all");
  const [search, setSearch] = useState("");
  const [detailsId, setDetailsId] = useState<string | null>(null);
  const [revealId, setRevealId] = useState<string | null>(null);
  /** A task with subtasks that is about to be deleted. */
  const [parentInQuestion, setParentInQuestion] = useState<LocalTask | null>(null);

  // A refusal is about what was done here; it must not follow the user elsewhere.
  useEffect(() => {
    return () => {
      store.dismissProblem();
    };
  }, [store]);

  const deferredSearch = useDeferredValue(search);
  const filter = useMemo(
    () => filterOf(view, status, deferredSearch),
    [view, status, deferredSearch],
  );
  const { tasks: matchingTasks, isLoaded } = useTasks(filter);
  const tasks = useMemo(
    () => arrangeTasks(matchingTasks, view, today),
    [matchingTasks, view, today],
  );
  // Of the whole view, as in the navigation: a filter changes what is shown, not what is to be done.
  const { tasks: tasksOfView } = useTasks(useMemo(() => filterOf(view, "all", ""), [view]));
  const summary = useMemo(
    () => summarize(arrangeTasks(tasksOfView, view, today), now),
    [tasksOfView, view, today, now],
  );
  const listNames = useMemo(() => new Map(lists.map(({ id, name }) => [id, name])), [lists]);
  const hasOneOrder = view.kind === "inbox" || view.kind === "list";
  const list = view.kind === "list" ? lists.find(({ id }) => id === view.id) : undefined;
  const isListMissing = view.kind === "list" && list === undefined;

  function deleteTask(task: LocalTask) {
    if (store.getTasks({ parentId: task.id }).length > 0) setParentInQuestion(task);
    else deleteNow(task, "keep");
  }

  function deleteNow(task: LocalTask, subtasks: "keep" | "delete") {
    const undo = store.deleteTask(task.id, { subtasks });
    if (detailsId === task.id) setDetailsId(task.parent_id);
    showNotice(`Deleted ${quote(task.title)}`, { label: "Undo", run: undo });
  }

  if (isListMissing) return <MissingList isLoaded={isLoaded} />;
  return (
    <>
      <main className="page">
        <SyncNotices />
        <header className="page-header">
          <div className="page-heading">
            <h1>{titleOf(view, list?.name)}</h1>
            {view.kind === "inbox" && <InboxOptions />}
            {list !== undefined && <ListOptions list={list} />}
            {view.kind === "label" && <LabelOptions name={view.name} />}
          </div>
          <p className="page-summary">
            {summary}
            <WaitingEdits />
          </p>
        </header>
        <NewTask view={view} today={today} onAdded={setRevealId} />
        <TaskFilters status={status} onStatus={setStatus} search={search} onSearch={setSearch} />
        {tasks.length > 0 && (
          <TaskList
            tasks={tasks}
            listNames={hasOneOrder ? null : listNames}
            isSortable={hasOneOrder && deferredSearch === ""}
            selectedId={detailsId}
            revealId={revealId}
            onShowDetails={setDetailsId}
            onDelete={deleteTask}
          />
        )}
        {tasks.length === 0 && isLoaded && (
          <EmptyList view={view} status={status} search={deferredSearch} />
        )}
      </main>
      {detailsId !== null && (
        <DetailsArea
          taskId={detailsId}
          onShowDetails={setDetailsId}
          onDelete={deleteTask}
          onClose={() => {
            setDetailsId(null);
          }}
        />
      )}
      <Suspense fallback={null}>
        {parentInQuestion !== null && (
          <DeleteParentDialog
            task={parentInQuestion}
            onDelete={(subtasks) => {
              setParentInQuestion(null);
              deleteNow(parentInQuestion, subtasks);
            }}
            onClose={() => {
              setParentInQuestion(null);
            }}
          />
        )}
      </Suspense>
    </>
  );
}

function titleOf(view: View, listName: string | undefined): string {
  if (view.kind === "list") return listName ?? "List";
  return view.kind === "label" ? view.name : TITLES[view.kind];
}

function summarize(tasks: readonly LocalTask[], now: Date): string {
  const open = tasks.filter((task) => !task.is_completed);
  const overdue = open.filter((task) => isOverdue(task, now, localZone)).length;
  const parts = [open.length === 0 ? "Nothing open" : `${open.length.toLocaleString()} open`];
  if (overdue > 0) parts.push(`${overdue.toLocaleString()} overdue`);
  return parts.join(" · ");
}
