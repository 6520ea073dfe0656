import type { LocalTask } from "./types.js";

/** Finds the subtasks of a task without looking at all tasks. */
export class SubtaskIndex {
  readonly #tasks: ReadonlyMap<string, LocalTask>;
  readonly #parents = new Map<string, string>();
  readonly #subtasks = new Map<string, Set<string>>();

  /** `tasks`: those that the user sees, by id. */
  constructor(tasks: ReadonlyMap<string, LocalTask>) {
    this.#tasks = tasks;
  }

  /** Say which parent a task has, whether the parent is there or not. */
  setParent(id: string, parentId: string | null): void {
    const earlierId = this.#parents.get(id) ?? null;
    if (earlierId === parentId) {
      return;
    }
    if (earlierId !== null) {
      this.#remove(id, earlierId);
    }
    if (parentId !== null) {
      this.#parents.set(id, parentId);
      const siblings = this.#subtasks.get(parentId) ?? new Set();
      this.#subtasks.set(parentId, siblings.add(id));
    }
  }

  /** The ids of all tasks with this parent, also of those that are shown without one. */
  idsOf(parentId: string): Iterable<string> {
    return this.#subtasks.get(parentId) ?? [];
  }

  /** The tasks with this parent, among them those that are shown without one. */
  tasksOf(parentId: string): LocalTask[] {
    const tasks = Array.from(this.idsOf(parentId), (id) => this.#tasks.get(id));
    return tasks.filter((task) => task !== undefined);
  }

  #remove(id: string, parentId: string): void {
    this.#parents.delete(id);
    const siblings = this.#subtasks.get(parentId);
    siblings?.delete(id);
    if (siblings?.size === 0) {
      this.#subtasks.delete(parentId);
    }
  }
}
