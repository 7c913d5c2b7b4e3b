import { readdir, readFileSync } from 'node:fs';
import { gauge, type RuntimeCollector } from './define.ts';

/** Only Linux tells. */
export const fileDescriptors: RuntimeCollector = {
  name: 'file_descriptors',
  // Otherwise every page would count this reading among the active requests.
  first: true,
  start(registry) {
    if (process.platform !== 'linux') return {};
    const open = registry.gauge(gauge('process_open_fds', 'Number of open file descriptors.'));
    const max = registry.gauge(gauge('process_max_fds', 'Maximum number of open file descriptors.'));
    const limit = readFileSync('/proc/self/limits', 'utf8').match(/^Max open files\s+(\S+)/m)?.[1];
    max.set({}, limit === 'unlimited' ? Infinity : Number(limit));
    return {
      // Off the event loop: a process with ten thousand sockets has as many entries here.
      collect: () =>
        new Promise((resolve, reject) => {
          readdir('/proc/self/fd', (error, entries) => {
            if (error) return reject(error);
            // Less the one that reads the folder.
            open.set({}, entries.length - 1);
            resolve();
          });
        }),
    };
  },
};
