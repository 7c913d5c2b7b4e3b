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
      ca: content('OTEL_EXPORTER_OTLP_CERTIFICATE', certificates.ca),
      key: content('OTEL_EXPORTER_OTLP_CLIENT_KEY', certificates.key),
      cert: content('OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE', certificates.cert),
    },
  };
}

function content(setting: string, file: string): Buffer | undefined {
  if (!file) return undefined;
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Error(`${setting}: the file cannot be read: ${(error as Error).message}`);
  }
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
