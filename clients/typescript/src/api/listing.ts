/** One page of a list, and where the next one begins. */
export interface Page<Item> {
  items: Item[];
  /** Null on the last page. */
  cursor: string | null;
}

/** Where a page begins; empty for the first one. */
export interface Position {
  cursor?: string;
}

export type FetchPage<Item> = (position: Position) => Promise<Page<Item>>;

/**
 * A list that is not requested before it is used: `await` makes one array, `for await` asks for page after page.
 */
export class Listing<Item> implements Promise<Item[]>, AsyncIterable<Item> {
  readonly [Symbol.toStringTag] = "Listing";
  readonly #fetchArray: () => Promise<Item[]>;
  readonly #fetchPage: FetchPage<Item>;
  #array: Promise<Item[]> | null = null;

  constructor(fetchArray: () => Promise<Item[]>, fetchPage: FetchPage<Item>) {
    this.#fetchArray = fetchArray;
    this.#fetchPage = fetchPage;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    for await (const page of this.pages()) yield* page;
  }

  /** Ask for page after page, with as many items in each as `limit` says. */
  async *pages(): AsyncGenerator<Item[], void, undefined> {
    let position: Position | null = {};
    while (position) {
      const { items, cursor }: Page<Item> = await this.#fetchPage(position);
      yield items;
      position = cursor === null ? null : { cursor };
    }
  }

  then<Result = Item[], Failure = never>(
    onFulfilled?: ((items: Item[]) => Result | PromiseLike<Result>) | null,
    onRejected?: ((error: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<Result | Failure> {
    return this.#request().then(onFulfilled, onRejected);
  }

  catch<Failure = never>(
    onRejected?: ((error: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<Item[] | Failure> {
    return this.#request().catch(onRejected);
  }

  finally(onFinally?: (() => void) | null): Promise<Item[]> {
    return this.#request().finally(onFinally);
  }

  #request(): Promise<Item[]> {
    this.#array ??= this.#fetchArray();
    return this.#array;
  }
}
