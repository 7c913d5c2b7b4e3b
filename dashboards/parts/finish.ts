import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import { type FieldConfig, type Panel, ThresholdsConfigBuilder, ThresholdsMode } from '@grafana/grafana-foundation-sdk/dashboard';
import type { DataLink, Described, Sized, Step } from './types.ts';

/** What the builders of all panel types have in common. */
interface PanelBuilder extends Builder<Panel> {
  title(title: string): this;
  description(description: string): this;
}

/** Builds a panel: description from the two texts, links of its fields, size. */
export function finish(spec: Described, builder: PanelBuilder, w: number, h: number): Sized {
  const panel = builder.title(spec.title).description(`${spec.read}\n\n**What to do:** ${spec.act}`).build();
  if (spec.links && panel.fieldConfig) setLinks(panel.fieldConfig.defaults, spec.links);
  return { panel, w: spec.w ?? w, h: spec.h ?? h };
}

// The builder's type for a field's links is that of a dashboard's links, which Grafana does not read there.
function setLinks(field: FieldConfig, links: readonly DataLink[]): void {
  field.links = links as unknown as FieldConfig['links'];
}

export function thresholds(steps: readonly Step[]): ThresholdsConfigBuilder {
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps.map(([value, color]) => ({ value, color })));
}
