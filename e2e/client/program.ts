/** A program of somebody who has installed the package; it prints the responses. */

import { createClient, ProblemError, type List, type Task } from "@task-platform/client";
import { TaskPlatformProvider, useTasks } from "@task-platform/client/react";
import { createServerClient } from "@task-platform/client/server";
import { openStore } from "@task-platform/client/sync";

declare const process: { env: { BASE_URL: string; TOKEN: string } };
declare const console: { log: (text: string) => void };

const { BASE_URL, TOKEN } = process.env;
const client = createClient({ url: BASE_URL, auth: () => TOKEN });
const clientFor = createServerClient({ url: BASE_URL, getToken: () => Promise.resolve(TOKEN) });

const created: Task = await client.tasks.create({ title: "Water the plants" });
const changed = await client.tasks.change(created, { status: "completed" });
const replaced = await client.tasks.replace(changed, { title: "Water the cactus" });
const listed: Task[] = await client.tasks.list({ status: "pending", limit: 20 });
const profile = await clientFor(new Headers()).users.changeMe({ time_zone: "Europe/Paris" });
const lists: List[] = await client.lists.list();
await client.tasks.delete(replaced);

let missing = "";
try {
  await client.tasks.get(created.id);
} catch (error) {
  if (error instanceof ProblemError) missing = error.code;
}

const functions = [TaskPlatformProvider, useTasks, openStore].map((entry) => typeof entry);
console.log(
  JSON.stringify({ created, changed, replaced, listed, profile, lists, missing, functions }),
);
