const NO_ROUTE = 'its requests are recorded as those of plain node:http, without a route';
const NO_LOG = 'its lines carry no ids and are not shipped';
const NO_CALLS = 'its calls have no spans and no metrics of their own';

/**
 * Well-known packages whose absence in a trace someone would wonder about, and what is missing of them. What only stands on
 * another (Mongoose, Sequelize, TypeORM) is not among them: its calls are those of the driver below.
 */
export const UNWIRED: Readonly<Record<string, string>> = {
  'uWebSockets.js': 'it does not use node:http, so its requests are not seen at all',
  ...all(NO_ROUTE, ['@adonisjs/http-server', '@feathersjs/koa', 'h3', 'polka', 'restify', 'sails']),
  ...all(NO_LOG, ['bunyan', 'log4js']),
  ...all(NO_CALLS, ['better-sqlite3', 'cassandra-driver', 'memcached', 'mysql', 'postgres', 'tedious']),
};

function all(missing: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, missing]));
}
