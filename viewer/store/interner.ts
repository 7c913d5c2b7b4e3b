/** Gives equal texts one copy. Bounded: once full, texts are simply not shared. */
export class Interner {
  readonly #texts = new Map<string, string>();
  readonly #max: number;
  readonly #maxLength: number;

  constructor(max: number, maxLength: number) {
    this.#max = max;
    this.#maxLength = maxLength;
  }

  /** The shared copy, or undefined where there is no room for one. */
  share(text: string): string | undefined {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    if (this.#texts.size >= this.#max || text.length > this.#maxLength) return undefined;
    this.#texts.set(text, text);
    return text;
  }

  clear(): void {
    this.#texts.clear();
  }
}
