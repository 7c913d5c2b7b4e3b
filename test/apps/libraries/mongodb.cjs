/** The MongoDB driver: a pool of two connections. */
module.exports = async ({ MongoClient }, url) => {
  const client = new MongoClient(url, { maxPoolSize: 2, serverSelectionTimeoutMS: 1000, retryReads: false, retryWrites: false });
  await client.connect();
  const customers = client.db().collection('customers');
  return {
    find: ({ name = 'Ada' }) => customers.find({ name }).toArray(),
    update: async () => (await customers.updateOne({ _id: 1 }, { $set: { city: 'secret-value' } })).matchedCount,
    aggregate: () => customers.countDocuments({ name: 'Ada' }),
    duplicate: () => customers.insertOne({ _id: 1, name: 'Grace' }),
    unknown: () => client.db().command({ nosuch: 1 }),
    many: async ({ times }) => {
      for (let n = 0; n < Number(times); n++) await customers.findOne({ _id: n });
    },
    close: () => client.close(),
  };
};
