/**
 * A front end with types generated from the OpenAPI document; it prints the responses.
 *
 * Each `@ts-expect-error` is a mistake that the types must find; the compiler rejects one that is none.
 */

import createClient from "openapi-fetch";
import type { components, paths } from "./made/api.js";

declare const process: { env: { BASE_URL: string; TOKEN: string } };

type NewTask = components["schemas"]["TaskCreate"];
type Task = components["schemas"]["TaskRead"];
type Problem = components["schemas"]["Problem"];

const { BASE_URL, TOKEN } = process.env;
const api = createClient<paths>({ baseUrl: BASE_URL, headers: { Authorization: `Bearer ${TOKEN}` } });

/** Return the body of a response, or throw the problem. */
const require = <Data>({ data, error }: { data?: Data; error?: Problem }): Data => {
  if (error) throw new Error(`${error.code}: ${error.detail}`);
  return data as Data;
};

const created: Task = require(await api.POST("/tasks", { body: { title: "Water the plants" } }));
const params = { path: { task_id: created.id } };
const changed = require(await api.PATCH("/tasks/{task_id}", { params, body: { status: "completed" } }));
const replaced = require(await api.PUT("/tasks/{task_id}", { params, body: { title: "Water the cactus" } }));
const listed: Task[] = require(await api.GET("/tasks", { params: { query: { status: "pending", limit: 20 } } }));
const profile = require(await api.PATCH("/users/me", { body: { time_zone: "Europe/Paris" } }));
await api.DELETE("/tasks/{task_id}", { params });
const { error: missing } = await api.GET("/tasks/{task_id}", { params });

console.log(JSON.stringify({ created, changed, replaced, listed, profile, missing: missing?.code }));

/** Mistakes; these functions are never called. */
export const mistakes = [
  // @ts-expect-error A task needs a title.
  () => api.POST("/tasks", { body: { description: "Something" } }),
  // @ts-expect-error There is no such field.
  (): NewTask => ({ title: "Water the plants", colour: 1 }),
  // @ts-expect-error There is no such status.
  () => api.PATCH("/tasks/{task_id}", { params, body: { status: "done" } }),
  // @ts-expect-error A title cannot be cleared.
  () => api.PATCH("/tasks/{task_id}", { params, body: { title: null } }),
  // @ts-expect-error A page has a number of tasks.
  () => api.GET("/tasks", { params: { query: { limit: "all" } } }),
  // @ts-expect-error There is no such path.
  () => api.GET("/projects"),
  // @ts-expect-error A description may be null.
  () => created.description.length,
  // @ts-expect-error There is no such code.
  () => missing?.code === "task-was-lost",
];
