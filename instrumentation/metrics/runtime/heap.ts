import { gauge, type RuntimeCollector } from './define.ts';

export const heap: RuntimeCollector = {
  name: 'heap',
  start(registry) {
    const total = registry.gauge(gauge('nodejs_heap_size_total_bytes', 'Process heap size from Node.js in bytes.'));
    const used = registry.gauge(gauge('nodejs_heap_size_used_bytes', 'Process heap size used from Node.js in bytes.'));
    const external = registry.gauge(gauge('nodejs_external_memory_bytes', 'Node.js external memory size in bytes.'));
    return {
      collect() {
        const memory = process.memoryUsage();
        total.set({}, memory.heapTotal);
        used.set({}, memory.heapUsed);
        external.set({}, memory.external);
      },
    };
  },
};
