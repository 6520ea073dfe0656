/** A response that can be used again while the platform says that it is still true. */
export interface CachedResponse {
  etag: string;
  /** As it came: parsing it anew gives each caller an object of its own. */
  text: string;
  headers: Headers;
}

const CHARACTERS_MAX = 8_000_000;
const RESPONSES_MAX = 200;

/** Responses by user and URL; those that were not used for longest go first. */
export class EtagCache {
  readonly #responses = new Map<string, CachedResponse>();
  #characters = 0;

  get(key: string): CachedResponse | undefined {
    const response = this.#responses.get(key);
    if (response) {
      this.#responses.delete(key);
      this.#responses.set(key, response);
    }
    return response;
  }

  /** Keep a response, unless it says that it must not be kept. */
  store(key: string, text: string, headers: Headers): void {
    this.#delete(key);
    const etag = headers.get("etag");
    const isForbidden = /\bno-store\b/i.test(headers.get("cache-control") ?? "");
    if (!etag || isForbidden || text.length > CHARACTERS_MAX) return;
    this.#responses.set(key, { etag, text, headers });
    this.#characters += text.length;
    this.#shrink();
  }

  clear(): void {
    this.#responses.clear();
    this.#characters = 0;
  }

  #shrink(): void {
    for (const key of this.#responses.keys()) {
      if (this.#characters <= CHARACTERS_MAX && this.#responses.size <= RESPONSES_MAX) return;
      this.#delete(key);
    }
  }

  #delete(key: string): void {
    const response = this.#responses.get(key);
    if (!response) return;
    this.#characters -= response.text.length;
    this.#responses.delete(key);
  }
}
