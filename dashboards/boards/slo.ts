import { METRICS } from '../../instrumentation/names.ts';
import { alerts, deployments } from '../parts/annotations.ts';
import { type ChartSpec, chart } from '../parts/chart.ts';
import { dashboard } from '../parts/dashboard.ts';
import { cell, clicked, toDashboard } from '../parts/links.ts';
import { failed, part, SERVER_ERROR } from '../parts/promql.ts';
import { AVAILABILITY, badShare, budgetLeft, burn, LATENCY, objective, type Slo } from '../parts/slo.ts';
import { table } from '../parts/table.ts';
import type { Section, Sized } from '../parts/types.ts';
import { UID } from '../parts/uids.ts';
import { COLOUR, falling, UNIT } from '../parts/units.ts';
import { datasource, filters, job, period } from '../parts/variables.ts';

const duration = part(METRICS.httpServerDuration, 'count');
const SERVICE = 'job=~"$job"';
const WINDOWS = ['5m', '1h', '6h', '3d'] as const;
const budgetSteps = falling(0, 0.25);
const toService = toDashboard('Service overview', UID.service, [['job', clicked('job')]]);

function overview(title: string, slo: Slo): Sized {
  return table({
    title,
    read: `Each service: its objective, the share of good requests over the chosen period (bad is ${slo.bad}), and how much of the error budget is left. 0 % is used up, below it the objective is missed.`,
    act: 'Nothing left: no risky deployment of this service until it has recovered. What to spend it on is decided while there is some.',
    keys: [{ label: 'job', name: 'Service', links: [toDashboard('Service overview', UID.service, [['job', cell('Service')]])] }],
    columns: [
      { name: 'Objective', expr: objective(slo), unit: UNIT.share, decimals: 2 },
      { name: 'Good', expr: `1 - (${badShare(slo)})`, unit: UNIT.share, decimals: 3 },
      { name: 'Budget left', expr: budgetLeft(slo), unit: UNIT.share, decimals: 1, thresholds: budgetSteps },
      {
        name: 'Burn, 1 h',
        expr: burn(slo, '1h'),
        unit: UNIT.none,
        decimals: 1,
        thresholds: [
          [null, COLOUR.good],
          [1, COLOUR.warn],
          [6, COLOUR.bad],
        ],
      },
    ],
    w: 12,
    h: 7,
  });
}

function burnDown(of: string, slo: Slo): Sized {
  const panel = chart({
    title: `Budget left, ${of}`,
    read: 'What is left of the error budget of the chosen period, at each moment. It falls while requests are bad and comes back as they leave the period.',
    act: 'A cliff is an incident: look what stands at its edge. A steady slope is a defect that nobody was woken for.',
    unit: UNIT.share,
    min: undefined,
    max: 1,
    queries: [{ expr: budgetLeft(slo), legend: '{{job}}' }],
    thresholds: budgetSteps,
    links: [toService],
    w: 12,
  });
  // Below 0 is what it is about; and the period is long, so that few points are enough.
  delete panel.panel.fieldConfig?.defaults.min;
  panel.panel.maxDataPoints = 100;
  return panel;
}

function burnRates(of: string, slo: Slo): Sized {
  return chart({
    title: `Burn rate, ${of}`,
    read: 'How many times faster than allowed the budget is spent, over short and long windows. At 1 it lasts for exactly 30 days; at 14.4 a fiftieth of it is gone in one hour.',
    act: 'Only the short window is up: it just began, or it passes. The long one too: it will not pass by itself.',
    unit: UNIT.none,
    queries: WINDOWS.map((window) => ({ expr: burn(slo, window), legend: `{{job}} ${window}` })),
    thresholds: [
      [null, COLOUR.good],
      [1, COLOUR.warn],
      [14.4, COLOUR.bad],
    ],
    links: [toService],
    w: 12,
  });
}

function section(title: string, slo: Slo, share: Pick<ChartSpec, 'title' | 'read' | 'act' | 'queries'>): Section {
  return {
    title,
    panels: [
      burnDown(title.toLowerCase(), slo),
      burnRates(title.toLowerCase(), slo),
      chart({ ...share, unit: UNIT.share, links: [toService], w: 12, h: 7 }),
      chart({
        title: `Bad requests a second, ${title.toLowerCase()}`,
        read: `Requests a second that were ${slo.bad}.`,
        act: 'A few a second over many hours cost as much as an outage: the table of routes on the service overview says where they are.',
        unit: UNIT.requests,
        queries: [{ expr: `sum by (job) (${slo.rate}{${SERVICE}})`, legend: '{{job}}' }],
        links: [toService],
        w: 12,
        h: 7,
      }),
    ],
  };
}

/** How much failure is still allowed, and how fast it is used. */
export const slo = dashboard({
  uid: UID.slo,
  title: 'SLO and error budget',
  description:
    'How much failure is still allowed, and how fast it is used. Needs the recording rules of alerts/rules; the objectives are set there too.',
  tags: ['slo'],
  from: 'now-24h',
  refresh: '1m',
  variables: [datasource('prometheus'), job(duration), period(), filters()],
  annotations: [deployments(), alerts()],
  sections: [
    { panels: [overview('Availability', AVAILABILITY), overview('Latency', LATENCY)] },
    section('Availability', AVAILABILITY, {
      title: 'Share of failed requests',
      read: 'Share of requests that were answered 5xx, straight from the requests: it is there without the recording rules too.',
      act: 'Compare with the budget: an objective of 99.9 % allows 0.1 % here on average.',
      queries: [
        {
          expr: failed(METRICS.httpServerDuration, SERVICE, SERVER_ERROR, ['job']),
          legend: '{{job}}',
        },
      ],
    }),
    section('Latency', LATENCY, {
      title: 'Share of slow requests',
      read: 'Share of requests that took longer than the objective for latency says.',
      act: 'The latency panels of the service overview say which routes.',
      queries: [{ expr: `max by (job) (${LATENCY.ratio}5m{${SERVICE}})`, legend: '{{job}}' }],
    }),
  ],
});
