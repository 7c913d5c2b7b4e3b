import type {
  Attributes,
  BatchObservableCallback,
  BatchObservableResult,
  Observable,
  ObservableCallback,
  ObservableResult,
} from '@opentelemetry/api';
import { type Diagnostics, reason } from '../diagnostics.ts';
import { OVERFLOW } from '../names.ts';
import { isolated } from './collectors.ts';
import type { KitCounter, KitGauge } from './instruments.ts';
import type { Labels } from './types.ts';

type ToLabels = (attributes?: Attributes) => Labels;

/** Less than the limit of a whole collector, so that one slow callback does not count for all. */
const LIMIT_MS = 2500;

interface State {
  readonly name: string;
  readonly metric: KitCounter | KitGauge;
  readonly labels: ToLabels;
  readonly callbacks: Set<ObservableCallback>;
  /** The series that the last round set, by their labels. */
  shown: Map<string, Labels>;
  /** Those of this round. */
  observed: Map<string, { labels: Labels; value: number }>;
}

interface Batch {
  readonly callback: BatchObservableCallback;
  readonly instruments: ReadonlySet<object>;
}

/**
 * Asynchronous instruments: their callbacks run before each page, each one apart. A series that a round does not observe is
 * taken off the page, as OpenTelemetry says; so are those of a callback that fails.
 */
export class Observables {
  readonly #states = new WeakMap<object, State>();
  /** Those that something observes, or observed in the last round. */
  readonly #active = new Set<State>();
  readonly #batches = new Set<Batch>();
  readonly #hanging = new WeakSet<object>();
  readonly #diagnostics: Diagnostics;
  readonly #limit: number;

  constructor(diagnostics: Diagnostics, limit: number) {
    this.#diagnostics = diagnostics;
    this.#limit = limit;
  }

  create(metric: KitCounter | KitGauge, name: string, labels: ToLabels): Observable {
    const callbacks = new Set<ObservableCallback>();
    const state: State = { name, metric, labels, callbacks, shown: new Map(), observed: new Map() };
    const observable: Observable = {
      addCallback: (callback) => {
        if (typeof callback !== 'function') return;
        callbacks.add(callback);
        this.#active.add(state);
      },
      removeCallback: (callback) => void callbacks.delete(callback),
    };
    this.#states.set(observable, state);
    return observable;
  }

  addBatch(callback: BatchObservableCallback, instruments: readonly Observable[]): void {
    if (typeof callback !== 'function' || this.#find(callback, instruments) !== undefined) return;
    this.#batches.add({ callback, instruments: new Set(instruments) });
  }

  removeBatch(callback: BatchObservableCallback, instruments: readonly Observable[]): void {
    const batch = this.#find(callback, instruments);
    if (batch !== undefined) this.#batches.delete(batch);
  }

  async collect(): Promise<void> {
    const running: Promise<void>[] = [];
    for (const batch of this.#batches) {
      for (const instrument of batch.instruments) {
        const state = this.#states.get(instrument);
        if (state !== undefined) this.#active.add(state);
      }
    }
    for (const state of this.#active) {
      state.observed = new Map();
      for (const callback of state.callbacks) running.push(this.#observe(state, callback));
    }
    for (const batch of this.#batches) running.push(this.#observeBatch(batch));
    await Promise.all(running);
    for (const state of this.#active) {
      publish(state);
      if (state.callbacks.size === 0 && state.shown.size === 0) this.#active.delete(state);
    }
  }

  #observe(state: State, callback: ObservableCallback): Promise<void> {
    // A callback that answers too late writes into a round that nobody reads any more.
    const { observed } = state;
    const result: ObservableResult = { observe: (value, attributes) => note(observed, state, this.#limit, value, attributes) };
    return this.#run(callback, state.name, () => callback(result));
  }

  #observeBatch({ callback, instruments }: Batch): Promise<void> {
    const rounds = new Map([...instruments].map((instrument) => [instrument, this.#states.get(instrument)?.observed]));
    const result: BatchObservableResult = {
      observe: (observable, value, attributes) => {
        const state = this.#states.get(observable);
        const observed = rounds.get(observable);
        if (state === undefined || observed === undefined) return;
        note(observed, state, this.#limit, value, attributes);
      },
    };
    const names = [...instruments].map((observable) => this.#states.get(observable)?.name).filter(Boolean);
    return this.#run(callback, names.join(', '), () => callback(result));
  }

  async #run(callback: object, name: string, call: () => void | Promise<void>): Promise<void> {
    if (this.#hanging.has(callback)) return;
    const run = () => {
      const running = call();
      if (typeof running?.then !== 'function') return;
      this.#hanging.add(callback);
      return Promise.resolve(running).finally(() => this.#hanging.delete(callback));
    };
    await isolated(run, (error) => this.#failed(name, error), LIMIT_MS);
  }

  #failed(name: string, error: unknown): void {
    this.#diagnostics.warn(
      `O11Y_METRIC: a callback of the OpenTelemetry instrument ${name} failed: ${reason(error)}. Its series are missing.`,
      `observable ${name}`,
    );
  }

  #find(callback: BatchObservableCallback, instruments: readonly Observable[]): Batch | undefined {
    const set = new Set<object>(instruments);
    return [...this.#batches].find(
      (batch) =>
        batch.callback === callback &&
        batch.instruments.size === set.size &&
        [...set].every((instrument) => batch.instruments.has(instrument)),
    );
  }
}

/** Beyond the limit the values add up under one key; the metric, full by then, shows them as its overflow series. */
function note(observed: State['observed'], state: State, limit: number, value: number, attributes?: Attributes): void {
  if (typeof value !== 'number') return;
  const labels = state.labels(attributes);
  const key = JSON.stringify(labels);
  if (observed.size < limit || observed.has(key)) observed.set(key, { labels, value });
  else observed.set(OVERFLOW, { labels, value: value + (observed.get(OVERFLOW)?.value ?? 0) });
}

function publish(state: State): void {
  const { metric, observed, shown } = state;
  for (const [key, labels] of shown) if (!observed.has(key)) metric.remove(labels);
  const now = new Map<string, Labels>();
  for (const [key, { labels, value }] of observed) {
    if ('setTotal' in metric) metric.setTotal(labels, value);
    else metric.set(labels, value);
    now.set(key, labels);
  }
  state.shown = now;
}
