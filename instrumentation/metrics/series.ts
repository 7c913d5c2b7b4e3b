import { OVERFLOW } from '../names.ts';
import { labelText, labelValue } from './text.ts';
import type { Labels } from './types.ts';

/** What prom-client keeps for one series, with the label text that page.ts prints. */
export interface Series {
  labels: Record<string, string>;
  text: string;
}

/** The part of a prom-client metric that is written to. */
interface Store<S> {
  /** Replaced by `reset()`. */
  hashMap: Record<string, S>;
}

/**
 * The series of one metric, bounded: beyond `limit`, all further label sets share one series whose labels are
 * `__overflow__`. The series live in prom-client's own `hashMap`, so prom-client sees and resets them as its own; its
 * way of finding them is not used, because it costs more and takes hostile values for one another
 * (`{a: '1,b:2'}` and `{a: '1', b: '2'}`).
 */
export class SeriesTable<S extends Series> {
  readonly #store: Store<S>;
  readonly #names: readonly string[] | undefined;
  readonly #limit: number;
  readonly #make: (labels: Record<string, string>, text: string) => S;
  readonly #onOverflow: () => void;
  readonly #byKey = new Map<string, S>();
  #seen: Record<string, S>;
  #overflow: S | undefined;

  /** @param names The labels of the metric, or undefined where each call brings its own. */
  constructor(
    store: Store<S>,
    names: readonly string[] | undefined,
    limit: number,
    make: (labels: Record<string, string>, text: string) => S,
    onOverflow: () => void,
  ) {
    this.#store = store;
    this.#names = names;
    this.#limit = limit;
    this.#make = make;
    this.#onOverflow = onOverflow;
    this.#seen = store.hashMap = {};
    if (names?.length === 0) this.find({});
  }

  /** Whether a series that was found before still counts. */
  get generation(): unknown {
    return this.#store.hashMap;
  }

  find(labels: Labels): S {
    const names = this.#names ?? Object.keys(labels).sort();
    const values = new Array<string>(names.length);
    for (let i = 0; i < names.length; i++) values[i] = labelValue(labels[names[i]]);
    return this.#find(names, values);
  }

  /** @param values In the order of the names. */
  findByValues(values: readonly string[]): S {
    const names = this.#names ?? [];
    return this.#find(
      names,
      names.map((_, i) => labelValue(values[i])),
    );
  }

  remove(labels: Labels): void {
    const names = this.#names ?? Object.keys(labels).sort();
    const key = this.#key(
      names,
      names.map((name) => labelValue(labels[name])),
    );
    if (this.#byKey.get(key) === this.#overflow) this.#overflow = undefined;
    this.#byKey.delete(key);
    delete this.#store.hashMap[key];
  }

  isOverflow(series: S): boolean {
    return series === this.#overflow;
  }

  #find(names: readonly string[], values: readonly string[]): S {
    if (this.#store.hashMap !== this.#seen) this.#forget();
    const key = this.#key(names, values);
    const found = this.#byKey.get(key);
    if (found !== undefined) return found;
    const taken = this.#byKey.size - (this.#overflow === undefined ? 0 : 1);
    if (taken >= this.#limit && names.length > 0) return this.overflow(names);
    return this.#add(key, names, values);
  }

  overflow(names: readonly string[] = this.#names ?? []): S {
    if (this.#store.hashMap !== this.#seen) this.#forget();
    if (this.#overflow === undefined) {
      this.#onOverflow();
      const values = names.map(() => OVERFLOW);
      this.#overflow = this.#add(this.#key(names, values), names, values);
    }
    return this.#overflow;
  }

  #add(key: string, names: readonly string[], values: readonly string[]): S {
    // Two texts that differ only in lone surrogates would be one in UTF-8, and a page must hold each series once.
    const wellFormed = values.map((value) => Buffer.from(value).toString());
    if (wellFormed.some((value, i) => value !== values[i])) return this.#find(names, wellFormed);
    const labels = Object.fromEntries(names.map((name, i) => [name, values[i]]));
    const series = this.#make(labels, labelText(names, values));
    this.#byKey.set(key, series);
    this.#store.hashMap[key] = series;
    return series;
  }

  // NUL occurs in no value (labelValue), so keys are unambiguous; and no key is `__proto__`.
  #key(names: readonly string[], values: readonly string[]): string {
    let key = '';
    if (this.#names !== undefined) {
      for (let i = 0; i < values.length; i++) key += '\0' + values[i];
    } else {
      for (let i = 0; i < values.length; i++) key += '\0' + names[i] + '\0' + values[i];
    }
    return key;
  }

  #forget(): void {
    this.#byKey.clear();
    this.#overflow = undefined;
    // prom-client's reset() leaves a series of its own making in a metric without labels.
    this.#seen = this.#store.hashMap;
    for (const key of Object.keys(this.#seen)) delete this.#seen[key];
    if (this.#names?.length === 0) this.find({});
  }
}
