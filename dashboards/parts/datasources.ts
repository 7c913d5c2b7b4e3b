import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/common';

/** The variables by which a dashboard finds its data sources: they work for provisioned and for imported dashboards alike. */
export const PROMETHEUS: DataSourceRef = { type: 'prometheus', uid: '${prometheus_datasource}' };
export const LOKI: DataSourceRef = { type: 'loki', uid: '${loki_datasource}' };
export const TEMPO: DataSourceRef = { type: 'tempo', uid: '${tempo_datasource}' };

export type Backend = 'prometheus' | 'loki' | 'tempo';
