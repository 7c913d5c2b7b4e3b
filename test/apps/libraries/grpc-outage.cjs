const { many } = require('./answered.cjs');

/** @grpc/grpc-js: a client whose server, another process, dies and returns. */
const json = { serialize: (value) => Buffer.from(JSON.stringify(value)), deserialize: (bytes) => JSON.parse(bytes.toString()) };
const Get = {
  path: '/shop.Orders/Get',
  requestStream: false,
  responseStream: false,
  requestSerialize: json.serialize,
  requestDeserialize: json.deserialize,
  responseSerialize: json.serialize,
  responseDeserialize: json.deserialize,
};

module.exports = async (grpc, address) => {
  const Orders = grpc.makeGenericClientConstructor({ Get }, 'Orders');
  const client = new Orders(address, grpc.credentials.createInsecure(), {
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 500,
  });
  const send = () =>
    new Promise((resolve, reject) =>
      client.Get({ id: 1 }, { deadline: Date.now() + 3000 }, (error, answer) => (error ? reject(error) : resolve(answer))),
    );
  return {
    send,
    many: many(send),
    close: () => client.close(),
  };
};

/** The server, where this file is started by itself. */
if (require.main === module) {
  const grpc = require('@grpc/grpc-js');
  const server = new grpc.Server();
  server.addService({ Get }, { Get: (call, callback) => callback(null, call.request) });
  server.bindAsync(`127.0.0.1:${process.env.PORT}`, grpc.ServerCredentials.createInsecure(), (error) => {
    if (error) throw error;
  });
}
