import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Client } from "../src/index.js";
import type { operations } from "../src/openapi.js";
import { signUp, type SignedInUser } from "./support.js";

/** How each operation of the OpenAPI document is called. */
const CALLS: Record<keyof operations, (user: SignedInUser) => PromiseLike<unknown>> = {
  list_tasks: ({ client }) => client.tasks.list(),
  create_task: ({ client }) => createTask(client),
  list_changes: ({ client }) => client.tasks.changes({ limit: 10 }),
  get_task: async ({ client }) => client.tasks.get((await createTask(client)).id),
  change_task: async ({ client }) => client.tasks.change(await createTask(client), {}),
  replace_task: async ({ client }) => {
    const task = await createTask(client);
    return client.tasks.replace(task, { title: "Water the cactus" });
  },
  delete_task: async ({ client }) => client.tasks.delete(await createTask(client)),
  move_task: async ({ client }) => client.tasks.move(await createTask(client), { after: null }),
  change_tasks: ({ client }) => client.tasks.changeMany({ status: "pending" }, { priority: "low" }),
  delete_tasks: ({ client }) => client.tasks.deleteMany({ status: "completed" }),
  list_lists: ({ client }) => client.lists.list(),
  create_list: ({ client }) => createList(client),
  get_list: async ({ client }) => client.lists.get((await createList(client)).id),
  change_list: async ({ client }) => client.lists.change(await createList(client), {}),
  replace_list: async ({ client }) => {
    const list = await createList(client);
    return client.lists.replace(list, { name: `${list.name}!` });
  },
  delete_list: async ({ client }) => client.lists.delete(await createList(client)),
  move_list: async ({ client }) => client.lists.move(await createList(client), { after: null }),
  list_labels: ({ client }) => client.labels.list(),
  get_label: async ({ client }) => client.labels.get((await createLabel(client)).id),
  change_label: async ({ client }) => client.labels.change(await createLabel(client), {}),
  delete_label: async ({ client }) => client.labels.delete(await createLabel(client)),
  get_me: ({ client }) => client.users.me(),
  change_me: ({ client }) => client.users.changeMe({ time_zone: "Europe/Paris" }),
  erase_me: ({ client }) => client.users.eraseMe(),
  export_me: ({ client }) => client.users.exportMe().blob(),
  import_me: async ({ client }) => client.users.importMe(await client.users.exportMe().blob()),
  get_user: async ({ client }) => client.users.get((await client.users.me()).id),
  show_health: ({ client }) => client.platform.health(),
  show_readiness: ({ client }) => client.platform.readiness(),
  show_version: ({ client }) => client.platform.version(),
  show_openapi: ({ client }) => client.platform.openapi(),
  show_docs: ({ client }) => client.platform.docs(),
  list_problems: ({ client }) => client.platform.problems(),
  show_llms_text: ({ client }) => client.platform.llmsText(),
  show_problem: ({ client }) => client.platform.problem("task-not-found"),
};

function createTask(client: Client) {
  return client.tasks.create({ title: "Water the plants", labels: ["garden"] });
}

function createList(client: Client) {
  return client.lists.create({ name: crypto.randomUUID() });
}

async function createLabel(client: Client) {
  await createTask(client);
  const [label] = await client.labels.list();
  if (!label) throw new Error("The task has no label.");
  return label;
}

interface Operation {
  operationId: string;
}

type Document = Record<"paths", Record<string, Record<string, Operation>>>;

/** Return the method and the path of every operation. */
function readOperations(): [string, string, RegExp][] {
  const text = readFileSync(new URL("../../../docs/openapi.json", import.meta.url), "utf8");
  const { paths } = JSON.parse(text) as Document;
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]): [string, string, RegExp] => [
      operationId,
      method.toUpperCase(),
      new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`),
    ]),
  );
}

test.each(readOperations())("%s has a method", async (operationId, method, path) => {
  const requests: Request[] = [];
  const user = await signUp({
    fetch: (request) => {
      requests.push(request);
      return fetch(request);
    },
  });

  await CALLS[operationId as keyof operations](user);

  const last = requests.at(-1);
  expect(last?.method).toBe(method);
  expect(new URL(last?.url ?? "").pathname).toMatch(path);
});
