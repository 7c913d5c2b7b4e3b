import { type Diagnostics, reason } from '../diagnostics.ts';
import { METRICS } from '../names.ts';
import { type Collectors, isolated } from './collectors.ts';
import { type PromMetric, readByGet, readDirectly } from './families.ts';
import type { ForeignRegistries, PromRegistry } from './foreign.ts';
import { Slice } from './pause.ts';
import type { KitRegistry } from './registry.ts';
import { toPage } from './render.ts';
import type { Family, Page, Sample, Snapshot } from './types.ts';

/** The collector that stands for the app's own metrics in `o11y_collector_success`. */
const APP = 'app';
const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

interface Source {
  readonly name: string;
  readonly metric: PromMetric;
  readonly defaults: Readonly<Record<string, unknown>> | undefined;
  readonly foreign: boolean;
}

/** Reads the kit's registry and those of the app as one. */
export class Pages {
  readonly #registry: KitRegistry;
  readonly #collectors: Collectors;
  readonly #foreign: ForeignRegistries;
  readonly #diagnostics: Diagnostics;
  readonly #hanging = new WeakSet<object>();
  readonly #warned = new Set<string>();
  #appCollect: Promise<ReadonlySet<object>> | undefined;

  constructor(registry: KitRegistry, collectors: Collectors, foreign: ForeignRegistries, diagnostics: Diagnostics) {
    this.#registry = registry;
    this.#collectors = collectors;
    this.#foreign = foreign;
    this.#diagnostics = diagnostics;
  }

  async page(accept?: string): Promise<Page> {
    return toPage(await this.families(), accept);
  }

  async snapshot(): Promise<Snapshot> {
    const slice = new Slice();
    const families = [];
    for await (const family of await this.families()) {
      const samples = [];
      for (const sample of family.samples) {
        samples.push(copy(sample));
        if (slice.over()) await slice.pause();
      }
      families.push({ ...family, samples });
    }
    return { families };
  }

  /** Collects, then reads metric by metric as the result is iterated. */
  async families(): Promise<AsyncIterable<Family>> {
    const sources = this.#sources();
    const [results, failed] = await Promise.all([this.#collectors.run(), this.#collectApp(sources)]);
    const success = this.#registry.gauge(METRICS.collectorSuccess);
    for (const [collector, worked] of results) success.set({ collector }, worked ? 1 : 0);
    if (sources.some((source) => source.foreign)) success.set({ collector: APP }, failed.size === 0 ? 1 : 0);
    // Asked again, because a collector may have made a metric.
    return this.#read(this.#sources(), failed);
  }

  /** The metrics to show: the app's before the kit's, each name once. */
  #sources(): Source[] {
    const sources = new Map<string, Source>();
    const seen = new Set<PromMetric>();
    for (const registry of this.#foreign) {
      try {
        const defaults = registry._defaultLabels;
        const usable = defaults && Object.keys(defaults).length > 0 ? defaults : undefined;
        for (const [registered, metric] of metricsOf(registry)) {
          if (seen.has(metric) || !METRIC_NAME.test(registered)) continue;
          seen.add(metric);
          const name = shownName(registered, metric, registry);
          if (sources.has(name)) this.#twice(name);
          else sources.set(name, { name, metric, defaults: usable, foreign: true });
        }
      } catch (error) {
        this.#diagnostics.warn(`metrics: a prom-client registry of the app cannot be read: ${reason(error)}.`);
      }
    }
    const aside: string[] = [];
    for (const metric of this.#registry.prom.getMetricsAsArray() as unknown as PromMetric[]) {
      if (!sources.has(metric.name)) sources.set(metric.name, { name: metric.name, metric, defaults: undefined, foreign: false });
      else if (!this.#warned.has(metric.name)) aside.push(metric.name);
    }
    if (aside.length > 0) {
      for (const name of aside) this.#warned.add(name);
      const names = aside.length > 5 ? `${aside.slice(0, 5).join(', ')} and ${aside.length - 5} more` : aside.join(', ');
      this.#diagnostics.warn(`metrics: the app registers ${names} itself; the kit's own series of that name are not shown.`);
    }
    return this.#withoutClashes([...sources.values()].sort((a, b) => (a.name < b.name ? -1 : 1)));
  }

  /** A histogram `x` has lines named `x_count`: another metric of that name would put two families' lines under one name. */
  #withoutClashes(sources: Source[]): Source[] {
    const lines = new Set<string>();
    for (const { name, metric } of sources) {
      if (metric.type === 'histogram') lines.add(`${name}_bucket`);
      if (metric.type === 'histogram' || metric.type === 'summary') lines.add(`${name}_sum`).add(`${name}_count`);
    }
    return sources.filter(({ name }) => {
      if (lines.has(name)) this.#twice(name);
      return !lines.has(name);
    });
  }

  #collectApp(sources: readonly Source[]): Promise<ReadonlySet<object>> {
    this.#appCollect ??= this.#runAppCollect(sources).finally(() => {
      this.#appCollect = undefined;
    });
    return this.#appCollect;
  }

  /** Runs the `collect` functions of the app's metrics. @returns The metrics whose function failed. */
  async #runAppCollect(sources: readonly Source[]): Promise<ReadonlySet<object>> {
    const failed = new Set<object>();
    const running: Promise<void>[] = [];
    const slice = new Slice();
    for (const { metric, foreign } of sources) {
      if (!foreign || typeof metric.collect !== 'function') continue;
      running.push(this.#collectOne(metric, failed));
      if (slice.over()) await slice.pause();
    }
    await Promise.all(running);
    return failed;
  }

  async #collectOne(metric: PromMetric, failed: Set<object>): Promise<void> {
    if (this.#hanging.has(metric)) {
      failed.add(metric);
      return;
    }
    const run = () => {
      const result = metric.collect!();
      if (typeof (result as PromiseLike<void> | undefined)?.then !== 'function') return;
      this.#hanging.add(metric);
      return Promise.resolve(result as PromiseLike<void>).finally(() => this.#hanging.delete(metric));
    };
    const worked = await isolated(run, (error) => this.#broken(metric, error));
    if (!worked) failed.add(metric);
  }

  async *#read(sources: readonly Source[], failed: ReadonlySet<object>): AsyncGenerator<Family> {
    for (const { name, metric, defaults } of sources) {
      if (failed.has(metric)) continue;
      try {
        yield readDirectly(metric, name, defaults) ?? (await readByGet(metric, name, defaults));
      } catch (error) {
        this.#broken(metric, error);
      }
    }
  }

  #broken(metric: PromMetric, error: unknown): void {
    this.#diagnostics.warn(
      `metrics: the app's metric ${metric.name} cannot be read: ${reason(error)}. It is missing from the page.`,
      `metric ${metric.name}`,
    );
  }

  #twice(name: string): void {
    if (this.#warned.has(`twice ${name}`)) return;
    this.#warned.add(`twice ${name}`);
    this.#diagnostics.warn(
      `metrics: the name ${name} is used twice by the app's prom-client metrics; the page shows the first one.`,
    );
  }
}

/** Exemplars of the kit are changed in place. */
function copy(sample: Sample): Sample {
  if (!('buckets' in sample) || sample.exemplars === undefined) return sample;
  const exemplars = sample.exemplars.map((exemplar) => exemplar && { ...exemplar, labelSet: { ...exemplar.labelSet } });
  return { ...sample, exemplars };
}

/** By the name of the registration: switching a registry to OpenMetrics cuts `_total` off a metric's own name, for good. */
function metricsOf(registry: PromRegistry): readonly (readonly [string, PromMetric])[] {
  const { _metrics } = registry;
  if (typeof _metrics === 'object' && _metrics !== null) return Object.entries(_metrics);
  return registry.getMetricsAsArray().map((metric) => [metric.name, metric]);
}

/** In a registry of OpenMetrics' content type prom-client adds `_total` to the lines of a counter. */
function shownName(registered: string, metric: PromMetric, registry: PromRegistry): string {
  const added = metric.type === 'counter' && registry.contentType?.startsWith('application/openmetrics-text');
  return added && !registered.endsWith('_total') ? `${registered}_total` : registered;
}
