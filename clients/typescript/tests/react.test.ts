import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { expect, test } from "vitest";

import { createClient } from "../src/index.js";
import { TaskPlatformProvider, useSyncStatus, useTaskStore, useTasks } from "../src/react/index.js";

const client = createClient({ url: "http://localhost", auth: () => Promise.resolve(null) });

function State() {
  const { tasks, isLoaded } = useTasks({ status: "pending" });
  const { state } = useSyncStatus();
  return `${String(tasks.length)} tasks, loaded: ${String(isLoaded)}, ${state}`;
}

test("a server renders an empty copy that is not loaded", () => {
  const page = createElement(TaskPlatformProvider, { client, user: "ada" }, createElement(State));

  expect(renderToString(page)).toBe("0 tasks, loaded: false, saved");
});

function EditTooEarly() {
  useTaskStore().createTask({ title: "Water the plants" });
  return null;
}

test("an edit without a signed-in user is refused, not lost in silence", () => {
  const page = createElement(
    TaskPlatformProvider,
    { client, user: null },
    createElement(EditTooEarly),
  );

  expect(() => renderToString(page)).toThrow("Nobody is signed in");
});
