import { METRICS } from '../../instrumentation/names.ts';
import { alerts, deployments, restarts } from '../parts/annotations.ts';
import { chart } from '../parts/chart.ts';
import { dashboard } from '../parts/dashboard.ts';
import { cell, toDashboard, toTraces } from '../parts/links.ts';
import { PROCESS } from '../parts/names.ts';
import { failed, part, quantile, rate, SELECTED, select, sum } from '../parts/promql.ts';
import { traceList } from '../parts/signals.ts';
import { stat } from '../parts/stat.ts';
import { table } from '../parts/table.ts';
import { UID } from '../parts/uids.ts';
import { rising, UNIT } from '../parts/units.ts';
import { choice, datasource, filters, instance, job, serviceName } from '../parts/variables.ts';

const OPEN = `${SELECTED}, http_route=~"$route"`;
const SOCKETS = `${SELECTED}, messaging_system=~"websocket|socket.io"`;
const open = (...by: readonly string[]) => sum(select(METRICS.httpServerStreams, OPEN), ...by);

/** Connections that stay open: event streams and WebSockets. */
export const streams = dashboard({
  uid: UID.streams,
  title: 'Streams',
  description: 'Connections that stay open: event streams and WebSockets, who holds them, and the messages that pass.',
  tags: ['sse', 'websocket'],
  variables: [
    datasource('prometheus'),
    datasource('tempo'),
    job(METRICS.httpServerStreams),
    instance(),
    choice({
      name: 'route',
      label: 'Route',
      from: { metric: METRICS.httpServerStreams, matchers: 'job=~"$job"', label: 'http_route' },
      all: '.*',
    }),
    serviceName(),
    filters(),
  ],
  annotations: [deployments(), restarts(), alerts()],
  sections: [
    {
      panels: [
        stat({
          title: 'Open streams',
          read: 'Event streams and WebSockets that are open now, over all selected instances.',
          act: 'A sudden fall is a proxy or an instance that cut them off: the clients come back all at once.',
          unit: UNIT.count,
          queries: [{ expr: open() }],
          none: 'none',
          w: 6,
        }),
        stat({
          title: 'Most on one instance',
          read: 'Streams of the instance with most of them.',
          act: 'Far above the others: streams do not move by themselves when instances are added. Close some, their clients will spread.',
          unit: UNIT.count,
          queries: [{ expr: `max(${open('job', 'instance')})` }],
          none: 'none',
          w: 6,
        }),
        stat({
          title: 'Messages received',
          read: 'Messages a second that clients sent over WebSockets and Socket.IO.',
          act: 'Zero with open streams: clients are silent, or a proxy buffers.',
          unit: UNIT.messages,
          queries: [{ expr: sum(rate(part(METRICS.messagingProcess, 'count'), SOCKETS)) }],
          none: 'none',
          w: 6,
        }),
        stat({
          title: 'Messages that fail',
          read: 'Share of received messages whose handler threw.',
          act: 'A handler that throws may end the connection, or the process. The traces are below.',
          unit: UNIT.share,
          queries: [{ expr: failed(METRICS.messagingProcess, SOCKETS, 'error_type!=""') }],
          thresholds: rising(0.01, 0.05),
          none: 'none',
          w: 6,
        }),
      ],
    },
    {
      title: 'Where',
      panels: [
        chart({
          title: 'Open streams by route',
          read: 'Streams that are open, by route and kind.',
          act: 'A line that only rises: streams whose clients are gone and that nobody ends. Send a heartbeat.',
          unit: UNIT.count,
          queries: [{ expr: open('http_route', 'network_protocol_name'), legend: '{{http_route}} {{network_protocol_name}}' }],
          stacked: true,
          none: 'none',
          w: 8,
        }),
        chart({
          title: 'Open streams by instance',
          read: 'Streams that each instance holds. Lines mark starts of processes.',
          act: 'After a restart the load is uneven until streams are closed and opened again.',
          unit: UNIT.count,
          queries: [{ expr: open('job', 'instance'), legend: '{{job}} {{instance}}' }],
          none: 'none',
          w: 8,
        }),
        chart({
          title: 'File descriptors',
          read: 'Open file descriptors as a share of those that are allowed. Every stream holds one.',
          act: 'Streams are what fills it first: raise the limit (`ulimit -n`) before there are more clients.',
          unit: UNIT.share,
          max: 1,
          queries: [
            {
              expr: `${select(PROCESS.openFds, SELECTED)} / ${select(PROCESS.maxFds, SELECTED)}`,
              legend: '{{job}} {{instance}}',
            },
          ],
          thresholds: rising(0.5, 0.8),
          w: 8,
        }),
        chart({
          title: 'Messages received and sent',
          read: 'Messages a second over WebSockets by route, over Socket.IO by namespace.',
          act: 'Sent far above received is a broadcast: its cost is the number of clients times its rate.',
          unit: UNIT.messages,
          queries: [
            {
              expr: sum(rate(part(METRICS.messagingProcess, 'count'), SOCKETS), 'messaging_destination_name'),
              legend: '{{messaging_destination_name}} received',
            },
            {
              expr: sum(rate(METRICS.messagingSent, SOCKETS), 'messaging_destination_name'),
              legend: '{{messaging_destination_name}} sent',
            },
          ],
          none: 'no messages',
          w: 8,
        }),
        chart({
          title: 'Handling of a message, p95',
          read: 'p95 of the time that the handler of a message holds the event loop.',
          act: 'Above some milliseconds all other clients wait for it: put the work elsewhere.',
          unit: UNIT.seconds,
          queries: [
            {
              expr: quantile(0.95, METRICS.messagingProcess, SOCKETS, ['messaging_destination_name']),
              legend: '{{messaging_destination_name}}',
              exemplar: true,
            },
          ],
          thresholds: rising(0.05, 0.25),
          none: 'no messages',
          w: 8,
        }),
        table({
          title: 'Routes',
          read: 'Each route with open streams.',
          act: 'The link leads to the traces of its connections.',
          keys: [
            {
              label: 'http_route',
              name: 'Route',
              links: [
                toDashboard('Only this route', UID.streams, ['job', 'instance', ['route', cell('Route')]]),
                toTraces(
                  'Traces',
                  `{ resource.service.name =~ "\${service_name:pipe}" && span.http.route = "${cell('Route')}" }`,
                ),
              ],
            },
            { label: 'network_protocol_name', name: 'Kind' },
          ],
          columns: [{ name: 'Open', expr: open('http_route', 'network_protocol_name'), unit: UNIT.count, bar: true }],
          sort: 'Open',
          w: 8,
        }),
      ],
    },
    {
      title: 'Traces',
      panels: [
        traceList({
          title: 'Messages that failed',
          read: 'Traces of messages whose handler threw. They are linked to the trace of their connection.',
          act: 'Open one, and follow its link to the connection.',
          query:
            '{ resource.service.name =~ "${service_name:pipe}" && span.messaging.system =~ "websocket|socket.io" && status = error }',
          w: 24,
          h: 6,
        }),
      ],
    },
  ],
});
