import { expect, test } from "vitest";

import { conflictsOf } from "../src/sync/conflicts.js";
import type { Entry } from "../src/sync/pending.js";
import { undo } from "../src/sync/refusal.js";
import {
  PHASES,
  confirm,
  confirmExisting,
  confirmMissing,
  moveAfter,
  phaseOf,
  prepare,
  receive,
} from "../src/sync/send.js";
import {
  KEY,
  REMOVE,
  afterActs,
  change,
  continueWith,
  create,
  problem,
  restore,
  serverTask,
} from "./fixtures.js";

function sendingOf(entry: Entry) {
  return prepare(KEY, entry).sending;
}

/** The entry after its next request was sent and nothing was heard of it. */
function afterLostAnswer(entry: Entry): Entry {
  return prepare(KEY, entry).entry;
}

function afterAnswer(entry: Entry, answer: Parameters<typeof confirm>[3]): Entry {
  const { entry: sent, sending } = prepare(KEY, entry);
  if (sending === undefined) {
    throw new Error("nothing was sent");
  }
  return confirm(KEY, sent, sending, answer);
}

function conflictsIn(entry: Entry) {
  return entry.pending === undefined
    ? []
    : conflictsOf(new Map([[KEY, entry.pending]]), () => entry);
}

test("a creation and edits of it become one PUT that cannot overwrite anything", () => {
  const entry = afterActs(undefined, create("Water"), change({ title: "Water the plants" }));

  expect(sendingOf(entry)).toMatchObject({
    method: "PUT",
    headers: { "If-None-Match": "*" },
    body: { title: "Water the plants" },
  });
});

test("several edits of a task become one PATCH with the version that was seen", () => {
  const entry = afterActs(
    serverTask({ version: 7 }),
    change({ title: "Water" }),
    change({ title: "Water the cactus", priority: "high" }),
  );

  expect(sendingOf(entry)).toMatchObject({
    method: "PATCH",
    headers: { "If-Match": '"7"' },
    body: { title: "Water the cactus", priority: "high" },
  });
});

test("a creation that was never sent vanishes with its deletion", () => {
  const entry = afterActs(undefined, create("Water"), REMOVE);

  expect(entry.pending).toBeUndefined();
});

test("a creation that may have arrived is deleted on the server", () => {
  const sent = afterLostAnswer(afterActs(undefined, create("Water")));

  expect(sendingOf(continueWith(sent, REMOVE))).toMatchObject({ method: "DELETE", headers: {} });
});

test("an edit after a creation that may have arrived is sent after it", () => {
  let entry = afterLostAnswer(afterActs(undefined, create("Water")));
  entry = continueWith(entry, change({ title: "Water the cactus" }));

  expect(sendingOf(entry)).toMatchObject({ method: "PUT", body: { title: "Water" } });
  entry = confirmExisting(KEY, entry, serverTask({ title: "Water", version: 3 }));
  expect(sendingOf(entry)).toMatchObject({
    method: "PATCH",
    headers: { "If-Match": '"3"' },
    body: { title: "Water the cactus" },
  });
});

test("an edit that has arrived without an answer is not sent again", () => {
  let entry = afterLostAnswer(afterActs(serverTask(), change({ title: "Cactus" })));
  entry = receive(KEY, entry, serverTask({ title: "Cactus", version: 2 }));

  const { entry: settled, sending } = prepare(KEY, entry);

  expect(sending).toBeUndefined();
  expect(settled.pending).toBeUndefined();
});

test("an own edit that arrived without an answer is no conflict with the next one", () => {
  let entry = afterLostAnswer(afterActs(serverTask(), change({ title: "Cactus" })));
  entry = continueWith(entry, change({ title: "Fern" }));
  entry = receive(KEY, entry, serverTask({ title: "Cactus", version: 2 }));

  expect(sendingOf(entry)).toMatchObject({
    headers: { "If-Match": '"2"' },
    body: { title: "Fern" },
  });
});

test("what is edited while a request runs is sent after it", () => {
  const { entry: sent, sending } = prepare(KEY, afterActs(serverTask(), change({ title: "One" })));
  if (sending === undefined) {
    throw new Error("nothing was sent");
  }
  const edited = continueWith(sent, change({ title: "Two" }));
  const entry = confirm(KEY, edited, sending, serverTask({ title: "One", version: 2 }));

  expect(sendingOf(entry)).toMatchObject({
    headers: { "If-Match": '"2"' },
    body: { title: "Two" },
  });
});

test("going back to the first text while a request runs is sent as well", () => {
  const first = afterActs(serverTask(), change({ title: "One" }));
  const { entry: sent, sending } = prepare(KEY, first);
  if (sending === undefined) {
    throw new Error("nothing was sent");
  }
  const edited = continueWith(sent, change({ title: "Water the plants" }));
  const entry = confirm(KEY, edited, sending, serverTask({ title: "One", version: 2 }));

  expect(sendingOf(entry)).toMatchObject({ body: { title: "Water the plants" } });
});

test("other fields that were changed elsewhere do not stop an edit", () => {
  let entry = afterActs(serverTask(), change({ title: "Cactus" }));
  entry = receive(KEY, entry, serverTask({ priority: "high", version: 2 }));

  expect(sendingOf(entry)).toMatchObject({
    headers: { "If-Match": '"2"' },
    body: { title: "Cactus" },
  });
});

test("a field that was changed on both sides is kept for the user, and the others are sent", () => {
  let entry = afterActs(serverTask(), change({ title: "Mine", priority: "low" }));
  entry = receive(KEY, entry, serverTask({ title: "Theirs", version: 2 }));

  const { entry: next, sending } = prepare(KEY, entry);

  expect(sending?.body).toEqual({ priority: "low" });
  expect(conflictsIn(next)).toMatchObject([
    { field: "title", base: "Water the plants", mine: "Mine", theirs: "Theirs" },
  ]);
});

test("the user's choice is sent or dropped", () => {
  let entry = afterActs(serverTask(), change({ title: "Mine" }));
  entry = prepare(KEY, receive(KEY, entry, serverTask({ title: "Theirs", version: 2 }))).entry;
  const decide = { type: "resolve", field: "title", theirs: "Theirs" } as const;

  const mine = continueWith(entry, { ...decide, choice: "mine" });
  const theirs = continueWith(entry, { ...decide, choice: "theirs" });

  expect(sendingOf(mine)).toMatchObject({
    headers: { "If-Match": '"2"' },
    body: { title: "Mine" },
  });
  expect(theirs.pending).toBeUndefined();
});

test("a conflict ends by itself when both sides come to the same text", () => {
  let entry = afterActs(serverTask(), change({ title: "Mine" }));
  entry = prepare(KEY, receive(KEY, entry, serverTask({ title: "Theirs", version: 2 }))).entry;

  entry = receive(KEY, entry, serverTask({ title: "Mine", version: 3 }));

  expect(entry.pending).toBeUndefined();
});

test("a text that another tab has changed since it was shown is a conflict", () => {
  const entry = afterActs(
    serverTask(),
    change({ title: "Other tab" }),
    change({ title: "This tab" }, { title: "Water the plants" }),
  );

  expect(conflictsIn(entry)).toMatchObject([
    { base: "Water the plants", mine: "This tab", theirs: "Other tab" },
  ]);
});

test("the choice between two unsent texts is sent without another conflict", () => {
  const entry = afterActs(
    serverTask(),
    change({ title: "Other tab" }),
    change({ title: "This tab" }, { title: "Water the plants" }),
    { type: "resolve", field: "title", choice: "mine", theirs: "Other tab" },
  );

  expect(sendingOf(entry)?.body).toEqual({ title: "This tab" });
});

test("labels that were added and removed on both sides are merged", () => {
  let entry = afterActs(serverTask({ labels: ["a", "b"] }), change({ labels: ["b", "mine"] }));
  entry = receive(KEY, entry, serverTask({ labels: ["a", "b", "theirs"], version: 2 }));

  expect(sendingOf(entry)?.body).toEqual({ labels: ["b", "mine", "theirs"] });
});

test("a deletion is sent with the version that was seen", () => {
  const entry = afterActs(serverTask({ version: 5 }), change({ title: "Cactus" }), REMOVE);

  expect(sendingOf(entry)).toMatchObject({ method: "DELETE", headers: { "If-Match": '"5"' } });
});

test("a move elsewhere does not stop a deletion", () => {
  let entry = afterActs(serverTask(), REMOVE);
  entry = receive(KEY, entry, serverTask({ position: "00001795249800000009", version: 2 }));

  expect(sendingOf(entry)).toMatchObject({ method: "DELETE", headers: { "If-Match": '"2"' } });
});

test("a task that was changed elsewhere is not deleted before the user decides", () => {
  let entry = afterActs(serverTask(), REMOVE);
  entry = receive(KEY, entry, serverTask({ title: "Theirs", version: 2 }));

  const { entry: undecided, sending } = prepare(KEY, entry);

  expect(sending).toBeUndefined();
  expect(conflictsIn(undecided)).toMatchObject([
    { field: "is_deleted", title: "Theirs", mine: true, theirs: false },
  ]);
  const decided = continueWith(undecided, {
    type: "resolve",
    field: "is_deleted",
    choice: "mine",
    theirs: false,
  });
  expect(sendingOf(decided)).toMatchObject({ method: "DELETE", headers: { "If-Match": '"2"' } });
});

test("an edited task that was deleted elsewhere is kept until the user decides", () => {
  const entry = confirmMissing(KEY, afterActs(serverTask(), change({ title: "Mine" })));

  expect(sendingOf(entry)).toBeUndefined();
  expect(conflictsIn(entry)).toMatchObject([{ field: "is_deleted", mine: false, theirs: true }]);
  const decide = { type: "resolve", field: "is_deleted", theirs: true } as const;
  const mine = continueWith(entry, { ...decide, choice: "mine" });
  expect(sendingOf(mine)).toMatchObject({
    method: "PUT",
    body: { title: "Mine", priority: "none" },
  });
  expect(continueWith(entry, { ...decide, choice: "theirs" }).pending).toBeUndefined();
});

test("a task that was only moved here and deleted elsewhere is gone", () => {
  const entry = afterActs(serverTask(), { type: "move", after: null, position: "0" });

  expect(confirmMissing(KEY, entry)).toEqual({ item: undefined, pending: undefined });
});

test("an undone deletion that was not sent leaves the edits before it", () => {
  const entry = afterActs(serverTask(), change({ title: "Cactus" }), REMOVE, restore("Cactus"));

  expect(sendingOf(entry)).toMatchObject({ method: "PATCH", body: { title: "Cactus" } });
});

test("an undone deletion that was sent creates the task again", () => {
  const entry = afterAnswer(afterActs(serverTask(), REMOVE), undefined);
  expect(entry).toEqual({ item: undefined, pending: undefined });

  const restored = continueWith(entry, restore("Water the plants"));

  expect(sendingOf(restored)).toMatchObject({
    method: "PUT",
    headers: { "If-None-Match": "*" },
    body: { title: "Water the plants" },
  });
});

test("an undone deletion that has not arrived changes nothing elsewhere", () => {
  let entry = afterLostAnswer(afterActs(serverTask(), REMOVE));
  entry = continueWith(entry, restore("Water the plants"));
  entry = confirmExisting(KEY, entry, serverTask({ title: "Theirs", version: 2 }));

  expect(entry.pending).toBeUndefined();
  expect(entry.item).toMatchObject({ title: "Theirs" });
});

test("a restored task that is deleted again before the first deletion is confirmed goes", () => {
  let entry = afterLostAnswer(afterActs(serverTask(), REMOVE));
  entry = continueWith(entry, restore("Water the plants"), REMOVE);

  expect(sendingOf(entry)).toMatchObject({ method: "DELETE" });
});

test("a refused edit is undone without the fields that were accepted", () => {
  const { entry, sending } = prepare(
    KEY,
    afterActs(serverTask(), change({ title: "", priority: "low" })),
  );
  if (sending === undefined) {
    throw new Error("nothing was sent");
  }

  const named = undo(entry, sending, problem("too-short", 422, ["title"]));
  const unnamed = undo(entry, sending, problem("quota-exceeded", 422));

  expect(sendingOf(named)?.body).toEqual({ priority: "low" });
  expect(unnamed.pending).toBeUndefined();
});

test("a new task whose list was deleted elsewhere goes to the inbox", () => {
  const creation = { type: "create", position: "0" } as const;
  const fields = { title: "Water", list_id: "0198f3a2-0000-7000-8000-000000000002" };
  const { entry, sending } = prepare(KEY, afterActs(undefined, { ...creation, fields }));
  if (sending === undefined) {
    throw new Error("nothing was sent");
  }

  const next = undo(entry, sending, problem("list-not-found", 422));

  expect(sendingOf(next)?.body).toEqual({ title: "Water" });
});

test("a move whose neighbour is gone is sent once more, and then dropped", () => {
  const entry = afterActs(serverTask(), { type: "move", after: "gone", position: "0" });

  const again = moveAfter(entry, "other");
  const dropped = moveAfter(again, "another");

  expect(sendingOf(again)).toMatchObject({ method: "POST", body: { after: "other" } });
  expect(dropped.pending).toBeUndefined();
});

test("a move to another list takes the place of an edit of the list", () => {
  const entry = afterActs(serverTask(), change({ list_id: "a" }), {
    type: "move",
    after: null,
    listId: "b",
    position: "0",
  });

  expect(sendingOf(entry)).toMatchObject({ method: "POST", body: { after: null, list_id: "b" } });
});

test("lists and parents are sent before their tasks, and lists deleted after them", () => {
  const edited = afterActs(serverTask(), change({ title: "Cactus" })).pending;
  const nested = afterActs(serverTask(), change({ parent_id: "parent" })).pending;
  const moved = afterActs(serverTask(), { type: "move", after: null, position: "0" }).pending;
  const deleted = afterActs(serverTask(), REMOVE).pending;
  if (!edited || !nested || !moved || !deleted) {
    throw new Error("nothing is pending");
  }

  const phases = [
    phaseOf("list:1", edited),
    phaseOf("label:1", edited),
    phaseOf("task:1", edited),
    phaseOf("task:1", nested),
    phaseOf("task:1", moved),
    phaseOf("list:1", deleted),
  ];

  expect(phases).toEqual(PHASES);
});

const WEEKLY = { rule: "FREQ=WEEKLY;BYDAY=MO,TH", from: "due" } as const;
const DAILY = { rule: "FREQ=DAILY", from: "due" } as const;

test("a recurrence is compared as a whole: another rule on both sides is a conflict", () => {
  const edited = afterActs(serverTask({ recurrence: WEEKLY }), change({ recurrence: DAILY }));
  const fromCompletion = { ...WEEKLY, from: "completion" } as const;

  const entry = receive(KEY, edited, serverTask({ recurrence: fromCompletion, version: 2 }));

  const { entry: prepared, sending } = prepare(KEY, entry);
  expect(sending).toBeUndefined();
  expect(prepared.pending?.conflicts).toEqual({ recurrence: { base: WEEKLY, mine: DAILY } });
});

test("another spelling of a rule is the same recurrence", () => {
  const typed = { rule: "byday=th,mo,mo;freq=weekly;interval=1" };
  const edited = afterActs(serverTask({ recurrence: null }), change({ recurrence: typed }));

  const entry = receive(KEY, edited, serverTask({ recurrence: WEEKLY, version: 2 }));

  expect(prepare(KEY, entry)).toMatchObject({ sending: undefined, entry: { pending: undefined } });
});

test("a task that was completed on two devices is not completed twice", () => {
  const edited = afterActs(
    serverTask({ recurrence: WEEKLY }),
    change({ is_completed: true, title: "Cactus" }),
  );

  const entry = receive(KEY, edited, serverTask({ is_completed: true, version: 2 }));

  expect(prepare(KEY, entry).sending?.body).toEqual({ title: "Cactus" });
});

test("a parent that was deleted elsewhere is no conflict", () => {
  const nested = serverTask({ parent_id: "one" });
  const orphan = serverTask({ parent_id: null, version: 2 });

  const moved = receive(KEY, afterActs(nested, change({ parent_id: "two" })), orphan);
  const deleted = receive(KEY, afterActs(nested, REMOVE), orphan);

  expect(prepare(KEY, moved).sending?.body).toEqual({ parent_id: "two" });
  expect(prepare(KEY, deleted).sending?.method).toBe("DELETE");
});

test("another parent on both sides is a conflict", () => {
  const edited = afterActs(serverTask({ parent_id: "one" }), change({ parent_id: "two" }));

  const entry = receive(KEY, edited, serverTask({ parent_id: "three", version: 2 }));

  const { entry: prepared } = prepare(KEY, entry);
  expect(prepared.pending?.conflicts).toEqual({ parent_id: { base: "one", mine: "two" } });
});

test("a subtask is created in the list of its parent, wherever that is by now", () => {
  const fields = { title: "Buy soil", parent_id: "parent", list_id: "list" };

  const entry = afterActs(undefined, { type: "create", fields, position: "1" });

  expect(sendingOf(entry)?.body).toEqual({ title: "Buy soil", parent_id: "parent" });
});

test("a task that gets a parent takes its list, whatever list was chosen before", () => {
  const entry = afterActs(
    serverTask(),
    change({ list_id: "other" }),
    change({ parent_id: "parent" }),
  );

  expect(sendingOf(entry)?.body).toEqual({ parent_id: "parent" });
});

test("a new task whose parent is gone is created without one, in the list that was chosen", () => {
  const fields = { title: "Buy soil", parent_id: "parent", list_id: "list" };
  const created = afterActs(undefined, { type: "create", fields, position: "1" });
  const { entry, sending } = prepare(KEY, created);
  if (!sending) throw new Error("nothing is sent");

  const undone = undo(entry, sending, problem("parent-not-found", 422));

  expect(sendingOf(undone)?.body).toEqual({ title: "Buy soil", list_id: "list" });
});

test("a refused recurrence leaves the other edits of the task", () => {
  const edited = afterActs(serverTask(), change({ recurrence: WEEKLY, title: "Cactus" }));
  const { entry, sending } = prepare(KEY, edited);
  if (!sending) throw new Error("nothing is sent");

  const undone = undo(entry, sending, problem("recurrence-without-due", 422));

  expect(sendingOf(undone)?.body).toEqual({ title: "Cactus" });
});
