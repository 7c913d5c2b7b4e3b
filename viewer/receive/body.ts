import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, inflate, inflateRaw } from 'node:zlib';
import { HttpError } from './http-error.ts';

const unzip = { gunzip: promisify(gunzip), inflate: promisify(inflate), inflateRaw: promisify(inflateRaw) };

/** Bytes of all bodies now in memory, against what may be at once. */
export interface Load {
  bytes: number;
  readonly maxBytes: number;
}

/**
 * Reads and inflates a body.
 *
 * @param maxBytes of the body, both as sent and inflated; a bomb is stopped while it inflates.
 * @throws {HttpError} 400 (cut or corrupt), 413 (too large), 415 (unknown coding), 429 (too many at once)
 */
export async function readBody(req: IncomingMessage, maxBytes: number, load: Load): Promise<Buffer> {
  const declared = Number(req.headers['content-length'] ?? 0);
  if (declared > maxBytes) throw tooLarge(maxBytes);
  const before = load.bytes;
  let bytes = 0;
  try {
    const body = await collect(req, (chunk) => {
      bytes += chunk.length;
      load.bytes += chunk.length;
      if (bytes > maxBytes) throw tooLarge(maxBytes);
      // One body alone always gets through, however the limits are set.
      if (load.bytes > load.maxBytes && before > 0) {
        throw new HttpError(429, 'too many bodies at once', { 'retry-after': '1' });
      }
    });
    return await decode(body, req.headers['content-encoding'], maxBytes);
  } finally {
    load.bytes -= bytes;
  }
}

/** By events: an iterator left early destroys the request, and with it the socket that the answer needs. */
function collect(req: IncomingMessage, check: (chunk: Buffer) => void): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    req.on('data', onData).on('end', onEnd).on('error', onCut).on('close', onCut);

    function onData(chunk: Buffer): void {
      try {
        check(chunk);
        chunks.push(chunk);
      } catch (error) {
        stop();
        req.pause();
        reject(error);
      }
    }
    function onEnd(): void {
      stop();
      resolve(Buffer.concat(chunks));
    }
    function onCut(error?: Error): void {
      stop();
      reject(new HttpError(400, `the body ended early${error ? `: ${error.message}` : ''}`));
    }
    function stop(): void {
      req.off('data', onData).off('end', onEnd).off('error', onCut).off('close', onCut);
    }
  });
}

async function decode(body: Buffer, coding: string | undefined, maxOutputLength: number): Promise<Buffer> {
  const name = coding?.trim().toLowerCase() ?? '';
  if (name === '' || name === 'identity') return body;
  try {
    if (name === 'gzip' || name === 'x-gzip') return await unzip.gunzip(body, { maxOutputLength });
    // HTTP's "deflate" has a zlib header, but senders that leave it out are as old as HTTP/1.1.
    if (name === 'deflate') return await unzip[hasZlibHeader(body) ? 'inflate' : 'inflateRaw'](body, { maxOutputLength });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxOutputLength);
    throw new HttpError(400, `the body is no ${name}: ${(error as Error).message}`);
  }
  throw new HttpError(415, `content-encoding "${name.slice(0, 40)}" is not supported: gzip, deflate or none`);
}

function hasZlibHeader(body: Buffer): boolean {
  return body.length >= 2 && (body[0] & 0x0f) === 8 && body.readUInt16BE(0) % 31 === 0;
}

function tooLarge(maxBytes: number): HttpError {
  return new HttpError(413, `the body is larger than ${maxBytes} bytes (inflated): send smaller batches`);
}
