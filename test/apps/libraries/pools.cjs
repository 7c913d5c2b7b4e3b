/** Pools of one database that a test opens, keeps busy and ends, by their number. */
const KINDS = {
  pg(pg, url, max) {
    const pool = new pg.Pool({ connectionString: url, max });
    return { use: (seconds) => pool.query('select pg_sleep($1)', [seconds]), end: () => pool.end() };
  },
  mysql2(mysql, url, max) {
    const pool = mysql.createPool({ uri: url, connectionLimit: max }).promise();
    return { use: (seconds) => pool.query('select sleep(?)', [seconds]), end: () => pool.end() };
  },
  knex({ knex }, url, max) {
    const db = knex({ client: 'pg', connection: url, pool: { min: 0, max } });
    return { use: (seconds) => db.raw('select pg_sleep(?)', [seconds]), end: () => db.destroy() };
  },
  mongodb({ MongoClient }, url, max) {
    const client = new MongoClient(url, { maxPoolSize: max });
    // Versions before 4.7 do not connect by themselves.
    const use = async () => {
      await client.connect();
      return client.db('shop').collection('customers').findOne({});
    };
    return { use, end: () => client.close() };
  },
};

module.exports = (exported, url) => {
  const pools = [];
  return {
    open: async ({ max, count = '1' }) => {
      for (let n = 0; n < Number(count); n++) {
        const pool = KINDS[process.env.KIND](exported, url, Number(max));
        await pool.use(0);
        pools.push(pool);
      }
    },
    /** So many callers at once; it does not wait for them. */
    use: ({ pool, callers, seconds }) => {
      for (let n = 0; n < Number(callers); n++) pools[pool].use(Number(seconds)).catch(() => {});
    },
    end: async () => {
      for (const pool of pools.splice(0)) await pool.end();
    },
  };
};
