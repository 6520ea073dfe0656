import { ProblemError } from "../src/errors.js";
import type { Task } from "../src/index.js";
import { type Edit, type Entry, type Key, applyEdit } from "../src/sync/pending.js";

export const KEY: Key = "task:0198f3a2-0000-7000-8000-000000000001";

/** A task as the server returns it. */
export function serverTask(fields: Partial<Task> = {}): Task {
  return {
    id: KEY.slice("task:".length),
    user_id: "0198f3a2-0000-7000-8000-000000000099",
    title: "Water the plants",
    description: null,
    is_completed: false,
    status: "pending",
    completed_at: null,
    created_at: "2026-11-21T08:30:00.000000Z",
    updated_at: "2026-11-21T08:30:00.000000Z",
    version: 1,
    list_id: null,
    due: null,
    priority: "none",
    labels: [],
    position: "00001795249800000000",
    recurrence: null,
    previous_id: null,
    parent_id: null,
    ...fields,
  };
}

type Act = Edit extends infer One ? (One extends Edit ? Omit<One, "at" | "order"> : never) : never;

let order = 0;

/** The entry of a task after some acts of the user. */
export function afterActs(item: Task | undefined, ...acts: Act[]): Entry {
  return continueWith({ item, pending: undefined }, ...acts);
}

/** An entry after more acts of the user. */
export function continueWith(start: Entry, ...acts: Act[]): Entry {
  let entry = start;
  for (const act of acts) {
    order += 1;
    const edit: Edit = { ...act, at: "2026-11-21T09:00:00.000000Z", order };
    entry = { item: entry.item, pending: applyEdit(KEY, entry, edit) };
  }
  return entry;
}

export function create(title: string): Act {
  return { type: "create", fields: { title }, position: "00001795249800000001" };
}

export function change(fields: Extract<Act, { type: "change" }>["fields"], seen = {}): Act {
  return { type: "change", fields, seen };
}

export const REMOVE: Act = { type: "delete", tasks: "keep" };

export function restore(title: string): Act {
  return { type: "restore", fields: { title }, position: "00001795249800000001" };
}

/** A refusal of the server that names these fields. */
export function problem(code: string, status: number, fields: string[] = []): ProblemError {
  return new ProblemError({
    type: `/problems/${code}`,
    title: "",
    status,
    detail: "No.",
    code: code as ProblemError["code"],
    request_id: "request-1",
    ...(fields.length > 0 && {
      errors: fields.map((field) => ({
        location: ["body", ...field.split(".")] as [string, ...string[]],
        code,
        message: "No.",
      })),
    }),
  });
}
