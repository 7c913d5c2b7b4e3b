import type { KitGauge } from '../instruments.ts';
import type { KitRegistry } from '../registry.ts';
import { gauge, type RuntimeCollector } from './define.ts';

type Undocumented = { _getActiveHandles?: () => unknown[]; _getActiveRequests?: () => unknown[] };

/**
 * What keeps the event loop alive, by type. Handles and requests come from functions that Node does not document;
 * resources are the documented successor.
 */
export const activeResources: RuntimeCollector = {
  name: 'active_resources',
  start(registry) {
    const { _getActiveHandles, _getActiveRequests } = process as Undocumented;
    const collectors = [
      counted(registry, 'resources', 'resources that keep the event loop alive', () => process.getActiveResourcesInfo()),
    ];
    if (_getActiveHandles !== undefined) {
      collectors.push(counted(registry, 'handles', 'libuv handles', () => _getActiveHandles.call(process).map(className)));
    }
    if (_getActiveRequests !== undefined) {
      collectors.push(counted(registry, 'requests', 'libuv requests', () => _getActiveRequests.call(process).map(className)));
    }
    return {
      collect() {
        for (const collect of collectors) collect();
      },
    };
  },
};

function counted(registry: KitRegistry, what: string, help: string, types: () => readonly string[]): () => void {
  const byType = registry.gauge(gauge(`nodejs_active_${what}`, `Number of active ${help} by type.`, 'type'));
  const total = registry.gauge(gauge(`nodejs_active_${what}_total`, `Number of active ${help}.`));
  let shown = new Set<string>();
  return () => {
    const now = types();
    total.set({}, now.length);
    shown = replace(byType, now, shown);
  };
}

/** Sets the count of each type, and takes off the types that are gone. */
function replace(metric: KitGauge, types: readonly string[], before: ReadonlySet<string>): Set<string> {
  const counts = new Map<string, number>();
  for (const type of types) counts.set(type, (counts.get(type) ?? 0) + 1);
  for (const type of before) if (!counts.has(type)) metric.remove({ type });
  for (const [type, count] of counts) metric.set({ type }, count);
  return new Set(counts.keys());
}

function className(value: unknown): string {
  return (value as object | undefined)?.constructor?.name || 'Object';
}
