/** Members of a command that say what it does. The rest is the driver's own: session, cluster time, transaction. */
const TOLD = [
  'filter',
  'query',
  'q',
  'pipeline',
  'updates',
  'update',
  'u',
  'deletes',
  'sort',
  'projection',
  'limit',
  'skip',
  'key',
];
const MOST_DEPTH = 5;
const MOST_KEYS = 30;

/** A command's shape for `db.query.text`: names of fields and operators, `?` for every value, the first item of a list. */
export function describeMongo(command: Readonly<Record<string, unknown>>): string {
  const told: Record<string, unknown> = {};
  for (const key of TOLD) if (typeof command[key] === 'object') told[key] = shape(command[key], 0);
  return Object.keys(told).length === 0 ? '' : JSON.stringify(told);
}

function shape(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || depth >= MOST_DEPTH) return '?';
  if (Array.isArray(value)) {
    // A pipeline's steps are what it does; of other lists one item is like the next.
    const steps = value.every((item) => typeof item === 'object' && item !== null && Object.keys(item)[0]?.startsWith('$'));
    return value.slice(0, steps ? MOST_KEYS : 1).map((item) => shape(item, depth + 1));
  }
  const prototype = Object.getPrototypeOf(value);
  // Dates, ids and the like are values.
  if (prototype !== Object.prototype && prototype !== null) return '?';
  const out: Record<string, unknown> = Object.create(null);
  for (const key of Object.keys(value).slice(0, MOST_KEYS)) out[key] = shape((value as Record<string, unknown>)[key], depth + 1);
  return out;
}
