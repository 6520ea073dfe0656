import { lazy, type ComponentType } from "react";
import { showNotice } from "../notices/notices.ts";

/** A part of the app that is fetched when it is first shown; if that fails, a message stands for it. */
export function lazyPart<Props extends object>(load: () => Promise<ComponentType<Props>>) {
  return lazy(async () => {
    try {
      return { default: await load() };
    } catch {
      showNotice("This part of the app could not be fetched. Reload when you are online.");
      return { default: Nothing };
    }
  });
}

function Nothing() {
  return null;
}
