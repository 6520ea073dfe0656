import { compareTexts, foldCase } from "./fields.js";
import type { SubtaskIndex } from "./subtasks.js";
import type { LocalTask, TaskFilter, TaskSort } from "./types.js";

/** From this many changes at once on, sorting anew is quicker than inserting one by one. */
const REBUILD_FROM = 200;

/** One task before and after a change; undefined where it is not shown. */
export interface TaskReplacement {
  before: LocalTask | undefined;
  after: LocalTask | undefined;
}

type Order = (left: LocalTask, right: LocalTask) => number;

/** Answers filters from memory; an edit costs a search in each answer, not a sort. */
export class TaskQueries {
  readonly #tasks: ReadonlyMap<string, LocalTask>;
  readonly #subtasks: SubtaskIndex;
  readonly #queries = new Map<string, Query>();

  constructor(tasks: ReadonlyMap<string, LocalTask>, subtasks: SubtaskIndex) {
    this.#tasks = tasks;
    this.#subtasks = subtasks;
  }

  get(filter: TaskFilter): readonly LocalTask[] {
    const name = nameOf(filter);
    let query = this.#queries.get(name);
    if (query === undefined) {
      query = new Query(filter, () => this.#candidates(filter));
      this.#queries.set(name, query);
    }
    return query.read();
  }

  /** Bring all answers up to date; those that nobody read since the last time are dropped. */
  update(replacements: readonly TaskReplacement[]): void {
    for (const [name, query] of this.#queries) {
      if (!query.wasRead) {
        this.#queries.delete(name);
        continue;
      }
      query.wasRead = false;
      query.update(replacements);
    }
  }

  /** Tasks among which are all that match. */
  #candidates({ parentId }: TaskFilter): LocalTask[] {
    const hasParent = parentId !== undefined && parentId !== null;
    return hasParent ? this.#subtasks.tasksOf(parentId) : [...this.#tasks.values()];
  }
}

class Query {
  wasRead = true;
  readonly #matches: (task: LocalTask) => boolean;
  readonly #order: Order;
  readonly #candidates: () => LocalTask[];
  #tasks: readonly LocalTask[] | undefined;

  constructor(filter: TaskFilter, candidates: () => LocalTask[]) {
    this.#matches = matcherOf(filter);
    this.#order = orderOf(filter.sort ?? "position");
    this.#candidates = candidates;
  }

  read(): readonly LocalTask[] {
    this.wasRead = true;
    this.#tasks ??= this.#candidates().filter(this.#matches).sort(this.#order);
    return this.#tasks;
  }

  update(replacements: readonly TaskReplacement[]): void {
    if (this.#tasks === undefined) {
      return;
    }
    const relevant = replacements.filter(({ before, after }) => this.#hasOrGets(before, after));
    if (relevant.length >= REBUILD_FROM) {
      this.#tasks = undefined;
      return;
    }
    if (relevant.length === 0) {
      return;
    }
    const tasks = [...this.#tasks];
    for (const { before, after } of relevant) {
      this.#replace(tasks, before, after);
    }
    this.#tasks = tasks;
  }

  #hasOrGets(before: LocalTask | undefined, after: LocalTask | undefined): boolean {
    const had = before !== undefined && this.#matches(before);
    return had || (after !== undefined && this.#matches(after));
  }

  #replace(tasks: LocalTask[], before: LocalTask | undefined, after: LocalTask | undefined): void {
    if (before !== undefined && this.#matches(before)) {
      tasks.splice(indexIn(tasks, before, this.#order), 1);
    }
    if (after !== undefined && this.#matches(after)) {
      tasks.splice(indexIn(tasks, after, this.#order), 0, after);
    }
  }
}

function nameOf({ listId, parentId, status, search, label, sort }: TaskFilter): string {
  // In JSON, what is absent would be the same as null.
  const ids = [listId, parentId].map((id) => (id === undefined ? [] : id));
  return JSON.stringify([...ids, status, search, label, sort]);
}

function matcherOf(filter: TaskFilter): (task: LocalTask) => boolean {
  const { listId, parentId, status, search, label } = filter;
  const foldedSearch = search === undefined ? "" : foldCase(search.trim());
  const foldedLabel = label === undefined ? undefined : foldCase(label);
  return (task) =>
    (listId === undefined || task.list_id === listId) &&
    (parentId === undefined || task.parent_id === parentId) &&
    (status === undefined || task.status === status) &&
    (foldedLabel === undefined || task.labels.some((name) => foldCase(name) === foldedLabel)) &&
    (foldedSearch === "" || searchTextOf(task).includes(foldedSearch));
}

const foldedTitleOf = oncePerTask((task) => foldCase(task.title));

const searchTextOf = oncePerTask((task) => foldCase(`${task.title}\n${task.description ?? ""}`));

/** Keeps what is computed of a task for as long as the task object lives. */
function oncePerTask(compute: (task: LocalTask) => string): (task: LocalTask) => string {
  const texts = new WeakMap<LocalTask, string>();
  return (task) => {
    let text = texts.get(task);
    if (text === undefined) {
      text = compute(task);
      texts.set(task, text);
    }
    return text;
  };
}

/** Where a task is, or belongs, in sorted tasks. */
function indexIn(tasks: readonly LocalTask[], task: LocalTask, order: Order): number {
  let low = 0;
  let high = tasks.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const candidate = tasks[middle];
    if (candidate !== undefined && order(candidate, task) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

const PRIORITY_RANKS = { none: undefined, low: 1, medium: 2, high: 3 };

function valueOf(task: LocalTask, field: string): string | number | undefined {
  switch (field) {
    case "created_at":
      return task.created_at;
    case "updated_at":
      return task.updated_at;
    case "title":
      return foldedTitleOf(task);
    case "due":
      return task.due === null ? undefined : `${task.due.date} ${task.due.time ?? "24"}`;
    case "priority":
      return PRIORITY_RANKS[task.priority];
    default:
      return task.position;
  }
}

function orderOf(sort: TaskSort): Order {
  const isDescending = sort.startsWith("-");
  const field = isDescending ? sort.slice(1) : sort;
  return (left, right) => {
    const byValue = compare(valueOf(left, field), valueOf(right, field), isDescending);
    return byValue === 0 ? compareTexts(left.id, right.id) : byValue;
  };
}

/** Items without a value come last in both directions. */
function compare(
  left: string | number | undefined,
  right: string | number | undefined,
  isDescending: boolean,
): number {
  if (left === right) {
    return 0;
  }
  if (left === undefined) {
    return 1;
  }
  if (right === undefined) {
    return -1;
  }
  const ascending = left < right ? -1 : 1;
  return isDescending ? -ascending : ascending;
}
