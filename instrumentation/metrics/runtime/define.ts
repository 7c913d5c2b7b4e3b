import type { MetricDefinition } from '../../names.ts';
import type { KitRegistry } from '../registry.ts';

/**
 * One look at the process. Every file of this folder is one of these, and index.ts lists them; that is all it takes to add
 * another.
 */
export interface RuntimeCollector {
  /** The `collector` label of `o11y_collector_success`. */
  readonly name: string;
  /** Whether it is to be done before the others begin, because they would disturb it or it them. */
  readonly first?: boolean;
  /** Makes its metrics. */
  start(registry: KitRegistry): Running;
}

export interface Running {
  /** Called before each page. Throwing or rejecting costs this collector's metrics only. */
  collect?(): void | Promise<void>;
  stop?(): void;
}

/** A metric that prom-client's `collectDefaultMetrics` has too, by its name there. */
export function gauge(name: string, help: string, ...labels: string[]): MetricDefinition {
  return { name, type: 'gauge', help, labels };
}

export function counter(name: string, help: string, ...labels: string[]): MetricDefinition {
  return { name, type: 'counter', help, labels };
}
