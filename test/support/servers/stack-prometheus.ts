import { readCompose } from '../compose.ts';
import { findProgram, needs } from '../needs.ts';
import { configFor, flagsFor, majorVersion } from './older-prometheus.ts';
import { type PrometheusServer, startPrometheus } from './prometheus.ts';

export interface StackPrometheus extends PrometheusServer {
  readonly major: number;
}

export interface StackPrometheusOptions {
  /** The text of the stack's `prometheus.yml`; what the machine's version does not know is taken out. */
  readonly config: string;
  /** Its port, where somebody has to know it before. */
  readonly port?: number;
}

/** For a test's `skip` option. */
export const needsStackPrometheus: string | false = needs('prometheus', 'promtool');

/** Flags of the stack's that name a place of the container, or that the test's Prometheus has anyway. */
const ITS_OWN = /^--(config\.file|storage\.tsdb\.path|web\.external-url|web\.route-prefix|enable-feature)=/;

/** A Prometheus with the flags of the stack's. */
export async function startStackPrometheus({ config, port }: StackPrometheusOptions): Promise<StackPrometheus> {
  const command = findProgram('prometheus');
  if (command === undefined) throw new Error(String(needsStackPrometheus));
  const major = majorVersion(command);
  const flags = flagsFor(major, readCompose().services.prometheus.command ?? []).filter((flag) => !ITS_OWN.test(flag));
  return { ...(await startPrometheus({ command, config: configFor(major, config), flags, port })), major };
}
