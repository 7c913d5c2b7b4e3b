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
      this.all();
      this.#cleanAt = Math.max(FIRST_CLEANING, this.#refs.length * 2);
    }
    this.#refs.push(new WeakRef(value));
  }

  /** Those that are still there and that `keep` does not refuse; the others are forgotten for good. */
  all(keep: (value: T) => boolean = () => true): T[] {
    const alive: T[] = [];
    this.#refs = this.#refs.filter((ref) => {
      const value = ref.deref();
      const stays = value !== undefined && keep(value);
      if (stays) alive.push(value);
      return stays;
    });
    return alive;
  }
}
