import { type Range, SLOTS } from './clock.ts';

/** Numbers of the last {@link SLOTS} slots; single precision, because they are drawn, not calculated with. */
export class SeriesWindow {
  readonly #values = new Float32Array(SLOTS).fill(Number.NaN);
  #newest = 0;

  set(slot: number, value: number): void {
    if (this.#reach(slot)) this.#values[slot % SLOTS] = value;
  }

  add(slot: number, value: number): void {
    if (!this.#reach(slot)) return;
    const at = slot % SLOTS;
    const known = this.#values[at];
    this.#values[at] = Number.isNaN(known) ? value : known + value;
  }

  /** Values slot by slot, null where nothing is known. */
  read({ first, count }: Range): (number | null)[] {
    const out: (number | null)[] = new Array(count);
    for (let i = 0; i < count; i++) {
      const slot = first + i;
      const value = slot > this.#newest - SLOTS && slot <= this.#newest ? this.#values[slot % SLOTS] : Number.NaN;
      out[i] = Number.isNaN(value) ? null : value;
    }
    return out;
  }

  /** Makes `slot` writable; false if it is out of the window. */
  #reach(slot: number): boolean {
    if (slot <= this.#newest) return slot > this.#newest - SLOTS;
    for (let next = Math.max(this.#newest + 1, slot - SLOTS + 1); next <= slot; next++) {
      this.#values[next % SLOTS] = Number.NaN;
    }
    this.#newest = slot;
    return true;
  }
}
