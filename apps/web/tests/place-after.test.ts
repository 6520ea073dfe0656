import { expect, it } from "vitest";
import { placeAfter } from "../src/ui/place-after.ts";

const IDS = ["a", "b", "c", "d"];

it.each([
  ["a", "c", "c"],
  ["a", "d", "d"],
  ["d", "a", null],
  ["d", "b", "a"],
  ["b", "c", "c"],
  ["c", "b", "a"],
])("%s dropped on %s stands after %s", (active, over, after) => {
  expect(placeAfter(IDS, active, over)).toBe(after);
});
