/**
 * Mistakes that the compiler must find; the functions are never called.
 *
 * Each `@ts-expect-error` says which one follows; the compiler rejects one that is none.
 */
import { ProblemError, type Client, type Task, type TaskCreate } from "../src/index.js";

export const mistakes = [
  // @ts-expect-error A task needs a title.
  (client: Client) => client.tasks.create({ description: "Something" }),
  // @ts-expect-error There is no such field: it is called is_completed.
  (client: Client, task: Task) => client.tasks.change(task, { completed: true }),
  // @ts-expect-error There is no such field.
  (): TaskCreate => ({ title: "Water the plants", colour: 1 }),
  // @ts-expect-error There is no such status.
  (client: Client, task: Task) => client.tasks.change(task, { status: "done" }),
  // @ts-expect-error A recurrence needs a rule.
  (): TaskCreate => ({ title: "Water the plants", recurrence: { from: "due" } }),
  // @ts-expect-error Only the labels of many tasks are added and removed one by one.
  (client: Client, task: Task) => client.tasks.change(task, { labels_add: ["garden"] }),
  // @ts-expect-error A title cannot be cleared.
  (client: Client, task: Task) => client.tasks.change(task, { title: null }),
  // @ts-expect-error A page has a number of tasks.
  (client: Client) => client.tasks.list({ limit: "all" }),
  // @ts-expect-error There is no such group of methods.
  (client: Client): unknown => client.projects,
  // @ts-expect-error A description may be null.
  (task: Task) => task.description.length,
  // @ts-expect-error There is no such code.
  (error: ProblemError) => error.code === "task-was-lost",
  // @ts-expect-error The code is misspelled.
  (error: ProblemError) => error.code === "version-missmatch",
];
