import { createRequire } from 'node:module';
import { currentApi } from './api.ts';
import { reasonNotToStart } from './guard.ts';

// The entry of `node --import o11y-kit/preload`. It decides whether to start, loads everything else as one CommonJS file
// (the fastest thing that Node loads), and never throws.
const require = createRequire(import.meta.url);

try {
  const threads: typeof import('node:worker_threads') = require('node:worker_threads');
  const refused = reasonNotToStart({
    version: process.version,
    entry: process.argv[1],
    main: threads.isMainThread,
    internal: (threads as { isInternalThread?: boolean }).isInternalThread,
    started: currentApi() !== undefined,
  });
  if (refused === undefined) (require('./kit.cjs') as typeof import('./start.ts')).start();
  else if (refused !== '') process.stderr.write(`o11y-kit: warn: ${refused}\n`);
} catch (error) {
  process.stderr.write(`o11y-kit: error: the preload could not start; the app runs without telemetry: ${String(error)}\n`);
}
