import { KitContext, logFields, REQUEST, type RequestState, storage } from '../context.ts';
import { type Diagnostics, reason } from '../diagnostics.ts';
import { createDeliveries, type Deliveries } from './deliveries.ts';
import { withoutOwn } from './own-ids.ts';
import type { Shipping } from './shipping.ts';

type Pino = Record<symbol, any>;
type AsJson = (this: Pino, object: any, message: unknown, level: number, time: string) => string;
type Symbols = Readonly<Record<'asJsonSym' | 'writeSym' | 'messageKeySym' | 'streamSym' | 'hooksSym', symbol>>;

interface Wired {
  readonly prototype: Pino;
  readonly key: symbol;
  readonly original: unknown;
  readonly ours: unknown;
}

/** Default messages of pino-http and Fastify for a finished request; the fields beside them can be renamed. */
const ACCESS = new Set(['request completed', 'request errored', 'request aborted']);

/**
 * Gives every line of pino 8, 9 and 10 the ids of its context and ships it. The line is made by pino itself, with whatever
 * formatters, serializers, redaction and destination the app has set: the ids go in with the `time` argument, right behind
 * level and time, where no option moves or drops them. Nothing here throws into the app.
 */
export class PinoWiring {
  readonly #shipping: Shipping;
  readonly #diagnostics: Diagnostics;
  readonly #deliveries: Deliveries;
  readonly #wired: Wired[] = [];

  constructor(shipping: Shipping, diagnostics: Diagnostics) {
    this.#shipping = shipping;
    this.#diagnostics = diagnostics;
    this.#deliveries = createDeliveries(diagnostics);
  }

  /** @param exported what `require('pino')` returns; each copy that an app has is wired once. */
  adopt(exported: unknown): void {
    try {
      const pino = exported as { symbols?: Symbols } & ((options: object, stream: object) => Pino);
      const symbols = pino?.symbols;
      if (typeof pino !== 'function' || !symbols?.asJsonSym || !symbols.writeSym) return;
      const probe = pino({ level: 'silent' }, { write() {} });
      const prototype = owner(probe, symbols.asJsonSym);
      if (!prototype || this.#wired.some((wired) => wired.prototype === prototype)) return;
      this.#deliveries.watch();
      this.#wire(prototype, symbols, 'streamWrite' in probe[symbols.hooksSym]);
    } catch (error) {
      this.#diagnostics.warn(
        `O11Y_INSTRUMENTATION: pino could not be wired: its lines carry no ids and are not shipped. ${reason(error)}`,
        'pino',
      );
    }
  }

  stop(): void {
    for (const { prototype, key, original, ours } of this.#wired) if (prototype[key] === ours) prototype[key] = original;
    this.#wired.length = 0;
    this.#deliveries.stop();
  }

  #wire(prototype: Pino, symbols: Symbols, hookable: boolean): void {
    const { asJsonSym, writeSym, messageKeySym, streamSym, hooksSym } = symbols;
    const shipping = this.#shipping;
    const deliveries = this.#deliveries;
    const asJson = prototype[asJsonSym] as AsJson;
    const write = prototype[writeSym] as (this: Pino, ...args: unknown[]) => void;
    const hooked = new WeakSet<object>();
    let lastStream: unknown;
    let lastDelivered = false;
    let held: { level: number; time: number; messageKey: string } | undefined;

    function tee(logger: Pino, line: string, level: number, time: string): void {
      const stream = logger[streamSym];
      if (stream !== lastStream) {
        lastDelivered = deliveries.delivers(stream);
        lastStream = stream;
      }
      if (lastDelivered) shipping.count(level);
      else if (hooked.has(logger[hooksSym])) held = { level, time: epoch(time), messageKey: logger[messageKeySym] };
      else shipping.ship(line, level, epoch(time), logger[messageKeySym]);
    }

    // What the app's streamWrite hook makes of a line is what may leave the process: it may remove secrets.
    function hook(logger: Pino): void {
      const holder = owner(logger, hooksSym);
      const { streamWrite } = logger[hooksSym];
      if (!holder) return;
      const hooks = {
        ...logger[hooksSym],
        streamWrite(line: string) {
          const written = streamWrite(line);
          if (held && typeof written === 'string') shipping.ship(written, held.level, held.time, held.messageKey);
          held = undefined;
          return written;
        },
      };
      hooked.add(hooks);
      holder[hooksSym] = hooks;
    }

    this.#set(prototype, asJsonSym, function (this: Pino, object, message, level, time) {
      const context = storage.getStore();
      const fields = context === undefined ? '' : logFields(context);
      let line: string;
      if (fields === '') line = asJson.call(this, object, message, level, time);
      else {
        line = asJson.call(this, object, message, level, time + fields);
        try {
          if (context instanceof KitContext && context.request) markAccess(context.request, object, message);
          line = single(line, fields);
        } catch {
          // The line stands as pino made it.
        }
      }
      try {
        tee(this, line, level, time);
      } catch {
        // A line that cannot be shipped is still the app's line.
      }
      return line;
    } satisfies AsJson);

    // pino 8 has no such hook.
    if (!hookable) return;
    this.#set(prototype, writeSym, function (this: Pino, ...args: unknown[]) {
      const hooks = this[hooksSym];
      if (typeof hooks?.streamWrite === 'function' && !hooked.has(hooks)) hook(this);
      return write.apply(this, args);
    } satisfies typeof write);
  }

  #set(prototype: Pino, key: symbol, ours: unknown): void {
    this.#wired.push({ prototype, key, original: prototype[key], ours });
    prototype[key] = ours;
  }
}

/** The object in the prototype chain that holds `key` itself. A silent logger has several links above it. */
function owner(object: Pino, key: symbol): Pino | undefined {
  for (let link: Pino | null = object; link; link = Object.getPrototypeOf(link)) if (Object.hasOwn(link, key)) return link;
  return undefined;
}

/** Of the beginning of the ids, as much as tells where they stand: to look for all of them costs several times as much. */
const START = 12;

function single(line: string, fields: string): string {
  const start = line.indexOf(fields.slice(0, START));
  const at = line.startsWith(fields, start) ? start : line.indexOf(fields);
  const end = at + fields.length;
  // One search answers for nearly all lines: each of the ids has it but the flags, which never come alone.
  if (at < 0 || line.indexOf('_id":', end) < 0) return line;
  const kept = withoutOwn(fields, line.slice(end), () => line.slice(0, at) + line.slice(end));
  return kept === fields ? line : line.slice(0, at) + kept + line.slice(end);
}

let lastTime = '';
let lastMs = 0;

/** Milliseconds from pino's `,"time":1700000000000`; any other clock of the app's is not read. */
function epoch(time: string): number {
  if (time !== lastTime) {
    lastMs = Number(time.slice(time.indexOf(':') + 1));
    lastTime = time;
  }
  return lastMs > 1e11 && lastMs < 1e14 ? lastMs : Date.now();
}

function markAccess(request: RequestState, object: any, message: unknown): void {
  if (request.logged || object === null || typeof object !== 'object') return;
  if ('responseTime' in object || ('res' in object && isResponse(object.res)) || ACCESS.has(message as string))
    request.logged = true;
}

/** A response of Node's, or Fastify's reply around it. */
function isResponse(value: any): boolean {
  return value?.[REQUEST] !== undefined || value?.raw?.[REQUEST] !== undefined;
}
