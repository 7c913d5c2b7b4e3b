/** Mongoose: one model. */
module.exports = async (exported, url) => {
  const mongoose = exported.default ?? exported;
  await mongoose.connect(url, { maxPoolSize: 2, serverSelectionTimeoutMS: 5000 });
  const schema = new mongoose.Schema({ _id: Number, name: String }, { autoIndex: false, autoCreate: false });
  const Customer = mongoose.model('Customer', schema);
  return {
    find: async () => (await Customer.find({ _id: 1 }).lean()).length,
    duplicate: () => Customer.create({ _id: 1, name: 'Grace' }),
    close: () => mongoose.disconnect(),
  };
};
