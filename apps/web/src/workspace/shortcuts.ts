import { useEffect, useEffectEvent } from "react";
import { NEW_TASK_ID } from "../tasks/focus-new-task.ts";
import { stored } from "../session/stored.ts";

const KEY = "task-platform.shortcuts-off";

export const SHORTCUTS = [
  { keys: "N", action: "New task" },
  { keys: "/", action: "Search" },
  { keys: "↑ ↓", action: "Move between tasks" },
  { keys: "Space", action: "Complete the task with the focus" },
  { keys: "Enter", action: "Save a title" },
  { keys: "Esc", action: "Cancel, close" },
  { keys: "?", action: "Show this list" },
] as const;

/** Single keys get in the way of speech input, so they can be switched off (WCAG 2.1.4). */
export function areShortcutsOn(): boolean {
  return stored.read(KEY) !== true;
}

export function setShortcutsOn(isOn: boolean): void {
  if (isOn) stored.remove(KEY);
  else stored.write(KEY, true);
}

/** Listen for single keys, but not while the user is typing. */
export function useShortcuts(onHelp: () => void): void {
  const showHelp = useEffectEvent(onHelp);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const hasModifier = event.ctrlKey || event.metaKey || event.altKey;
      if (hasModifier || event.defaultPrevented || isTyping(event.target)) return;
      if (!areShortcutsOn() || document.querySelector("dialog:modal") !== null) return;
      if (event.key === "?") showHelp();
      else if (event.key === "n") focusField(NEW_TASK_ID);
      else if (event.key === "/") focusField("search");
      else return;
      event.preventDefault();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => {
      document.removeEventListener("keydown", onKeyDown);
    };
  }, []);
}

function focusField(id: string): void {
  document.getElementById(id)?.focus();
}

function isTyping(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return !["checkbox", "radio"].includes(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}
