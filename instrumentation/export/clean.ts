import { redactQuery, redactUrl } from '../redact-url.ts';
import { REDACTED, type Redactor } from '../redaction.ts';

/** Makes the texts of one attribute fit to leave the process. */
export type Clean = (text: string) => string;

// What holds no secret because of what it is: not looked into, since the request path sets these for every request.
const PLAIN = new Set([
  'client.address',
  'correlation.id',
  'error.type',
  'exception.type',
  'http.request.method',
  'http.request.method_original',
  'http.route',
  'network.peer.address',
  'network.protocol.version',
  'server.address',
  'url.scheme',
  'user_agent.original',
]);
const URLS = new Set(['url.full', 'url.path', 'http.url', 'http.target']);

/** How the texts under an attribute's key are cleaned; undefined where they may leave as they are. */
export function cleanerOf(key: string, redactor: Redactor): Clean | undefined {
  if (PLAIN.has(key)) return undefined;
  if (redactor.isSecret(key)) return () => REDACTED;
  if (URLS.has(key)) return (url) => redactUrl(url, redactor);
  if (key === 'url.query') return (query) => redactQuery(query, redactor);
  return redactor.text;
}
