import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { gauge, type RuntimeCollector } from './define.ts';

/** Only Linux tells. */
export const fileDescriptors: RuntimeCollector = {
  name: 'file_descriptors',
  start(registry) {
    if (process.platform !== 'linux') return {};
    const open = registry.gauge(gauge('process_open_fds', 'Number of open file descriptors.'));
    const max = registry.gauge(gauge('process_max_fds', 'Maximum number of open file descriptors.'));
    const limit = readFileSync('/proc/self/limits', 'utf8').match(/^Max open files\s+(\S+)/m)?.[1];
    max.set({}, limit === 'unlimited' ? Infinity : Number(limit));
    return {
      // Off the event loop: a process with ten thousand sockets has as many entries here.
      async collect() {
        // Less the one that reads the folder.
        open.set({}, (await readdir('/proc/self/fd')).length - 1);
      },
    };
  },
};
