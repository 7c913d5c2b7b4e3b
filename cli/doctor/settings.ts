import { type Config, otlpTarget, SETTINGS, type Signal } from '../../instrumentation/config.ts';
import { LIBRARIES } from '../../instrumentation/libraries/index.ts';
import { type Problem, show } from '../../instrumentation/settings.ts';
import { type Finding, findings } from './finding.ts';
import { nearest } from './nearest.ts';
import { STANDARD_UNREAD } from './standard.ts';

const { ok, note, problem } = findings('Settings');

type Env = Readonly<Record<string, string | undefined>>;

const KNOWN: readonly string[] = Object.values(SETTINGS).map(({ env }) => env);

/** What is odd in the variables of an app: bad values, misspelt names, and values that are allowed but surely not meant. */
export function settingsOf(env: Env, config: Config, problems: readonly Problem[]): Finding[] {
  const found = [
    ...problems.map((one) => badValue(one, env)),
    ...Object.keys(env)
      .filter((name) => env[name]?.trim())
      .sort()
      .flatMap(unknownName),
    ...endpoints(config),
    ...switches('OTEL_NODE_ENABLED_INSTRUMENTATIONS', config.enabledInstrumentations),
    ...switches('OTEL_NODE_DISABLED_INSTRUMENTATIONS', config.disabledInstrumentations),
    ...config.surroundings.missingEnv.map((name) =>
      problem(name, 'O11Y_REQUIRED_ENV names it, and it is unset or empty here: the app never becomes ready.', `Set ${name}.`),
    ),
  ];
  if (config.disabled)
    found.unshift(problem('OTEL_SDK_DISABLED', 'is true: the kit starts nothing.', 'Remove the variable to be observed.'));
  const count = config.given.length;
  if (found.some(({ level }) => level === 'problem')) return found;
  return [ok(count === 0 ? 'defaults' : `${count} set`, count === 0 ? 'no variable is set' : config.given.join(', ')), ...found];
}

function badValue({ env: name, message }: Problem, env: Env): Finding {
  const text = message.replace(/^O11Y_BAD_SETTING: \S+: /, '');
  if (/_PROTOCOL$/.test(name) && /^grpc$/i.test(env[name]?.trim() ?? ''))
    return problem(
      name,
      `o11y-kit sends OTLP over HTTP, never gRPC. ${text}`,
      `Unset ${name} (or set http/protobuf), and name the HTTP port of the same collector: 4318 where gRPC has 4317.`,
    );
  const { allowed } = Object.values(SETTINGS).find((setting) => setting.env === name) as { allowed: string };
  return problem(name, text, `Set ${allowed}; or unset it.`);
}

function unknownName(name: string): Finding[] {
  if (!/^(O11Y_|OTEL_)/i.test(name) && !/^(OTLE|OETL|OLTP|O11|011Y|OLLY|OTL)_/.test(name)) return [];
  if (KNOWN.includes(name)) return [];
  if (STANDARD_UNREAD.includes(name)) return [note(name, 'is a variable of OpenTelemetry that o11y-kit does not read.')];
  const meant = nearest(name.toUpperCase(), KNOWN);
  if (meant !== undefined) return [problem(name, 'There is no such setting; it has no effect.', `Did you mean ${meant}?`)];
  if (!/^O11Y_/.test(name)) return [note(name, 'is no setting that o11y-kit knows; it has no effect on it.')];
  return [problem(name, 'There is no such setting; it has no effect.', 'docs/configuration.md lists all. Unset it.')];
}

function endpoints(config: Config): Finding[] {
  const found: Finding[] = [];
  if (/\/v1\/(traces|logs|metrics)$/.test(config.endpoint))
    found.push(
      problem(
        'OTEL_EXPORTER_OTLP_ENDPOINT',
        `${show(config.endpoint)} ends with the path of a signal, and the kit adds it once more.`,
        `Set ${show(config.endpoint.replace(/\/v1\/\w+$/, ''))}, or use the variable of that signal.`,
      ),
    );
  for (const signal of ['traces', 'logs', 'metrics'] as const satisfies Signal[]) {
    const own = config[`${signal}Endpoint`];
    const name = `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_ENDPOINT`;
    if (own && new URL(own).pathname === '/')
      found.push(
        problem(
          name,
          `${show(own)} has no path, and none is added to it.`,
          `Set ${show(own)}/v1/${signal}, or the general variable.`,
        ),
      );
  }
  if (new URL(otlpTarget(config, 'traces').url).port === '4317')
    found.push(
      problem(
        config.tracesEndpoint ? 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT' : 'OTEL_EXPORTER_OTLP_ENDPOINT',
        'names port 4317, which speaks gRPC at nearly every collector; o11y-kit sends OTLP over HTTP.',
        'Name the HTTP port of the same collector, mostly 4318.',
      ),
    );
  return found;
}

function switches(variable: string, names: readonly string[]): Finding[] {
  const known = LIBRARIES.map(({ name }) => name);
  return names
    .filter((name) => !known.includes(name))
    .map((name) => {
      const meant = nearest(name, known);
      if (meant === undefined) return note(variable, `names "${name}", which o11y-kit does not wire.`);
      return problem(variable, `names "${name}", which o11y-kit does not wire.`, `Did you mean ${meant}?`);
    });
}
