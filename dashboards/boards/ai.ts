import { METRICS } from '../../instrumentation/names.ts';
import { alerts, deployments } from '../parts/annotations.ts';
import { chart } from '../parts/chart.ts';
import { dashboard } from '../parts/dashboard.ts';
import { cell, clicked, toDashboard, toTraces } from '../parts/links.ts';
import { failed, part, quantile, rate, SELECTED, sum } from '../parts/promql.ts';
import { traceList } from '../parts/signals.ts';
import { stat } from '../parts/stat.ts';
import { table } from '../parts/table.ts';
import { UID } from '../parts/uids.ts';
import { rising, UNIT } from '../parts/units.ts';
import { choice, datasource, filters, instance, job, serviceName } from '../parts/variables.ts';

const CALLS = `${SELECTED}, gen_ai_request_model=~"$model"`;
const MY_SPANS = 'resource.service.name =~ "${service_name:pipe}"';
const model = 'gen_ai_request_model';
const key = ['gen_ai_provider_name', model, 'gen_ai_operation_name'] as const;
const errorSteps = rising(0.02, 0.1);
const latencySteps = rising(3, 7.5);
const tokens = (type: string, ...by: readonly string[]) =>
  sum(rate(part(METRICS.aiTokens, 'sum'), `${CALLS}, gen_ai_token_type="${type}"`), ...by);
const failedCalls = toTraces(
  'Failed calls',
  `{ ${MY_SPANS} && span.gen_ai.request.model = "${clicked(model)}" && status = error }`,
);
const onlyThis = toDashboard('Only this model', UID.ai, ['job', 'instance', ['model', clicked(model)]]);

/** What calls of models cost and how they behave. */
export const ai = dashboard({
  uid: UID.ai,
  title: 'AI calls',
  description: 'What calls of models cost, how long they take, and how they fail: tokens, latency, money, by model.',
  tags: ['ai'],
  from: 'now-6h',
  variables: [
    datasource('prometheus'),
    datasource('tempo'),
    job(part(METRICS.aiDuration, 'count')),
    instance(),
    choice({
      name: 'model',
      label: 'Model',
      from: { metric: part(METRICS.aiDuration, 'count'), matchers: 'job=~"$job"', label: model },
      all: '.*',
    }),
    serviceName(),
    filters(),
  ],
  annotations: [deployments(), alerts()],
  sections: [
    {
      panels: [
        stat({
          title: 'Calls',
          read: 'Calls of models a second. A retry is a call of its own.',
          act: 'More calls for the same requests: a loop of an agent that does not end, or retries.',
          unit: UNIT.requests,
          queries: [{ expr: sum(rate(part(METRICS.aiDuration, 'count'), CALLS)) }],
          none: 'no calls',
        }),
        stat({
          title: 'Failed',
          read: 'Share of calls that failed.',
          act: '429 is the quota, 529 and 503 the provider, 400 most often a prompt that is too long.',
          unit: UNIT.share,
          queries: [{ expr: failed(METRICS.aiDuration, CALLS, 'error_type!=""') }],
          thresholds: errorSteps,
          none: 'no calls',
        }),
        stat({
          title: 'Duration, p95',
          read: 'p95 of the time to the end of the answer. The buckets end at 10 s: what takes longer is shown as 10 s.',
          act: 'It grows with the tokens of the answer: ask for less, or stream it.',
          unit: UNIT.seconds,
          queries: [{ expr: quantile(0.95, METRICS.aiDuration, CALLS) }],
          thresholds: latencySteps,
          none: 'no calls',
        }),
        stat({
          title: 'First piece, p95',
          read: 'p95 of the time to the first piece of a streamed answer: what a user waits for.',
          act: 'High with short prompts: the provider is busy. High with long ones: use its prompt cache.',
          unit: UNIT.seconds,
          queries: [{ expr: quantile(0.95, METRICS.aiFirstChunk, CALLS) }],
          thresholds: rising(1, 3),
          none: 'no streams',
        }),
        stat({
          title: 'Cost a day',
          read: 'US dollars a day at the rate of the shown moment, by the price table of `O11Y_AI_PRICES`. Models without a price are not in it.',
          act: 'The table below says which model; the routes in their traces say what for.',
          unit: UNIT.dollars,
          queries: [{ expr: `86400 * ${sum(rate(METRICS.aiCost, CALLS))}` }],
          none: 'no price',
        }),
        stat({
          title: 'Cost, shown time',
          read: 'US dollars in the shown time.',
          act: 'Compare with the same time of yesterday by moving the time range.',
          unit: UNIT.dollars,
          queries: [{ expr: sum(`increase(${METRICS.aiCost.name}{${CALLS}}[$__range])`) }],
          plain: true,
          none: 'no price',
        }),
      ],
    },
    {
      title: 'Which model',
      panels: [
        table({
          title: 'Models',
          read: 'Each model and operation at the end of the shown time. Cost is in US dollars an hour.',
          act: 'The dearest first: would a smaller model do? Then the one that fails.',
          keys: [
            { label: 'gen_ai_provider_name', name: 'Provider' },
            {
              label: model,
              name: 'Model',
              links: [
                toDashboard('Only this model', UID.ai, ['job', 'instance', ['model', cell('Model')]]),
                toTraces('Traces', `{ ${MY_SPANS} && span.gen_ai.request.model = "${cell('Model')}" }`),
              ],
            },
            { label: 'gen_ai_operation_name', name: 'Operation' },
          ],
          columns: [
            { name: 'Calls', expr: sum(rate(part(METRICS.aiDuration, 'count'), CALLS), ...key), unit: UNIT.requests },
            {
              name: 'Failed',
              expr: failed(METRICS.aiDuration, CALLS, 'error_type!=""', key),
              unit: UNIT.share,
              decimals: 1,
              thresholds: errorSteps,
            },
            { name: 'p95', expr: quantile(0.95, METRICS.aiDuration, CALLS, key), unit: UNIT.seconds, thresholds: latencySteps },
            { name: 'Tokens in a second', expr: tokens('input', ...key), unit: UNIT.count },
            { name: 'Tokens out a second', expr: tokens('output', ...key), unit: UNIT.count },
            { name: 'Cost an hour', expr: `3600 * ${sum(rate(METRICS.aiCost, CALLS), ...key)}`, unit: UNIT.dollars, bar: true },
          ],
          sort: 'Cost an hour',
        }),
      ],
    },
    {
      title: 'Since when',
      panels: [
        chart({
          title: 'Duration by model, p95',
          read: 'p95 of the time to the end of the answer. The dots lead to the trace of a call.',
          act: 'One model alone: its provider, or a prompt that grew. Compare with the tokens of a call.',
          unit: UNIT.seconds,
          queries: [{ expr: quantile(0.95, METRICS.aiDuration, CALLS, [model]), legend: `{{${model}}}`, exemplar: true }],
          thresholds: latencySteps,
          links: [failedCalls, onlyThis],
          w: 8,
        }),
        chart({
          title: 'First piece by model, p95',
          read: 'p95 of the time to the first piece of streamed answers.',
          act: 'It should not depend on the length of the answer. If it does, the answer is not streamed all the way.',
          unit: UNIT.seconds,
          queries: [{ expr: quantile(0.95, METRICS.aiFirstChunk, CALLS, [model]), legend: `{{${model}}}`, exemplar: true }],
          none: 'no streams',
          links: [onlyThis],
          w: 8,
        }),
        chart({
          title: 'Failed calls by reason',
          read: 'Failed calls a second by status or error.',
          act: '`429`: spread the calls, or raise the quota. Timeouts: the limit of the client is shorter than the answer takes.',
          unit: UNIT.requests,
          queries: [
            {
              expr: sum(rate(part(METRICS.aiDuration, 'count'), `${CALLS}, error_type!=""`), model, 'error_type'),
              legend: `{{${model}}} {{error_type}}`,
            },
          ],
          stacked: true,
          none: 'none failed',
          links: [failedCalls, onlyThis],
          w: 8,
        }),
        chart({
          title: 'Tokens by type',
          read: 'Tokens a second. `input` is what is sent, `output` what is answered; cached ones are a part of the input.',
          act: 'Input that grows with the length of conversations: shorten the history. No cached ones: prompts do not begin alike.',
          unit: UNIT.count,
          queries: [
            { expr: sum(rate(part(METRICS.aiTokens, 'sum'), CALLS), 'gen_ai_token_type'), legend: '{{gen_ai_token_type}}' },
          ],
          w: 8,
        }),
        chart({
          title: 'Tokens of a call, p95',
          read: 'p95 of the tokens of one call, by type.',
          act: 'The greatest calls are the slowest and the dearest: their traces say what was in them (never the text, unless that was asked for).',
          unit: UNIT.count,
          queries: [
            {
              expr: quantile(0.95, METRICS.aiTokens, CALLS, ['gen_ai_token_type']),
              legend: '{{gen_ai_token_type}}',
              exemplar: true,
            },
          ],
          w: 8,
        }),
        chart({
          title: 'Cost by model, an hour',
          read: 'US dollars an hour at the rate of each moment.',
          act: 'A step that stays is a new use or a model that was changed: look for the deployment line.',
          unit: UNIT.dollars,
          queries: [{ expr: `3600 * ${sum(rate(METRICS.aiCost, CALLS), model)}`, legend: `{{${model}}}` }],
          stacked: true,
          none: 'no price',
          links: [onlyThis],
          w: 8,
        }),
      ],
    },
    {
      title: 'Traces',
      panels: [
        traceList({
          title: 'Failed calls',
          read: 'Traces with a call of a model that failed.',
          act: 'Open one: how many attempts were there, and what did the user get?',
          query: `{ ${MY_SPANS} && span.gen_ai.request.model != "" && status = error }`,
        }),
        traceList({
          title: 'Longest calls',
          read: 'Traces with a call of a model that took more than five seconds.',
          act: 'The attributes of the span have its tokens.',
          query: `{ ${MY_SPANS} && span.gen_ai.request.model != "" && duration > 5s }`,
        }),
      ],
    },
  ],
});
