import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from './arguments.ts';
import { type Command, Trouble, UsageError } from './command.ts';
import { write } from './copy.ts';
import { dashboardConfigMap, fitApply } from './kubernetes/dashboards.ts';
import { MARK, type Manifest, type Settings } from './kubernetes/manifest.ts';
import { deployment, podMonitor } from './kubernetes/pods.ts';
import { prometheusRule } from './kubernetes/rules.ts';
import { PACKAGE_ROOT } from './packaged.ts';
import { version } from './version.ts';

const help = `Usage: o11y-kit export --kubernetes [options]

Writes the alert rules, the dashboards and the scraping as manifests for a cluster that has the Prometheus operator and
Grafana (kube-prometheus-stack brings both), and an example of a Deployment with probes.

  --namespace NAME   where Prometheus and Grafana look (monitoring)
  --label KEY=VALUE  a label that the operator selects by, such as release=kube-prometheus-stack; may be given more than once
  --grafana URL      address of Grafana, for the links in notifications
  --from DIR         take rules and dashboards from this folder, as o11y-kit init has written it
  --out DIR          where to write (kubernetes); - prints all but the example to stdout, for kubectl apply --server-side -f -`;

const command: Command = {
  help,
  async run(args, terminal) {
    const { values } = parse({
      args,
      options: {
        kubernetes: { type: 'boolean', default: false },
        namespace: { type: 'string', default: 'monitoring' },
        label: { type: 'string', multiple: true, default: [] },
        grafana: { type: 'string' },
        from: { type: 'string', default: PACKAGE_ROOT },
        out: { type: 'string', default: 'kubernetes' },
      },
    });
    if (!values.kubernetes) throw new UsageError('--kubernetes is wanted: nothing else can be exported to');
    const settings = { namespace: dnsLabel(values.namespace), labels: labelsOf(values.label), version: version() };
    const grafana = values.grafana === undefined ? undefined : webAddress(values.grafana);
    const manifests = manifestsOf(values.from, grafana, settings);
    if (values.out === '-') {
      terminal.out(stream(manifests));
      return 0;
    }
    writeAll(values.out, manifests);
    terminal.out(`${values.out}: ${manifests.map(({ file }) => file).join(', ')}, kustomization.yaml`);
    const apply = fitApply(manifests) ? 'kubectl apply' : 'kubectl apply --server-side';
    terminal.out(`\nApply it:   ${apply} -k ${values.out}`);
    terminal.out(`Your apps:  take labels, env, ports and probes from ${join(values.out, 'deployment.example.yaml')}`);
    if (grafana === undefined)
      terminal.out(`Links:      those in notifications lead to ${LOCAL_GRAFANA}; --grafana URL changes that`);
    if (values.label.length === 0)
      terminal.out('Not found?  kube-prometheus-stack selects by a label: add --label release=<name of the Helm release>');
    return 0;
  },
};

export default command;

/** What the rules have for the address of Grafana: that of the stack on one machine. */
const LOCAL_GRAFANA = 'http://localhost:3000';

function manifestsOf(from: string, grafana: string | undefined, settings: Settings): Manifest[] {
  const linked = (text: string) => (grafana === undefined ? text : text.replaceAll(LOCAL_GRAFANA, grafana));
  return [
    ...read(from, 'alerts/rules', /\.ya?ml$/).map(([file, text]) => prometheusRule(file, linked(text), settings)),
    ...read(from, 'dashboards/json', /\.json$/).map(([file, text]) => dashboardConfigMap(file, text, settings)),
    podMonitor(settings),
    deployment(settings),
  ];
}

/** Name and content of the files of a folder. @throws {Trouble} if there are none */
function read(from: string, folder: string, kind: RegExp): [string, string][] {
  const path = join(from, folder);
  const names = existsSync(path) ? readdirSync(path).filter((name) => kind.test(name)) : [];
  if (names.length === 0) throw new Trouble(`There is nothing to export in ${path}.`);
  return names.sort().map((name) => [name, readFileSync(join(path, name), 'utf8')]);
}

/** Without the example, which would start a service. */
function stream(manifests: readonly Manifest[]): string {
  return [MARK, ...manifests.filter(({ example }) => !example).map(({ text }) => `---\n${text.trimEnd()}`)].join('\n');
}

function writeAll(folder: string, manifests: readonly Manifest[]): void {
  const resources = manifests.filter(({ example }) => !example).map(({ file }) => `  - ${file}`);
  const kustomization = ['apiVersion: kustomize.config.k8s.io/v1beta1', 'kind: Kustomization', 'resources:', ...resources, ''];
  const all = [...manifests, { file: 'kustomization.yaml', text: kustomization.join('\n') }];
  try {
    mkdirSync(folder, { recursive: true });
    const foreign = all.find(({ file }) => isForeign(join(folder, file)));
    if (foreign !== undefined)
      throw new Trouble(
        `${join(folder, foreign.file)} was not written by this command: nothing is overwritten. Give another --out.`,
      );
    for (const { file, text } of all) write(folder, file, `${MARK}\n${text}`);
  } catch (error) {
    throw error instanceof Trouble ? error : new Trouble(`${folder} cannot be written: ${(error as Error).message}`);
  }
}

function isForeign(path: string): boolean {
  return existsSync(path) && !readFileSync(path, 'utf8').startsWith(MARK);
}

/** @throws {UsageError} */
function dnsLabel(name: string): string {
  if (/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) return name;
  throw new UsageError(`--namespace ${name}: lower-case letters, digits and - are wanted, 63 at most`);
}

/** Without a slash at its end. @throws {UsageError} */
function webAddress(text: string): string {
  if (/^https?:$/.test(URL.canParse(text) ? new URL(text).protocol : '') && !/[\s'"]/.test(text)) return text.replace(/\/+$/, '');
  throw new UsageError(`--grafana ${text}: an address such as https://grafana.example.com is wanted`);
}

/** @throws {UsageError} */
function labelsOf(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((text) => {
      const [, key, value] =
        /^((?:[a-z0-9.-]+\/)?[A-Za-z0-9][\w.-]{0,62})=([A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?|)$/.exec(text) ?? [];
      if (key === undefined) throw new UsageError(`--label ${text}: KEY=VALUE is wanted, as Kubernetes allows them`);
      return [key, value];
    }),
  );
}
