import { nextIdOf } from "../api/links.js";
import type { RequestResult } from "../client.js";
import { ProblemError } from "../errors.js";
import type { Changes, Label, Task } from "../models.js";
import { foldCase } from "./fields.js";
import { type Entry, type Item, type Key, idOf, isSendable, keyOf, kindOf } from "./pending.js";
import { undo } from "./refusal.js";
import {
  PHASES,
  type Phase,
  type Sending,
  confirm,
  confirmExisting,
  confirmMissing,
  moveAfter,
  phaseOf,
  prepare,
  receive,
  withoutParent,
} from "./send.js";
import { EMPTY_FEED, type Feed, type Rewrite, withoutItem } from "./storage.js";
import type { SyncClient } from "./types.js";
import { renameLabels } from "./view.js";

/** How many changes to ask for at once; the server's maximum. */
const PAGE_SIZE = 500;

/** How the requests are sent: once, because what fails is sent again in the next run. */
const ONCE = { retries: 0, deadlineSeconds: 20 };

/** How often a task is read and sent again while others keep changing it. */
const ATTEMPTS_MAX = 5;

const MISSING_CODES = ["task-not-found", "list-not-found", "label-not-found"];

/** How many items may fail until the platform itself is taken to be broken. */
const FAILURES_MAX = 3;

/** What came of sending all that is pending once. */
interface Round {
  hasSent: boolean;
  /** Whether tasks have changed on the server that were not sent. */
  needsRead: boolean;
  /** Why an item could not be sent, although others can; it stays pending. */
  failure: ProblemError | undefined;
}

/** The local copy and its storage, as far as the synchronizer needs them. */
export interface LocalState {
  rewrite(keys: readonly Key[], rewrite: Rewrite, feed?: Feed): Promise<void>;
  readFeed(): Promise<Feed>;
  entry(key: Key): Entry;
  pendingKeys(): Key[];
  storedKeys(): Key[];
  /** The tasks whose parent is this task. */
  subtaskKeys(key: Key): Key[];
  /** The task or list that is shown before this one; null if there is none. */
  predecessor(key: Key): string | null;
  report(problem: ProblemError): void;
  /** The server has accepted a request. */
  noteSuccess(): void;
  /** Nothing more shall be sent. */
  readonly isClosing: boolean;
}

/** Sends what is pending and reads what is new; the caller sees to one run at a time. */
export class Synchronizer {
  readonly #client: SyncClient;
  readonly #local: LocalState;

  constructor(client: SyncClient, local: LocalState) {
    this.#client = client;
    this.#local = local;
  }

  /**
   * Send all that is pending; then, if `mustRead`, read changes. Returns whether they were read.
   * Rejects if the server or the sign-in does not work; what is pending stays.
   */
  async run(mustRead: boolean): Promise<boolean> {
    const { isLoaded } = await this.#local.readFeed();
    if (!isLoaded) {
      // What was edited in an earlier copy needs the server's state to compare with.
      await this.#readChanges();
    }
    const { needsRead, failure } = await this.#sendAll();
    if (needsRead || (isLoaded && mustRead)) {
      await this.#readChanges();
    }
    if (failure !== undefined) {
      throw failure;
    }
    return !isLoaded || needsRead || mustRead;
  }

  async #sendAll(): Promise<Round> {
    let round: Round;
    let needsRead = false;
    do {
      round = await this.#sendRound();
      needsRead ||= round.needsRead;
    } while (round.hasSent && round.failure === undefined);
    return { ...round, needsRead };
  }

  /** Send what is pending, phase by phase, up to the phase in which an item fails. */
  async #sendRound(): Promise<Round> {
    const round: Round = { hasSent: false, needsRead: false, failure: undefined };
    for (const phase of PHASES) {
      await this.#sendPhase(phase, round);
      if (round.failure !== undefined) {
        // What is sent later may need that item.
        break;
      }
    }
    return round;
  }

  async #sendPhase(phase: Phase, round: Round): Promise<void> {
    let failures = 0;
    for (const key of this.#keysOf(phase)) {
      if (this.#local.isClosing) {
        return;
      }
      try {
        await this.#sendItem(key, phase, round);
      } catch (error) {
        failures += 1;
        if (!isOfOneItem(error) || failures === FAILURES_MAX) {
          throw error;
        }
        round.failure ??= error;
      }
    }
  }

  /** The items with something to send in a phase, in the order in which the user edited them. */
  #keysOf(phase: Phase): Key[] {
    const orders = new Map<Key, number>();
    for (const key of this.#local.pendingKeys()) {
      const { pending } = this.#local.entry(key);
      if (pending !== undefined && isSendable(pending) && phaseOf(key, pending) === phase) {
        orders.set(key, phase === "task-moves" ? (pending.move?.order ?? 0) : pending.order);
      }
    }
    return [...orders.keys()].sort(
      (left, right) => (orders.get(left) ?? 0) - (orders.get(right) ?? 0),
    );
  }

  /** Send what is pending for one item in this phase. */
  async #sendItem(key: Key, phase: Phase, round: Round): Promise<void> {
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
      const { pending } = this.#local.entry(key);
      if (pending === undefined || !isSendable(pending) || phaseOf(key, pending) !== phase) {
        break;
      }
      const sending = await this.#prepare(key);
      if (sending === undefined) {
        break;
      }
      const answer = await this.#send(key, sending);
      round.hasSent = true;
      round.needsRead ||= answer !== undefined && changesOthers(key, sending, answer);
    }
  }

  async #prepare(key: Key): Promise<Sending | undefined> {
    let sending: Sending | undefined;
    await this.#local.rewrite([key], (_key, entry) => {
      const preparation = prepare(key, entry);
      sending = preparation.sending;
      return preparation.entry;
    });
    return sending;
  }

  /** Returns the answer, unless it is a refusal, which is dealt with. */
  async #send(key: Key, sending: Sending): Promise<RequestResult | undefined> {
    try {
      const { method, path, query = {}, headers, body } = sending;
      const answer = await this.#client.request(method, path, { query, headers, body, ...ONCE });
      this.#local.noteSuccess();
      await this.#confirm(key, sending, answer.body as Item | undefined);
      return answer;
    } catch (error) {
      if (!(error instanceof ProblemError)) {
        throw error;
      }
      await this.#handleProblem(key, sending, error);
      return undefined;
    }
  }

  async #confirm(key: Key, sending: Sending, answer: Item | undefined): Promise<void> {
    const before = this.#local.entry(key).item;
    // Without their parent they are ordinary tasks on the server too; the feed tells their versions.
    const subtaskKeys = sending.step === "delete" ? this.#local.subtaskKeys(key) : [];
    await this.#local.rewrite([key, ...subtaskKeys], (each, entry) =>
      each === key ? confirm(key, entry, sending, answer ?? undefined) : withoutParent(entry),
    );
    if (kindOf(key) === "label" && before !== undefined) {
      const newName = sending.step === "delete" ? null : (sending.fields.name as string);
      await this.#renameLabel((before as Label).name, newName);
    }
    if (kindOf(key) === "list" && sending.step === "delete") {
      await this.#emptyList(idOf(key), sending.query?.tasks === "delete");
    }
  }

  async #handleProblem(key: Key, sending: Sending, problem: ProblemError): Promise<void> {
    if (problem.status === 412) {
      await this.#reread(key, sending);
    } else if (problem.status === 404 && MISSING_CODES.includes(problem.code)) {
      await this.#local.rewrite([key], (_key, entry) => confirmMissing(key, entry));
    } else if (problem.code === "after-not-found") {
      await this.#readChanges();
      const after = this.#local.predecessor(key);
      await this.#local.rewrite([key], (_key, entry) => moveAfter(entry, after));
    } else if (isFinal(problem)) {
      await this.#local.rewrite([key], (_key, entry) => undo(entry, sending, problem));
      this.#local.report(problem);
    } else {
      throw problem;
    }
  }

  /** Another device was quicker, or an earlier attempt has arrived: read the item as it is now. */
  async #reread(key: Key, sending: Sending): Promise<void> {
    const current = await this.#readItem(key);
    await this.#local.rewrite([key], (_key, entry) => {
      if (current === undefined) {
        return confirmMissing(key, entry);
      }
      return sending.step === "create"
        ? confirmExisting(key, entry, current)
        : receive(key, entry, current);
    });
  }

  async #readItem(key: Key): Promise<Item | undefined> {
    try {
      const path = `/${kindOf(key)}s/${idOf(key)}`;
      const { body } = await this.#client.request("GET", path, ONCE);
      return body as Item;
    } catch (error) {
      if (error instanceof ProblemError && MISSING_CODES.includes(error.code)) {
        return undefined;
      }
      throw error;
    }
  }

  async #readChanges(): Promise<void> {
    try {
      await this.#readNewChanges();
    } catch (error) {
      if (!(error instanceof ProblemError && error.code === "resync-required")) {
        throw error;
      }
      await this.#readAnew();
    }
  }

  async #readNewChanges(): Promise<void> {
    let feed = await this.#local.readFeed();
    let hasMore = true;
    while (hasMore) {
      const page = await this.#readPage(feed.since);
      hasMore = page.has_more;
      feed = { since: page.next, isLoaded: feed.isLoaded || !hasMore };
      await this.#takeOver(itemsOf(page), feed);
    }
  }

  /** Replace the copy by all that the server has. Until that is complete, the old copy is shown. */
  async #readAnew(): Promise<void> {
    const items = new Map<Key, Item | undefined>();
    let { since } = EMPTY_FEED;
    let hasMore = true;
    while (hasMore) {
      const page = await this.#readPage(since);
      for (const [key, item] of itemsOf(page)) {
        items.set(key, item);
      }
      since = page.next;
      hasMore = page.has_more;
    }
    const replace = (key: Key, entry: Entry) => {
      const item = items.get(key);
      const bare = withoutItem(entry);
      return item === undefined ? bare : receive(key, bare, item);
    };
    const keys = new Set([...this.#local.storedKeys(), ...items.keys()]);
    await this.#local.rewrite([...keys], replace, { since, isLoaded: true });
  }

  async #readPage(since: string): Promise<Changes> {
    const query = { since, limit: String(PAGE_SIZE) };
    const { body } = await this.#client.request("GET", "/tasks/changes", { query, ...ONCE });
    return body as Changes;
  }

  async #takeOver(items: ReadonlyMap<Key, Item | undefined>, feed: Feed): Promise<void> {
    const takeOver = (key: Key, entry: Entry) => {
      const item = items.get(key);
      return item === undefined ? confirmMissing(key, entry) : receive(key, entry, item);
    };
    await this.#local.rewrite([...items.keys()], takeOver, feed);
  }

  /** Show on all tasks what the server has done to them, until the feed tells their versions. */
  async #renameLabel(oldName: string, newName: string | null): Promise<void> {
    const newNames = new Map([[foldCase(oldName), newName]]);
    await this.#rewriteTasks((task) => {
      const labels = renameLabels(task.labels, newNames);
      return labels === task.labels ? task : { ...task, labels };
    });
  }

  async #emptyList(listId: string, areTasksDeleted: boolean): Promise<void> {
    await this.#rewriteTasks((task) => {
      if (task.list_id !== listId) {
        return task;
      }
      return areTasksDeleted ? undefined : { ...task, list_id: null };
    });
  }

  async #rewriteTasks(change: (task: Task) => Task | undefined): Promise<void> {
    const isChanged = (key: Key): boolean => {
      const { item } = this.#local.entry(key);
      return kindOf(key) === "task" && item !== undefined && change(item as Task) !== item;
    };
    const keys = this.#local.storedKeys().filter(isChanged);
    await this.#local.rewrite(keys, (key, entry) => {
      if (entry.item === undefined) {
        return entry;
      }
      const item = change(entry.item as Task);
      return item === undefined ? confirmMissing(key, entry) : { ...entry, item };
    });
  }
}

/** What a page of changes says; undefined for what was deleted. */
function itemsOf(page: Changes): Map<Key, Item | undefined> {
  const items = new Map<Key, Item | undefined>();
  for (const { kind, id } of page.deleted) {
    items.set(keyOf(kind, id), undefined);
  }
  for (const task of page.tasks) {
    items.set(keyOf("task", task.id), task);
  }
  for (const list of page.lists) {
    items.set(keyOf("list", list.id), list);
  }
  for (const label of page.labels) {
    items.set(keyOf("label", label.id), label);
  }
  return items;
}

/** Whether the server has changed tasks, or created labels, that are not in its answer. */
function changesOthers(key: Key, sending: Sending, { headers, body }: RequestResult): boolean {
  const { labels, is_completed: isCompleted } = sending.fields;
  switch (kindOf(key)) {
    case "task": {
      const hasNext = isCompleted === true && nextIdOf(headers) !== null;
      const takesNextBack = isCompleted === false && (body as Task).recurrence !== null;
      const makesLabels = Array.isArray(labels) && labels.length > 0;
      return hasNext || takesNextBack || makesLabels;
    }
    case "list":
      return sending.step === "delete";
    case "label":
      return true;
  }
}

/** Whether the server failed at this item, so that it may accept others. */
function isOfOneItem(error: unknown): error is ProblemError {
  return error instanceof ProblemError && error.status === 500 && error.requestId !== "";
}

/** Whether the server itself will never accept the request, so that sending it again is useless. */
function isFinal(problem: ProblemError): boolean {
  const isFromServer = problem.requestId !== "";
  const { status } = problem;
  return isFromServer && !problem.isRetryable && status >= 400 && status < 500 && status !== 401;
}
