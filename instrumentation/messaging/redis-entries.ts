import type { Fields } from './carrier.ts';

/** A word of a command or of an answer: clients give texts or buffers. */
export type Word = string | Uint8Array;

/** What stands at the end of an entry that the kit has added its fields to, and nowhere else. */
const TRACEPARENT = 'traceparent';

/** Commands that answer with entries. */
const READS = new Set(['XREAD', 'XREADGROUP', 'XRANGE', 'XREVRANGE', 'XCLAIM', 'XAUTOCLAIM']);
const ENTRY_ID = /^\d+-\d+$/;
const MOST_DEPTH = 4;

export function isRead(command: string): boolean {
  return READS.has(command);
}

export function isWord(value: unknown): value is Word {
  return typeof value === 'string' || value instanceof Uint8Array;
}

/** The streams that a command works on; none where they cannot be told. */
export function streamsOf(command: string, args: readonly unknown[]): string[] {
  // XGROUP has a word for what to do (CREATE, SETID …) before the stream.
  const first = args[command === 'XGROUP' ? 1 : 0];
  if (command !== 'XREAD' && command !== 'XREADGROUP') return isWord(first) ? [textOf(first)] : [];
  const from = args.findIndex((word) => isWord(word) && textOf(word).toUpperCase() === 'STREAMS') + 1;
  // Behind the word stand the streams, and behind them as many ids.
  return from === 0 ? [] : args.slice(from, from + (args.length - from) / 2).map((word) => String(word));
}

export function blocks(command: string, args: readonly unknown[]): boolean {
  if (command !== 'XREAD' && command !== 'XREADGROUP') return false;
  return args.some((word) => isWord(word) && word.length === 5 && textOf(word).toUpperCase() === 'BLOCK');
}

/**
 * What to add to the words of an `XADD` so that its entry carries a context: trace context and correlation id, always both
 * and in this order, as the last fields. None where the app has a field of that name itself.
 */
export function fieldsToAdd(args: readonly unknown[], fields: Fields, header: string, correlationId: string): string[] {
  const parent = fields[TRACEPARENT];
  if (parent === undefined) return [];
  const taken = args.some((word) => isWord(word) && (sameText(word, TRACEPARENT) || sameText(word, header)));
  return taken ? [] : [TRACEPARENT, parent, header, correlationId];
}

/** Takes the kit's fields off the entries of an answer, in place, and returns what they said, at most `most`. */
export function takeFields(answer: unknown, header: string, most: number): Fields[] {
  const taken: Fields[] = [];
  visit(answer, 0);
  return taken;

  function visit(value: unknown, depth: number): void {
    if (depth > MOST_DEPTH || typeof value !== 'object' || value === null || value instanceof Uint8Array) return;
    if (Array.isArray(value)) {
      const [id, fields] = value;
      if (value.length === 2 && isWord(id) && Array.isArray(fields) && isWord(fields[0]) && ENTRY_ID.test(textOf(id)))
        fromList(fields);
      else for (const each of value) visit(each, depth + 1);
      return;
    }
    const { id, message } = value as { id?: unknown; message?: unknown };
    if (isWord(id) && typeof message === 'object' && message !== null) fromObject(message as Record<string, unknown>);
    else for (const each of Object.values(value)) visit(each, depth + 1);
  }

  function fromList(fields: unknown[]): void {
    const at = fields.length - 4;
    if (at < 0 || !sameText(fields[at], TRACEPARENT) || !sameText(fields[at + 2], header)) return;
    keep(fields[at + 1], fields[at + 3]);
    fields.length = at;
  }

  function fromObject(message: Record<string, unknown>): void {
    const names = Object.keys(message);
    if (names.at(-2) !== TRACEPARENT || names.at(-1) !== header) return;
    keep(message[TRACEPARENT], message[header]);
    delete message[TRACEPARENT];
    delete message[header];
  }

  function keep(parent: unknown, id: unknown): void {
    if (taken.length < most && isWord(parent) && isWord(id)) taken.push({ [TRACEPARENT]: textOf(parent), [header]: textOf(id) });
  }
}

export function textOf(word: Word): string {
  return typeof word === 'string' ? word : Buffer.from(word.buffer, word.byteOffset, word.byteLength).toString();
}

/** Lengths first: most words are something else. */
function sameText(word: unknown, text: string): boolean {
  return isWord(word) && word.length === text.length && textOf(word) === text;
}
