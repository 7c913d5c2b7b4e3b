import { FOREIGN } from '../../instrumentation/libraries/foreign.ts';
import { inRange } from '../../instrumentation/libraries/range.ts';
import { type Finding, findings } from './finding.ts';
import type { Installed } from './installed.ts';

const { ok, note, problem } = findings('Other telemetry');

/** SDKs and distributions that register themselves through the OpenTelemetry API, where the kit sees them. */
const REGISTER = [
  '@opentelemetry/auto-instrumentations-node',
  '@opentelemetry/sdk-node',
  '@opentelemetry/sdk-trace',
  '@opentelemetry/sdk-trace-base',
  '@opentelemetry/sdk-trace-node',
  '@azure/monitor-opentelemetry',
  '@elastic/opentelemetry-node',
  '@honeycombio/opentelemetry-node',
  '@splunk/otel',
];

/** Agents that patch the same modules without anyone being told. */
const UNSEEN = ['@google-cloud/trace-agent', '@instana/collector', 'appdynamics', 'aws-xray-sdk'];

/** Other telemetry SDKs that the app names, or that its dependencies bring. */
export function sdksOf(packages: readonly Installed[]): Finding[] {
  const found = packages.flatMap((copy) => {
    const { name, version, through } = copy;
    const subject = `${name} ${version}${through === undefined ? '' : ` of ${through}`}`;
    const kind = kindOf(copy);
    if (kind === undefined) return [];
    if (kind === 'unseen')
      return [
        problem(
          subject,
          'The kit does not notice it: where both run, both make spans and write trace headers.',
          'Run one of the two: remove it, or start the app without the preload.',
        ),
      ];
    return [
      note(
        subject,
        'If the app starts it, it makes the spans; the kit keeps to metrics, logs, correlation ids and health. If not, nothing changes.',
        'To have the spans of o11y-kit, remove it or do not start it.',
      ),
    ];
  });
  return found.length > 0 ? found : [ok('none', 'no other telemetry SDK among the dependencies')];
}

/** `seen`: the kit finds out when it starts, and steps back. */
function kindOf({ name, version, through }: Installed): 'seen' | 'unseen' | undefined {
  // These two are built on OpenTelemetry's SDK from these versions on.
  if (name === '@sentry/node') return inRange(version, '>=8.0.0') ? 'seen' : 'unseen';
  if (name === 'applicationinsights') return inRange(version, '>=3.0.0') ? 'seen' : 'unseen';
  if (UNSEEN.includes(name)) return 'unseen';
  // Libraries bring the SDK's parts for their own use, too.
  if (REGISTER.includes(name)) return name.startsWith('@opentelemetry/sdk-trace') && through !== undefined ? undefined : 'seen';
  return FOREIGN.some(({ packages }) => name in packages && name !== '@opentelemetry/api') ? 'seen' : undefined;
}
