const STREAM = 'workflow:events';
const MOST_EVENTS = 100_000;

/** Writes an event of a run to the event log. */
export function record(redis, runId, type, details = {}) {
  return redis.xadd(STREAM, 'MAXLEN', '~', MOST_EVENTS, '*', 'run', runId, 'type', type, 'details', JSON.stringify(details));
}

/**
 * The events of a run, those that have happened and those to come.
 *
 * @param redis a connection of its own: it waits in `XREAD BLOCK`
 */
export async function* follow(redis, runId, signal) {
  let last = '0';
  while (!signal.aborted) {
    const answer = await redis.xread('COUNT', 100, 'BLOCK', 1000, 'STREAMS', STREAM, last);
    for (const [id, fields] of answer?.[0][1] ?? []) {
      last = id;
      const entry = Object.fromEntries(pairs(fields));
      if (entry.run === runId) yield { id, type: entry.type, details: JSON.parse(entry.details) };
    }
  }
}

function* pairs(list) {
  for (let i = 0; i < list.length; i += 2) yield [list[i], list[i + 1]];
}
