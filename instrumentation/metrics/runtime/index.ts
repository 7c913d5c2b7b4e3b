import { type Diagnostics, reason } from '../../diagnostics.ts';
import type { Collectors } from '../collectors.ts';
import type { KitRegistry } from '../registry.ts';
import { activeResources } from './active-resources.ts';
import { cpu } from './cpu.ts';
import type { RuntimeCollector } from './define.ts';
import { eventLoopLag } from './event-loop-lag.ts';
import { eventLoopUtilization } from './event-loop-utilization.ts';
import { fileDescriptors } from './file-descriptors.ts';
import { gc } from './gc.ts';
import { heap } from './heap.ts';
import { heapSpaces } from './heap-spaces.ts';
import { memory } from './memory.ts';
import { processInfo } from './process-info.ts';

export const RUNTIME_COLLECTORS: readonly RuntimeCollector[] = [
  eventLoopLag,
  eventLoopUtilization,
  gc,
  heap,
  heapSpaces,
  cpu,
  memory,
  fileDescriptors,
  activeResources,
  processInfo,
];

/** One that cannot start (a runtime without its part of Node) is left out; the others start. */
export function startRuntime(registry: KitRegistry, collectors: Collectors, diagnostics: Diagnostics): () => void {
  const stops: (() => void)[] = [];
  for (const { name, first, start } of RUNTIME_COLLECTORS) {
    try {
      const running = start(registry);
      stops.push(collectors.add(name, () => running.collect?.(), first));
      stops.push(() => running.stop?.());
    } catch (error) {
      diagnostics.warn(`O11Y_METRIC: collector "${name}" cannot start: ${reason(error)}. Its metrics are missing.`);
      stops.push(
        collectors.add(name, () => {
          throw error;
        }),
      );
    }
  }
  return () => {
    for (const stop of stops) stop();
  };
}
