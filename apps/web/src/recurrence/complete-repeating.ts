import type { LocalTask, TaskStore } from "@task-platform/client/sync";
import { showNotice, type Notice } from "../notices/notices.ts";
import { describeDueInFull } from "../tasks/due.ts";

/** How long after the confirmation the feed may take to show the next task. */
const FEED_MILLISECONDS = 3000;

/** Complete a repeating task, and say when it is due next as soon as the server has made the next one. */
export function completeRepeating(store: TaskStore, task: LocalTask): void {
  const undo: Notice["action"] = {
    label: "Undo",
    run: () => {
      // It may have been deleted since.
      if (store.getTask(task.id) !== undefined) store.changeTask(task.id, { is_completed: false });
    },
  };
  let isOfflineTold = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function stop() {
    unsubscribe();
    clearTimeout(timer);
  }

  function onChange() {
    const completed = store.getTask(task.id);
    if (completed?.is_completed !== true) {
      stop();
      return;
    }
    const { state } = store.getStatus();
    if (state === "offline" && !isOfflineTold) {
      isOfflineTold = true;
      showNotice("Completed. The next one comes when you are online again", undo);
    }
    if (completed.isPending) return;
    const next = store.getTasks().find((other) => other.previous_id === task.id);
    if (next?.due != null) {
      stop();
      showNotice(`Next: ${describeDueInFull(next.due, new Date())}`, undo);
      return;
    }
    // Without the feed nothing is known of the next one.
    if (state !== "saved") {
      clearTimeout(timer);
      timer = undefined;
      return;
    }
    timer ??= setTimeout(() => {
      stop();
      showNotice("Completed. There is no next one", undo);
    }, FEED_MILLISECONDS);
  }

  const unsubscribe = store.subscribe(onChange);
  store.changeTask(task.id, { is_completed: true });
}
