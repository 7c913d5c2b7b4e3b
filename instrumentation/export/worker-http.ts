import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base';
import type { SinkSettings } from './sink.ts';

/** Options of OpenTelemetry's OTLP/HTTP exporters. */
export function exporterOptions({ target, certificates }: SinkSettings) {
  return {
    url: target.url,
    headers: { ...target.headers },
    timeoutMillis: target.timeoutMs,
    compression: target.compression as CompressionAlgorithm,
    httpAgentOptions: {
      keepAlive: true,
      ca: content(certificates.ca),
      key: content(certificates.key),
      cert: content(certificates.cert),
    },
  };
}

function content(file: string): Buffer | undefined {
  return file ? readFileSync(file) : undefined;
}

/** Resolves if no connection to `url` can be made; stays pending where one can. */
export function unreachable(url: string): Promise<void> {
  const { hostname, port, protocol } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || (protocol === 'https:' ? 443 : 80) });
    socket.once('error', () => resolve());
    socket.once('connect', () => socket.destroy());
  });
}
