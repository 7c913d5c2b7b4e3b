import { logChart } from '../parts/chart.ts';
import { dashboard } from '../parts/dashboard.ts';
import { cell, clicked, toDashboard, toLogs } from '../parts/links.ts';
import { logTable } from '../parts/log-panels.ts';
import { logs as logLines } from '../parts/signals.ts';
import { UID } from '../parts/uids.ts';
import { UNIT } from '../parts/units.ts';
import { datasource, level, logChoice, textBox } from '../parts/variables.ts';

const STREAM = '{service_name=~"$service"}';
// Backquotes: what is typed into the box is taken as it is, backslashes too.
const LINES = `${STREAM} | detected_level=~"$level" |~ \`(?i)$search\` | trace_id=~"$id.*" or correlation_id=~"$id.*"`;
const PROBLEMS = `${STREAM} | detected_level=~"error|fatal|critical"`;
const colours = {
  fatal: 'dark-red',
  critical: 'dark-red',
  error: 'red',
  warn: 'orange',
  info: 'green',
  debug: 'blue',
  trace: 'purple',
};

/** What the services say: how much, at which level, which errors, and the lines themselves. */
export const logs = dashboard({
  uid: UID.logs,
  title: 'Logs',
  description: 'What the services say: how much, at which level, which errors, and the lines with their way to the trace.',
  tags: ['logs'],
  variables: [
    datasource('prometheus'),
    datasource('loki'),
    logChoice('service', 'Service', 'service_name'),
    level(),
    textBox('search', 'Search', 'A text or a regular expression; upper and lower case are the same.'),
    textBox('id', 'Trace or correlation id', 'All lines of one request, in all services. The first characters are enough.'),
  ],
  sections: [
    {
      panels: [
        logChart({
          title: 'Lines by level',
          read: 'Lines by level that the choices above find. Drag over a part to look at that time.',
          act: 'A sudden end of all lines is as telling as a burst of errors.',
          unit: UNIT.count,
          queries: [{ expr: `sum by (detected_level) (count_over_time(${LINES} [$__auto]))`, legend: '{{detected_level}}' }],
          colours,
          bars: true,
          stacked: true,
          w: 16,
          h: 7,
        }),
        logChart({
          title: 'Error lines by service',
          read: 'Lines of level `error` and `fatal`, one line a service.',
          act: 'The service that began is where to look; the others pass it on.',
          unit: UNIT.count,
          queries: [{ expr: `sum by (service_name) (count_over_time(${PROBLEMS} [$__auto]))`, legend: '{{service_name}}' }],
          links: [toDashboard('Only this service', UID.logs, [['service', clicked('service_name')], 'level', 'search'])],
          none: 'no error line',
          w: 8,
          h: 7,
        }),
      ],
    },
    {
      title: 'Which errors',
      panels: [
        logTable({
          title: 'Errors by type',
          read: 'Lines with an error, counted by its class and its category over the shown time.',
          act: '`fatal` ones are bugs, start there. A click leads to the lines.',
          expr: `topk(25, sum by (service_name, err_type, err_category) (count_over_time(${PROBLEMS} | err_type!="" [$__range])))`,
          keys: [
            { label: 'service_name', name: 'Service' },
            {
              label: 'err_type',
              name: 'Type',
              links: [toLogs('Lines', `${STREAM} | err_type="${cell('Type')}"`)],
            },
            { label: 'err_category', name: 'Category' },
          ],
          value: 'Lines',
        }),
        logTable({
          title: 'Failing routes',
          read: 'Access lines of requests that were answered 5xx, by route.',
          act: 'The same route with few and many failures: compare who calls it, and with what.',
          expr: `topk(25, sum by (service_name, http_method, http_route, http_status) (count_over_time(${STREAM} | http_status=~"5.." [$__range])))`,
          keys: [
            { label: 'service_name', name: 'Service' },
            { label: 'http_method', name: 'Method' },
            {
              label: 'http_route',
              name: 'Route',
              links: [toLogs('Lines', `${STREAM} | http_route="${cell('Route')}" | http_status=~"5.."`)],
            },
            { label: 'http_status', name: 'Status' },
          ],
          value: 'Requests',
        }),
      ],
    },
    {
      title: 'Lines',
      panels: [
        logLines({
          title: 'Log lines',
          read: 'The newest lines that the choices above find.',
          act: 'Open a line: `trace_id` leads to its trace; put its `correlation_id` into the box above to see the whole request.',
          query: LINES,
          limit: 500,
          h: 20,
        }),
      ],
    },
  ],
});
