import { METRICS } from '../names.ts';
import type { KitRegistry } from './registry.ts';

/**
 * The resource as `target_info`, so that its attributes can be joined to any other metric by `job` and `instance`.
 *
 * @see https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#resource-attributes
 */
export function targetInfo(registry: KitRegistry, attributes: Readonly<Record<string, unknown>>): void {
  const labels: Record<string, string> = {};
  for (const [key, value] of Object.entries(attributes)) {
    const name = key
      .replace(/[^a-zA-Z0-9_]/g, '_')
      .replace(/^_*(?=[0-9])/, '_')
      .replace(/^__+/, '_');
    const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
    // Two attributes whose names become one share the label, as OpenTelemetry says.
    labels[name] = labels[name] === undefined ? text : `${labels[name]};${text}`;
  }
  registry.gauge({ ...METRICS.targetInfo, labels: Object.keys(labels) }).set(labels, 1);
}
