import { expect, it } from "vitest";
import { describeField, quote } from "../src/sync/describe-value.ts";

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
