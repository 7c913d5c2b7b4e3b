import type { Group } from '../define.ts';
import { STACK_JOBS } from '../names.ts';
import { JOB } from '../promql.ts';

const APPS = `job!~"${STACK_JOBS}"`;

export const targets: Group = {
  name: 'o11y-target-alerts',
  rules: [
    {
      alert: 'TargetDown',
      expr: `up{${APPS}} == 0\nand on (${JOB})\nmax by (${JOB}) (up) == 1`,
      for: '5m',
      severity: 'warning',
      summary: 'A process of a service cannot be scraped; others of it can.',
      description:
        '{{ $labels.instance }} ({{ $labels.job }}) does not answer Prometheus. It is dead, hangs, or cannot be reached.',
      dashboard: 'o11y-service',
      select: ['job', 'instance'],
    },
    {
      alert: 'ServiceDown',
      expr: `max by (${JOB}) (up{${APPS}}) == 0`,
      for: '2m',
      severity: 'critical',
      summary: 'No process of a service can be scraped.',
      description: 'Every process of {{ $labels.job }} is dead, hangs, or cannot be reached by Prometheus.',
      dashboard: 'o11y-service',
    },
    {
      alert: 'ServiceMissing',
      // Half of the last six hours: scripts and short sessions come and go, and a service that was removed is let go after some hours.
      expr: `count_over_time(job:up:count[6h:1m]) >= 180\nunless\njob:up:count`,
      for: '10m',
      severity: 'critical',
      summary: 'A service has vanished: nothing is left to scrape.',
      description:
        '{{ $labels.job }} was there for most of the last six hours, and now Prometheus has no target of it. Its processes are gone, or its scrape configuration is.',
      dashboard: 'o11y-service',
    },
  ],
};

export const targetRecords: Group = {
  name: 'o11y-targets',
  rules: [{ record: 'job:up:count', expr: `count by (${JOB}) (up{${APPS}})`, comment: 'Targets of a service, up or down.' }],
};
