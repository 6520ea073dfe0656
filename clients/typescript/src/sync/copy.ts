import type { Label } from "../models.js";
import { conflictsOf } from "./conflicts.js";
import { compareTexts, foldCase } from "./fields.js";
import {
  type Edit,
  type Edits,
  type Entry,
  type Key,
  type Kind,
  type Pending,
  applyEdit,
  idOf,
  isSendable,
  keyOf,
  kindOf,
} from "./pending.js";
import { type TaskReplacement, TaskQueries } from "./queries.js";
import { NO_ENTRY, isEmpty } from "./storage.js";
import { SubtaskIndex } from "./subtasks.js";
import type { Conflict, LocalLabel, LocalList, LocalTask, TaskFilter } from "./types.js";
import type { UnstoredEdit } from "./unstored.js";
import { type TaskSurroundings, parentIdOf, showLabel, showList, showTask } from "./view.js";

/** All entries in memory, and what the user sees of them. */
export class LocalCopy {
  /** As they are in storage. */
  readonly #stored = new Map<Key, Entry>();
  /** Edits that are not in storage yet. */
  readonly #queued = new Map<Key, Edit[]>();
  readonly #pending = new Map<Key, Pending>();
  readonly #tasks = new Map<string, LocalTask>();
  readonly #subtasks = new SubtaskIndex(this.#tasks);
  readonly #queries = new TaskQueries(this.#tasks, this.#subtasks);
  readonly #taskCounts = new Map<string, number>();
  #surroundings: TaskSurroundings = {
    entryOf: (key) => this.entry(key),
    deletedLists: new Map(),
    labelNames: new Map(),
  };
  #lists: readonly LocalList[] = [];
  #labels: readonly LocalLabel[] = [];
  #conflicts: readonly Conflict[] = [];

  get lists(): readonly LocalList[] {
    return this.#lists;
  }

  get labels(): readonly LocalLabel[] {
    return this.#labels;
  }

  get conflicts(): readonly Conflict[] {
    return this.#conflicts;
  }

  /** All tasks that the user sees, by id. */
  get tasks(): ReadonlyMap<string, LocalTask> {
    return this.#tasks;
  }

  get pending(): ReadonlyMap<Key, Pending> {
    return this.#pending;
  }

  get hasSendable(): boolean {
    return [...this.#pending.values()].some(isSendable);
  }

  findTasks(filter: TaskFilter): readonly LocalTask[] {
    return this.#queries.get(filter);
  }

  /** The subtasks of a task in any order; cheaper than `findTasks` for what is asked only once. */
  subtasksOf(id: string): LocalTask[] {
    return this.#subtasks.tasksOf(id).filter((task) => task.parent_id === id);
  }

  /** The keys of the tasks whose parent is this task. */
  subtaskKeys(key: Key): Key[] {
    return Array.from(this.#subtasks.idsOf(idOf(key)), (id) => keyOf("task", id));
  }

  /** The task or list that is shown before this one; null if there is none. */
  predecessor(key: Key): string | null {
    const id = idOf(key);
    const siblings = kindOf(key) === "list" ? this.#lists : this.#siblingsOf(id);
    const index = siblings.findIndex((item) => item.id === id);
    return siblings[index - 1]?.id ?? null;
  }

  /** The entry with the edits that are not in storage yet. */
  entry(key: Key): Entry {
    let entry = this.#stored.get(key) ?? NO_ENTRY;
    for (const edit of this.#queued.get(key) ?? []) {
      entry = { item: entry.item, pending: applyEdit(key, entry, edit) };
    }
    return entry;
  }

  /** The entries to put into a storage that takes the place of another one. */
  storedEntries(): Map<Key, Entry> {
    return new Map(this.#stored);
  }

  /** The edits that are not in storage yet, in order. */
  queuedEdits(): UnstoredEdit[] {
    return [...this.#queued].flatMap(([key, edits]) => edits.map((edit) => ({ key, edit })));
  }

  /** Show edits until `store` gets what storage has made of them. */
  queue(edits: Edits): void {
    for (const [key, edit] of edits) {
      this.#queued.set(key, [...(this.#queued.get(key) ?? []), edit]);
    }
    this.#show([...edits.keys()]);
  }

  /** Take over what is in storage now; `edits` have become part of it. */
  store(entries: ReadonlyMap<Key, Entry>, edits?: Edits): void {
    for (const [key, entry] of entries) {
      if (isEmpty(entry)) {
        this.#stored.delete(key);
      } else {
        this.#stored.set(key, entry);
      }
      this.#unqueue(key, edits?.get(key));
    }
    this.#show([...entries.keys()]);
  }

  /** Take over all that is in storage now. */
  replaceAll(entries: ReadonlyMap<Key, Entry>): void {
    const all = new Map(entries);
    for (const key of this.#stored.keys()) {
      if (!all.has(key)) {
        all.set(key, NO_ENTRY);
      }
    }
    this.store(all);
  }

  /** Forget everything, also what is not in storage. */
  clear(): void {
    this.#queued.clear();
    this.replaceAll(new Map());
  }

  #unqueue(key: Key, edit: Edit | undefined): void {
    const others = (this.#queued.get(key) ?? []).filter((queued) => queued !== edit);
    if (others.length === 0) {
      this.#queued.delete(key);
    } else {
      this.#queued.set(key, others);
    }
  }

  #show(keys: readonly Key[]): void {
    for (const key of keys) {
      const { pending } = this.entry(key);
      if (pending === undefined) {
        this.#pending.delete(key);
      } else {
        this.#pending.set(key, pending);
      }
    }
    const kinds = new Set(keys.map(kindOf));
    const hasChangedSurroundings =
      (kinds.has("list") || kinds.has("label")) && this.#updateSurroundings();
    const taskKeys = hasChangedSurroundings ? this.#keys("task") : keys.filter(isTaskKey);
    const haveCountsChanged = this.#showTasks(taskKeys);
    if (kinds.has("list")) {
      this.#lists = this.#showLists();
    }
    if (kinds.has("label") || haveCountsChanged) {
      this.#labels = this.#showLabels();
    }
    const conflicts = conflictsOf(this.#pending, (key) => this.entry(key));
    if (JSON.stringify(conflicts) !== JSON.stringify(this.#conflicts)) {
      this.#conflicts = conflicts;
    }
  }

  #siblingsOf(id: string): readonly LocalTask[] {
    const task = this.#tasks.get(id);
    return task === undefined ? [] : this.findTasks({ listId: task.list_id });
  }

  /** Returns whether the numbers of tasks with a label have changed. */
  #showTasks(changedKeys: readonly Key[]): boolean {
    const keys = new Set(changedKeys);
    for (const key of changedKeys) {
      this.#subtasks.setParent(idOf(key), parentIdOf(key, this.entry(key)));
      for (const subtaskKey of this.subtaskKeys(key)) {
        keys.add(subtaskKey);
      }
    }
    const replacements: TaskReplacement[] = [];
    let haveCountsChanged = false;
    for (const key of keys) {
      const id = idOf(key);
      const before = this.#tasks.get(id);
      const after = showTask(key, this.entry(key), this.#surroundings);
      if (JSON.stringify(before) === JSON.stringify(after)) {
        continue;
      }
      replacements.push({ before, after });
      if (after === undefined) {
        this.#tasks.delete(id);
      } else {
        this.#tasks.set(id, after);
      }
      if (before?.labels.join("\n") !== after?.labels.join("\n")) {
        this.#count(before?.labels ?? [], -1);
        this.#count(after?.labels ?? [], 1);
        haveCountsChanged = true;
      }
    }
    if (replacements.length > 0) {
      this.#queries.update(replacements);
    }
    return haveCountsChanged;
  }

  #count(names: readonly string[], difference: number): void {
    for (const name of names) {
      const folded = foldCase(name);
      this.#taskCounts.set(folded, (this.#taskCounts.get(folded) ?? 0) + difference);
    }
  }

  #showLists(): LocalList[] {
    const lists = this.#keys("list").map((key) => showList(key, this.entry(key)));
    return lists
      .filter((list) => list !== undefined)
      .sort((left, right) => compareTexts(left.position, right.position));
  }

  #showLabels(): LocalLabel[] {
    const labels: LocalLabel[] = [];
    for (const key of this.#keys("label")) {
      const label = showLabel(this.entry(key));
      if (label !== undefined) {
        const count = this.#taskCounts.get(foldCase(label.name)) ?? 0;
        labels.push({ ...label, task_count: count });
      }
    }
    return labels.sort((left, right) => compareTexts(foldCase(left.name), foldCase(right.name)));
  }

  /** Returns whether tasks have to be shown anew. */
  #updateSurroundings(): boolean {
    const deletedLists = new Map<string, "keep" | "delete">();
    const labelNames = new Map<string, string | null>();
    for (const [key, { deletion, edits }] of this.#pending) {
      if (kindOf(key) === "list" && deletion !== null) {
        deletedLists.set(idOf(key), deletion.tasks);
      }
      const label = kindOf(key) === "label" ? this.#stored.get(key)?.item : undefined;
      if (label !== undefined && deletion !== null) {
        labelNames.set(foldCase((label as Label).name), null);
      } else if (label !== undefined && edits.name !== undefined) {
        labelNames.set(foldCase((label as Label).name), edits.name.mine as string);
      }
    }
    const earlier = this.#surroundings;
    this.#surroundings = { ...earlier, deletedLists, labelNames };
    return (
      !areSameMaps(earlier.deletedLists, deletedLists) ||
      !areSameMaps(earlier.labelNames, labelNames)
    );
  }

  #keys(kind: Kind): Key[] {
    const prefix = keyOf(kind, "");
    const keys = new Set([...this.#stored.keys(), ...this.#pending.keys()]);
    return [...keys].filter((key) => key.startsWith(prefix));
  }
}

function isTaskKey(key: Key): boolean {
  return kindOf(key) === "task";
}

function areSameMaps<Value>(
  left: ReadonlyMap<string, Value>,
  right: ReadonlyMap<string, Value>,
): boolean {
  return left.size === right.size && [...left].every(([key, value]) => right.get(key) === value);
}
