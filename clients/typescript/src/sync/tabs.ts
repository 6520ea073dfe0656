import type { Key } from "./pending.js";

/** What one tab tells the others of the same user. */
export type TabMessage =
  | { type: "changed"; keys: readonly Key[] }
  | { type: "synced"; outcome: SharedOutcome }
  | { type: "erased" };

/** How the last attempt to sync ended, in whichever tab. */
export interface SharedOutcome {
  state: "saved" | "offline" | "not-saved";
  /** Whether the changes feed was read. */
  hasRead: boolean;
}

/** Connects the tabs of a browser that show the same user; does nothing where it cannot. */
export class StoreTabs {
  readonly #name: string;
  readonly #channel: BroadcastChannel | undefined;
  #isClosed = false;

  constructor(name: string, onMessage: (message: TabMessage) => void) {
    this.#name = name;
    if (typeof BroadcastChannel === "function" && typeof document === "object") {
      this.#channel = new BroadcastChannel(name);
      this.#channel.onmessage = (event: MessageEvent<TabMessage>) => {
        onMessage(event.data);
      };
    }
  }

  tell(message: TabMessage): void {
    if (this.#channel === undefined || !this.#isClosed) {
      this.#channel?.postMessage(message);
      return;
    }
    // A store can be erased after it was closed.
    const channel = new BroadcastChannel(this.#name);
    channel.postMessage(message);
    channel.close();
  }

  /** Run `task` while no other tab runs one; the lock of a tab that dies is released. */
  async runAlone(task: () => Promise<void>, signal: AbortSignal): Promise<void> {
    const { locks } = globalThis.navigator as { locks?: LockManager };
    if (locks === undefined) {
      await task();
    } else {
      await locks.request(this.#name, { signal }, task);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#channel?.close();
  }
}
