const { createServer } = require('node:net');

/** @grpc/grpc-js: a service with a method of each kind, and clients of it. */
const json = { serialize: (value) => Buffer.from(JSON.stringify(value)), deserialize: (bytes) => JSON.parse(bytes.toString()) };

function method(name, requestStream = false, responseStream = false) {
  return {
    path: `/shop.Orders/${name}`,
    originalName: name[0].toLowerCase() + name.slice(1),
    requestStream,
    responseStream,
    requestSerialize: json.serialize,
    requestDeserialize: json.deserialize,
    responseSerialize: json.serialize,
    responseDeserialize: json.deserialize,
  };
}

const service = {
  Get: method('Get'),
  Relay: method('Relay'),
  Missing: method('Missing'),
  Slow: method('Slow'),
  Upload: method('Upload', true),
  List: method('List', false, true),
  Chat: method('Chat', true, true),
  Break: method('Break', false, true),
};

module.exports = async (grpc) => {
  const Orders = grpc.makeGenericClientConstructor(service, 'Orders');
  const Other = grpc.makeGenericClientConstructor({ Absent: method('Absent') }, 'Other');
  const server = new grpc.Server();
  // A failure with a code; a thrown error would end the process.
  const failure = (code, details) => Object.assign(new Error(details), { code, details });
  const ask = (on, name, message, ...rest) =>
    new Promise((resolve, reject) => on[name](message, ...rest, (error, answer) => (error ? reject(error) : resolve(answer))));

  server.addService(service, {
    Get: (call, callback) => setImmediate(() => callback(null, { id: call.request.id })),
    Relay: async (call, callback) => callback(null, await ask(client, 'Get', call.request)),
    Missing: (_call, callback) => callback(failure(grpc.status.INVALID_ARGUMENT, 'no such order')),
    Slow: (_call, callback) => setTimeout(callback, 300, null, {}),
    Upload(call, callback) {
      let count = 0;
      call.on('data', () => count++);
      // Whoever is called from a listener is called in the request's trace.
      call.on('end', async () => {
        await ask(client, 'Get', {});
        callback(null, { count });
      });
    },
    List(call) {
      for (let i = 0; i < 3; i++) call.write({ i });
      call.end();
    },
    Chat(call) {
      call.on('data', (message) => call.write(message));
      call.on('end', () => call.end());
    },
    Break(call) {
      call.write({});
      setImmediate(() => call.emit('error', failure(grpc.status.UNAVAILABLE, 'going away')));
    },
  });
  const credentials = grpc.credentials.createInsecure();
  const port = await new Promise((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  // Needed before 1.10.
  server.start();
  const client = new Orders(`127.0.0.1:${port}`, credentials);
  const other = new Other(`127.0.0.1:${port}`, credentials);
  const nowhere = new Orders('127.0.0.1:1', credentials);
  // Takes connections and says nothing.
  const silent = createServer().unref();
  await new Promise((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const waiting = new Orders(`127.0.0.1:${silent.address().port}`, credentials);
  const metadata = new grpc.Metadata();
  metadata.set('authorization', 'secret-value');

  const collect = (stream) =>
    new Promise((resolve, reject) => {
      const seen = [];
      stream.on('data', (message) => seen.push(message));
      stream.on('error', reject);
      stream.on('end', () => resolve(seen.length));
    });

  return {
    get: () => ask(client, 'get', { id: 'order-secret' }, metadata).then(() => [...Object.keys(metadata.getMap())]),
    relay: async () => {
      await ask(client, 'Relay', {});
      // A promise and a callback of the call go on in the trace of the caller.
      return ask(client, 'Get', { id: 7 });
    },
    upload: () =>
      new Promise((resolve, reject) => {
        const call = client.Upload((error, answer) => (error ? reject(error) : resolve(answer)));
        for (let i = 0; i < 3; i++) call.write({ i });
        call.end();
      }),
    list: () => collect(client.List({})),
    chat: () => {
      const call = client.Chat();
      for (let i = 0; i < 2; i++) call.write({ i });
      call.end();
      return collect(call);
    },
    missing: () => ask(client, 'Missing', {}),
    broken: () => collect(client.Break({})),
    absent: () => ask(other, 'Absent', {}),
    deadline: () => ask(waiting, 'Get', {}, { deadline: Date.now() + 100 }).catch((error) => error.code),
    unavailable: () => ask(nowhere, 'Get', {}),
    cancelled: () =>
      new Promise((resolve) => {
        const call = client.Slow({}, (error) => resolve(error.code));
        setTimeout(() => call.cancel(), 50);
      }),
    close: () => {
      for (const each of [client, other, nowhere, waiting]) each.close();
      server.forceShutdown();
    },
  };
};
