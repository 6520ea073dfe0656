import { useSyncExternalStore } from "react";

/** A message at the bottom of the page that goes away by itself. */
export interface Notice {
  id: number;
  text: string;
  action?: { label: string; run: () => void } | undefined;
}

let notices: readonly Notice[] = [];
let announcement = "";
let nextId = 1;
const listeners = new Set<() => void>();

function emit(): void {
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Show a message, with a button if there is something to do about it. */
export function showNotice(text: string, action?: Notice["action"]): void {
  notices = [...notices, { id: nextId, text, action }];
  nextId += 1;
  emit();
}

export function dismissNotice(id: number): void {
  notices = notices.filter((notice) => notice.id !== id);
  emit();
}

/** Tell screen readers something that is visible already. */
export function announce(text: string): void {
  announcement = text;
  emit();
}

export function useNotices(): readonly Notice[] {
  return useSyncExternalStore(subscribe, () => notices);
}

export function useAnnouncement(): string {
  return useSyncExternalStore(subscribe, () => announcement);
}
