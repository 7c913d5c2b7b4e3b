import { type Diagnostics, reason } from '../diagnostics.ts';
import type { PromMetric, Source } from './families.ts';
import type { ForeignRegistries, PromRegistry } from './foreign.ts';
import type { KitRegistry } from './registry.ts';
import type { FamilyType } from './types.ts';

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const NAMED_IN_WARNING = 5;

export interface PageSource extends Source {
  /** Whether it is the app's. */
  readonly foreign: boolean;
}

/** Which metrics stand on the page: the app's and the kit's, each name once. What is left out is said once. */
export class Sources {
  readonly #registry: KitRegistry;
  readonly #foreign: ForeignRegistries;
  readonly #diagnostics: Diagnostics;
  readonly #warned = new Set<string>();

  constructor(registry: KitRegistry, foreign: ForeignRegistries, diagnostics: Diagnostics) {
    this.#registry = registry;
    this.#foreign = foreign;
    this.#diagnostics = diagnostics;
  }

  /** The app's metrics before the kit's, each registry's in the order of registration. */
  list(): PageSource[] {
    const sources = new Map<string, PageSource>();
    this.#addForeign(sources);
    this.#addOwn(sources);
    return this.#withoutClashes([...sources.values()]);
  }

  #addForeign(sources: Map<string, PageSource>): void {
    const seen = new Set<PromMetric>();
    for (const registry of this.#foreign) {
      try {
        const defaults = registry._defaultLabels;
        const usable = defaults && Object.keys(defaults).length > 0 ? defaults : undefined;
        for (const [registered, metric] of metricsOf(registry)) {
          if (seen.has(metric) || !METRIC_NAME.test(registered)) continue;
          seen.add(metric);
          const type = this.#foreign.plainType(metric);
          const name = shownName(registered, type, registry);
          if (sources.has(name)) this.#twice(name);
          else sources.set(name, { name, metric, type, defaults: usable, foreign: true });
        }
      } catch (error) {
        this.#diagnostics.warn(`O11Y_METRIC: a prom-client registry of the app cannot be read: ${reason(error)}.`);
      }
    }
  }

  #addOwn(sources: Map<string, PageSource>): void {
    const aside: string[] = [];
    for (const metric of this.#registry.prom.getMetricsAsArray() as unknown as PromMetric[]) {
      const { name } = metric;
      const type = metric.type as FamilyType;
      if (!sources.has(name)) sources.set(name, { name, metric, type, defaults: undefined, foreign: false });
      else if (this.#firstTime(`aside ${name}`)) aside.push(name);
    }
    if (aside.length === 0) return;
    const more = aside.length - NAMED_IN_WARNING;
    const names = aside.slice(0, NAMED_IN_WARNING).join(', ') + (more > 0 ? ` and ${more} more` : '');
    this.#diagnostics.warn(`O11Y_METRIC: the app registers ${names} itself; the kit's own series of that name are not shown.`);
  }

  /** A histogram `x` has lines named `x_count`: another metric of that name would put two families' lines under one name. */
  #withoutClashes(sources: PageSource[]): PageSource[] {
    const lines = new Set<string>();
    for (const { name, metric, type = metric.type } of sources) {
      if (type === 'histogram') lines.add(`${name}_bucket`);
      if (type === 'histogram' || type === 'summary') lines.add(`${name}_sum`).add(`${name}_count`);
    }
    return sources.filter(({ name }) => {
      if (lines.has(name)) this.#twice(name);
      return !lines.has(name);
    });
  }

  #twice(name: string): void {
    if (!this.#firstTime(`twice ${name}`)) return;
    this.#diagnostics.warn(`O11Y_METRIC: the name ${name} is used by two metrics of this process; the page shows one of them.`);
  }

  #firstTime(key: string): boolean {
    if (this.#warned.has(key)) return false;
    this.#warned.add(key);
    return true;
  }
}

/** By the name of the registration: switching a registry to OpenMetrics cuts `_total` off a metric's own name, for good. */
function metricsOf(registry: PromRegistry): readonly (readonly [string, PromMetric])[] {
  const { _metrics } = registry;
  if (typeof _metrics === 'object' && _metrics !== null) return Object.entries(_metrics);
  return registry.getMetricsAsArray().map((metric) => [metric.name, metric]);
}

/** In a registry of OpenMetrics' content type prom-client adds `_total` to the lines of a counter. */
function shownName(registered: string, type: FamilyType | undefined, registry: PromRegistry): string {
  const added = type === 'counter' && registry.contentType?.startsWith('application/openmetrics-text');
  return added && !registered.endsWith('_total') ? `${registered}_total` : registered;
}
