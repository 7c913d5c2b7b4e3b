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
    const answer = decide(host.toLowerCase().replace(/^\[|\]$/g, ''));
    cache.set(host, answer);
    return answer;
  };
}

function matcher(pattern: string): (host: string) => boolean {
  const lower = pattern.toLowerCase();
  if (lower === '*') return () => true;
  if (lower.startsWith('*.')) return (host) => host.endsWith(lower.slice(1));
  return (host) => host === lower;
}

/** Loopback, private and link-local addresses; names without a dot, and those of private zones. */
export function isPrivate(host: string): boolean {
  switch (isIP(host)) {
    case 4: {
      const [a, b] = host.split('.', 2).map(Number);
      return (
        a === 127 ||
        a === 10 ||
        (a === 172 && b >= 16 && b <= 31) ||
        (a === 192 && b === 168) ||
        (a === 169 && b === 254) ||
        (a === 100 && b >= 64 && b <= 127)
      );
    }
    case 6:
      if (host.startsWith('::ffff:')) return isPrivate(host.slice(7));
      return host === '::1' || /^f[cd]/.test(host) || /^fe[89ab]/.test(host);
    default:
      return !host.includes('.') || PRIVATE_SUFFIXES.some((suffix) => host.endsWith(suffix) || host.includes(`${suffix}.`));
  }
}
