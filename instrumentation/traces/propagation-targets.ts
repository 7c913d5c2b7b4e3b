import { isIP } from 'node:net';

const PRIVATE_SUFFIXES = ['.local', '.localhost', '.internal', '.svc', '.lan', '.home.arpa', '.test'];
const MOST_CACHED = 1000;

/**
 * Which hosts get baggage and the correlation header. Both can carry what an app does not want strangers to see, so by
 * default only private names and addresses get them; trace context goes everywhere.
 */
export function createTargetFilter(patterns: readonly string[]): (host: string) => boolean {
  const matchers = patterns.map(matcher);
  const decide = (host: string) => (matchers.length > 0 ? matchers.some((matches) => matches(host)) : isPrivate(host));
  const cache = new Map<string, boolean>();
  return (host) => {
    const known = cache.get(host);
    if (known !== undefined) return known;
    if (cache.size >= MOST_CACHED) cache.clear();
    const answer = decide(normal(host));
    cache.set(host, answer);
    return answer;
  };
}

/** Lower case, without the brackets of an IPv6 address and the dot that ends an absolute name. */
function normal(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/(?<=[^.])\.$/, '');
}

function matcher(pattern: string): (host: string) => boolean {
  const lower = normal(pattern);
  if (lower === '*') return () => true;
  if (lower.startsWith('*.')) return (host) => host.endsWith(lower.slice(1));
  return (host) => host === lower;
}

/** Loopback, private and link-local addresses; names without a dot, and those that end in a private zone. */
export function isPrivate(host: string): boolean {
  switch (isIP(host)) {
    case 4:
      return isPrivateV4(host.split('.', 4).map(Number));
    case 6:
      return isPrivateV6(host);
    default:
      // The resolver takes a number for an address: `134744072` and `0x8080808` are 8.8.8.8.
      return host.includes('.') ? PRIVATE_SUFFIXES.some((suffix) => host.endsWith(suffix)) : !/^(\d+|0x[\da-f]*)?$/.test(host);
  }
}

function isPrivateV4([a, b]: readonly number[]): boolean {
  return (
    a === 0 ||
    a === 10 ||
    a === 127 ||
    (a === 100 && b >= 64 && b <= 127) ||
    (a === 169 && b === 254) ||
    (a === 172 && b >= 16 && b <= 31) ||
    (a === 192 && b === 168)
  );
}

function isPrivateV6(host: string): boolean {
  if (host === '::1' || host === '::') return true;
  // Unique local fc00::/7 and link-local fe80::/10; the first group needs all of its four digits for that.
  if (/^(f[cd][\da-f]{2}|fe[89ab][\da-f]):/.test(host)) return true;
  const mapped = /^::ffff:(?:(\d+)\.(\d+)\.\d+\.\d+|([\da-f]{1,4}):[\da-f]{1,4})$/.exec(host);
  if (!mapped) return false;
  const high = Number.parseInt(mapped[3], 16);
  return isPrivateV4(mapped[1] !== undefined ? [Number(mapped[1]), Number(mapped[2])] : [high >> 8, high & 0xff]);
}
