import { inRange } from '../../instrumentation/libraries/range.ts';
import { type Finding, findings } from './finding.ts';

const { ok, note, problem } = findings('Node.js');

/** Whether the kit runs on a version of Node.js, and how well. */
export function nodeOf(version: string): Finding[] {
  const better = 'Use Node.js 22.15 or later, 24 or 26.';
  if (!inRange(version, '>=20.6.0')) return [problem(version, 'is too old: the preload starts nothing.', better)];
  if (!inRange(version, '>=22.0.0'))
    return [note(version, 'is at its end of life. The preload starts; docs/node-20.md says what is missing.', better)];
  if (!inRange(version, '>=22.15.0 <23.0.0 || >=24.0.0 <25.0.0 || >=26.0.0 <27.0.0'))
    return [note(version, 'is none of the versions that the kit is tested with; the preload starts.', better)];
  return [ok(version, 'is supported')];
}
