const NO_ROUTE = 'its requests are recorded as those of plain node:http, without a route';
const NO_LOG = 'its lines carry no ids and are not shipped';
const NO_CALLS = 'its calls have no spans and no metrics of their own';

/**
 * Well-known packages whose absence in a trace someone would wonder about, and what is missing of them. One that the kit
 * has come to wire is not said to be missing, so this list may hold too much.
 */
export const UNWIRED: Readonly<Record<string, string>> = {
  'uWebSockets.js': 'it does not use node:http, so its requests are not seen at all',
  ...all(NO_ROUTE, ['@hapi/hapi', '@adonisjs/http-server', '@feathersjs/koa', 'h3', 'polka', 'restify', 'sails']),
  ...all(NO_LOG, ['bunyan', 'log4js']),
  ...all(NO_CALLS, [
    '@aws-sdk/client-dynamodb',
    '@grpc/grpc-js',
    '@prisma/client',
    'amqplib',
    'better-sqlite3',
    'bullmq',
    'cassandra-driver',
    'graphql',
    'ioredis',
    'kafkajs',
    'knex',
    'memcached',
    'mongodb',
    'mongoose',
    'mysql',
    'mysql2',
    'pg',
    'postgres',
    'redis',
    'sequelize',
    'tedious',
    'typeorm',
    'ws',
  ]),
};

function all(missing: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, missing]));
}
