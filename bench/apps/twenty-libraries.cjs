// Loads twenty libraries that the kit wires, uses none of them, and listens.
const { createServer } = require('node:http');
const { createRequire } = require('node:module');
const { join } = require('node:path');

const LIBRARIES = [
  'express5',
  'fastify5',
  'koa',
  'pino10',
  'winston',
  'prom-client15',
  'pg',
  'mysql2',
  'knex',
  'generic-pool',
  'ioredis5',
  'redis',
  'bullmq5',
  'amqplib',
  'opossum10',
  'cockatiel4',
  'express-rate-limit8',
  'rate-limiter-flexible11',
  'axios',
  'ws8',
];

// The copies that the tests run with.
const load = createRequire(join(__dirname, '../../test/apps/package.json'));
for (const name of LIBRARIES) load(name);
createServer().listen(0, '127.0.0.1', () => {
  const { user, system } = process.cpuUsage();
  process.send({ libraries: LIBRARIES.length, cpuMs: (user + system) / 1000 });
});
process.once('message', () => process.exit(0));
