import { expect, it } from "vitest";
import { describeImportFaults } from "../src/account/describe-import-faults.ts";

function faults(...locations: (string | number)[][]) {
  return locations.map((location) => ({ location, code: "missing", message: "Field required" }));
}

it("a first line of another kind is no export", () => {
  const sentence = describeImportFaults(faults(["body", 1, "kind"], ["body", 1, "user"]), 0);
  expect(sentence).toBe("This is not an export of this app (line 1).");
});

it("a field is named with its line", () => {
  const sentence = describeImportFaults(faults(["body", 7, "due", "time"]), 0);
  expect(sentence).toBe("Line 7, due.time: Field required.");
});

it("a line of a later request is told by what came before", () => {
  const sentence = describeImportFaults(faults(["body", 7, "title"]), 900);
  expect(sentence).toBe("After line 900, title: Field required.");
});

it("a long list is cut", () => {
  const locations = ["a", "b", "c", "d"].map((field) => ["body", 2, field]);
  expect(describeImportFaults(faults(...locations), 0)).not.toContain("d: ");
});

it("what names no line is left to others", () => {
  expect(describeImportFaults(faults(["body", "title"]), 0)).toBeNull();
});
