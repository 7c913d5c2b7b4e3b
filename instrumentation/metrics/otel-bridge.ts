import {
  type Attributes,
  type Context,
  createNoopMeter,
  type Meter,
  type MeterProvider,
  type MetricOptions,
  type Observable,
  trace,
} from '@opentelemetry/api';
import { active } from '../context.ts';
import { type Diagnostics, reason } from '../diagnostics.ts';
import { DURATION_BUCKETS } from '../names.ts';
import type { Collectors } from './collectors.ts';
import { KNOWN, OWN, RENAMED_INSTRUMENTS } from './otel-known.ts';
import { toLabels } from './otel-labels.ts';
import { type InstrumentKind, metricName } from './otel-names.ts';
import { Observables } from './otel-observables.ts';
import type { KitRegistry, OpenDefinition } from './registry.ts';

/** OpenTelemetry's default for histograms that say nothing. */
const DEFAULT_BUCKETS = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000];

/**
 * OpenTelemetry's Metrics API, written into the kit's registry.
 *
 * Names, units and `_total` follow OpenTelemetry's rules for Prometheus; the labels `otel_scope_*` are left out. An
 * instrument of names.ts keeps only the labels that it has there; any other keeps all its attributes, bounded by
 * `O11Y_MAX_SERIES`. Histograms carry the active span as exemplar.
 *
 * @see https://opentelemetry.io/docs/specs/otel/metrics/api/
 */
export function createMeterProvider(
  registry: KitRegistry,
  collectors: Collectors,
  diagnostics: Diagnostics,
  limit: number,
): MeterProvider {
  const observables = new Observables(diagnostics, limit);
  collectors.add('otel', () => observables.collect());
  const meter = createMeter(registry, observables, diagnostics);
  return { getMeter: () => meter };
}

function createMeter(registry: KitRegistry, observables: Observables, diagnostics: Diagnostics): Meter {
  const noop = createNoopMeter();

  /** Calls `make` with the definition of an instrument, or `otherwise` where there can be none. */
  function instrument<T>(
    name: string,
    options: MetricOptions | undefined,
    kind: InstrumentKind,
    make: (definition: OpenDefinition, labels: (attributes?: Attributes) => Record<string, string>) => T,
    otherwise: () => T,
  ): T {
    try {
      const full = metricName(RENAMED_INSTRUMENTS[name] ?? name, options?.unit ?? '', kind);
      if (OWN.has(full)) {
        diagnostics.debug(`O11Y_METRIC: ${name} of the OpenTelemetry API is left out; the kit measures it itself.`);
        return otherwise();
      }
      const known = KNOWN.get(full);
      const definition = known ?? describe(full, options, kind);
      const labels = (attributes?: Attributes) => toLabels(attributes, known) as Record<string, string>;
      return quiet(make(definition, labels));
    } catch (error) {
      diagnostics.warn(`O11Y_METRIC: instrument ${name} of the OpenTelemetry API records nothing: ${reason(error)}.`);
      return otherwise();
    }
  }

  /** The same methods, which do not throw into the app whatever they are given. */
  function quiet<T>(made: T): T {
    const methods = made as Record<string, (...args: unknown[]) => void>;
    for (const name of ['add', 'record']) {
      const method = methods[name];
      if (method === undefined) continue;
      methods[name] = (...args) => {
        try {
          method(...args);
        } catch (error) {
          diagnostics.warn(`O11Y_METRIC: the OpenTelemetry API was given something that cannot be recorded: ${reason(error)}.`);
        }
      };
    }
    return made;
  }

  const observable = (name: string, options: MetricOptions | undefined, kind: InstrumentKind): Observable =>
    instrument(
      name,
      options,
      kind,
      (definition, labels) =>
        observables.create(kind === 'counter' ? registry.counter(definition) : registry.gauge(definition), name, labels),
      () => noop.createObservableGauge(name),
    );

  return {
    createCounter: (name, options) =>
      instrument(
        name,
        options,
        'counter',
        (definition, labels) => {
          const counter = registry.counter(definition);
          return { add: (value: number, attributes?: Attributes) => counter.inc(labels(attributes), value) };
        },
        () => noop.createCounter(name),
      ),
    createUpDownCounter: (name, options) =>
      instrument(
        name,
        options,
        'updown',
        (definition, labels) => {
          const gauge = registry.gauge(definition);
          return { add: (value: number, attributes?: Attributes) => gauge.add(labels(attributes), value) };
        },
        () => noop.createUpDownCounter(name),
      ),
    createGauge: (name, options) =>
      instrument(
        name,
        options,
        'gauge',
        (definition, labels) => {
          const gauge = registry.gauge(definition);
          return { record: (value: number, attributes?: Attributes) => gauge.set(labels(attributes), value) };
        },
        () => noop.createGauge(name),
      ),
    createHistogram: (name, options) =>
      instrument(
        name,
        options,
        'histogram',
        (definition, labels) => {
          const histogram = registry.histogram(definition);
          return {
            record(value: number, attributes?: Attributes, context: Context = active()) {
              histogram.observe(labels(attributes), value, trace.getSpanContext(context));
            },
          };
        },
        () => noop.createHistogram(name),
      ),
    createObservableCounter: (name, options) => observable(name, options, 'counter'),
    createObservableUpDownCounter: (name, options) => observable(name, options, 'updown'),
    createObservableGauge: (name, options) => observable(name, options, 'gauge'),
    addBatchObservableCallback: (callback, instruments) => observables.addBatch(callback, instruments),
    removeBatchObservableCallback: (callback, instruments) => observables.removeBatch(callback, instruments),
  };
}

function describe(name: string, options: MetricOptions | undefined, kind: InstrumentKind): OpenDefinition {
  const advised = options?.advice?.explicitBucketBoundaries;
  return {
    name,
    type: kind === 'updown' ? 'gauge' : kind,
    help: options?.description || name,
    labels: undefined,
    buckets: advised?.length ? advised : options?.unit === 's' ? DURATION_BUCKETS : DEFAULT_BUCKETS,
    // Up-down counters add up by definition; a gauge's values do not, so a cluster's page shows each worker's.
    aggregation: kind === 'gauge' ? 'worker' : 'sum',
  };
}
