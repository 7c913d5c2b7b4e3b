import type { Alert, RuleFile } from './define.ts';
import { isAlert } from './define.ts';
import { ai } from './groups/ai.ts';
import { clients } from './groups/clients.ts';
import { dependencies } from './groups/dependencies.ts';
import { http } from './groups/http.ts';
import { logs } from './groups/logs.ts';
import { queues } from './groups/queues.ts';
import { resilience } from './groups/resilience.ts';
import { runtime, runtimeRecords } from './groups/runtime.ts';
import { slo } from './groups/slo.ts';
import { stack } from './groups/stack.ts';
import { targetRecords, targets } from './groups/targets.ts';
import { telemetry } from './groups/telemetry.ts';
import { LINKS } from './links.ts';
import { httpRecords, thresholdsByJob } from './recording.ts';
import { THRESHOLDS } from './thresholds.ts';

const thresholds: RuleFile = {
  about: `The numbers that the alerts compare with, and where notifications lead. This is the file to edit; the others can then be
replaced by those of a newer version.

A number for one service (\`job\`) stands beside the one for all:
    - record: o11y:threshold:http_latency_p95_seconds
      labels: { job: reports }
      expr: 5`,
  groups: [
    {
      name: 'o11y-thresholds',
      rules: [
        {
          record: 'o11y:links',
          labels: LINKS,
          expr: '1',
          comment:
            'Addresses in notifications: Grafana, and what stands before and after the name of an alert in that of its runbook.',
        },
        ...Object.entries(THRESHOLDS).map(([name, { value, doc }]) => ({
          record: `o11y:threshold:${name}`,
          expr: String(value),
          comment: `${doc}.`,
        })),
      ],
    },
  ],
};

/** Files of alerts/rules/, for Prometheus. */
export const RULES: Readonly<Record<string, RuleFile>> = {
  thresholds,
  recording: {
    about: 'What alerts and dashboards share. Names are level:metric:operations.',
    groups: [thresholdsByJob, targetRecords, httpRecords, runtimeRecords],
  },
  slo: { about: 'Service level objectives: multi-window, multi-burn-rate.', groups: [slo] },
  services: {
    about: 'What a service does to its callers, and how its processes are.',
    groups: [targets, http, clients, runtime],
  },
  dependencies: {
    about: 'What a service leans on: databases, caches, queues, breakers, limits, models.',
    groups: [dependencies, queues, resilience, ai],
  },
  telemetry: {
    about: 'Whether what is seen can be believed: the telemetry of services, and the stack itself.',
    groups: [telemetry, stack],
  },
};

/** Files of alerts/loki/, for Loki's ruler. */
export const LOKI_RULES: Readonly<Record<string, RuleFile>> = {
  logs: { about: "For Loki's ruler.", groups: [logs] },
};

/** Every alert, in the order of the files; one that stands at several severities is there as often. */
export const ALERTS: readonly Alert[] = [...Object.values(RULES), ...Object.values(LOKI_RULES)]
  .flatMap((file) => file.groups)
  .flatMap((group) => group.rules)
  .filter(isAlert);
