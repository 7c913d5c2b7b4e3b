const { trace } = require('@opentelemetry/api');

/** mysql2: a pool of two connections, by promises and by callbacks. */
module.exports = (mysql, url) => {
  const pool = mysql.createPool({ uri: url, connectionLimit: 2 });
  const promised = pool.promise();
  // What is asked for here is done by a timer that was set in nobody's request.
  let asked;
  setInterval(() => {
    const tell = asked;
    asked = undefined;
    if (tell) pool.query('select 1', () => tell(trace.getActiveSpan()?.spanContext().traceId ?? 'none'));
  }, 10).unref();
  return {
    job: () => new Promise((resolve) => (asked = resolve)),
    query: async ({ id = '1' }) => (await promised.query('select name from customers where id = ?', [id]))[0],
    execute: async ({ id = '1' }) => (await promised.execute('select name from `customers` where id = ?', [id]))[0],
    literal: async () => (await promised.query('select name from customers where name = "Ada" and id in (1, 2, 3)'))[0],
    callback: () =>
      new Promise((resolve, reject) => {
        pool.query('select count(*) as n from customers', (error, rows) => (error ? reject(error) : resolve(rows)));
      }),
    /** Two queries, the second from the callback of the first: both belong to the request. */
    nested: () =>
      new Promise((resolve, reject) => {
        pool.query('select 1', (error) => {
          if (error) reject(error);
          else
            pool.execute('select name from customers where id = ?', [1], (failure, rows) =>
              failure ? reject(failure) : resolve(rows),
            );
        });
      }),
    transaction: async () => {
      const connection = await promised.getConnection();
      try {
        await connection.beginTransaction();
        await connection.execute('update customers set visits = visits + 1 where id = 1');
        await connection.commit();
      } finally {
        connection.release();
      }
    },
    missing: () => promised.query('select * from nowhere'),
    duplicate: () => promised.execute('insert into customers (id, name) values (?, ?)', [1, 'Grace']),
    slow: async ({ seconds = '0.6' }) => void (await promised.query('select sleep(?)', [Number(seconds)])),
    many: async ({ times }) => {
      for (let n = 0; n < Number(times); n++) await promised.query('select ?', [n]);
    },
    /** Twice as many callers as there are connections: half of them wait. */
    crowd: () => Promise.all([1, 2, 3, 4].map(async (n) => (await promised.query('select sleep(0.1), ? as n', [n]))[0][0].n)),
    close: () => pool.end(),
  };
};
