import { expect, it } from "vitest";
import { nameFault } from "../src/ui/name-fault.ts";

it("lists and labels have the lengths that the server allows", () => {
  expect(nameFault("list", "x".repeat(120), [])).toBeNull();
  expect(nameFault("list", "x".repeat(121), [])).toContain("120");
  expect(nameFault("label", "x".repeat(50), [])).toBeNull();
  expect(nameFault("label", "x".repeat(51), [])).toContain("50");
});

it("a name of blanks is none", () => {
  expect(nameFault("label", " \u00a0 ", [])).toBe("A label needs a name.");
});

it.each(["caf\u00e9", " CAFE\u0301 "])("%j is taken by Café", (name) => {
  expect(nameFault("list", name, [{ name: "Caf\u00e9" }])).toContain("already");
});
