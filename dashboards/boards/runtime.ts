import { METRICS } from '../../instrumentation/names.ts';
import { alerts, deployments, restarts } from '../parts/annotations.ts';
import { chart } from '../parts/chart.ts';
import { dashboard } from '../parts/dashboard.ts';
import { cell, clicked, toDashboard } from '../parts/links.ts';
import { PROCESS, RUNTIME } from '../parts/names.ts';
import { max, part, rate, SELECTED, select, sum } from '../parts/promql.ts';
import { stat } from '../parts/stat.ts';
import { table } from '../parts/table.ts';
import type { Section } from '../parts/types.ts';
import { UID } from '../parts/uids.ts';
import { rising, UNIT } from '../parts/units.ts';
import { datasource, filters, instance, job } from '../parts/variables.ts';

const EACH = '{{job}} {{instance}}';
const toService = toDashboard('Service overview', UID.service, [
  ['job', clicked('job')],
  ['instance', clicked('instance')],
]);
const heapShare = `${select(RUNTIME.heapUsed, SELECTED)} / ${select(METRICS.heapSizeLimit, SELECTED)}`;
const fdShare = `${select(PROCESS.openFds, SELECTED)} / ${select(PROCESS.maxFds, SELECTED)}`;
const loopSteps = rising(0.7, 0.9);
const heapSteps = rising(0.8, 0.9);
const gcSteps = rising(0.05, 0.1);

const worst: Section = {
  panels: [
    stat({
      title: 'Event loop busy',
      read: 'Utilization of the busiest instance: the share of time in which its event loop ran code instead of waiting for some.',
      act: 'Above 90 % for minutes: add instances; meanwhile a CPU profile says what runs.',
      unit: UNIT.share,
      queries: [{ expr: max(select(METRICS.eventLoopUtilization, SELECTED)) }],
      thresholds: loopSteps,
    }),
    stat({
      title: 'Longest block',
      read: 'Longest time in the last half minute to minute in which an event loop did not turn. An idle one shows about 10 ms: that is the timer it is measured with.',
      act: 'Above 100 ms look for synchronous work; above a second clients time out and health checks fail.',
      unit: UNIT.seconds,
      queries: [{ expr: max(select(RUNTIME.lagMax, SELECTED)) }],
      thresholds: rising(0.1, 1),
    }),
    stat({
      title: 'Heap of limit',
      read: 'Used heap of the fullest instance as a share of the size at which V8 ends the process. It is not the share of the heap that is reserved: that one is always high.',
      act: 'Above 90 % it soon dies with "heap out of memory". Restart one instance at a time, take a heap snapshot of one that you took out before.',
      unit: UNIT.share,
      queries: [{ expr: max(heapShare) }],
      thresholds: heapSteps,
    }),
    stat({
      title: 'Time in garbage collection',
      read: 'Share of time that the instance worst off spends in garbage collection, all kinds together.',
      act: 'Above 10 % it allocates too much, or its heap is too small for what it keeps: compare with the heap next to its limit.',
      unit: UNIT.share,
      queries: [{ expr: max(`${sum(rate(part(RUNTIME.gc, 'sum'), SELECTED), 'job', 'instance')}`) }],
      thresholds: gcSteps,
    }),
    stat({
      title: 'File descriptors of limit',
      read: 'Open file descriptors (files, sockets, pipes) as a share of those that are allowed, of the worst instance.',
      act: 'Above 80 %: sockets or files leak, or the limit is small. At 100 % no connection is accepted (`EMFILE`).',
      unit: UNIT.share,
      queries: [{ expr: max(fdShare) }],
      thresholds: rising(0.5, 0.8),
    }),
    stat({
      title: 'Restarts',
      read: 'Starts of processes at the same address, but for the first one, in the shown time.',
      act: 'Outside of deployments each one is a crash or a kill. Exit code 137 is the memory limit of the container, 134 is V8 out of memory.',
      unit: UNIT.none,
      decimals: 0,
      queries: [{ expr: sum(`changes(${select(PROCESS.start, SELECTED)}[$__range])`) }],
      thresholds: rising(1, 3),
    }),
  ],
};

const loop: Section = {
  title: 'Event loop and CPU',
  panels: [
    chart({
      title: 'Event loop utilization',
      read: 'Share of time in which the event loop ran code, since the last scrape. One line an instance. Unlike CPU it counts what stops requests: synchronous calls and waiting for the disk too, and no other thread.',
      act: 'High together with CPU: too much work for one process. High with low CPU: synchronous calls (`*Sync`, child processes) or a machine that gives it no time.',
      unit: UNIT.share,
      max: 1,
      queries: [{ expr: select(METRICS.eventLoopUtilization, SELECTED), legend: EACH }],
      thresholds: loopSteps,
      links: [toService],
      w: 8,
    }),
    chart({
      title: 'Event loop delay, p99 and greatest',
      read: 'How late timers ran in the last half minute to minute. p99 hides a single long block, the greatest value shows it. About 10 ms is idle.',
      act: 'Greatest high and p99 low: single blocks, a request or a job that does too much at once. Both high: saturated.',
      unit: UNIT.seconds,
      queries: [
        { expr: max(select(RUNTIME.lagMax, SELECTED), 'job', 'instance'), legend: `${EACH} greatest` },
        { expr: max(select(RUNTIME.lagP99, SELECTED), 'job', 'instance'), legend: `${EACH} p99` },
      ],
      thresholds: rising(0.1, 1),
      links: [toService],
      w: 8,
    }),
    chart({
      title: 'CPU',
      read: 'CPU seconds a second of each process, in all its threads: 1 is one whole core. The main thread alone cannot use more than that; what is above it is garbage collection, zlib, crypto and workers.',
      act: 'Flat at the limit of the container means that it is throttled: raise the limit or add instances.',
      unit: UNIT.none,
      queries: [
        { expr: sum(rate(PROCESS.cpuUser, SELECTED), 'job', 'instance'), legend: `${EACH} user` },
        { expr: sum(rate(PROCESS.cpuSystem, SELECTED), 'job', 'instance'), legend: `${EACH} system` },
      ],
      stacked: true,
      links: [toService],
      w: 8,
    }),
  ],
};

const memory: Section = {
  title: 'Memory and garbage collection',
  panels: [
    chart({
      title: 'Heap used, of its limit',
      read: 'Used heap as a share of the size at which V8 ends the process. A saw-tooth is healthy; its lower edge is what is really kept.',
      act: 'A lower edge that rises for hours is a leak: two heap snapshots, some minutes apart, show what grew.',
      unit: UNIT.share,
      max: 1,
      queries: [{ expr: heapShare, legend: EACH }],
      thresholds: heapSteps,
      links: [toService],
      w: 8,
    }),
    chart({
      title: 'Memory of the process',
      read: 'Resident memory is what the system and the container limit count. Heap is for objects, external for buffers and other memory outside of it.',
      act: 'Resident far above heap plus external: native memory (zlib, image libraries, TLS) or fragmentation. External that grows: buffers that are kept.',
      unit: UNIT.bytes,
      queries: [
        { expr: sum(select(PROCESS.rss, SELECTED), 'job'), legend: '{{job}} resident' },
        { expr: sum(select(RUNTIME.heapUsed, SELECTED), 'job'), legend: '{{job}} heap used' },
        { expr: sum(select(RUNTIME.external, SELECTED), 'job'), legend: '{{job}} external' },
      ],
      w: 8,
    }),
    chart({
      title: 'Time in garbage collection, by kind',
      read: 'Share of one second a second. `minor` cleans up young objects and costs little each time; `major` stops everything for as long as the heap is large; `incremental` is a part of a major one.',
      act: 'Much `minor`: many short-lived objects, look at hot paths. Much `major`: the heap is nearly full or a lot is kept.',
      unit: UNIT.share,
      queries: [{ expr: sum(rate(part(RUNTIME.gc, 'sum'), SELECTED), 'kind'), legend: '{{kind}}' }],
      stacked: true,
      w: 8,
    }),
    chart({
      title: 'Heap by space',
      read: 'Used heap by V8 space, of all selected instances. `old` holds what survived, `new` what is young, `large_object` single objects of more than some hundred kilobytes.',
      act: '`large_object` that grows is big arrays, strings or JSON that are kept; `code` that grows is code made at run time.',
      unit: UNIT.bytes,
      queries: [{ expr: sum(select(RUNTIME.spaceUsed, SELECTED), 'space'), legend: '{{space}}' }],
      stacked: true,
      w: 8,
    }),
    chart({
      title: 'Collections a second',
      read: 'How often the garbage collector ran, by kind.',
      act: 'Many major collections with little freed (the heap does not fall) come right before "heap out of memory".',
      unit: UNIT.operations,
      queries: [{ expr: sum(rate(part(RUNTIME.gc, 'count'), SELECTED), 'kind'), legend: '{{kind}}' }],
      w: 8,
    }),
    chart({
      title: 'Mean pause, by kind',
      read: 'How long one collection took on average.',
      act: 'Major pauses of more than 100 ms are felt by requests: make the heap smaller, or split the process.',
      unit: UNIT.seconds,
      queries: [
        {
          expr: `${sum(rate(part(RUNTIME.gc, 'sum'), SELECTED), 'kind')} / (${sum(rate(part(RUNTIME.gc, 'count'), SELECTED), 'kind')} > 0)`,
          legend: '{{kind}}',
        },
      ],
      w: 8,
    }),
  ],
};

const resources: Section = {
  title: 'Descriptors, handles, processes',
  panels: [
    chart({
      title: 'Open file descriptors',
      read: 'Files, sockets and pipes that each process holds open.',
      act: 'A line that rises and never falls is a leak: `ls -l /proc/<pid>/fd` says of what.',
      unit: UNIT.count,
      queries: [{ expr: select(PROCESS.openFds, SELECTED), legend: EACH }],
      links: [toService],
      w: 8,
    }),
    chart({
      title: 'What keeps the event loop alive',
      read: 'Active resources by type: `TCPSocketWrap` are connections, `Timeout` timers, `FSReqCallback` file operations, `GetAddrInfoReqWrap` DNS.',
      act: 'Timers or sockets that only grow are a leak. Many DNS or file requests wait for the four threads of the pool: see `UV_THREADPOOL_SIZE`.',
      unit: UNIT.count,
      queries: [{ expr: sum(select(RUNTIME.resources, SELECTED), 'type'), legend: '{{type}}' }],
      stacked: true,
      w: 8,
    }),
    table({
      title: 'Processes',
      read: 'Every process, the Node.js that it runs, and since when.',
      act: 'Different versions of Node.js among the instances of one service are a deployment that stopped half way.',
      keys: [
        {
          label: 'job',
          name: 'Service',
          links: [toDashboard('Service overview', UID.service, [['job', cell('Service')]])],
        },
        { label: 'instance', name: 'Instance' },
        { label: 'version', name: 'Node.js', width: 90 },
      ],
      columns: [
        {
          name: 'Started',
          expr: `${select(PROCESS.start, SELECTED)} * on (job, instance) group_left (version) ${select(RUNTIME.version, SELECTED)} * 1000`,
          unit: UNIT.ago,
          width: 130,
        },
        {
          name: 'Heap limit',
          expr: `${select(METRICS.heapSizeLimit, SELECTED)} * on (job, instance) group_left (version) ${select(RUNTIME.version, SELECTED)}`,
          unit: UNIT.bytes,
          width: 90,
        },
      ],
      w: 8,
    }),
  ],
};

/** Whether the process itself is the problem: event loop, heap, garbage collection, CPU, descriptors. */
export const runtime = dashboard({
  uid: UID.runtime,
  title: 'Node runtime',
  description: 'Is the process itself the problem: event loop, heap, garbage collection, CPU, descriptors.',
  tags: ['nodejs', 'saturation'],
  variables: [datasource('prometheus'), job(), instance(), filters()],
  annotations: [deployments(), restarts(), alerts()],
  sections: [worst, loop, memory, resources],
});
