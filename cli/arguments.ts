import { type ParseArgsConfig, parseArgs } from 'node:util';
import { UsageError } from './command.ts';

/** `parseArgs` of Node, with its errors as {@link UsageError}. */
export function parse<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    // Node's text goes on with advice about its own API behind the first sentence.
    throw new UsageError((error as Error).message.split('. ', 1)[0]);
  }
}

/** A port. @throws {UsageError} */
export function port(text: string): number {
  const n = Number(text);
  if (/^\d+$/.test(text) && n <= 65535) return n;
  throw new UsageError(`--port ${text}: a number from 0 to 65535 is wanted`);
}

/** A number above zero. @throws {UsageError} */
export function positive(option: string, text: string): number {
  const n = Number(text);
  if (text !== '' && n > 0 && Number.isFinite(n)) return n;
  throw new UsageError(`${option} ${text}: a number above 0 is wanted`);
}

/** A web address. @throws {UsageError} */
export function httpUrl(option: string, text: string): string {
  if (URL.canParse(text) && new URL(text).protocol === 'http:') return text;
  throw new UsageError(`${option} ${text}: an address such as http://localhost:9464/metrics is wanted`);
}
