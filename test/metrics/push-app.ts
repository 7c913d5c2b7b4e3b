// An app that pushes its metrics and lives as long as its parent keeps the channel open.
import { setup } from './setup.ts';

const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('OTEL_'))) as Record<
  string,
  string
>;
setup(env, { 'service.name': 'shop' }, { pushWorker: process.argv[2] }).metrics.start();
process.on('message', () => {});
