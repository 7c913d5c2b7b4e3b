import { createRequire } from 'node:module';
import makeWays from './pino-ways.cjs';
import serve from './server.cjs';

const { default: pino } = await import(process.argv[2]);
const ways = makeWays(pino);
// A second import, by path, is the same copy.
const again = await import(createRequire(import.meta.url).resolve(process.argv[2]));

again.pino().info({ way: 'start' }, 'outside of a request');
serve(() => {
  for (const [way, logger] of Object.entries(ways)) logger.info({ way }, `by ${way}`);
});
