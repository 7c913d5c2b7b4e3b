import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { panelsOf } from '../../dashboards/parts/describe.ts';

/** Addresses of all links of a dashboard's values, with Grafana's variables still in them. */
export function urlsOf(dashboard: Dashboard): string[] {
  return panelsOf(dashboard).flatMap(({ fieldConfig }) => {
    const links = [
      ...(fieldConfig?.defaults.links ?? []),
      ...(fieldConfig?.overrides ?? []).flatMap(({ properties }) =>
        properties.filter(({ id }) => id === 'links').flatMap(({ value }) => value as { url: string }[]),
      ),
    ];
    return links.map(({ url = '' }) => url);
  });
}
