import { type Config, type OtlpTarget, otlpTarget, type Signal } from '../../instrumentation/config.ts';
import { show } from '../../instrumentation/settings.ts';
import { IDENTITY_HEADER } from '../../viewer/server/headers.ts';
import { type Finding, findings } from './finding.ts';
import { type Answer, probe } from './probe.ts';

const { ok, note, problem } = findings('Backend');

const TLS =
  /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_OSSL_|EPROTO$|HOSTNAME_MISMATCH$|ERR_INVALID_|CRL_)/;

/** Whether what the app sends arrives: an empty export to each place that it would send to. */
export async function backendOf(config: Config): Promise<Finding[]> {
  const wanted = {
    traces: config.tracesExporter,
    logs: config.logsExporter,
    metrics: config.metricsExporter.includes('otlp') ? 'otlp' : 'prometheus',
  };
  const signals = (['traces', 'logs', 'metrics'] as const).filter((signal) => wanted[signal] === 'otlp');
  const elsewhere = (['traces', 'logs'] as const)
    .filter((signal) => wanted[signal] !== 'otlp')
    .map((signal) => note(signal, wanted[signal] === 'none' ? 'are not made: their exporter is "none"' : 'go to stdout'));
  const asked = await Promise.all(
    signals.map(async (signal) => {
      const target = otlpTarget(config, signal);
      return judge(signal, target, await probe(signal, target, config));
    }),
  );
  return [...together(asked), ...elsewhere];
}

/** Signals of which the same is to be said in one finding. */
function together(all: readonly (Finding & { signal: Signal; base: string })[]): Finding[] {
  const groups = new Map<string, { finding: Finding; signals: Signal[] }>();
  for (const { signal, base, ...finding } of all) {
    const key = `${base} ${finding.level} ${finding.text}`;
    const group = groups.get(key) ?? { finding: { ...finding, subject: base }, signals: [] };
    group.signals.push(signal);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ finding, signals }) => ({ ...finding, text: `${signals.join(', ')}: ${finding.text}` }));
}

function judge(signal: Signal, target: OtlpTarget, answer: Answer): Finding & { signal: Signal; base: string } {
  const base = show(target.url.replace(new RegExp(`/v1/${signal}$`), ''));
  const finding =
    answer.kind === 'timeout'
      ? problem(base, `no answer within ${target.timeoutMs} ms`, 'Look at the load of the backend and at what lies between.')
      : answer.kind === 'failure'
        ? failure(base, answer.code, answer.message)
        : answered(base, answer);
  return { ...finding, signal, base };
}

function failure(base: string, code: string, message: string): Finding {
  const { hostname } = new URL(base);
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  if (code === 'CERTIFICATE_FILE') return problem(base, message, 'Name a file that the app can read.');
  if (code === 'ECONNREFUSED') {
    const start = local
      ? 'Start the viewer (o11y-kit view), the stack (o11y-kit up) or a collector, or'
      : 'Start the backend, or';
    return problem(base, 'nobody listens there', `${start} set OTEL_EXPORTER_OTLP_ENDPOINT to where one runs.`);
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return problem(base, `the name ${hostname} is not known (${code})`, 'Correct the address, or look at name resolution.');
  if (/wrong version number|packet length too long|record layer/i.test(message))
    return problem(base, 'TLS failed: the server does not speak TLS there', 'Use http:// in the address.');
  if (TLS.test(code))
    return problem(
      base,
      `TLS failed: ${message.split('\n', 1)[0]} (${code})`,
      'Give the CA that signed the certificate in OTEL_EXPORTER_OTLP_CERTIFICATE, or a certificate of this name to the server.',
    );
  if (/^HPE_/.test(code))
    return problem(
      base,
      'someone listens, but does not speak HTTP/1.1: a gRPC port?',
      'Name the port for OTLP/HTTP, mostly 4318.',
    );
  if (/^(ECONNRESET|EPIPE)$/.test(code))
    return problem(
      base,
      `the connection was closed without an answer (${code})`,
      'Is it a gRPC or an https port? OTLP/HTTP is mostly on 4318.',
    );
  return problem(base, `no connection: ${message}`, 'Look at the address and at what lies between (firewall, proxy).');
}

function answered(base: string, { status, headers, body }: Extract<Answer, { kind: 'answer' }>): Finding {
  const viewer = headers[IDENTITY_HEADER];
  const server = typeof headers.server === 'string' ? ` (it says "${headers.server.slice(0, 60)}")` : '';
  if (status >= 200 && status < 300) {
    if (typeof viewer === 'string') return ok(base, `the viewer ${viewer.slice(0, 30)} takes them`);
    if (isExportReply(body)) return ok(base, `an OTLP receiver takes them${server}`);
    return problem(
      base,
      `answers ${status}, but not as an OTLP receiver does${server}: something else listens there`,
      'Correct the address, or free the port for a receiver.',
    );
  }
  const text = `answers ${status}${server}`;
  switch (status) {
    case 401:
    case 403:
    case 407:
      return problem(base, `${text}: not authorised`, 'Set the key that the backend wants in OTEL_EXPORTER_OTLP_HEADERS.');
    case 404:
    case 405:
      return problem(
        base,
        `${text}: no OTLP receiver at this path`,
        'Correct the path of the address; /v1/traces is added to it.',
      );
    case 415:
      return problem(base, `${text}: not in this encoding`, 'Set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf.');
    case 429:
    case 502:
    case 503:
    case 504:
      return problem(
        base,
        `${text}: overloaded, or not up`,
        'The kit tries again by itself; look at the backend if it stays so.',
      );
  }
  if (status >= 300 && status < 400)
    return problem(base, `${text}: a redirect, which exporters do not follow`, 'Set the address to which it leads.');
  return problem(base, text, 'Look at the log of the backend.');
}

/** Empty (protobuf), `{}` or `{"partialSuccess":{…}}`. */
function isExportReply(body: string): boolean {
  if (body === '' || !body.startsWith('{')) return !body.startsWith('<') && body.length < 100;
  try {
    return Object.keys(JSON.parse(body)).every((key) => key === 'partialSuccess');
  } catch {
    return false;
  }
}
