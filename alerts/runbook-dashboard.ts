/**
 * A runbook as a dashboard: one panel of text. So the link of a notification leads to a page that is there, in the Grafana that the stack
 * brings, without a network and without a place to publish Markdown.
 */

/** Grid rows that a line of text takes, roughly; a row is 38 pixels high. */
const ROWS_PER_LINE = 0.62;

/** @param name file name without `.md` @param markdown text of the page */
export function runbookDashboard(name: string, markdown: string): object {
  return {
    uid: runbookUid(name),
    title: /^# (.+)$/m.exec(markdown)?.[1] ?? name,
    description: 'What the alert of this name means, and what to do.',
    // Not that of the dashboards, whose menus would list all runbooks.
    tags: ['o11y-runbook'],
    schemaVersion: 42,
    editable: true,
    graphTooltip: 1,
    timezone: 'browser',
    time: { from: 'now-1h', to: 'now' },
    refresh: '',
    templating: { list: [] },
    annotations: { list: [] },
    links: [
      {
        type: 'dashboards',
        title: 'Dashboards',
        tags: ['o11y-kit'],
        asDropdown: true,
        keepTime: true,
        includeVars: false,
        targetBlank: false,
        icon: 'external link',
        tooltip: '',
        url: '',
      },
    ],
    panels: [
      {
        id: 1,
        type: 'text',
        title: '',
        transparent: true,
        gridPos: { x: 0, y: 0, w: 24, h: Math.ceil(markdown.split('\n').length * ROWS_PER_LINE) + 4 },
        options: { mode: 'markdown', content: linked(markdown) },
      },
    ],
  };
}

/** Stable, so that links stay right. At most 40 characters, as Grafana wants. */
export function runbookUid(name: string): string {
  return `runbook-${name}`;
}

/** The title is the dashboard's; links to other pages lead to their dashboards. */
function linked(markdown: string): string {
  const told = markdown.includes('SERVICE') ? '`SERVICE` in a query is the label `job` of the alert: put it in.\n\n' : '';
  return told + markdown.replace(/^# .+\n+/, '').replace(/\]\(([\w-]+)\.md\)/g, (_, name) => `](/d/${runbookUid(name)})`);
}
