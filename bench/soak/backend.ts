import { listen } from '../../viewer/receive/listen.ts';
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

/** An OTLP receiver that counts and keeps nothing. Port 0 is a free one. */
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
  return listen((request, response) => void receiver.handle(request, response), port, '127.0.0.1');
}
