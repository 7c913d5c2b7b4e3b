/** A chatty service beside a quiet one, at full rate in real time, with the page open: what is kept, and what is said of the rest. */
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import type { Dropped, Status, TraceList, TraceSummary } from '../../viewer/api-types.ts';
import { cpuMs, rssBytes } from '../lib/process.ts';
import { startCli } from './cli.ts';
import { batch, SPANS_PER_TRACE } from './spans.ts';
import { readDrops, type ShownDrops } from './status-bar.ts';

const BATCH_SPANS = 512;
const QUIET_EVERY_MS = 1000;
const STATUS_EVERY_MS = 1000;

export interface Chatty {
  /** Over the whole time, as it was reached. */
  readonly spansPerSecond: number;
  readonly seconds: number;
  readonly sent: { readonly chatty: number; readonly quiet: number };
  /** Ids of the quiet service's requests, and what the viewer lists of it at the end. */
  readonly quietIds: readonly string[];
  readonly quietListed: readonly TraceSummary[];
  /** From sending a batch until it was answered. */
  readonly answerMs: readonly number[];
  /** The highest that the viewer itself said, and what the process took of the machine. */
  readonly usedBytes: number;
  readonly rssBytes: number;
  /** What the process holds after a garbage collection, more than it did before anything came. */
  readonly heldBytes: number;
  readonly afterRssBytes: number;
  readonly cpuShare: number;
  readonly status: Status;
  readonly shown: ShownDrops;
}

export async function measureChatty(rate: number, seconds: number, executablePath: string): Promise<Chatty> {
  const viewer = await startCli({ heap: true });
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
  try {
    const page = await browser.newPage();
    // The view that has the most to do while traces arrive.
    await page.goto(`${viewer.url}/traces`);
    const quietIds: string[] = [];
    const answerMs: number[] = [];
    const peak = { usedBytes: 0, rssBytes: 0 };
    let sentChatty = 0;
    const empty = await viewer.heap();
    const cpuBefore = cpuMs(viewer.pid);
    const begin = performance.now();
    const endAt = begin + seconds * 1000;

    await Promise.all([
      paced((BATCH_SPANS / rate) * 1000, endAt, async () => {
        const { body } = batch('protobuf', 'chatty', BATCH_SPANS / SPANS_PER_TRACE);
        answerMs.push(await send(viewer.url, body));
        sentChatty += BATCH_SPANS;
      }),
      paced(QUIET_EVERY_MS, endAt, async () => {
        const { body, traceIds } = batch('protobuf', 'quiet', 1);
        await send(viewer.url, body);
        quietIds.push(...traceIds);
      }),
      paced(STATUS_EVERY_MS, endAt, async () => {
        const { storage } = await ask<Status>(viewer.url, 'status');
        peak.usedBytes = Math.max(peak.usedBytes, storage.usedBytes);
        peak.rssBytes = Math.max(peak.rssBytes, rssBytes(viewer.pid));
      }),
    ]);
    const took = performance.now() - begin;
    const cpuShare = (cpuMs(viewer.pid) - cpuBefore) / took;
    const status = await ask<Status>(viewer.url, 'status');
    const full = await viewer.heap();
    return {
      ...peak,
      heldBytes: full.heldBytes - empty.heldBytes,
      afterRssBytes: full.rssBytes,
      spansPerSecond: sentChatty / (took / 1000),
      seconds: took / 1000,
      sent: { chatty: sentChatty, quiet: quietIds.length * SPANS_PER_TRACE },
      quietIds,
      quietListed: await list(viewer.url, 'quiet'),
      answerMs,
      cpuShare,
      status,
      shown: await readDrops(page, shownTotal(status.dropped)),
    };
  } finally {
    await browser.close();
    await viewer.stop();
  }
}

/** What of the outcome is not as it has to be; empty if all is well. */
export function problemsOf({ sent, quietIds, quietListed, status, shown, usedBytes, ...of }: Chatty, rate: number): string[] {
  const problems: string[] = [];
  const expect = (held: boolean, message: string) => void (held || problems.push(message));
  const { storage, dropped } = status;
  const whole = new Set(quietListed.filter(({ spans }) => spans === SPANS_PER_TRACE).map(({ traceId }) => traceId));
  const missing = quietIds.filter((id) => !whole.has(id)).length;
  const quietDropped = dropped.byService.find(({ service }) => service === 'quiet')?.spans ?? 0;
  const chattyDropped = dropped.byService.find(({ service }) => service === 'chatty')?.spans ?? 0;
  const accounted = storage.spans + dropped.evictedSpans + dropped.lateSpans + dropped.oversizedSpans + dropped.rejected;
  const all = sent.chatty + sent.quiet;
  const highest = Math.max(usedBytes, storage.usedBytes);
  expect(of.spansPerSecond > rate * 0.98, `only ${of.spansPerSecond.toFixed(0)} spans a second were reached, not ${rate}`);
  expect(missing === 0, `${missing} of ${quietIds.length} traces of the quiet service are gone or not whole`);
  expect(quietDropped === 0, `${quietDropped} spans of the quiet service were dropped`);
  expect(dropped.evictedSpans > 0, 'nothing had to be dropped: this run shows nothing, let it take longer');
  expect(chattyDropped === dropped.evictedSpans, `${dropped.evictedSpans} spans evicted, ${chattyDropped} of the chatty service`);
  expect(accounted === all, `${all} spans sent, ${accounted} kept or counted as dropped`);
  expect(highest <= storage.maxBytes, `${highest} bytes were used of ${storage.maxBytes}`);
  expect(of.heldBytes <= storage.maxBytes, `${of.heldBytes} bytes are held after garbage collection, of ${storage.maxBytes}`);
  expect(shown.spans.get('chatty') === chattyDropped, `the page says that the chatty service lost ${shown.spans.get('chatty')}`);
  expect(!shown.spans.has('quiet'), 'the page says that the quiet service lost spans');
  return problems;
}

/** The number in the page's bottom line. */
function shownTotal({ evictedTraces, evictedLogs, lateSpans, oversizedSpans, rejected, series }: Dropped): number {
  return evictedTraces + evictedLogs + lateSpans + oversizedSpans + rejected + series;
}

/** Again and again on a fixed schedule; what is late is made up for at once, so that the rate is that of the schedule. */
async function paced(everyMs: number, endAt: number, work: () => Promise<void>): Promise<void> {
  for (let due = performance.now(); due < endAt; due += everyMs) {
    await sleep(Math.max(0, due - performance.now()));
    await work();
  }
}

/** @returns milliseconds until the answer */
async function send(url: string, body: Buffer): Promise<number> {
  const before = performance.now();
  const headers = { 'content-type': 'application/x-protobuf' };
  const answer = await fetch(`${url}/v1/traces`, { method: 'POST', headers, body });
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`the viewer answered ${answer.status}`);
  return performance.now() - before;
}

async function list(url: string, service: string): Promise<TraceSummary[]> {
  const found: TraceSummary[] = [];
  let before = '';
  for (;;) {
    const { traces, next } = await ask<TraceList>(url, `traces?service=${service}&limit=500&before=${before}`);
    found.push(...traces);
    if (next === null) return found;
    before = next;
  }
}

async function ask<T>(url: string, path: string): Promise<T> {
  const answer = await fetch(`${url}/api/${path}`);
  if (!answer.ok) throw new Error(`/api/${path} was answered with ${answer.status}`);
  return (await answer.json()) as T;
}
