import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';

/**
 * pino-opentelemetry-transport is written to be the file of a pino worker: pino announces in `workerData` that it will send
 * its configuration, and sends it as a message to `parentPort`. In the export thread there is no pino, so the transport is
 * given a port of its own, which it keeps from the moment it is loaded. Import this module, then the transport, then call
 * {@link restore}: the thread's real port is the kit's.
 */
export const pinoPort = new EventEmitter();

const threads = createRequire(import.meta.url)('node:worker_threads');
const { parentPort, workerData } = threads;
Object.assign(threads, { parentPort: pinoPort, workerData: { workerData: { pinoWillSendConfig: true } } });

export function restore(): void {
  Object.assign(threads, { parentPort, workerData });
}
