import { expect, it } from "vitest";
import { readView, viewAddress, type View } from "../src/workspace/view.ts";

it.each<View>([
  { kind: "inbox" },
  { kind: "today" },
  { kind: "all" },
  { kind: "list", id: "019aa5f3-1b20-7d4e-8c05-6a9e2f7b4d13" },
  { kind: "label", name: "50 % off / Straße?" },
])("the address of $kind leads back to it", (view) => {
  expect(readView(viewAddress(view))).toEqual(view);
});

it.each(["", "#", "#/lists", "#/labels/%", "#/nowhere"])("%j is the inbox", (address) => {
  expect(readView(address)).toEqual({ kind: "inbox" });
});
