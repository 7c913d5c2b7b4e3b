import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { settings } from './settings.js';

const pool = new pg.Pool({
  connectionString: settings.databaseUrl,
  max: settings.poolSize,
  connectionTimeoutMillis: settings.poolTimeoutMs,
});
// A connection that breaks while it is idle is replaced by the next request that needs one.
pool.on('error', () => {});

export async function createSchema() {
  await pool.query(await readFile(new URL('./schema.sql', import.meta.url), 'utf8'));
}

export async function findCustomer(id) {
  const { rows } = await pool.query('select id, name, email, created_at from customers where id = $1', [id]);
  return rows[0];
}

export async function addCustomer({ name, email }) {
  const { rows } = await pool.query('insert into customers (name, email) values ($1, $2) returning id, name, email', [
    name,
    email,
  ]);
  return rows[0];
}

/** A note, and the customer's row locked against deletion meanwhile. */
export async function addNote(customerId, body) {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const { rowCount } = await client.query('select id from customers where id = $1 for share', [customerId]);
    if (rowCount === 0) {
      await client.query('rollback');
      return undefined;
    }
    const { rows } = await client.query('insert into notes (customer_id, body) values ($1, $2) returning id, body', [
      customerId,
      body,
    ]);
    await client.query('commit');
    return rows[0];
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  } finally {
    client.release();
  }
}

export async function latestNotes(customerId, limit = 20) {
  const { rows } = await pool.query(
    'select body, created_at from notes where customer_id = $1 order by created_at desc limit $2',
    [customerId, limit],
  );
  return rows;
}

/** New customers and notes of the last days. Reads both tables whole. */
export async function activity(days) {
  const { rows } = await pool.query(
    `select count(distinct c.id)::integer as customers, count(n.id)::integer as notes
     from customers c left join notes n on n.customer_id = c.id
     where c.created_at > now() - make_interval(days => $1)`,
    [days],
  );
  return rows[0];
}

export const closeDatabase = () => pool.end();
