import {
  type AnnotationQuery,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  type DashboardLink,
  DashboardLinkBuilder,
  DashboardLinkType,
  type VariableModel,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { arrange } from './layout.ts';
import type { Section } from './types.ts';
import type { Uid } from './uids.ts';

/** All dashboards have it; the menu at their top lists what has it. */
const TAG = 'o11y-kit';

export interface DashboardSpec {
  readonly uid: Uid;
  readonly title: string;
  /** The question that it answers, in a sentence or two. */
  readonly description: string;
  readonly tags?: readonly string[];
  /** Shown time at first, such as `now-1h`. */
  readonly from?: string;
  readonly refresh?: string;
  readonly variables: readonly VariableModel[];
  readonly annotations?: readonly AnnotationQuery[];
  readonly sections: readonly Section[];
}

/** A dashboard in the form that Grafana 11 to 13 read, provisioned or imported by hand. */
export function dashboard(spec: DashboardSpec): Dashboard {
  const built = new DashboardBuilder(`o11y-kit / ${spec.title}`)
    .uid(spec.uid)
    .description(spec.description)
    .tags([TAG, ...(spec.tags ?? [])])
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: spec.from ?? 'now-1h', to: 'now' })
    .refresh(spec.refresh ?? '30s')
    .editable()
    .build();
  built.templating.list = [...spec.variables];
  built.annotations.list = [...(spec.annotations ?? [])];
  built.links = [menu()];
  built.panels = arrange(spec.sections);
  return built;
}

/** The other dashboards, in a menu; what is chosen here stays chosen there. */
function menu(): DashboardLink {
  const link = new DashboardLinkBuilder('o11y-kit dashboards')
    .type(DashboardLinkType.Dashboards)
    .tags([TAG])
    .asDropdown(true)
    .includeVars(true)
    .keepTime(true)
    .icon('external link')
    .build();
  // The builder hides links in a menu, which Grafana before 12 does not know.
  delete link.placement;
  return link;
}
