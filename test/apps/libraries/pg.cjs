const { trace } = require('@opentelemetry/api');

/** node-postgres: a pool of two connections. */
module.exports = (pg, url) => {
  const pool = new pg.Pool({ connectionString: url, max: 2, connectionTimeoutMillis: 500 });
  pool.on('error', () => {});
  // In nobody's request.
  const warm = process.env.WARM && pool.query('select version()');
  // What is asked for here is done by a timer that was set in nobody's request.
  let asked;
  setInterval(() => {
    const tell = asked;
    asked = undefined;
    if (tell) pool.query('select 1', () => tell(trace.getActiveSpan()?.spanContext().traceId ?? 'none'));
  }, 10).unref();
  return {
    job: () => new Promise((resolve) => (asked = resolve)),
    /** A callback in the place that node-postgres takes it from, which is not the last. */
    passed: () =>
      new Promise((resolve, reject) => {
        const answer = (error, result) => (error ? reject(error) : resolve(result.rows.length));
        pool.connect().then((client) => {
          client.query('select name from customers', answer, undefined);
          client.release();
        }, reject);
      }),
    /** A query that is an object, but has no handlers for us to stand in front of. */
    foreign: async () => {
      const client = await pool.connect();
      const query = { submit() {}, callback() {}, handleError() {} };
      const same = client.query(query) === query;
      client.release(true);
      return same;
    },
    warm: async () => void (await warm),
    query: async ({ id = '1' }) => (await pool.query('select name from customers where id = $1', [id])).rows,
    literal: async () => (await pool.query("select name from customers where name = 'Ada' and id in (1, 2, 3)")).rows,
    callback: () =>
      new Promise((resolve, reject) => {
        pool.query({ text: 'select count(*) from customers' }, (error, result) => (error ? reject(error) : resolve(result.rows)));
      }),
    /** A query that is an object with handlers of its own, as cursors and streams of rows are. */
    submitted: async ({ text = 'select name from customers' }) => {
      const client = await pool.connect();
      const query = new pg.Query(text);
      try {
        const rows = await new Promise((resolve, reject) => {
          const read = [];
          query.on('row', (row) => read.push(row));
          query.on('end', () => resolve(read));
          query.on('error', reject);
          if (client.query(query) !== query) throw new Error('it is handed back');
        });
        return { rows, untouched: !Object.hasOwn(query, 'handleReadyForQuery') && !Object.hasOwn(query, 'handleError') };
      } finally {
        client.release();
      }
    },
    transaction: async () => {
      const client = await pool.connect();
      try {
        await client.query('begin');
        await client.query('update customers set visits = visits + 1 where id = 1');
        await client.query('commit');
      } finally {
        client.release();
      }
    },
    missing: () => pool.query('select * from nowhere'),
    duplicate: () => pool.query("insert into customers (id, name) values (1, 'Grace')"),
    invalid: () => pool.query('select $1::integer', ['forty-two']),
    slow: async ({ seconds = '0.6' }) => void (await pool.query('select pg_sleep($1)', [seconds])),
    /** Twice as many callers as there are connections: half of them wait. */
    crowd: () =>
      Promise.all([1, 2, 3, 4].map(async (n) => (await pool.query('select pg_sleep(0.1), $1::text as n', [n])).rows[0].n)),
    many: async ({ times }) => {
      for (let n = 0; n < Number(times); n++) await pool.query('select $1::integer', [n]);
    },
    pool: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    close: () => pool.end(),
  };
};
