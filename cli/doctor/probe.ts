import { readFileSync } from 'node:fs';
import { request as http } from 'node:http';
import { request as https } from 'node:https';
import { gzipSync } from 'node:zlib';
import type { Config, OtlpTarget, Signal } from '../../instrumentation/config.ts';

/** What came back from a backend, or why nothing did. */
export type Answer =
  | { readonly kind: 'answer'; readonly status: number; readonly headers: Record<string, unknown>; readonly body: string }
  | { readonly kind: 'failure'; readonly code: string; readonly message: string }
  | { readonly kind: 'timeout' };

const EMPTY: Record<Signal, string> = {
  traces: '{"resourceSpans":[]}',
  logs: '{"resourceLogs":[]}',
  metrics: '{"resourceMetrics":[]}',
};
const MOST_BYTES = 10_000;

/**
 * Sends an export request without content, in the very encoding and with the headers, certificates and time limit of an
 * app with these settings. Never throws.
 */
export function probe(signal: Signal, target: OtlpTarget, config: Config): Promise<Answer> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => finish({ kind: 'timeout' }), target.timeoutMs);
    const cancel = new AbortController();
    function finish(answer: Answer): void {
      clearTimeout(timer);
      resolve(answer);
      cancel.abort();
    }
    const failed = (error: NodeJS.ErrnoException) =>
      finish({ kind: 'failure', code: error.code ?? '', message: error.message || (error.code ?? 'no connection') });
    try {
      const { headers, body } = message(signal, target);
      const url = new URL(target.url);
      const send = url.protocol === 'https:' ? https : http;
      const options = { method: 'POST', headers, agent: false as const, signal: cancel.signal, ...certificates(config, url) };
      const request = send(url, options, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('error', failed);
        response.on('data', (chunk: string) => {
          text += chunk;
          if (text.length > MOST_BYTES) done();
        });
        response.on('end', done);
        function done(): void {
          finish({
            kind: 'answer',
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: text.slice(0, MOST_BYTES),
          });
        }
      });
      request.on('error', failed);
      request.end(body);
    } catch (error) {
      failed(error as NodeJS.ErrnoException);
    }
  });
}

function message(signal: Signal, target: OtlpTarget) {
  const json = target.protocol === 'http/json';
  // In protobuf a message without fields has no bytes.
  const plain = Buffer.from(json ? EMPTY[signal] : '');
  const gzip = target.compression === 'gzip';
  const body = gzip ? gzipSync(plain) : plain;
  return {
    body,
    headers: {
      'content-type': json ? 'application/json' : 'application/x-protobuf',
      ...(gzip && { 'content-encoding': 'gzip' }),
      ...target.headers,
      'content-length': body.length,
    },
  };
}

/** Reads what an https address needs. @throws with the variable's name if a file cannot be read */
function certificates(config: Config, url: URL): { ca?: Buffer; key?: Buffer; cert?: Buffer } {
  if (url.protocol !== 'https:') return {};
  return {
    ...(config.certificate && { ca: content('OTEL_EXPORTER_OTLP_CERTIFICATE', config.certificate) }),
    ...(config.clientKey && { key: content('OTEL_EXPORTER_OTLP_CLIENT_KEY', config.clientKey) }),
    ...(config.clientCertificate && { cert: content('OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE', config.clientCertificate) }),
  };
}

function content(setting: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw Object.assign(new Error(`${setting}: ${(error as Error).message}`), { code: 'CERTIFICATE_FILE' });
  }
}
