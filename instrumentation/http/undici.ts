import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { active } from '../context.ts';
import { type Diagnostics, reason } from '../diagnostics.ts';
import type { ClientRequest, ClientSpans } from './client-spans.ts';

interface UndiciRequest {
  readonly origin: string | URL;
  readonly path: string;
  readonly method: string;
  readonly headers: string | string[] | (string | string[])[];
  addHeader(name: string, value: string): void;
}

/**
 * `fetch` and every copy of undici, through the channels they publish.
 *
 * @see https://undici.nodejs.org/#/docs/api/DiagnosticsChannel
 */
export function instrumentUndici(spans: ClientSpans, diagnostics: Pick<Diagnostics, 'warn'>): () => void {
  const requests = new WeakMap<object, { state: ClientRequest; status: number | undefined }>();

  function create({ request }: { request: UndiciRequest }): void {
    const url = new URL(String(request.origin));
    const secure = url.protocol === 'https:';
    const outgoing = {
      method: request.method,
      secure,
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port) || (secure ? 443 : 80),
      path: request.path,
      has: (header: string) => hasHeader(request.headers, header),
    };
    const state = spans.begin(outgoing, active());
    if (state === undefined) return;
    requests.set(request, { state, status: undefined });
    for (const name in state.headers) request.addHeader(name, state.headers[name]);
  }

  const listeners: Record<string, (message: any) => void> = {
    'undici:request:create'(message) {
      try {
        create(message);
      } catch (error) {
        // What a listener of a channel throws becomes an uncaught exception of the app.
        diagnostics.warn(
          `O11Y_INSTRUMENTATION: a request of undici could not be observed: ${reason(error)}. It is sent all the same.`,
          'undici',
        );
      }
    },
    'undici:request:headers'({ request, response }: any) {
      const entry = requests.get(request);
      if (entry) entry.status = response.statusCode;
    },
    'undici:request:trailers'({ request }: any) {
      const entry = requests.get(request);
      if (entry) spans.end(entry.state, entry.status);
    },
    'undici:request:error'({ request, error }: any) {
      const entry = requests.get(request);
      if (entry) spans.end(entry.state, entry.status, error, true);
    },
  };

  for (const name in listeners) subscribe(name, listeners[name]);
  return () => {
    for (const name in listeners) unsubscribe(name, listeners[name]);
  };
}

/** undici 5 keeps headers as one text, 6 and later as a flat list. */
function hasHeader(headers: UndiciRequest['headers'], lower: string): boolean {
  if (typeof headers === 'string') return `\n${headers.toLowerCase()}`.includes(`\n${lower}:`);
  if (!Array.isArray(headers)) return false;
  for (let i = 0; i < headers.length; i += 2) if (String(headers[i]).toLowerCase() === lower) return true;
  return false;
}
