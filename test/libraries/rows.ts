import { needsKafka, startKafka } from '../support/servers/kafka.ts';
import { needsMariadb, startMariadb } from '../support/servers/mariadb.ts';
import { startMongoWire } from '../support/servers/mongo-wire.ts';
import { needsPostgres, startPostgres } from '../support/servers/postgres.ts';
import { needsRabbitmq, startRabbitmq } from '../support/servers/rabbitmq.ts';
import { needsRedis, startRedis } from '../support/servers/redis.ts';
import type { Call, Row, Series } from './row.ts';
import { AWS_ROWS } from './rows-aws.ts';
import { PRISMA_ROWS } from './rows-prisma.ts';

const DB = 'db_client_operation_duration_seconds';

/** A series of the duration histogram. */
function calls(system: string, operation: string, collection: string, value: number, error = ''): Series {
  return [DB, { db_system_name: system, db_operation_name: operation, db_collection_name: collection, error_type: error }, value];
}

const postgres: Row = {
  library: 'pg',
  app: 'pg',
  copies: ['pg', 'pg80'],
  skip: needsPostgres,
  async server() {
    const server = await startPostgres();
    server.sql(`create table customers (id integer primary key, name text not null, visits integer not null default 0);
      insert into customers values (1, 'Ada')`);
    return server;
  },
  secrets: ['Ada', 'Grace', 'forty-two'],
  calls: [
    {
      path: 'query',
      answer: [{ name: 'Ada' }],
      trace: `
        GET server
          SELECT customers client`,
      attributes: {
        'SELECT customers': {
          'db.system.name': 'postgresql',
          'db.namespace': 'shop',
          'db.query.text': 'select name from customers where id = $1',
          'server.address': '127.0.0.1',
        },
      },
    },
    {
      path: 'literal',
      trace: `
        GET server
          SELECT customers client`,
      attributes: { 'SELECT customers': { 'db.query.text': 'select name from customers where name = ? and id in (?)' } },
    },
    {
      path: 'callback',
      trace: `
        GET server
          SELECT customers client`,
    },
    {
      path: 'transaction',
      trace: `
        GET server
          BEGIN shop client
          UPDATE customers client
          COMMIT shop client`,
    },
    {
      path: 'missing',
      trace: `
        GET server ERROR 500
          SELECT nowhere client ERROR 42P01 fatal`,
    },
    {
      path: 'duplicate',
      trace: `
        GET server ERROR 500
          INSERT customers client ERROR 23505 invalid_input`,
      attributes: { 'INSERT customers': { 'db.response.status_code': '23505' } },
    },
    {
      path: 'invalid',
      trace: `
        GET server ERROR 500
          SELECT shop client ERROR 22P02 invalid_input`,
    },
    {
      path: 'crowd',
      answer: ['1', '2', '3', '4'],
      trace: `
        GET server
          SELECT shop client
          SELECT shop client
          SELECT shop client
          SELECT shop client`,
    },
  ],
  metrics: [
    calls('postgresql', 'SELECT', 'customers', 3),
    calls('postgresql', 'UPDATE', 'customers', 1),
    calls('postgresql', 'SELECT', 'nowhere', 1, '42P01'),
    calls('postgresql', 'INSERT', 'customers', 1, '23505'),
    [
      'db_client_connection_count',
      { db_client_connection_pool_name: '127.0.0.1:PORT/shop', db_client_connection_state: 'idle' },
      2,
    ],
    [
      'db_client_connection_count',
      { db_client_connection_pool_name: '127.0.0.1:PORT/shop', db_client_connection_state: 'used' },
      0,
    ],
    ['db_client_connection_max', { db_client_connection_pool_name: '127.0.0.1:PORT/shop' }, 2],
    ['db_client_connection_pending_requests', { db_client_connection_pool_name: '127.0.0.1:PORT/shop' }, 0],
    ['db_client_connection_wait_time_seconds', { db_client_connection_pool_name: '127.0.0.1:PORT/shop' }, 11],
    ['o11y_errors_total', { error_type: '23505', error_category: 'invalid_input' }, 1],
  ],
};

const mysql: Row = {
  library: 'mysql2',
  app: 'mysql2',
  copies: ['mysql2', 'mysql20'],
  skip: needsMariadb,
  async server() {
    const server = await startMariadb();
    server.sql(`create table customers (id integer primary key, name varchar(50) not null, visits integer not null default 0);
      insert into customers (id, name) values (1, 'Ada')`);
    return server;
  },
  secrets: ['Ada', 'Grace'],
  calls: [
    {
      path: 'query',
      answer: [{ name: 'Ada' }],
      trace: `
        GET server
          SELECT customers client`,
      attributes: {
        'SELECT customers': {
          'db.system.name': 'mysql',
          'db.namespace': 'shop',
          'db.query.text': 'select name from customers where id = ?',
          'server.address': '127.0.0.1',
        },
      },
    },
    {
      path: 'execute',
      answer: [{ name: 'Ada' }],
      trace: `
        GET server
          SELECT customers client`,
    },
    {
      path: 'literal',
      trace: `
        GET server
          SELECT customers client`,
      attributes: { 'SELECT customers': { 'db.query.text': 'select name from customers where name = ? and id in (?)' } },
    },
    {
      path: 'nested',
      trace: `
        GET server
          SELECT shop client
          SELECT customers client`,
    },
    {
      path: 'transaction',
      trace: `
        GET server
          START shop client
          UPDATE customers client
          COMMIT shop client`,
    },
    {
      path: 'missing',
      trace: `
        GET server ERROR 500
          SELECT nowhere client ERROR ER_NO_SUCH_TABLE fatal`,
    },
    {
      path: 'duplicate',
      trace: `
        GET server ERROR 500
          INSERT customers client ERROR ER_DUP_ENTRY invalid_input`,
    },
    {
      path: 'crowd',
      answer: [1, 2, 3, 4],
      trace: `
        GET server
          SELECT shop client
          SELECT shop client
          SELECT shop client
          SELECT shop client`,
    },
  ],
  metrics: [
    calls('mysql', 'SELECT', 'customers', 4),
    calls('mysql', 'UPDATE', 'customers', 1),
    calls('mysql', 'INSERT', 'customers', 1, 'ER_DUP_ENTRY'),
    [
      'db_client_connection_count',
      { db_client_connection_pool_name: '127.0.0.1:PORT/shop', db_client_connection_state: 'idle' },
      2,
    ],
    [
      'db_client_connection_count',
      { db_client_connection_pool_name: '127.0.0.1:PORT/shop', db_client_connection_state: 'used' },
      0,
    ],
    ['db_client_connection_max', { db_client_connection_pool_name: '127.0.0.1:PORT/shop' }, 2],
    ['db_client_connection_pending_requests', { db_client_connection_pool_name: '127.0.0.1:PORT/shop' }, 0],
    ['db_client_connection_wait_time_seconds', { db_client_connection_pool_name: '127.0.0.1:PORT/shop' }, 12],
    ['o11y_errors_total', { error_type: 'ER_DUP_ENTRY', error_category: 'invalid_input' }, 1],
  ],
};

const knex: Row = {
  library: 'knex',
  app: 'knex',
  copies: ['knex', 'knex095'],
  skip: needsPostgres,
  server: postgres.server,
  secrets: ['Grace'],
  calls: [
    // knex asks for the version on each new connection.
    {
      path: 'query',
      answer: [{ name: 'Ada' }],
      trace: `
        GET server
          SELECT shop client
          SELECT customers client`,
      attributes: { 'SELECT customers': { 'db.query.text': 'select "name" from "customers" where "id" = $1' } },
    },
    {
      path: 'transaction',
      trace: `
        GET server
          BEGIN shop client
          UPDATE customers client
          COMMIT shop client`,
    },
    {
      path: 'duplicate',
      trace: `
        GET server ERROR 500
          INSERT customers client ERROR 23505 invalid_input`,
    },
    {
      path: 'starve',
      answer: ['fulfilled', 'fulfilled', 'rejected'],
      trace: `
        GET server
          postgresql connect client ERROR KnexTimeoutError transient
          SELECT shop client
          SELECT shop client`,
    },
  ],
  metrics: [
    calls('postgresql', 'SELECT', 'customers', 1),
    calls('postgresql', 'INSERT', 'customers', 1, '23505'),
    ['db_client_connection_max', { db_client_connection_pool_name: '127.0.0.1:PORT/shop' }, 2],
    [
      'db_client_connection_count',
      { db_client_connection_pool_name: '127.0.0.1:PORT/shop', db_client_connection_state: 'used' },
      0,
    ],
    [
      'db_client_connection_count',
      { db_client_connection_pool_name: '127.0.0.1:PORT/shop', db_client_connection_state: 'idle' },
      2,
    ],
    ['db_client_connection_pending_requests', { db_client_connection_pool_name: '127.0.0.1:PORT/shop' }, 0],
    ['db_client_connection_timeouts_total', { db_client_connection_pool_name: '127.0.0.1:PORT/shop' }, 1],
    ['db_client_connection_wait_time_seconds', { db_client_connection_pool_name: '127.0.0.1:PORT/shop' }, 5],
  ],
};

const genericPool: Row = {
  library: 'generic-pool',
  app: 'generic-pool',
  copies: ['generic-pool', 'generic-pool30'],
  skip: false,
  calls: [
    { path: 'use', trace: 'GET server' },
    { path: 'starve', answer: 'TimeoutError', trace: 'GET server' },
  ],
  metrics: [
    ['db_client_connection_max', { db_client_connection_pool_name: 'generic-pool-1' }, 2],
    ['db_client_connection_count', { db_client_connection_pool_name: 'generic-pool-1', db_client_connection_state: 'used' }, 0],
    ['db_client_connection_count', { db_client_connection_pool_name: 'generic-pool-1', db_client_connection_state: 'idle' }, 2],
    ['db_client_connection_wait_time_seconds', { db_client_connection_pool_name: 'generic-pool-1' }, 3],
    ['db_client_connection_timeouts_total', { db_client_connection_pool_name: 'generic-pool-1' }, 1],
  ],
};

const mongo: Row = {
  library: 'mongodb',
  app: 'mongodb',
  copies: ['mongodb', 'mongodb6', 'mongodb4'],
  skip: false,
  server: startMongoWire,
  secrets: ['Ada', 'Grace', 'secret-value'],
  calls: [
    {
      path: 'find',
      trace: `
        GET server
          find customers client`,
      attributes: {
        'find customers': {
          'db.system.name': 'mongodb',
          'db.namespace': 'shop',
          'db.query.text': '{"filter":{"name":"?"}}',
          'server.address': '127.0.0.1',
        },
      },
    },
    {
      path: 'update',
      answer: 1,
      trace: `
        GET server
          update customers client`,
      attributes: { 'update customers': { 'db.query.text': '{"updates":[{"q":{"_id":"?"},"u":{"$set":{"city":"?"}}}]}' } },
    },
    {
      path: 'aggregate',
      answer: 1,
      trace: `
        GET server
          aggregate customers client`,
    },
    {
      path: 'duplicate',
      trace: `
        GET server ERROR 500
          insert customers client ERROR 11000 invalid_input`,
    },
    {
      path: 'unknown',
      trace: `
        GET server ERROR 500
          nosuch client ERROR 59 fatal`,
    },
  ],
  metrics: [
    calls('mongodb', 'find', 'customers', 1),
    calls('mongodb', 'update', 'customers', 1),
    calls('mongodb', 'insert', 'customers', 1, '11000'),
    ['db_client_connection_max', { db_client_connection_pool_name: '127.0.0.1:PORT' }, 2],
    ['db_client_connection_count', { db_client_connection_pool_name: '127.0.0.1:PORT', db_client_connection_state: 'used' }, 0],
    ['db_client_connection_pending_requests', { db_client_connection_pool_name: '127.0.0.1:PORT' }, 0],
    ['o11y_errors_total', { error_category: 'invalid_input' }, 1],
  ],
};

const mongoose: Row = {
  library: 'mongoose',
  app: 'mongoose',
  copies: ['mongoose', 'mongoose6'],
  skip: false,
  server: startMongoWire,
  secrets: ['Ada', 'Grace'],
  calls: [
    {
      path: 'find',
      answer: 1,
      trace: `
        GET server
          find customers client`,
    },
    {
      path: 'duplicate',
      trace: `
        GET server ERROR 500
          insert customers client ERROR 11000 invalid_input`,
    },
  ],
  metrics: [calls('mongodb', 'find', 'customers', 1), calls('mongodb', 'insert', 'customers', 1, '11000')],
};

const kafka: Row = {
  library: 'kafkajs',
  app: 'kafkajs',
  copies: ['kafkajs', 'kafkajs20'],
  skip: needsKafka,
  server: startKafka,
  secrets: ['secret-value', 'secret-key'],
  calls: [
    {
      path: 'send',
      trace: `
        GET server
          send orders producer
            process orders consumer`,
      attributes: { 'process orders': { 'messaging.system': 'kafka', 'messaging.destination.partition.id': '0' } },
    },
    {
      path: 'batch',
      trace: `
        GET server
          send audit producer
            process audit consumer`,
      attributes: { 'process audit': { 'messaging.batch.message_count': 1 } },
    },
    {
      path: 'refused',
      trace: `
        GET server
          send orders producer
            process orders consumer ERROR OutOfStock fatal
            process orders consumer`,
    },
    {
      path: 'many',
      trace: `
        GET server
          send orders producer
            process orders consumer
            process orders consumer
            process orders consumer`,
    },
  ],
  metrics: [
    ['messaging_client_sent_messages_total', { messaging_system: 'kafka', messaging_destination_name: 'orders' }, 5],
    ['messaging_client_sent_messages_total', { messaging_system: 'kafka', messaging_destination_name: 'audit' }, 1],
    ['messaging_process_duration_seconds', { messaging_destination_name: 'orders', error_type: '' }, 5],
    ['messaging_process_duration_seconds', { messaging_destination_name: 'orders', error_type: 'OutOfStock' }, 1],
    ['kafka_consumergroup_lag', { topic: 'orders', partition: '0' }, 0],
    ['o11y_health_check_status', { check: 'kafka 127.0.0.1:PORT' }, 1],
  ],
};

const rabbitmq: Row = {
  library: 'amqplib',
  app: 'amqplib',
  copies: ['amqplib', 'amqplib05'],
  skip: needsRabbitmq,
  server: startRabbitmq,
  secrets: ['secret-value', 'guest:guest'],
  calls: [
    {
      path: 'send',
      trace: `
        GET server
          send orders producer
            process orders consumer`,
      attributes: {
        'send orders': { 'messaging.system': 'rabbitmq', 'messaging.operation.type': 'send' },
        'process orders': { 'messaging.system': 'rabbitmq', 'messaging.destination.name': 'orders' },
      },
    },
    {
      path: 'confirmed',
      trace: `
        GET server
          send orders producer
            process orders consumer`,
    },
    {
      path: 'exchange?key=order.12345.created',
      trace: `
        GET server
          send events producer
            process audit consumer`,
      attributes: { 'send events': { 'messaging.rabbitmq.destination.routing_key': 'order.12345.created' } },
    },
    {
      path: 'refused',
      trace: `
        GET server
          send orders producer
            process orders consumer ERROR MessageRejected fatal`,
    },
  ],
  metrics: [
    ['messaging_client_sent_messages_total', { messaging_system: 'rabbitmq', messaging_destination_name: 'orders' }, 3],
    ['messaging_client_sent_messages_total', { messaging_system: 'rabbitmq', messaging_destination_name: 'events' }, 1],
    ['messaging_process_duration_seconds', { messaging_destination_name: 'orders', error_type: '' }, 2],
    ['messaging_process_duration_seconds', { messaging_destination_name: 'orders', error_type: 'MessageRejected' }, 1],
    ['messaging_process_duration_seconds', { messaging_destination_name: 'audit', error_type: '' }, 1],
    ['o11y_errors_total', { error_type: 'MessageRejected', error_category: 'fatal' }, 1],
  ],
};

const RPC = ['rpc_server_call_duration_seconds', 'rpc_client_call_duration_seconds'] as const;

/** A series on the server and one on the client. */
function rpc(method: string, status: string, value: number, [onServer, onClient] = ['', '']): Series[] {
  const labels = { rpc_system_name: 'grpc', rpc_method: `shop.Orders/${method}`, rpc_response_status_code: status };
  return [
    [RPC[0], { ...labels, error_type: onServer }, value],
    [RPC[1], { ...labels, error_type: onClient }, value],
  ];
}

const grpc: Row = {
  library: 'grpc',
  app: 'grpc',
  copies: ['@grpc/grpc-js', 'grpc-js18'],
  skip: false,
  secrets: ['secret-value', 'order-secret'],
  calls: [
    {
      path: 'get',
      // The app's metadata is as it was.
      answer: ['authorization'],
      trace: `
        GET server
          shop.Orders/Get client
            shop.Orders/Get server`,
      attributes: {
        'shop.Orders/Get': {
          'rpc.system.name': 'grpc',
          'rpc.method': 'shop.Orders/Get',
          'rpc.response.status_code': 'OK',
          'server.address': '127.0.0.1',
        },
      },
    },
    {
      path: 'relay',
      answer: { id: 7 },
      trace: `
        GET server
          shop.Orders/Relay client
            shop.Orders/Relay server
              shop.Orders/Get client
                shop.Orders/Get server
          shop.Orders/Get client
            shop.Orders/Get server`,
    },
    {
      path: 'upload',
      answer: { count: 3 },
      trace: `
        GET server
          shop.Orders/Upload client
            shop.Orders/Upload server
              shop.Orders/Get client
                shop.Orders/Get server`,
    },
    {
      path: 'list',
      answer: 3,
      trace: `
        GET server
          shop.Orders/List client
            shop.Orders/List server`,
    },
    {
      path: 'chat',
      answer: 2,
      trace: `
        GET server
          shop.Orders/Chat client
            shop.Orders/Chat server`,
    },
    {
      path: 'missing',
      // It is the caller's error.
      trace: `
        GET server ERROR 500
          shop.Orders/Missing client ERROR INVALID_ARGUMENT invalid_input
            shop.Orders/Missing server`,
    },
    {
      path: 'broken',
      trace: `
        GET server ERROR 500
          shop.Orders/Break client ERROR UNAVAILABLE retriable
            shop.Orders/Break server ERROR UNAVAILABLE retriable`,
    },
    {
      path: 'absent',
      trace: `
        GET server ERROR 500
          shop.Orders/Absent client ERROR UNIMPLEMENTED fatal
            grpc server ERROR UNIMPLEMENTED fatal`,
    },
    {
      path: 'unavailable',
      trace: `
        GET server ERROR 500
          shop.Orders/Get client ERROR UNAVAILABLE retriable`,
    },
    {
      path: 'deadline',
      answer: 4,
      trace: `
        GET server
          shop.Orders/Get client ERROR DEADLINE_EXCEEDED retriable`,
    },
    {
      path: 'cancelled',
      answer: 1,
      trace: `
        GET server
          shop.Orders/Slow client ERROR CANCELLED transient
            shop.Orders/Slow server`,
    },
  ],
  metrics: [
    [RPC[0], { rpc_method: 'shop.Orders/Get', rpc_response_status_code: 'OK', error_type: '' }, 4],
    [RPC[1], { rpc_method: 'shop.Orders/Get', rpc_response_status_code: 'UNAVAILABLE', error_type: 'UNAVAILABLE' }, 1],
    ...rpc('Missing', 'INVALID_ARGUMENT', 1, ['', 'INVALID_ARGUMENT']),
    ...rpc('Break', 'UNAVAILABLE', 1, ['UNAVAILABLE', 'UNAVAILABLE']),
    ...rpc('Chat', 'OK', 1),
    [RPC[0], { rpc_method: '_OTHER', error_type: 'UNIMPLEMENTED' }, 1],
    ['o11y_errors_total', { error_type: 'INVALID_ARGUMENT', error_category: 'invalid_input' }, 1],
    ['o11y_errors_total', { error_type: 'UNAVAILABLE', error_category: 'retriable' }, 3],
    // A call of gRPC is no request of HTTP besides; those are of the app's own server, one each.
    ['http_server_request_duration_seconds', { http_request_method: 'GET', error_type: '' }, 7],
  ],
};

/** A series of GraphQL's operations. */
function operations(operation: string, value: number, error = ''): Series {
  return ['o11y_operation_duration_seconds', { component: 'graphql', operation, error_type: error }, value];
}

const graphql: Row = {
  library: 'graphql',
  app: 'graphql',
  copies: ['graphql', 'graphql16', 'graphql160'],
  skip: false,
  secrets: ['secret-'],
  calls: [
    {
      path: 'query',
      answer: 'Ada',
      trace: `
        GET server
          query Order internal
            GET client
              GET server`,
      attributes: { 'query Order': { 'graphql.operation.type': 'query', 'graphql.operation.name': 'Order' } },
    },
    {
      path: 'ready',
      answer: true,
      trace: `
        GET server
          query internal`,
    },
    {
      path: 'mutation',
      answer: true,
      trace: `
        GET server
          mutation Pay internal`,
    },
    {
      path: 'refused',
      answer: 'no database',
      trace: `
        GET server
          query Refused internal ERROR ECONNREFUSED retriable`,
    },
    {
      path: 'wrong',
      answer: 1,
      trace: `
        GET server
          query Wrong internal ERROR GraphQLError fatal`,
    },
    {
      path: 'variable',
      answer: 1,
      trace: `
        GET server
          query Size internal`,
      attributes: { 'query Size': { 'error.type': 'GraphQLError', 'error.category': 'invalid_input' } },
    },
    {
      path: 'several',
      answer: true,
      trace: `
        GET server
          query Two internal`,
    },
    { path: 'syntax', answer: 1, trace: 'GET server' },
  ],
  metrics: [
    operations('query', 3),
    operations('mutation', 1),
    operations('query', 1, 'ECONNREFUSED'),
    operations('query', 2, 'GraphQLError'),
    ['o11y_errors_total', { error_type: 'ECONNREFUSED', error_category: 'retriable' }, 1],
    ['o11y_errors_total', { error_type: 'GraphQLError', error_category: 'fatal' }, 1],
  ],
};

/** What both clients of Redis do alike. */
const REDIS: readonly Call[] = [
  {
    path: 'get',
    answer: 'Ada',
    trace: `
      GET server
        SET client
        GET client`,
    attributes: {
      GET: { 'db.system.name': 'redis', 'db.operation.name': 'GET', 'db.query.text': 'GET', 'server.address': '127.0.0.1' },
    },
  },
  {
    path: 'pipeline?size=3',
    answer: 3,
    trace: `
      GET server
        INCR client
        INCR client
        INCR client`,
    attributes: { INCR: { 'db.operation.batch.size': 3 } },
  },
  {
    path: 'pipeline?size=1000',
    answer: 1000,
    trace: `
      GET server
${'        INCR client\n'.repeat(10)}`,
    attributes: { INCR: { 'db.operation.batch.size': 1000 } },
  },
  {
    path: 'wrong',
    trace: `
      GET server ERROR 500
        SET client
        LPUSH client ERROR WRONGTYPE invalid_input`,
  },
  {
    path: 'block',
    trace: `
      GET server
        BLPOP client`,
  },
  // A subscriber's listener is called in no request, whichever request the message came from.
  {
    path: 'publish',
    trace: `
      GET server
        PUBLISH client`,
  },
];

const redisMetrics: readonly Series[] = [
  calls('redis', 'SET', '', 2),
  calls('redis', 'LPUSH', '', 1, 'WRONGTYPE'),
  calls('redis', 'PUBLISH', '', 1),
  // One for the message that was heard: it counts without a trace.
  calls('redis', 'INCR', '', 1004),
];

export const ROWS: readonly Row[] = [
  postgres,
  mysql,
  mongo,
  mongoose,
  knex,
  genericPool,
  rabbitmq,
  kafka,
  grpc,
  graphql,
  {
    library: 'ioredis',
    app: 'ioredis',
    copies: ['ioredis', 'ioredis5', 'ioredis4'],
    skip: needsRedis,
    server: startRedis,
    secrets: ['Ada', 'secret-value', 'customer:'],
    calls: [
      ...REDIS,
      {
        path: 'multi',
        trace: `
          GET server
            MULTI client
            INCR client
            GET client
            EXEC client`,
      },
      {
        path: 'unknown',
        trace: `
          GET server ERROR 500
            NOSUCH client ERROR ReplyError fatal`,
      },
    ],
    metrics: [...redisMetrics.slice(0, 3), calls('redis', 'INCR', '', 1005)],
  },
  {
    library: 'redis',
    app: 'redis',
    copies: ['redis', 'redis5', 'redis4'],
    skip: needsRedis,
    server: startRedis,
    secrets: ['Ada', 'secret-value', 'customer:'],
    calls: [
      ...REDIS,
      {
        path: 'multi',
        trace: `
          GET server
            INCR client
            GET client`,
      },
    ],
    metrics: [...redisMetrics.slice(0, 3), calls('redis', 'INCR', '', 1005)],
  },
  ...AWS_ROWS,
  ...PRISMA_ROWS,
];
