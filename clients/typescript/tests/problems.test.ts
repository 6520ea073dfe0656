import { expect, test } from "vitest";
import { ProblemError } from "../src/index.js";
import { FaultProxy } from "./fault-proxy.js";
import { signUp } from "./support.js";

async function problemOf(call: PromiseLike<unknown>): Promise<ProblemError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof ProblemError) return error;
    throw error;
  }
  throw new Error("The call succeeded.");
}

test("a problem names the fields of a form", async () => {
  const { client } = await signUp();
  const fields = { title: " ", due: { date: "2026-12-01", time: "8 o'clock" } };

  const problem = await problemOf(client.tasks.create(fields));

  expect(problem.status).toBeOneOf([400, 422]);
  expect(Object.keys(problem.fields)).toContain("due.time");
  expect(problem.requestId).toMatch(/.{8}/);
  expect(problem.isRetryable).toBe(false);
});

test("a problem of the query names the parameter", async () => {
  const { client } = await signUp();

  const problem = await problemOf(client.tasks.list({ limit: 0 }));

  expect(problem).toMatchObject({ status: 400 });
  expect(Object.keys(problem.fields)).toEqual(["limit"]);
});

test("a missing task has a code", async () => {
  const { client } = await signUp();

  const problem = await problemOf(client.tasks.get(crypto.randomUUID()));

  expect(problem).toMatchObject({ status: 404, code: "task-not-found", name: "ProblemError" });
});

test.each([
  [502, "bad-gateway", true],
  [413, "content-too-large", false],
  [418, "bad-request", false],
])("a page with status %d of a proxy in between becomes %s", async (status, code, isRetryable) => {
  await using proxy = await FaultProxy.start();
  const { client } = await signUp({ url: proxy.url });
  proxy.decide = ({ path }) =>
    path === "/tasks" ? { status, body: "<html>nginx</html>" } : "pass";

  const problem = await problemOf(client.tasks.list({}, { retries: 0 }));

  expect(problem).toMatchObject({ status, code, isRetryable, requestId: "" });
});
