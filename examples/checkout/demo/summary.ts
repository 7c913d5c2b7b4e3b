import type { Round } from './round.ts';

/** What `--once` prints at its end. */
export function describeRound(round: Round): string {
  const { sent, checks, traces, spans, logs } = round;
  const statuses = [...new Set(sent.map(({ status }) => status))].sort();
  const answers = statuses.map((status) => `${sent.filter((one) => one.status === status).length} × ${status || 'no answer'}`);
  return [
    '',
    `${sent.length} requests sent (${answers.join(', ')}); ${traces} traces, ${spans} spans, ${logs} log records received.`,
    '',
    ...checks.flatMap(({ what, seen, expected, missing }) => [
      `${seen === expected ? 'ok  ' : 'FAIL'}  ${`${seen}/${expected}`.padStart(7)}  ${what}`,
      ...(seen === expected ? [] : missing.map((one) => `                 ${one}`)),
    ]),
    '',
    round.passed ? 'PASS' : 'FAIL: see the lines above',
  ].join('\n');
}
