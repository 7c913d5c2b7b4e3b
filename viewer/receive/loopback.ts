import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

/** What Docker Desktop calls the host from within a container; no one can own that name in public DNS. */
const DOCKER_HOST = 'host.docker.internal';

/**
 * Whether a `Host` header may be answered. A web page that binds its own name to 127.0.0.1 (DNS rebinding) sends that
 * name; addresses cannot be rebound.
 */
export function hostAllowed(header: string | undefined, also?: string): boolean {
  const host = hostname(header);
  return host !== '' && (isLocalName(host) || isIP(host) !== 0 || host === DOCKER_HOST || host === also?.toLowerCase());
}

/** Whether a page of that origin (`Origin` header) may talk to us: pages from this machine, whatever their port. */
export function originAllowed(origin: string): boolean {
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  return url !== undefined && isLoopback(url.hostname);
}

/** Whether a host name or address (IPv6 with or without brackets) is this machine, without asking DNS. */
export function isLoopback(hostname: string): boolean {
  const host = unbracket(hostname.toLowerCase());
  if (isLocalName(host)) return true;
  if (isIP(host) === 4) return host.startsWith('127.');
  return host === '::1' || host === '::ffff:127.0.0.1' || host === '::ffff:7f00:1';
}

/**
 * The address at which a page of this machine is fetched; undefined if it is not one of this machine. A process that
 * listens on all addresses, as in a container, announces one that others can reach: it is asked over loopback all the
 * same, so that nothing is ever fetched from elsewhere.
 */
export function overLoopback(url: string): string | undefined {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== 'http:') return undefined;
  if (isLoopback(parsed.hostname)) return url;
  const host = unbracket(parsed.hostname);
  const own = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === host));
  if (!own) return undefined;
  parsed.hostname = isIP(host) === 6 ? '[::1]' : '127.0.0.1';
  return parsed.href;
}

function isLocalName(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost');
}

function hostname(header: string | undefined): string {
  const match = /^(\[[0-9a-f:.]+\]|[^:[\]/?#@\s]+)(?::\d{1,5})?$/i.exec(header ?? '');
  return match ? unbracket(match[1].toLowerCase()) : '';
}

function unbracket(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}
