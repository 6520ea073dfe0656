import { expect, it } from "vitest";
import { describeFields } from "../src/describe-fields.ts";

it("a sentence stands by itself", () => {
  expect(describeFields({ due: "A date is too late." })).toBe("A date is too late.");
});

it("anything else is told with its field", () => {
  const fields = { title: "Field required", list_id: "Input should be a valid UUID" };
  expect(describeFields(fields)).toBe(
    "title: Field required. list_id: Input should be a valid UUID.",
  );
});
