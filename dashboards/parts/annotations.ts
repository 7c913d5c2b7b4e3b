import { type AnnotationQuery, AnnotationQueryBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { METRICS } from '../../instrumentation/names.ts';
import { PROMETHEUS } from './datasources.ts';
import { PROCESS, PROMETHEUS_OWN } from './names.ts';
import { select } from './promql.ts';

const start = `${select(PROCESS.start, 'job=~"$job"')} * on (job, instance) group_left (service_version) group by (job, instance, service_version) (${select(METRICS.targetInfo, 'job=~"$job"')})`;

/** A line where the oldest running process of a version started: a deployment, a rollback, or the restart of all of it. */
export function deployments(): AnnotationQuery {
  return timed('Deployments', `min by (job, service_version) (${start}) * 1000`, '#5794F2', {
    title: '{{job}} {{service_version}}',
    text: 'First process of this version started',
    tags: 'job,service_version',
  });
}

/** A line where a process started. */
export function restarts(): AnnotationQuery {
  return timed('Process starts', `${select(PROCESS.start, 'job=~"$job", instance=~"$instance"')} * 1000`, '#B877D9', {
    title: '{{job}} {{instance}}',
    text: 'Process started',
    tags: 'job,instance',
  });
}

/** A band while an alert of a chosen service fires. Needs rules, these or others. */
export function alerts(): AnnotationQuery {
  const query = new AnnotationQueryBuilder()
    .name('Alerts')
    .datasource(PROMETHEUS)
    .enable(true)
    .iconColor('red')
    .expr(select(PROMETHEUS_OWN.alerts, 'alertstate="firing"', 'job=~"$job"'))
    .step('30s')
    .titleFormat('{{alertname}}')
    .textFormat('{{severity}} {{job}} {{instance}}')
    .tagKeys('severity,job')
    .build();
  return plain(query);
}

/** An event for each value of `expr`, which is its time in milliseconds. */
function timed(
  name: string,
  expr: string,
  colour: string,
  format: { title: string; text: string; tags: string },
): AnnotationQuery {
  const query = new AnnotationQueryBuilder()
    .name(name)
    .datasource(PROMETHEUS)
    .enable(true)
    .iconColor(colour)
    .expr(expr)
    .step('60s')
    .titleFormat(format.title)
    .textFormat(format.text)
    .tagKeys(format.tags)
    .useValueForTime(true)
    .build();
  return plain(query);
}

// The builder hides annotations in a menu, which Grafana before 12 does not know.
function plain(query: AnnotationQuery): AnnotationQuery {
  delete query.placement;
  return query;
}
