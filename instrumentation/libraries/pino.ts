import { defineLibrary, isExports } from './define.ts';

/** pino in every form: default, child, transport, pino-http and Fastify's logger are all its one prototype. */
export const pino = defineLibrary<object>({
  name: 'pino',
  gives: 'Trace and correlation ids on every line, of child loggers, pino-http and Fastify too; lines are shipped.',
  packages: { pino: '>=8.0.0 <11.0.0' },
  accepts: (exports): exports is object => isExports(exports) && isExports(exports.symbols) && typeof exports.pino === 'function',
  wire(exports, kit) {
    kit.logs.adoptPino(exports);
    return undefined;
  },
});
