import { chart } from '../parts/chart.ts';
import { dashboard } from '../parts/dashboard.ts';
import { cell, toDashboard, toTraces } from '../parts/links.ts';
import { SERVICE_GRAPH } from '../parts/names.ts';
import { quantile, rate, sum } from '../parts/promql.ts';
import { graph } from '../parts/signals.ts';
import { table } from '../parts/table.ts';
import { UID } from '../parts/uids.ts';
import { rising, UNIT } from '../parts/units.ts';
import { choice, datasource, filters } from '../parts/variables.ts';

const EDGES = 'client=~"$client", server=~"$server"';
const edge = ['client', 'server'] as const;
const errorSteps = rising(0.01, 0.05);

function failedShare(...by: readonly string[]): string {
  const all = sum(rate(SERVICE_GRAPH.requests, EDGES), ...by);
  return `(${sum(rate(SERVICE_GRAPH.failed, EDGES), ...by)} or 0 * ${all}) / (${all} > 0)`;
}

/** Who calls whom, as the traces show it. */
export const map = dashboard({
  uid: UID.map,
  title: 'Service map',
  description: 'Who calls whom, how often and how badly: drawn by Tempo from the traces, so it needs its metrics generator.',
  tags: ['traces'],
  variables: [
    datasource('prometheus'),
    datasource('tempo'),
    choice({ name: 'client', label: 'Caller', from: { metric: SERVICE_GRAPH.requests, label: 'client' }, all: '.*' }),
    choice({ name: 'server', label: 'Called', from: { metric: SERVICE_GRAPH.requests, label: 'server' }, all: '.*' }),
    filters(),
  ],
  sections: [
    {
      panels: [
        graph({
          title: 'Service map',
          read: 'A circle is a service, database or queue; its rim is green for what went well and red for what failed. An arrow is a kind of call, with its rate and mean duration.',
          act: 'Follow the red rims in the direction of the arrows: the last red one is where it begins. A click on a circle leads to its traces.',
          selector: `{${EDGES}}`,
          h: 16,
        }),
      ],
    },
    {
      title: 'Calls',
      panels: [
        table({
          title: 'Calls between services',
          read: 'Every pair of caller and called. Seen by the caller minus seen by the called is what is lost on the way.',
          act: 'Worst first by failures. Slow for the caller and quick for the called: look at the network and the waiting for sockets.',
          keys: [
            { label: 'client', name: 'Caller', links: [toDashboard('Service overview', UID.service, [['job', cell('Caller')]])] },
            {
              label: 'server',
              name: 'Called',
              links: [
                toDashboard('Service overview', UID.service, [['job', cell('Called')]]),
                toTraces('Failed traces', '{ resource.service.name = "${__data.fields["Called"]}" && status = error }'),
              ],
            },
          ],
          columns: [
            { name: 'Calls', expr: sum(rate(SERVICE_GRAPH.requests, EDGES), ...edge), unit: UNIT.requests },
            { name: 'Failed', expr: failedShare(...edge), unit: UNIT.share, decimals: 2, thresholds: errorSteps },
            { name: 'p95, caller', expr: quantile(0.95, SERVICE_GRAPH.client, EDGES, edge), unit: UNIT.seconds },
            { name: 'p95, called', expr: quantile(0.95, SERVICE_GRAPH.server, EDGES, edge), unit: UNIT.seconds },
          ],
          sort: 'Failed',
        }),
        chart({
          title: 'Calls by pair',
          read: 'Calls a second of each pair, from sampled traces: less than the metrics of the services say, if traces are sampled before Tempo gets them.',
          act: 'A pair that is new is a dependency that came with a deployment.',
          unit: UNIT.requests,
          queries: [{ expr: sum(rate(SERVICE_GRAPH.requests, EDGES), ...edge), legend: '{{client}} → {{server}}' }],
          w: 8,
        }),
        chart({
          title: 'Failed, by pair',
          read: 'Share of calls that failed, by pair.',
          act: 'The pair that rose first is nearest to the cause.',
          unit: UNIT.share,
          queries: [{ expr: failedShare(...edge), legend: '{{client}} → {{server}}' }],
          thresholds: errorSteps,
          w: 8,
        }),
        chart({
          title: 'Duration by pair, p95',
          read: 'p95 of calls of each pair, as the called service saw it.',
          act: 'The slowest pair at the end of a chain makes all those before it slow.',
          unit: UNIT.seconds,
          queries: [
            {
              expr: quantile(0.95, SERVICE_GRAPH.server, EDGES, edge),
              legend: '{{client}} → {{server}}',
              exemplar: true,
            },
          ],
          w: 8,
        }),
      ],
    },
  ],
});
