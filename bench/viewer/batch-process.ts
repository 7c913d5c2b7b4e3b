/** Decodes and stores batches of 512 spans in a process of its own, and prints how long each took: `… json|protobuf`. */
import { Hub } from '../../viewer/hub.ts';
import { decoders, type Encoding } from '../../viewer/otlp/decode.ts';
import type { BatchTimes } from './batch.ts';
import { batch, SPANS_PER_TRACE } from './spans.ts';

const SPANS = 512;
const MEASURED = 60;
const SERVICES = 5;

const encoding = process.argv[2] as Encoding;
const hub = new Hub();
let made = 0;
const next = () => batch(encoding, `service-${made++ % SERVICES}`, SPANS / SPANS_PER_TRACE).body;

const firstMs = store(next());
// Full: from now on each batch makes others give way, as it is for whoever leaves the viewer running.
while (hub.dropped().evictedTraces === 0) store(next());
const bodies = Array.from({ length: MEASURED }, next);
const cpuBefore = process.cpuUsage();
const warmMs = bodies.map(store);
const { user, system } = process.cpuUsage(cpuBefore);
const times: BatchTimes = { firstMs, warmMs, cpuMs: (user + system) / 1000 / MEASURED, bytes: bodies[0].length };
console.log(JSON.stringify(times));

/** What an arriving body goes through once it is read and inflated. @returns milliseconds */
function store(body: Buffer): number {
  const before = performance.now();
  const { records, rejected } = decoders.traces[encoding](body);
  hub.addSpans(records);
  const took = performance.now() - before;
  if (records.length !== SPANS || rejected > 0) throw new Error(`${records.length} spans of ${SPANS} were read`);
  return took;
}
