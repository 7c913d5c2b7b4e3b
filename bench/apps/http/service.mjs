import express from 'express';
import pg from 'pg';
import pino from 'pino';
import { counted, start } from './control.cjs';

const app = express();
const log = pino();
// A process that waits for its turn keeps its connections.
const pool = new pg.Pool({ connectionString: process.env.BENCH_POSTGRES, max: 10, idleTimeoutMillis: 0 });

app.get('/orders/:id', async (req, res) => {
  counted();
  const { rows } = await pool.query('select id, customer, total from orders where id = $1', [Number(req.params.id)]);
  const answer = await fetch(process.env.BENCH_UPSTREAM);
  const { stock } = await answer.json();
  log.info({ orderId: rows[0].id, stock }, 'order read');
  res.json({ ...rows[0], stock });
});

start(app.listen(0, '127.0.0.1'), () => pool.end());
