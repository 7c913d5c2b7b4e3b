import type { PromMetric } from './families.ts';
import type { FamilyType } from './types.ts';

/** What is used of a registry of any version of prom-client. */
export interface PromRegistry {
  /** Metrics by the name under which they were registered. */
  readonly _metrics?: Readonly<Record<string, PromMetric>>;
  readonly contentType?: string;
  getMetricsAsArray(): PromMetric[];
  readonly _defaultLabels?: Readonly<Record<string, unknown>>;
}

interface PromClient {
  readonly register?: PromRegistry;
  readonly Registry?: { readonly prototype: { registerMetric?: (metric: unknown) => unknown } };
  readonly Counter?: MetricClass;
  readonly Gauge?: MetricClass;
  readonly Histogram?: MetricClass;
}

type MetricClass = { readonly prototype?: { readonly get?: unknown } };

/** More registries than any app has on purpose; one that makes them in a loop must not fill our memory. */
const MOST_REGISTRIES = 1000;

/**
 * The registries of the app's own copies of prom-client, held weakly: those that it exports, and every other one in which a
 * metric is registered from now on.
 */
export class ForeignRegistries {
  readonly #own: object;
  readonly #types = new Map<unknown, FamilyType>();
  readonly #known = new WeakSet<object>();
  readonly #all = new Set<WeakRef<PromRegistry>>();
  readonly #gone = new FinalizationRegistry<WeakRef<PromRegistry>>((ref) => this.#all.delete(ref));
  readonly #wrapped = new Set<() => void>();
  /** The default registry of a copy lives as long as the copy; it comes before registries that were found later. */
  readonly #defaults = new Set<PromRegistry>();

  /** @param own The kit's registry, which is none of the app's even where both share a copy. */
  constructor(own: object) {
    this.#own = own;
  }

  /** @param promClient The exports of a copy of prom-client; anything else is ignored. */
  adopt(promClient: unknown): void {
    if (typeof promClient !== 'object' || promClient === null || this.#known.has(promClient)) return;
    this.#known.add(promClient);
    try {
      this.#adopt(promClient);
    } catch {
      // It only looks like prom-client.
    }
  }

  /**
   * The type of a metric of one of prom-client's own classes, which keep their series where families.ts reads them;
   * undefined for any other.
   */
  plainType(metric: PromMetric): FamilyType | undefined {
    return this.#types.get(metric.get);
  }

  #adopt(promClient: PromClient & object): void {
    const { register, Registry, Counter, Gauge, Histogram } = promClient;
    // Before version 15 the type is not a member of the metric.
    this.#types.set(Counter?.prototype?.get, 'counter').set(Gauge?.prototype?.get, 'gauge');
    this.#types.set(Histogram?.prototype?.get, 'histogram').delete(undefined);
    if (isRegistry(register) && register !== this.#own) {
      this.#known.add(register);
      this.#defaults.add(register);
    }
    const prototype = Registry?.prototype;
    const original = prototype?.registerMetric;
    if (prototype === undefined || typeof original !== 'function') return;
    const note = (registry: PromRegistry, metric: unknown) => this.#note(registry, metric);
    const wrapper = function registerMetric(this: PromRegistry, ...args: [unknown]) {
      const result = original.apply(this, args);
      note(this, args[0]);
      return result;
    };
    prototype.registerMetric = wrapper;
    this.#wrapped.add(() => {
      this.#known.delete(promClient);
      if (prototype.registerMetric === wrapper) prototype.registerMetric = original;
    });
  }

  *[Symbol.iterator](): Generator<PromRegistry> {
    yield* this.#defaults;
    for (const ref of this.#all) {
      const registry = ref.deref();
      if (registry !== undefined) yield registry;
    }
  }

  /** Gives the app's copies their own methods back. What was found stays on the page. */
  release(): void {
    for (const restore of this.#wrapped) restore();
    this.#wrapped.clear();
  }

  #note(registry: PromRegistry, metric: unknown): void {
    try {
      if (registry === this.#own || this.#known.has(registry) || !isRegistry(registry)) return;
      // The results of a cluster's aggregation are put into a registry as plain objects: they are sums of what is
      // counted already.
      if (typeof (metric as { reset?: unknown } | undefined)?.reset !== 'function') return;
      if (this.#all.size >= MOST_REGISTRIES) return;
      this.#known.add(registry);
      const ref = new WeakRef(registry);
      this.#all.add(ref);
      this.#gone.register(registry, ref);
    } catch {
      // The app's own call has worked; what we make of it is no concern of the app's.
    }
  }
}

function isRegistry(value: unknown): value is PromRegistry {
  return typeof (value as PromRegistry | undefined)?.getMetricsAsArray === 'function';
}
