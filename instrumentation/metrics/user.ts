import { type SpanContext, trace } from '@opentelemetry/api';
import { active } from '../context.ts';
import { type Diagnostics, reason } from '../diagnostics.ts';
import { METRICS, type MetricDefinition, type MetricType } from '../names.ts';
import type { KitCounter, KitGauge, KitHistogram } from './instruments.ts';
import type { KitRegistry, OpenDefinition } from './registry.ts';
import type {
  Labels,
  UserCounter,
  UserGauge,
  UserHistogram,
  UserHistogramOptions,
  UserLabels,
  UserMetricOptions,
  UserMetrics,
} from './types.ts';

const OWN: ReadonlyMap<string, MetricDefinition> = new Map(
  Object.values(METRICS as Record<string, MetricDefinition>).map((definition) => [definition.name, definition]),
);
const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/;

/** The span whose id a value is shown with, if it is sampled (which the instrument checks). */
function activeSpan(): SpanContext | undefined {
  return trace.getSpanContext(active());
}

/**
 * Business metrics for apps. It never throws: a name that cannot be had gives an instrument that does nothing, with one
 * line on stderr.
 */
export function createUserMetrics(registry: KitRegistry, diagnostics: Diagnostics): UserMetrics {
  /** The instrument behind a name, or undefined with a message. */
  function make<T>(
    name: unknown,
    options: UserMetricOptions,
    type: MetricType,
    kind: (definition: OpenDefinition) => T,
  ): T | undefined {
    try {
      if (typeof name !== 'string' || !METRIC_NAME.test(name)) {
        throw new Error('a metric name consists of letters, digits, "_" and ":", and begins with no digit');
      }
      // One of the kit's own metrics, fed by hand: the dashboards know it with its labels and no others.
      const own = OWN.get(name);
      if (own !== undefined && own.type !== type) throw new Error(`it is a ${own.type} of the kit and cannot be a ${type}`);
      if (own !== undefined) return kind(own);
      const bad = options.labels?.find((label) => !LABEL_NAME.test(label) || label === 'le' || label === 'quantile');
      if (bad !== undefined) throw new Error(`"${bad}" is no label name that a metric can have`);
      const { help = name, labels, aggregation } = options;
      return kind({ type, name, help, labels, aggregation, buckets: (options as UserHistogramOptions).buckets });
    } catch (error) {
      diagnostics.warn(
        `O11Y_METRIC: "${typeof name === 'string' ? name : typeof name}" cannot be used: ${reason(error)}. It records nothing.`,
      );
      return undefined;
    }
  }

  return {
    counter(name, options = {}) {
      const full = typeof name === 'string' && !name.endsWith('_total') ? `${name}_total` : name;
      return guarded(userCounter(make(full, options, 'counter', (definition) => registry.counter(definition))));
    },
    gauge: (name, options = {}) => guarded(userGauge(make(name, options, 'gauge', (definition) => registry.gauge(definition)))),
    histogram: (name, options = {}) =>
      guarded(userHistogram(make(name, options, 'histogram', (definition) => registry.histogram(definition)))),
  };

  /** The same methods, which do not throw whatever they are given: a label whose getter throws, for one. */
  function guarded<T extends object>(instrument: T): T {
    const methods = Object.entries(instrument).map(([name, method]) => {
      return [
        name,
        (...args: unknown[]) => {
          try {
            return method(...args);
          } catch (error) {
            diagnostics.warn(`O11Y_METRIC: ${name}() was given something that cannot be recorded: ${reason(error)}.`);
            return name === 'startTimer' ? () => 0 : undefined;
          }
        },
      ];
    });
    return Object.fromEntries(methods);
  }
}

const NONE: Labels = {};

/** Labels are optional and come first, as in prom-client: `inc()`, `inc(2)`, `inc({ plan: 'free' }, 2)`. */
function split(first: UserLabels | number | undefined, second: number | undefined): [Labels, number | undefined] {
  if (typeof first === 'object' && first !== null) return [clean(first), second];
  return [NONE, first];
}

/** Without what cannot be a label; values are turned into texts by the series. */
function clean(labels: UserLabels): Labels {
  for (const name in labels) {
    if (LABEL_NAME.test(name) && name !== 'le' && name !== 'quantile') continue;
    const entries = Object.entries(labels).filter(([key]) => LABEL_NAME.test(key) && key !== 'le' && key !== 'quantile');
    return Object.fromEntries(entries) as unknown as Labels;
  }
  return labels as unknown as Labels;
}

function userCounter(counter: KitCounter | undefined): UserCounter {
  return {
    inc(first?: UserLabels | number, second?: number) {
      const [labels, value = 1] = split(first, second);
      counter?.inc(labels, value);
    },
  };
}

function userGauge(gauge: KitGauge | undefined): UserGauge {
  return {
    set(first: UserLabels | number, second?: number) {
      const [labels, value] = split(first, second);
      gauge?.set(labels, value as number);
    },
    inc(first?: UserLabels | number, second?: number) {
      const [labels, value = 1] = split(first, second);
      gauge?.add(labels, value);
    },
    dec(first?: UserLabels | number, second?: number) {
      const [labels, value = 1] = split(first, second);
      gauge?.add(labels, -value);
    },
    remove(labels) {
      gauge?.remove(split(labels, undefined)[0]);
    },
  };
}

function userHistogram(histogram: KitHistogram | undefined): UserHistogram {
  return {
    observe(first: UserLabels | number, second?: number) {
      const [labels, value] = split(first, second);
      histogram?.observe(labels, value as number, activeSpan());
    },
    startTimer(startLabels) {
      const started = performance.now();
      return (endLabels) => {
        const seconds = (performance.now() - started) / 1000;
        histogram?.observe(clean({ ...startLabels, ...endLabels }), seconds, activeSpan());
        return seconds;
      };
    },
  };
}
