/** What all manifests of one export share. */
export interface Settings {
  /** Where rules, dashboards and the monitor are put. */
  readonly namespace: string;
  /** Labels beside our own, by which an operator finds what it is to read. */
  readonly labels: Readonly<Record<string, string>>;
  readonly version: string;
}

/** A file of manifests. */
export interface Manifest {
  /** Name of the file. */
  readonly file: string;
  readonly text: string;
  /** Not for `kubectl apply`: to be taken over into a manifest of one's own. */
  readonly example?: boolean;
}

/** The first line of every file, by which a later export knows what it may overwrite. */
export const MARK = '# Written by o11y-kit export --kubernetes';

/** The beginning of a manifest. */
export function head(kind: string, apiVersion: string, name: string, settings: Settings, more: Labels = {}): string {
  const labels = {
    'app.kubernetes.io/name': 'o11y-kit',
    'app.kubernetes.io/version': settings.version,
    ...more,
    ...settings.labels,
  };
  return [
    `apiVersion: ${apiVersion}`,
    `kind: ${kind}`,
    'metadata:',
    `  name: ${name}`,
    `  namespace: ${settings.namespace}`,
    '  labels:',
    // Quoted, as a label such as 1 or true is a text to Kubernetes.
    ...Object.entries(labels).map(([key, value]) => `    ${key}: ${JSON.stringify(value)}`),
  ].join('\n');
}

type Labels = Readonly<Record<string, string>>;

/** A name as Kubernetes allows it (RFC 1123), from that of a file. */
export function nameOf(file: string): string {
  const base = file
    .replace(/\.[^.]*$/, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-');
  const name = base.startsWith('o11y') ? base : `o11y-kit-${base}`;
  return name.slice(0, 63).replace(/-+$/, '');
}

/** Moves text to the right; empty lines stay empty. */
export function indent(text: string, by: number): string {
  return text.replace(/^(?=.)/gm, ' '.repeat(by));
}
