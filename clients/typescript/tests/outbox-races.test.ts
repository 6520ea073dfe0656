import { expect, test } from "vitest";

import { undo } from "../src/sync/refusal.js";
import { confirm, prepare } from "../src/sync/send.js";
import { KEY, afterActs, change, continueWith, create, problem, serverTask } from "./fixtures.js";

test("a move to another list while a move to the top runs is sent after it", () => {
  const { entry, sending } = prepare(
    KEY,
    afterActs(serverTask(), { type: "move", after: null, position: "0" }),
  );
  if (sending === undefined) {
    throw new Error("nothing was sent");
  }
  const moved = continueWith(entry, { type: "move", after: null, listId: "b", position: "0" });

  const confirmed = confirm(KEY, moved, sending, serverTask({ version: 2 }));

  expect(prepare(KEY, confirmed).sending).toMatchObject({ body: { after: null, list_id: "b" } });
});

test("what is edited while a refused request runs is kept", () => {
  const { entry, sending } = prepare(KEY, afterActs(serverTask(), change({ title: "!" })));
  if (sending === undefined) {
    throw new Error("nothing was sent");
  }
  const corrected = continueWith(entry, change({ title: "Cactus" }));

  const refused = undo(corrected, sending, problem("too-short", 422, ["title"]));

  expect(prepare(KEY, refused).sending).toMatchObject({
    method: "PATCH",
    body: { title: "Cactus" },
  });
});

test("a move while a refused move runs is kept", () => {
  const { entry, sending } = prepare(
    KEY,
    afterActs(serverTask(), { type: "move", after: null, listId: "gone", position: "0" }),
  );
  if (sending === undefined) {
    throw new Error("nothing was sent");
  }
  const moved = continueWith(entry, { type: "move", after: null, listId: "b", position: "0" });

  const refused = undo(moved, sending, problem("list-not-found", 422));

  expect(prepare(KEY, refused).sending).toMatchObject({ method: "POST", body: { list_id: "b" } });
});

test("choosing a third list after a move that was not sent is no conflict", () => {
  const entry = afterActs(
    serverTask({ list_id: "a" }),
    { type: "move", after: null, listId: "b", position: "0" },
    change({ list_id: "c" }),
  );
  const { entry: prepared, sending } = prepare(KEY, entry);

  expect(prepared.pending?.conflicts).toEqual({});
  expect(sending).toMatchObject({ method: "PATCH", body: { list_id: "c" } });
});

test("a field that the creation did not have can be edited while the creation runs", () => {
  const fields = {
    description: "Twice a week",
    due: { date: "2027-03-01" },
    labels: ["garden"],
    list_id: "0198f3a2-0000-7000-8000-000000000002",
    priority: "high",
  } as const;
  const { entry: running, sending } = prepare(KEY, afterActs(undefined, create("Water")));
  if (sending === undefined) {
    throw new Error("nothing was sent");
  }

  const edited = continueWith(running, change(fields));
  const confirmed = confirm(KEY, edited, sending, serverTask({ title: "Water" }));

  expect(edited.pending?.conflicts).toEqual({});
  expect(prepare(KEY, confirmed).sending).toMatchObject({ method: "PATCH", body: fields });
});
