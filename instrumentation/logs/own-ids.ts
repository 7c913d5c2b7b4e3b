import { LOG } from '../names.ts';

const IDS: readonly string[] = Object.values(LOG);
const OF_SPAN: readonly string[] = [LOG.traceId, LOG.spanId, LOG.traceFlags];
const ANY = new RegExp(`"(?:${IDS.join('|')})":`);

/**
 * The ids to put into a line that has some of its own, or `fields` itself where it has none: the app's stand, no key comes
 * twice, and a trace id of the app's is not mixed with a span id of ours.
 *
 * @param rest the line without our ids, from where they would stand. @param line the whole line without them.
 */
export function withoutOwn(fields: string, rest: string, line: () => string): string {
  if (!ANY.test(rest)) return fields;
  let own: Record<string, unknown>;
  try {
    own = JSON.parse(line());
  } catch {
    return fields;
  }
  const ours: Record<string, string> = JSON.parse(`{${fields.slice(1)}}`);
  const foreign = OF_SPAN.some((key) => Object.hasOwn(own, key) && own[key] !== ours[key]);
  const kept = Object.keys(ours).filter((key) => !Object.hasOwn(own, key) && !(foreign && OF_SPAN.includes(key)));
  return kept.map((key) => `,"${key}":${JSON.stringify(ours[key])}`).join('');
}
