import { needsPostgres, startPostgres } from '../support/servers/postgres.ts';
import type { Row, Series } from './row.ts';

/** A server with what the app of prisma.cjs expects to find. */
export async function startPrismaServer() {
  const server = await startPostgres();
  server.sql(`create table customers (id integer primary key, name text not null, visits integer not null default 0);
    create table orders (id integer primary key, customer_id integer not null references customers);
    insert into customers values (1, 'Ada');
    insert into orders values (7, 1)`);
  return server;
}

function operations(operation: string, value: number, error = ''): Series {
  return ['o11y_operation_duration_seconds', { component: 'prisma', operation, error_type: error }, value];
}

function queries(operation: string, collection: string, value: number, error = ''): Series {
  const labels = { db_operation_name: operation, db_collection_name: collection, error_type: error };
  return ['db_client_operation_duration_seconds', { db_system_name: 'postgresql', ...labels }, value];
}

const prisma: Row = {
  library: 'prisma',
  app: 'prisma',
  copies: ['@prisma/client/runtime/client', 'prisma70/runtime/client'],
  skip: needsPostgres,
  server: startPrismaServer,
  secrets: ['Ada', 'Grace'],
  calls: [
    {
      path: 'find',
      trace: `
        GET server
          Customer.findMany internal
            SELECT public.customers client`,
      attributes: {
        'Customer.findMany': { 'prisma.model': 'Customer', 'prisma.method': 'findMany' },
        'SELECT public.customers': { 'db.system.name': 'postgresql', 'db.namespace': 'shop' },
      },
    },
    {
      path: 'include',
      answer: 1,
      trace: `
        GET server
          Customer.findMany internal
            SELECT public.customers client
            SELECT public.orders client`,
    },
    {
      path: 'both',
      answer: 2,
      trace: `
        GET server
          Customer.count internal
            SELECT public.customers client
          Order.count internal
            SELECT public.orders client`,
    },
    {
      path: 'batched',
      answer: 2,
      trace: `
        GET server
          Customer.findUnique internal
            SELECT public.customers client
          Customer.findUnique internal`,
    },
    {
      path: 'raw',
      trace: `
        GET server
          $queryRaw internal
            SELECT customers client`,
    },
    {
      path: 'duplicate',
      trace: `
        GET server ERROR 500
          Customer.create internal ERROR P2002 invalid_input
            INSERT public.customers client ERROR 23505 invalid_input`,
    },
    {
      path: 'rawDuplicate',
      trace: `
        GET server ERROR 500
          $executeRaw internal ERROR P2010 invalid_input
            INSERT customers client ERROR 23505 invalid_input`,
    },
    {
      path: 'missing',
      trace: `
        GET server ERROR 500
          Customer.findUniqueOrThrow internal ERROR P2025 invalid_input
            SELECT public.customers client`,
    },
    {
      path: 'invalid',
      trace: `
        GET server ERROR 500
          Customer.create internal ERROR PrismaClientValidationError invalid_input`,
    },
    {
      path: 'transaction',
      trace: `
        GET server
          $transaction internal
            BEGIN shop client
            Customer.update internal
              UPDATE public.customers client
            COMMIT shop client`,
    },
    // They are sent as one.
    {
      path: 'list',
      answer: 2,
      trace: `
        GET server
          $transaction internal
            Customer.count internal
              BEGIN shop client
              SELECT public.customers client
              SELECT public.orders client
              COMMIT shop client
            Order.count internal`,
    },
    {
      path: 'broken',
      trace: `
        GET server ERROR 500
          $transaction internal ERROR P2002 invalid_input
            BEGIN shop client
            Customer.create internal ERROR P2002 invalid_input
              INSERT public.customers client ERROR 23505 invalid_input
            ROLLBACK shop client`,
    },
    {
      path: 'rollback',
      trace: `
        GET server ERROR 500
          $transaction internal ERROR Error fatal
            BEGIN shop client
            ROLLBACK shop client`,
    },
    {
      path: 'late',
      trace: `
        GET server ERROR 500
          $transaction internal ERROR P2028 transient
            BEGIN shop client
            ROLLBACK shop client`,
    },
  ],
  metrics: [
    operations('Customer.findMany', 2),
    operations('Customer.count', 2),
    operations('Customer.findUnique', 2),
    operations('$queryRaw', 1),
    operations('Customer.create', 2, 'P2002'),
    operations('Customer.create', 1, 'PrismaClientValidationError'),
    operations('$transaction', 2),
    operations('$transaction', 1, 'P2028'),
    // Each query once, though an operation stands above it.
    queries('SELECT', 'public.orders', 3),
    queries('UPDATE', 'public.customers', 1),
    queries('INSERT', 'public.customers', 2, '23505'),
    ['db_client_connection_max', { db_client_connection_pool_name: '127.0.0.1:PORT/shop' }, 2],
    // One error each, by whoever saw it first; what the app throws to take back a transaction is the app's.
    ['o11y_errors_total', { error_type: '23505', error_category: 'invalid_input' }, 3],
    ['o11y_errors_total', { error_type: 'P2025', error_category: 'invalid_input' }, 1],
    ['o11y_errors_total', { error_type: 'PrismaClientValidationError', error_category: 'invalid_input' }, 1],
    ['o11y_errors_total', { error_type: 'P2028', error_category: 'transient' }, 1],
  ],
};

export const PRISMA_ROWS: readonly Row[] = [prisma];
