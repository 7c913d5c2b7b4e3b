import { Trouble } from '../command.ts';
import { head, type Manifest, nameOf, type Settings } from './manifest.ts';

/**
 * What etcd takes of one object, and what all annotations of one may hold: `kubectl apply` keeps a copy of the object in an
 * annotation, unless it applies on the server's side.
 */
const MOST_BYTES = 1024 * 1024;
const MOST_APPLIED_BYTES = 256 * 1024;

/**
 * A dashboard as a ConfigMap, as the side-car of Grafana's Helm chart looks for it. One for each dashboard, so that none
 * comes near what a ConfigMap may hold.
 *
 * @see https://github.com/grafana-community/helm-charts/tree/main/charts/grafana#sidecar-for-dashboards
 */
export function dashboardConfigMap(file: string, text: string, settings: Settings): Manifest {
  // Compact: indentation is most of the bytes.
  const json = printable(JSON.stringify(JSON.parse(text)));
  const out =
    `${head('ConfigMap', 'v1', nameOf(`${file.startsWith('o11y') ? '' : 'o11y-'}${file.replace(/\.json$/, '')}-dashboard.json`), settings, { grafana_dashboard: '1' })}\n` +
    `  annotations:\n    grafana_folder: o11y-kit\ndata:\n  ${file}: |-\n    ${json}\n`;
  if (Buffer.byteLength(out) > MOST_BYTES) throw new Trouble(`${file}: with ${out.length} bytes too large for a ConfigMap`);
  return { file: `dashboard-${file.replace(/\.json$/, '')}.yaml`, text: out };
}

/** Whether `kubectl apply` takes all of these without `--server-side`. */
export function fitApply(manifests: readonly Manifest[]): boolean {
  return manifests.every(({ text }) => Buffer.byteLength(text) < MOST_APPLIED_BYTES - 1024);
}

/** YAML does not take some characters that JSON takes: they are escaped, which both understand. */
function printable(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
