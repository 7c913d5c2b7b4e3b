/** Entries from which on dead ones are looked for when one is added. */
const FIRST_CLEANING = 100;

/**
 * Objects of the app, each once, in the order in which they were seen; held weakly. An app may make one for each request and
 * nobody may ever read the list: dead entries are taken out as it grows.
 */
export class WeakList<T extends object> {
  readonly #known = new WeakSet<T>();
  #refs: WeakRef<T>[] = [];
  #cleanAt = FIRST_CLEANING;

  add(value: T): void {
    if (this.#known.has(value)) return;
    this.#known.add(value);
    if (this.#refs.length >= this.#cleanAt) {
      this.#refs = this.#refs.filter((ref) => ref.deref() !== undefined);
      this.#cleanAt = Math.max(FIRST_CLEANING, this.#refs.length * 2);
    }
    this.#refs.push(new WeakRef(value));
  }

  /** What each says that is still there; one of which `ask` gives undefined is forgotten for good. */
  read<R>(ask: (value: T) => R | undefined): R[] {
    const all: R[] = [];
    this.#refs = this.#refs.filter((ref) => {
      const value = ref.deref();
      const said = value && ask(value);
      if (said === undefined) return false;
      all.push(said);
      return true;
    });
    return all;
  }
}
