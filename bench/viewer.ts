/**
 * The viewer: its start and its memory beside a bare Node, what a batch of spans costs it, and how its page bears a long
 * trace; with `--chatty`, a minute of a chatty service beside a quiet one instead, which also fails if something is amiss.
 *
 *     npm run bench -- viewer [--rounds 7] [--spans 10000] [--chromium /usr/bin/chromium] [--json]
 *     npm run bench -- viewer --chatty [--rate 5000] [--seconds 60]
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { findProgram } from '../test/support/needs.ts';
import { percentile, spread } from './lib/statistics.ts';
import { measureBatches } from './viewer/batch.ts';
import { measureChatty, problemsOf } from './viewer/chatty.ts';
import { batchLines, line, ofBatches, ofOpenings, ofStarts, openingLines, startLines } from './viewer/report.ts';
import { measureStarts } from './viewer/start.ts';
import { measureWaterfall } from './viewer/waterfall.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    spans: { type: 'string', default: '10000' },
    chatty: { type: 'boolean', default: false },
    rate: { type: 'string', default: '5000' },
    seconds: { type: 'string', default: '60' },
    chromium: { type: 'string', default: findProgram('chromium') },
    json: { type: 'boolean', default: false },
  },
});
const rounds = wholeNumber('--rounds', values.rounds, 100);
const spans = wholeNumber('--spans', values.spans, 100_000);
const rate = wholeNumber('--rate', values.rate, 100_000);
const seconds = wholeNumber('--seconds', values.seconds, 3600);
const { chromium } = values;
if (chromium === undefined) fail('no chromium is on PATH; install it, or give --chromium FILE');

const loadBefore = loadavg()[0];
if (values.chatty) await chatty(chromium);
else await figures(chromium);

async function figures(browser: string): Promise<void> {
  const start = ofStarts(await measureStarts(rounds));
  tell(startLines(start));
  const times = await measureBatches(Math.min(rounds, 5));
  const batch = { json: ofBatches(times.json), protobuf: ofBatches(times.protobuf) };
  tell([...batchLines('JSON', batch.json), ...batchLines('protobuf', batch.protobuf)]);
  const page = ofOpenings(await measureWaterfall(spans, rounds, browser));
  tell(openingLines(spans, page));
  finish({ start, batch, page: { spans, ...page } });
}

async function chatty(browser: string): Promise<void> {
  const outcome = await measureChatty(rate, seconds, browser);
  const problems = problemsOf(outcome, rate);
  const { sent, quietIds, status, shown, answerMs } = outcome;
  const { storage, dropped } = status;
  const mb = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
  const sorted = answerMs.toSorted((a, b) => a - b);
  tell([
    `${outcome.spansPerSecond.toFixed(0)} spans a second for ${outcome.seconds.toFixed(0)} s, beside a request a second, the page open:`,
    `  sent                ${sent.chatty} spans of the chatty service, ${sent.quiet} (${quietIds.length} traces) of the quiet one`,
    `  kept                ${storage.spans} spans; of the quiet service ${outcome.quietListed.length} traces`,
    `  dropped             ${dropped.evictedSpans} spans of ${dropped.evictedTraces} traces, by /api/status`,
    `  the page says       ${shown.total} dropped: ${shown.facts.join('; ')}`,
    `  telemetry           ${mb(outcome.usedBytes)} of ${mb(storage.maxBytes)} MB at most`,
    `  held                ${mb(outcome.heldBytes)} MB more than at the start, after garbage collection`,
    `  resident memory     ${mb(outcome.rssBytes)} MB at most, ${mb(outcome.afterRssBytes)} MB after garbage collection`,
    `  CPU                 ${(outcome.cpuShare * 100).toFixed(0)} % of a core`,
    line('a batch answered after', spread(answerMs)!, 'ms', `p99 ${percentile(sorted, 0.99).toFixed(0)} ms`),
  ]);
  finish({ ...outcome, answerMs: spread(answerMs), shown: { ...shown, spans: Object.fromEntries(shown.spans) }, problems });
  for (const problem of problems) console.error(`FAIL  ${problem}`);
  if (problems.length > 0) process.exitCode = 1;
}

function finish(result: object): void {
  const load = { before: loadBefore, after: loadavg()[0] };
  if (values.json) console.log(JSON.stringify({ node: process.version, load, ...result }));
  tell([`Node ${process.version}; load of the machine ${load.before.toFixed(1)} before, ${load.after.toFixed(1)} after.`]);
}

function tell(lines: readonly string[]): void {
  if (!values.json) console.log(lines.join('\n'));
}

function wholeNumber(name: string, text: string, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  fail(`${name} must be a whole number from 1 to ${most}, not "${text}"`);
}

function fail(message: string): never {
  console.error(`bench: ${message}.`);
  process.exit(2);
}
