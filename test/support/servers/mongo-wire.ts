import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { BSON } from 'mongodb';
import type { Server } from './program.ts';

/**
 * No MongoDB: a server that speaks its wire protocol (OP_MSG, and OP_QUERY for the first greeting) over real sockets, and
 * answers the few commands that a test sends from collections in memory, where Ada is a customer. Debian has no package of the real one.
 *
 * @see https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
 */
export async function startMongoWire(): Promise<Server & { readonly url: string }> {
  const collections = new Map<string, Record<string, any>[]>([['customers', [{ _id: 1, name: 'Ada' }]]]);
  const sockets = new Set<Socket>();
  const make = () =>
    createServer((socket) => {
      sockets.add(socket);
      let buffer = Buffer.alloc(0);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
      socket.on('data', (data) => {
        buffer = Buffer.concat([buffer, data]);
        while (buffer.length >= 4 && buffer.length >= buffer.readInt32LE(0)) {
          const message = buffer.subarray(0, buffer.readInt32LE(0));
          buffer = buffer.subarray(message.length);
          const answer = reply(message, collections);
          if (answer !== undefined) socket.write(answer);
        }
      });
    });
  let server = make().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const stop = async () => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) {
      server.close();
      await once(server, 'close');
    }
  };
  return {
    port,
    url: `mongodb://127.0.0.1:${port}/shop`,
    stop,
    kill: stop,
    pause() {
      for (const socket of sockets) socket.pause();
    },
    resume() {
      for (const socket of sockets) socket.resume();
    },
    async restart() {
      server = make().listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
    [Symbol.asyncDispose]: stop,
  };
}

const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const NO_ANSWER_EXPECTED = 2;

function reply(message: Buffer, collections: Map<string, Record<string, any>[]>): Buffer | undefined {
  const requestId = message.readInt32LE(4);
  const opCode = message.readInt32LE(12);
  if (opCode === OP_QUERY) {
    const document = BSON.serialize(greeting());
    const head = Buffer.alloc(36);
    header(head, 36 + document.length, requestId, OP_REPLY);
    head.writeInt32LE(1, 32);
    return Buffer.concat([head, document]);
  }
  if (message.readInt32LE(16) & NO_ANSWER_EXPECTED) return undefined;
  const document = BSON.serialize(answer(read(message), collections));
  const head = Buffer.alloc(21);
  header(head, 21 + document.length, requestId, OP_MSG);
  return Buffer.concat([head, document]);
}

function header(into: Buffer, length: number, responseTo: number, opCode: number): void {
  into.writeInt32LE(length, 0);
  into.writeInt32LE(responseTo, 8);
  into.writeInt32LE(opCode, 12);
}

/** The command of an OP_MSG: its body, with the documents of its other sections put in. */
function read(message: Buffer): Record<string, any> {
  const command: Record<string, any> = {};
  for (let at = 20; at < message.length; ) {
    const kind = message[at++];
    const size = message.readInt32LE(at);
    if (kind === 0) Object.assign(command, BSON.deserialize(message.subarray(at, at + size)));
    else {
      const end = message.indexOf(0, at + 4);
      const documents: object[] = [];
      for (let from = end + 1; from < at + size; from += message.readInt32LE(from))
        documents.push(BSON.deserialize(message.subarray(from, from + message.readInt32LE(from))));
      command[message.toString('utf8', at + 4, end)] = documents;
    }
    at += size;
  }
  return command;
}

function greeting(): object {
  return {
    ok: 1,
    helloOk: true,
    isWritablePrimary: true,
    ismaster: true,
    maxBsonObjectSize: 16_777_216,
    maxMessageSizeBytes: 48_000_000,
    maxWriteBatchSize: 100_000,
    logicalSessionTimeoutMinutes: 30,
    minWireVersion: 0,
    maxWireVersion: 21,
  };
}

function answer(command: Record<string, any>, collections: Map<string, Record<string, any>[]>): Record<string, any> {
  const [name] = Object.keys(command);
  const of = (collection: string) => {
    const documents = collections.get(collection) ?? [];
    collections.set(collection, documents);
    return documents;
  };
  const matches =
    (filter: Record<string, any> = {}) =>
    (document: Record<string, any>) =>
      Object.entries(filter).every(([key, value]) => document[key] === value);
  switch (name) {
    case 'hello':
    case 'ismaster':
    case 'isMaster':
      return greeting();
    case 'ping':
    case 'endSessions':
    case 'createIndexes':
      return { ok: 1 };
    case 'insert': {
      const documents = of(command.insert);
      const index = command.documents.findIndex(({ _id }: any) => documents.some((each) => String(each._id) === String(_id)));
      if (index >= 0) {
        const errmsg = `E11000 duplicate key error collection: shop.${command.insert} index: _id_ dup key: { _id: ${command.documents[index]._id} }`;
        return { ok: 1, n: 0, writeErrors: [{ index, code: 11000, errmsg }] };
      }
      documents.push(...command.documents);
      return { ok: 1, n: command.documents.length };
    }
    case 'find': {
      const firstBatch = of(command.find)
        .filter(matches(command.filter))
        .slice(0, command.limit || undefined);
      return { ok: 1, cursor: { id: 0n, ns: `shop.${command.find}`, firstBatch } };
    }
    case 'update': {
      const [{ q, u }] = command.updates;
      const found = of(command.update).filter(matches(q));
      for (const document of found) Object.assign(document, u.$set);
      return { ok: 1, n: found.length, nModified: found.length };
    }
    case 'aggregate': {
      const n = of(command.aggregate).filter(matches(command.pipeline[0]?.$match)).length;
      return { ok: 1, cursor: { id: 0n, ns: `shop.${command.aggregate}`, firstBatch: [{ _id: 1, n }] } };
    }
    default:
      return { ok: 0, code: 59, codeName: 'CommandNotFound', errmsg: `no such command: '${name}'` };
  }
}
