import type { components, operations } from "./openapi.js";

type Schemas = components["schemas"];

export type Task = Schemas["TaskRead"];
export type TaskCreate = Schemas["TaskCreate"];
export type TaskChange = Schemas["TaskChange"];
/** All that a task shall be; absent fields get their defaults, as `Tasks.replace` says. */
export type TaskReplace = Schemas["TaskReplace"];
export type TaskMove = Schemas["TaskMove"];
/** The due date in a response; all but the date is null for a task that is due all day. */
export type Due = Schemas["DueRead"];
/** The due date in a request. A time of day needs a time zone, and the other way round. */
export type DueChange = Schemas["Due"];
/** When a task repeats: a rule of RFC 5545, and what the next due date is computed from. */
export type Recurrence = Schemas["RecurrenceRead"];
/** When a task shall repeat, in a request; `from` is `due` if it is absent. */
export type RecurrenceChange = Schemas["Recurrence"];
export type Priority = Task["priority"];
export type List = Schemas["ListRead"];
export type ListCreate = Schemas["ListCreate"];
export type ListChange = Schemas["ListChange"];
export type ListReplace = Schemas["ListReplace"];
export type ListMove = Schemas["ListMove"];
export type Label = Schemas["LabelRead"];
/** A label in the list of all labels, with the number of tasks that carry it. */
export type LabelListed = Schemas["LabelListed"];
export type LabelChange = Schemas["LabelChange"];
export type User = Schemas["UserRead"];
export type UserChange = Schemas["UserChange"];
/** What happened since the last synchronization, in the order of versions. */
export type Changes = Schemas["ChangesRead"];
/** Says that a task, a list or a label was deleted; nothing of its content remains. */
export type Deletion = Schemas["DeletionRead"];
/** How many tasks, lists and labels an import created, replaced, left as they were, or gave another id. */
export type ImportReport = Schemas["ImportRead"];

/** A problem document (RFC 9457). */
export type Problem = Schemas["Problem"];
/** Tells problems apart; each code has a page, which `client.platform.problem` returns. */
export type ProblemCode = Schemas["Code"];
/** What is wrong with one value of a request, and where it is. */
export type Fault = Schemas["Fault"];

/** Which tasks to list, in which order; `limit` asks for one page of that many tasks. */
export type TaskFilter = Omit<
  NonNullable<operations["list_tasks"]["parameters"]["query"]>,
  "user_id"
>;

/** Which tasks to change or delete at once: at least one filter. */
export type TaskSelection = Omit<
  NonNullable<operations["change_tasks"]["parameters"]["query"]>,
  "user_id"
>;
/** A change of many tasks; absent fields stay as they are. */
export type ManyChange = Schemas["BulkChange"];
/** How many tasks matched, how many of them changed, and the user's counter afterwards. */
export type ManyChanged = Schemas["BulkChangeRead"];
/** How many tasks matched, how many of them were deleted, and the user's counter afterwards. */
export type ManyDeleted = Schemas["BulkDeletionRead"];

/** The id of something, or what was read of it: then the write fails if it has changed since. */
export type Reference = string | Versioned;

/** What identifies one version of a task, a list or a label. */
export interface Versioned {
  id: string;
  version: number;
}

/** One line of an export: first that of the profile, then lists, labels and tasks. */
export type ExportRecord =
  | { kind: "export"; format: number; exported_at: string; user: User }
  | ({ kind: "list" } & List)
  | ({ kind: "label" } & Label)
  | ({ kind: "task" } & Task);
