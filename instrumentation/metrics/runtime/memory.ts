import { readFileSync } from 'node:fs';
import { gauge, type RuntimeCollector } from './define.ts';

/** Memory as the operating system counts it; all but the resident size only on Linux. */
export const memory: RuntimeCollector = {
  name: 'memory',
  start(registry) {
    const resident = registry.gauge(gauge('process_resident_memory_bytes', 'Resident memory size in bytes.'));
    if (process.platform !== 'linux') return { collect: () => resident.set({}, process.memoryUsage.rss()) };
    const virtual = registry.gauge(gauge('process_virtual_memory_bytes', 'Virtual memory size in bytes.'));
    const data = registry.gauge(gauge('process_heap_bytes', 'Process heap size in bytes.'));
    return {
      collect() {
        // No input or output: the kernel writes this text from memory.
        const status = readFileSync('/proc/self/status', 'utf8');
        const bytes = (field: string) =>
          Number(status.match(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm'))?.[1] ?? Number.NaN) * 1024;
        resident.set({}, bytes('VmRSS'));
        virtual.set({}, bytes('VmSize'));
        data.set({}, bytes('VmData'));
      },
    };
  },
};
