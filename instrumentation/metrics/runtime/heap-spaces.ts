import { getHeapSpaceStatistics } from 'node:v8';
import { gauge, type RuntimeCollector } from './define.ts';

export const heapSpaces: RuntimeCollector = {
  name: 'heap_spaces',
  start(registry) {
    const size = (part: string) =>
      registry.gauge(
        gauge(`nodejs_heap_space_size_${part}_bytes`, `Process heap space size ${part} from Node.js in bytes.`, 'space'),
      );
    const total = size('total');
    const used = size('used');
    const available = size('available');
    return {
      collect() {
        for (const statistics of getHeapSpaceStatistics()) {
          const labels = { space: statistics.space_name.replace(/_space$/, '') };
          total.set(labels, statistics.space_size);
          used.set(labels, statistics.space_used_size);
          available.set(labels, statistics.space_available_size);
        }
      },
    };
  },
};
