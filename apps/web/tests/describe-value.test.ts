import { expect, it } from "vitest";
import { describeField, describeValue, quote } from "../src/sync/describe-value.ts";

it("a long name is shortened", () => {
  expect(quote("x".repeat(41))).toBe(`“${"x".repeat(40)}…”`);
});

it("a conflict about a title names the task by the title that both sides knew", () => {
  const conflict = {
    id: "1",
    kind: "task",
    taskId: "1",
    title: "Water the cactus",
    field: "title",
    base: "Water the plants",
    mine: "Water the roses",
    theirs: "Water the cactus",
  } as const;
  expect(describeField(conflict)).toBe("The title of “Water the plants”");
});

it("the sides of a conflict about repetition and parents are in words", () => {
  const describe = (field: string, value: unknown) =>
    describeValue(field, value, [], (id) => (id === "1" ? "Pack" : undefined), new Date());
  expect(describe("recurrence", { rule: "FREQ=DAILY", from: "due" })).toBe("Every day");
  expect(describe("recurrence", null)).toBe("Does not repeat");
  expect(describe("parent_id", "1")).toBe("Pack");
  expect(describe("parent_id", null)).toBe("A task of its own");
});
