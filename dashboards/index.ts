import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { ai } from './boards/ai.ts';
import { dependencies } from './boards/dependencies.ts';
import { httpClients } from './boards/http-clients.ts';
import { kit } from './boards/kit.ts';
import { logs } from './boards/logs.ts';
import { map } from './boards/map.ts';
import { queues } from './boards/queues.ts';
import { releases } from './boards/releases.ts';
import { resilience } from './boards/resilience.ts';
import { runtime } from './boards/runtime.ts';
import { service } from './boards/service.ts';
import { slo } from './boards/slo.ts';
import { streams } from './boards/streams.ts';

/** Every dashboard, in the order of a reader's way: from "is it broken" down to its parts. */
export const DASHBOARDS: readonly Dashboard[] = [
  service,
  slo,
  runtime,
  httpClients,
  dependencies,
  queues,
  resilience,
  ai,
  streams,
  releases,
  map,
  logs,
  kit,
];

/** The committed files: name in `dashboards/json/` to text. */
export function files(): Map<string, string> {
  return new Map(DASHBOARDS.map((each) => [`${each.uid}.json`, `${JSON.stringify(each, null, 2)}\n`]));
}
