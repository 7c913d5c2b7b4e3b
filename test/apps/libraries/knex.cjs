/** knex on PostgreSQL: a pool of two connections. */
module.exports = (exported, url) => {
  const db = (exported.knex ?? exported)({
    client: 'pg',
    connection: url,
    pool: { min: 0, max: 2 },
    acquireConnectionTimeout: 300,
  });
  return {
    query: ({ id = '1' }) => db('customers').select('name').where({ id }),
    transaction: () =>
      db.transaction(async (trx) => {
        await trx('customers').where({ id: 1 }).increment('visits', 1);
      }),
    duplicate: () => db('customers').insert({ id: 1, name: 'Grace' }),
    /** A third caller finds no connection in time. */
    starve: async () => {
      const results = await Promise.allSettled([1, 2, 3].map(() => db.raw('select pg_sleep(0.6)')));
      return results.map(({ status }) => status).toSorted();
    },
    close: () => db.destroy(),
  };
};
