import type { Diagnostics } from '../diagnostics.ts';
import { DURATION_BUCKETS, type MetricDefinition, type MetricType } from '../names.ts';
import { aggregationOf } from './aggregation.ts';
import { type BucketSeries, type Definition, KitCounter, KitGauge, KitHistogram, type NumberSeries } from './instruments.ts';
import { Counter, Gauge, Histogram, Registry } from './prom-client.ts';
import type { Aggregation } from './types.ts';

/** Ascending upper bounds without repetitions; infinite ones are implied. */
function usableBounds(bounds: readonly number[]): number[] {
  return [...new Set(bounds.filter(Number.isFinite))].sort((a, b) => a - b);
}

/** A definition whose labels may be left to each call. */
export type OpenDefinition = Omit<MetricDefinition, 'labels'> & {
  readonly labels: readonly string[] | undefined;
  readonly aggregation?: Aggregation;
};

/**
 * The kit's metrics: real metrics of prom-client in a registry of the kit's own, written to by instruments that are
 * bounded and never throw. A name has one instrument, whoever asks for it.
 */
export class KitRegistry {
  /** OpenMetrics, because prom-client refuses exemplars elsewhere; page.ts writes both formats. */
  readonly prom: Registry = new Registry();
  readonly #instruments = new Map<string, { type: MetricType; instrument: KitCounter | KitGauge | KitHistogram }>();
  readonly #limit: number;
  readonly #diagnostics: Diagnostics;

  constructor(limit: number, diagnostics: Diagnostics) {
    this.prom.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
    this.#limit = limit;
    this.#diagnostics = diagnostics;
  }

  counter(definition: OpenDefinition): KitCounter {
    return this.#get('counter', definition, () => {
      const metric = new Counter(this.#config(definition));
      return new KitCounter(this.#definition<NumberSeries>(metric, definition));
    });
  }

  gauge(definition: OpenDefinition): KitGauge {
    return this.#get('gauge', definition, () => {
      const metric = new Gauge(this.#config(definition));
      return new KitGauge(this.#definition<NumberSeries>(metric, definition));
    });
  }

  histogram(definition: OpenDefinition): KitHistogram {
    return this.#get('histogram', definition, () => {
      const buckets = usableBounds(definition.buckets ?? DURATION_BUCKETS);
      const metric = new Histogram({ ...this.#config(definition), buckets, enableExemplars: true });
      return new KitHistogram(this.#definition<BucketSeries>(metric, definition), buckets);
    });
  }

  /** The type under which a name is taken, if it is. */
  typeOf(name: string): MetricType | undefined {
    return this.#instruments.get(name)?.type;
  }

  #get<T extends KitCounter | KitGauge | KitHistogram>(type: MetricType, definition: OpenDefinition, make: () => T): T {
    const known = this.#instruments.get(definition.name);
    if (known?.type === type) return known.instrument as T;
    if (known !== undefined) {
      throw new Error(`metric ${definition.name} is a ${known.type} already and cannot be a ${type} too`);
    }
    const instrument = make();
    this.#instruments.set(definition.name, { type, instrument });
    return instrument;
  }

  #config(definition: OpenDefinition) {
    return {
      name: definition.name,
      help: definition.help || definition.name,
      labelNames: [...(definition.labels ?? [])],
      aggregator: (definition.aggregation ?? aggregationOf(definition.name)) as never,
      registers: [this.prom] as never[],
    };
  }

  #definition<S>(metric: unknown, { name, labels }: OpenDefinition): Definition<S> {
    return {
      store: metric as { hashMap: Record<string, S> },
      labels,
      limit: this.#limit,
      onOverflow: () =>
        this.#diagnostics.warn(
          `O11Y_METRIC: ${name} has more than ${this.#limit} series (O11Y_MAX_SERIES); further label values are counted ` +
            'together in its __overflow__ series.',
          `overflow ${name}`,
        ),
      refuse: (why) => this.#diagnostics.warn(`O11Y_METRIC: ${name}: ${why}; the value is ignored.`, `refused ${name}`),
    };
  }
}
