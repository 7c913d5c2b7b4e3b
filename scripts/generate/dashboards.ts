import { DASHBOARDS, files } from '../../dashboards/index.ts';
import { describeDashboard, metricsOf } from '../../dashboards/parts/describe.ts';
import { code, page, table } from './markdown.ts';

/** Paths from the root, and what `npm run generate` writes there. */
export function dashboardFiles(): Map<string, string> {
  return new Map([...files()].map(([name, text]) => [`dashboards/json/${name}`, text]));
}

/** `docs/dashboards.md`, from the dashboards. */
export function dashboards(): string {
  const all = DASHBOARDS.map(describeDashboard);
  return page(
    'dashboards/index.ts',
    '# Dashboards',
    [
      'Each is a file of `dashboards/json/`, for Grafana 11 to 13. The full stack (`docker compose up`) has them in it. To have them in a',
      'Grafana of your own:',
    ].join('\n'),
    [
      '1. Dashboards → New → Import, and a file of `dashboards/json/`; or mount the folder and provision it.',
      '2. Choose the data sources at the top of the dashboard: Prometheus, and Loki and Tempo where it asks for them.',
      '3. Set the scrape interval of the Prometheus data source to the real one: Grafana makes the windows of rates from it.',
    ].join('\n'),
    [
      'Panels about logs and traces stay empty without Loki and Tempo, and those of the error budget without the recording rules of',
      '`alerts/rules`; all others need nothing but a Prometheus that scrapes the services. Metrics that come over OTLP instead have the same',
      'names. Where one Prometheus holds several environments or clusters, the box "Filters" narrows every query by any label.',
    ].join('\n'),
    table(
      ['dashboard', 'answers', 'panels'],
      all.map(({ title, uid, description, panels }) => [
        `[${title}](#${anchor(title)}) ${code(uid)}`,
        description,
        String(panels.length),
      ]),
    ),
    ...all.flatMap(({ uid, title, description, panels }) => [
      `## ${title}`,
      `${description}`,
      `![${title}: its layout with real data](images/dashboards/${uid}.png)`,
      'Drawn from the JSON with real data, not by Grafana.',
      table(
        ['panel', 'how to read it', 'what to do', 'metrics'],
        panels.map((panel) => [panel.title, panel.read, panel.act, metricsOf(panel).map(code).join(', ')]),
      ),
    ]),
  );
}

function anchor(title: string): string {
  return title.toLowerCase().replaceAll(' ', '-');
}
