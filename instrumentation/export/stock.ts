/** What waits on the main thread to cross to the export thread. Items go in one by one and come out as parts of messages. */
export interface Stock<T, P> {
  /** Says whether there is enough for a message. A throw leaves the stock as it was. */
  add(item: T): boolean;
  /** Takes out what makes one message, at least one item if there is one. */
  take(): { readonly parts: P[]; readonly count: number };
}

/** Items as they are. @param most of them in one message */
export class ListStock<T> implements Stock<T, T> {
  #items: T[] = [];
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  add(item: T): boolean {
    return this.#items.push(item) >= this.#most;
  }

  take(): { parts: T[]; count: number } {
    const parts = this.#items.splice(0, this.#most);
    return { parts, count: parts.length };
  }
}
