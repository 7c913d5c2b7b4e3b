import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createReceiver } from '../../viewer/receive/receiver.ts';

export interface Arrived {
  /** Ids: an export that is repeated because its answer was lost counts once. */
  readonly traces: Set<string>;
  logs: number;
}

export interface Backend {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * An OTLP receiver that counts and keeps nothing. Port 0 is a free one. It goes as a server that is stopped goes: what it has
 * begun to read is answered. An answer that is lost would make a batch that arrived one that counts as dropped.
 */
export async function openBackend(port: number, arrived: Arrived): Promise<Backend> {
  const receiver = createReceiver({
    traces: (spans) => {
      for (const { spanId } of spans) arrived.traces.add(spanId);
    },
    // The kit's own lines about its start and end are not what is counted here.
    logs: (records) => {
      for (const { attributes } of records) if (attributes.path !== undefined) arrived.logs++;
    },
    metrics: () => {},
  });
  const server = createServer((request, response) => {
    response.setHeader('connection', 'close');
    receiver.handle(request, response);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}
