import { AmqplibInstrumentation } from '@opentelemetry/instrumentation-amqplib';
import { IORedisInstrumentation } from '@opentelemetry/instrumentation-ioredis';
import { MongoDBInstrumentation } from '@opentelemetry/instrumentation-mongodb';
import { MySQL2Instrumentation } from '@opentelemetry/instrumentation-mysql2';
import { RedisInstrumentation } from '@opentelemetry/instrumentation-redis';

/**
 * The official instrumentations that the kit adopts: the entry of `dist/instrumentations.cjs`, which is read when an app
 * loads the first library of this list. One file for all of them, because what they share is more than what they have
 * alone: bundled as ES modules, nine classes are 150 KB and evaluated in 5 ms, while `require` of a single one in a lazy
 * bundle brings 300 KB of constants that nothing uses.
 */
export const CLASSES = {
  amqplib: AmqplibInstrumentation,
  ioredis: IORedisInstrumentation,
  mongodb: MongoDBInstrumentation,
  mysql2: MySQL2Instrumentation,
  redis: RedisInstrumentation,
} as const;

export type OfficialName = keyof typeof CLASSES;
