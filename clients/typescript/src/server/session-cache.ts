/** What is known of sessions; those that were not used for longest go first. */
export class SessionCache<Session> {
  readonly #sessions = new Map<string, Session>();
  readonly #sizeMax: number;

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax;
  }

  getOrMake(key: string, make: () => Session): Session {
    const session = this.#sessions.get(key) ?? make();
    this.#sessions.delete(key);
    this.#sessions.set(key, session);
    for (const oldest of this.#sessions.keys()) {
      if (this.#sessions.size <= this.#sizeMax) break;
      this.#sessions.delete(oldest);
    }
    return session;
  }
}
