/** generic-pool around plain objects: two of them. */
module.exports = ({ createPool }) => {
  const pool = createPool({ create: async () => ({}), destroy: async () => {} }, { min: 0, max: 2, acquireTimeoutMillis: 100 });
  return {
    use: async () => {
      const resource = await pool.acquire();
      await pool.release(resource);
    },
    starve: async () => {
      const held = [await pool.acquire(), await pool.acquire()];
      const third = await pool.acquire().catch(({ name }) => name);
      for (const each of held) await pool.release(each);
      return third;
    },
    close: () => pool.drain().then(() => pool.clear()),
  };
};
