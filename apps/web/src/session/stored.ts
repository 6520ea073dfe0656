/**
 * Small values that the browser keeps between visits: who is signed in, preferences. Never a token.
 *
 * Where storage is forbidden (private mode), reading gives null and writing does nothing.
 */
export const stored = {
  read(key: string): unknown {
    try {
      return JSON.parse(localStorage.getItem(key) ?? "null") as unknown;
    } catch {
      return null;
    }
  },

  write(key: string, value: unknown): void {
    try {
      localStorage.setItem(key, JSON.stringify(value));
    } catch {
      // Nothing is kept then; the sync state says so.
    }
  },

  remove(key: string): void {
    try {
      localStorage.removeItem(key);
    } catch {
      // It was never kept.
    }
  },
};
