import Module from 'node:module';
import type { Diagnostics } from '../diagnostics.ts';

const TRANSPORT = /(?:^|[\\/])pino-opentelemetry-transport(?:[\\/]|$)/;

/** Knows which streams of pino deliver records to OpenTelemetry already. */
export interface Deliveries {
  /** Starts to watch for transports that the app's pino resolves. */
  watch(): void;
  /** Whether lines written to this stream reach an OpenTelemetry backend without the kit. */
  delivers(stream: unknown): boolean;
  stop(): void;
}

type Resolve = (this: unknown, request: string, ...rest: unknown[]) => string;

/**
 * A record delivered twice is worse than one delivered by another: where the app's own pino ships, the kit does not.
 * pino resolves the name of a transport on the main thread, right before it makes the stream for it; the official
 * instrumentation adds a stream of a class of its own.
 */
export function createDeliveries(diagnostics: Diagnostics): Deliveries {
  const module = Module as unknown as { _resolveFilename: Resolve };
  let original: Resolve | undefined;
  let ours: Resolve | undefined;
  let seen = false;

  function ships(stream: any): boolean {
    const kind = stream?.constructor?.name;
    return kind === 'OTelPinoStream' || (seen && kind === 'ThreadStream');
  }

  return {
    watch() {
      if (ours) return;
      const before = module._resolveFilename;
      original = before;
      ours = function (request, ...rest) {
        if (!seen && typeof request === 'string' && TRANSPORT.test(request)) seen = true;
        return before.call(this, request, ...rest);
      };
      module._resolveFilename = ours;
    },
    delivers(stream: any) {
      const parts: unknown[] = Array.isArray(stream?.streams) ? stream.streams.map((part: any) => part?.stream) : [stream];
      if (!parts.some(ships)) return false;
      diagnostics.info(
        'the app ships its pino records to OpenTelemetry itself: the kit adds the ids and leaves the delivery to the app.',
        'pino delivery',
      );
      return true;
    },
    stop() {
      if (ours && module._resolveFilename === ours && original) module._resolveFilename = original;
      original = ours = undefined;
      seen = false;
    },
  };
}
