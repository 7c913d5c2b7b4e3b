import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { reason } from '../diagnostics.ts';
import type { Kit } from '../kit.ts';
import { aiSdk } from './ai-sdk.ts';
import { amqplib } from './amqplib.ts';
import { anthropic } from './anthropic.ts';
import { awsSdk } from './aws-sdk.ts';
import { axios } from './axios.ts';
import { bull } from './bull.ts';
import { bullmq } from './bullmq.ts';
import { cockatiel } from './cockatiel.ts';
import type { Library, Undo } from './define.ts';
import { hookImport } from './esm.ts';
import { express } from './express.ts';
import { expressRateLimit } from './express-rate-limit.ts';
import { fastify } from './fastify.ts';
import { fastifyRateLimit } from './fastify-rate-limit.ts';
import { FOREIGN, RUNNING_BEFORE, runningAgent } from './foreign.ts';
import { genericPool } from './generic-pool.ts';
import { got } from './got.ts';
import { graphql } from './graphql.ts';
import { grpc } from './grpc.ts';
import { hapi } from './hapi.ts';
import { hono } from './hono.ts';
import { createWiring, hookRequire, namesFor, type Wired } from './hook.ts';
import { ioredis } from './ioredis.ts';
import { kafkajs } from './kafkajs.ts';
import { knex } from './knex.ts';
import { koa } from './koa.ts';
import { mongodb } from './mongodb.ts';
import { mysql2 } from './mysql2.ts';
import { nest } from './nest.ts';
import { openai } from './openai.ts';
import { openfeature } from './openfeature.ts';
import { opossum } from './opossum.ts';
import { dependenciesOf, manifestsAround } from './packages.ts';
import { pg } from './pg.ts';
import { pino } from './pino.ts';
import { prisma } from './prisma.ts';
import { promClient } from './prom-client.ts';
import { rateLimiterFlexible } from './rate-limiter-flexible.ts';
import { redis } from './redis.ts';
import { redisStreams } from './redis-streams.ts';
import { retry } from './retry.ts';
import { socketIo } from './socket-io.ts';
import { undici } from './undici.ts';
import { winston } from './winston.ts';
import { ws } from './ws.ts';

/** Every library that the kit wires. Settings, documentation, `doctor` and tests derive from this array. */
export const LIBRARIES: readonly Library[] = [
  express,
  fastify,
  koa,
  hono,
  hapi,
  nest,
  pino,
  winston,
  promClient,
  opossum,
  bullmq,
  bull,
  ws,
  socketIo,
  pg,
  mysql2,
  mongodb,
  knex,
  prisma,
  genericPool,
  undici,
  amqplib,
  kafkajs,
  grpc,
  graphql,
  awsSdk,
  ioredis,
  redis,
  redisStreams,
  expressRateLimit,
  fastifyRateLimit,
  rateLimiterFlexible,
  cockatiel,
  openai,
  anthropic,
  aiSdk,
  openfeature,
  retry,
  got,
  axios,
];

export interface Libraries {
  /** What has been wired so far; libraries are wired as the app loads them. */
  wired(): readonly Wired[];
  stop(): void;
}

/**
 * Whether the standard switches leave a library on: named in `OTEL_NODE_ENABLED_INSTRUMENTATIONS` if that is set, and not
 * in `OTEL_NODE_DISABLED_INSTRUMENTATIONS`.
 *
 * @see https://opentelemetry.io/docs/zero-code/js/configuration/
 */
export function isEnabled(name: string, config: Kit['config']): boolean {
  const { enabledInstrumentations: enabled, disabledInstrumentations: disabled } = config;
  return (enabled.length === 0 || enabled.includes(name)) && !disabled.includes(name);
}

/**
 * Wires every enabled library that the app has loaded or will load. Never throws.
 *
 * @param options.entry the app's entry file, by default this process's
 */
export function startLibraries(
  kit: Kit,
  libraries: readonly Library[] = [...LIBRARIES, ...FOREIGN],
  { entry = entryFile() }: { entry?: string } = {},
): Libraries {
  const enabled = libraries.filter(({ name, foreign }) => foreign || isEnabled(name, kit.config));
  const table = new Map<string, Library[]>();
  for (const library of enabled) {
    for (const specifier of Object.keys(library.packages)) table.set(specifier, [...(table.get(specifier) ?? []), library]);
  }
  const wiring = createWiring(kit, table);
  const stops: Undo[] = [];

  stepBack(RUNNING_BEFORE);
  // Nothing tells when an agent that a later flag loads is up, so it is looked for once.
  const look = setTimeout(() => stepBack(runningAgent()), 1000).unref();
  stops.push(() => clearTimeout(look));
  attempt('the hooks of require and import', () => {
    const folder = entry === undefined ? undefined : dirname(entry);
    const dependencies = dependenciesOf(folder === undefined ? [] : manifestsAround(folder));
    const names = namesFor(table.keys(), dependencies);
    stops.push(hookRequire(wiring, names));
    return folder === undefined ? undefined : hookImport(wiring, enabled, names, folder, dependencies);
  });
  for (const library of enabled) {
    if (library.bind) attempt(library.name, () => library.bind?.(kit));
    for (const [channel, handler] of Object.entries(library.channels ?? {})) {
      attempt(channel, () => listen(library, channel, handler));
    }
  }

  function stepBack(why: string | undefined): void {
    if (why !== undefined) kit.tracing.stepBack(why);
  }

  function attempt(what: string, start: () => Undo | undefined): void {
    try {
      const stop = start();
      if (stop) stops.push(stop);
    } catch (error) {
      kit.diagnostics.warn(`O11Y_INSTRUMENTATION: ${what} could not be set up: ${reason(error)}. The app goes on without it.`);
    }
  }

  function listen(library: Library, channel: string, handler: (message: unknown, kit: Kit) => string | undefined): Undo {
    const listener = (message: unknown) => {
      try {
        wiring.note({ library: library.name, name: library.name, version: handler(message, kit) });
      } catch (error) {
        kit.diagnostics.warn(
          `O11Y_INSTRUMENTATION: ${library.name} could not be wired: ${reason(error)}. The app goes on without its telemetry.`,
        );
      }
    };
    subscribe(channel, listener);
    return () => unsubscribe(channel, listener);
  }

  return {
    wired: () => wiring.wired,
    stop() {
      for (const stop of stops.splice(0).reverse()) stop();
      wiring.undo();
    },
  };
}

/** The app's entry file with links resolved; undefined for `node -e` and the prompt. */
function entryFile(): string | undefined {
  try {
    return process.argv[1] === undefined ? undefined : realpathSync(process.argv[1]);
  } catch {
    return undefined;
  }
}
