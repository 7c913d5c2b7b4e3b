import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { active } from '../context.ts';
import { type Diagnostics, reason } from '../diagnostics.ts';
import { type HttpConnections, type Target, whereIs } from '../recorders/http-connections.ts';
import type { ClientRequest, ClientSpans } from './client-spans.ts';
import { undoAll } from './wrap.ts';

interface UndiciRequest {
  readonly origin: string | URL;
  readonly path: string;
  readonly method: string;
  readonly headers: string | string[] | (string | string[])[];
  addHeader(name: string, value: string): void;
  [SENT]?: Sent;
}

/** Where requests go, as the origin of an undici request says it. */
interface Origin {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  target: Target;
}

/** An open socket. HTTP/2 and pipelining put several requests on one. */
interface Connection {
  readonly target: Target;
  open: boolean;
  requests: number;
}

interface Sent {
  /** Undefined where tracing is suppressed. */
  readonly state: ClientRequest | undefined;
  readonly target: Target;
  /** `performance.now()` of the call. */
  readonly since: number;
  status: number | undefined;
  waiting: boolean;
  connection: Connection | undefined;
}

/** On a request: what is known of it. In a WeakMap it would cost each collection of the heap something, too. */
const SENT = Symbol('o11y-kit.sent');

const MOST_ORIGINS = 1000;

/**
 * `fetch` and every copy of undici, through the channels they publish: requests, and the connections that they use.
 *
 * @see https://undici.nodejs.org/#/docs/api/DiagnosticsChannel
 */
export function instrumentUndici(
  spans: ClientSpans,
  connections: HttpConnections,
  diagnostics: Pick<Diagnostics, 'warn'>,
): () => void {
  const sockets = new WeakMap<object, Connection>();
  const origins = new Map<string, Origin>();

  function originOf(text: string): Origin {
    let origin = origins.get(text);
    if (origin === undefined) {
      const url = new URL(text);
      const { address: host, port } = whereIs(url);
      if (origins.size >= MOST_ORIGINS) origins.clear();
      origins.set(text, (origin = { secure: url.protocol === 'https:', host, port, target: connections.target(host, port) }));
    } else if (origin.target.stale) origin.target = connections.target(origin.host, origin.port);
    return origin;
  }

  function create({ request }: { request: UndiciRequest }): void {
    const { queuedAt } = connections;
    connections.queuedAt = undefined;
    const { secure, host, port, target } = originOf(String(request.origin));
    const outgoing = {
      method: request.method,
      secure,
      host,
      port,
      path: request.path,
      has: (header: string) => hasHeader(request.headers, header),
    };
    const state = spans.begin(outgoing, active());
    const since = queuedAt ?? state?.startedAt ?? performance.now();
    request[SENT] = { state, target, since, status: undefined, waiting: true, connection: undefined };
    target.waiting++;
    if (state !== undefined) for (const name in state.headers) request.addHeader(name, state.headers[name]);
  }

  function connected({ connectParams, socket }: any): void {
    const { protocol, hostname, port } = connectParams;
    const host = hostname.includes(':') && !hostname.startsWith('[') ? `[${hostname}]` : hostname;
    const { target } = originOf(`${protocol}//${host}${port ? `:${port}` : ''}`);
    const connection = { target, open: true, requests: 0 };
    socket.once('close', closed);
    sockets.set(socket, connection);
    target.open++;
  }

  function closed(this: object): void {
    const connection = sockets.get(this);
    if (connection === undefined) return;
    sockets.delete(this);
    connection.open = false;
    connection.target.open--;
    if (connection.requests > 0) connection.target.active--;
  }

  function send(sent: Sent, socket: object): void {
    if (sent.waiting) {
      proceed(sent);
      sent.target.wait.observe((performance.now() - sent.since) / 1000, sent.state?.span.spanContext());
    }
    // Sent again where the first socket was lost before it answered.
    leave(sent);
    const connection = sockets.get(socket);
    sent.connection = connection;
    if (connection !== undefined) take(connection);
  }

  function proceed(sent: Sent): void {
    if (!sent.waiting) return;
    sent.waiting = false;
    sent.target.waiting--;
  }

  function take(connection: Connection): void {
    if (connection.requests++ === 0) connection.target.active++;
  }

  function leave(sent: Sent): void {
    const { connection } = sent;
    sent.connection = undefined;
    if (connection?.open && --connection.requests === 0) connection.target.active--;
  }

  function end(request: UndiciRequest, error?: unknown, aborted?: boolean): void {
    const sent = request[SENT];
    if (sent === undefined) return;
    proceed(sent);
    leave(sent);
    if (sent.state !== undefined) spans.end(sent.state, sent.status, error, aborted);
  }

  const listeners: Record<string, (message: any) => void> = {
    'undici:request:create': create,
    'undici:client:connected': connected,
    'undici:client:sendHeaders'({ request, socket }) {
      const sent = request[SENT];
      if (sent !== undefined) send(sent, socket);
    },
    'undici:request:headers'({ request, response }) {
      const sent = request[SENT];
      if (sent === undefined) return;
      sent.status = response.statusCode;
      // Before 7.20 no headers are told of over HTTP/2.
      proceed(sent);
      // The socket is handed over for good, and nobody else will use it.
      if (sent.connection && isHandedOver(request, response.statusCode)) take(sent.connection);
    },
    'undici:request:trailers': ({ request }) => end(request),
    'undici:request:error': ({ request, error }) => end(request, error, true),
  };

  const undo = Object.entries(listeners).map(([channel, listen]) => {
    const guarded = (message: unknown): void => {
      try {
        listen(message);
      } catch (error) {
        // What a listener of a channel throws becomes an uncaught exception of the app.
        diagnostics.warn(
          `O11Y_INSTRUMENTATION: a request of undici could not be observed: ${reason(error)}. It is sent all the same.`,
          'undici',
        );
      }
    };
    subscribe(channel, guarded);
    return () => unsubscribe(channel, guarded);
  });
  return () => undoAll(undo);
}

function isHandedOver({ method }: UndiciRequest, status: number): boolean {
  return status === 101 || (method === 'CONNECT' && status >= 200 && status < 300);
}

/** undici 5 keeps headers as one text, 6 and later as a flat list. */
function hasHeader(headers: UndiciRequest['headers'], lower: string): boolean {
  if (typeof headers === 'string') return `\n${headers.toLowerCase()}`.includes(`\n${lower}:`);
  if (!Array.isArray(headers)) return false;
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]?.length === lower.length && String(headers[i]).toLowerCase() === lower) return true;
  }
  return false;
}
