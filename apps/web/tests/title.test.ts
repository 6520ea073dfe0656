import { expect, it } from "vitest";
import { titleFault } from "../src/tasks/title.ts";

it("counts code points after trimming, as the server does", () => {
  expect(titleFault(`  ${"🌱".repeat(200)}  `)).toBeNull();
  expect(titleFault("🌱".repeat(201))).toContain("201");
});

it("a title of blanks is none", () => {
  expect(titleFault(" \u00a0 ")).toBe("A task needs a title.");
});
