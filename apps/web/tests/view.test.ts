import { expect, it } from "vitest";
import { readView, viewUrl, type View } from "../src/workspace/view.ts";

it.each<View>([
  { kind: "inbox" },
  { kind: "today" },
  { kind: "all" },
  { kind: "list", id: "019aa5f3-1b20-7d4e-8c05-6a9e2f7b4d13" },
  { kind: "label", name: "50 % off / Straße?" },
])("the URL of $kind leads back to it", (view) => {
  expect(readView(viewUrl(view))).toEqual(view);
});

it.each(["", "#", "#/lists", "#/labels/%", "#/nowhere"])("%j is the inbox", (fragment) => {
  expect(readView(fragment)).toEqual({ kind: "inbox" });
});
