import { lookup as dnsLookup } from 'node:dns';
import { Agent, get as httpGet } from 'node:http';
import type { LookupFunction } from 'node:net';
import { isLoopback } from '../receive/loopback.ts';

export interface Page {
  status: number;
  body: string;
}

/** A metrics page of 20,000 series is 10 MB. */
const MAX_BYTES = 32 * 1024 * 1024;
const TIMEOUT_MS = 10_000;

const agent = new Agent({ keepAlive: true, maxSockets: 4, maxTotalSockets: 64 });

/**
 * Reads a page; a redirect is an answer like any other and not followed.
 *
 * @param loopbackOnly refuses a name that resolves to any address but this machine's own loopback
 * @throws an error with a message for people
 */
export function getPage(url: string, accept: string, loopbackOnly: boolean): Promise<Page> {
  return new Promise((resolve, reject) => {
    const headers = { accept, 'user-agent': 'o11y-kit-viewer' };
    const lookup = loopbackOnly ? loopbackLookup : undefined;
    const req = httpGet(url, { agent, headers, lookup, timeout: TIMEOUT_MS }, (res) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      res.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_BYTES) req.destroy(new Error(`the page is larger than ${MAX_BYTES} bytes`));
        else chunks.push(chunk);
      });
      res.on('end', () => resolve({ status: res.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }));
      res.on('error', reject);
    });
    const deadline = setTimeout(() => req.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
    deadline.unref();
    req.on('close', () => clearTimeout(deadline));
    req.on('error', reject);
  });
}

const loopbackLookup: LookupFunction = (hostname, options, callback) => {
  // `*.localhost` is this machine by RFC 6761, also where the resolver does not know it.
  const name = hostname.toLowerCase().endsWith('.localhost') ? 'localhost' : hostname;
  dnsLookup(name, { ...options, all: true }, (error, addresses) => {
    const own = (addresses ?? []).filter(({ address }) => isLoopback(address));
    if (error || own.length === 0) {
      const failure = error ?? new Error(`${hostname} is not on this machine`);
      callback(failure as NodeJS.ErrnoException, '', 0);
    } else if (options.all) callback(null, own);
    else callback(null, own[0].address, own[0].family);
  });
};

/** Ends the connections that are kept open. */
export function closeIdle(): void {
  agent.destroy();
}
