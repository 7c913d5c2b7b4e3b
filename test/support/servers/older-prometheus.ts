import { spawnSync } from 'node:child_process';
import { parseDocument } from 'yaml';

/**
 * What the stack's Prometheus 3 reads and Prometheus 2.42, which Debian 12 has, does not know: the keys of its configuration
 * (a path each) and its flags. Nothing else is left out.
 */
export const UNKNOWN_TO_2 = {
  keys: [['otlp']],
  flags: ['--config.auto-reload', '--web.enable-otlp-receiver'],
} as const;

/** The major version of `prometheus` or `promtool`. */
export function majorVersion(program: string): number {
  const { stdout, stderr } = spawnSync(program, ['--version'], { encoding: 'utf8', timeout: 10_000 });
  const match = /version (\d+)\./.exec(stdout + stderr);
  if (match === null) throw new Error(`${program} --version says no version: ${stdout}${stderr}`);
  return Number(match[1]);
}

/** A `prometheus.yml` without the keys that this major version does not know. */
export function configFor(major: number, text: string): string {
  if (major >= 3) return text;
  const document = parseDocument(text);
  for (const path of UNKNOWN_TO_2.keys) document.deleteIn(path);
  return document.toString();
}

/** Flags without those that this major version does not know. */
export function flagsFor(major: number, flags: readonly string[]): string[] {
  if (major >= 3) return [...flags];
  return flags.filter((flag) => !UNKNOWN_TO_2.flags.some((unknown) => flag === unknown));
}
