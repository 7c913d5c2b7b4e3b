// Draws one dashboard: every panel at its place, from its own options and the answers to its own queries.
import uPlot from 'uplot';
import { format, setMoment } from './units.js';

const COLUMN = 1376 / 24;
const ROW = 34;
const GAP = 6;
const FONT = '11px Inter, "DejaVu Sans", sans-serif';
/** Distances of ticks that are whole numbers of KiB, MiB … */
const POWERS = Array.from({ length: 40 }, (_, exponent) => 2 ** exponent);
const PALETTE = ['#73bf69', '#f2cc0c', '#8ab8ff', '#ff780a', '#f2495c', '#5794f2', '#b877d9', '#705da0', '#37872d', '#fade2a'];
const NAMED = {
  green: '#73bf69',
  red: '#f2495c',
  orange: '#ff9830',
  blue: '#5794f2',
  purple: '#b877d9',
  text: '#ccccdc',
  'dark-red': '#c4162a',
};
const colour = (name) => NAMED[name] ?? name;

const element = (tag, props = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...children);
  return node;
};
const nothing = (text) => element('div', { className: 'nothing', textContent: text });

window.draw = ({ title, description, drawn, from, to }) => {
  setMoment(to);
  document.querySelector('h1').textContent = title;
  document.querySelector('header p').textContent = description;
  const grid = document.querySelector('#grid');
  grid.replaceChildren();
  let bottom = 0;
  for (const { panel, answers } of drawn) {
    const { x, y, w, h } = panel.gridPos;
    const node = element('div', { className: panel.type === 'row' ? 'row' : 'panel' });
    Object.assign(node.style, {
      left: `${x * COLUMN}px`,
      top: `${y * ROW}px`,
      width: `${w * COLUMN - GAP}px`,
      height: `${h * ROW - GAP}px`,
    });
    grid.append(node);
    bottom = Math.max(bottom, y + h);
    if (panel.type === 'row') node.append(`⌄ ${panel.title}`);
    else {
      const body = element('div', { className: 'body' });
      node.append(element('h2', { textContent: panel.title }), body);
      const draw = DRAW[panel.type];
      if (panel.targets.some(({ refId }) => answers[refId] === undefined)) body.append(nothing('drawn where Loki and Tempo run'));
      else draw(panel, answers, body, node, { from, to });
    }
  }
  grid.style.height = `${bottom * ROW}px`;
};

/** Series of all queries with their names by `legendFormat`. */
function seriesOf(panel, answers) {
  return panel.targets.flatMap(({ refId, legendFormat }) =>
    answers[refId].map(({ metric, values = [] }) => ({
      name:
        (legendFormat || JSON.stringify(metric)).replaceAll(/\{\{\s*(\w+)\s*\}\}/g, (_, label) => metric[label] ?? '').trim() ||
        '(none)',
      points: new Map(values.map(([time, value]) => [time, Number(value)])),
    })),
  );
}

/** Takes the last names away until the rest is whole: Grafana scrolls here, which a picture cannot. */
function shorten(legend) {
  const all = legend.childElementCount;
  const more = element('span', {});
  while (legend.scrollHeight > legend.clientHeight + 1 && legend.childElementCount > 1) {
    more.remove();
    legend.lastElementChild.remove();
    more.textContent = `and ${all - legend.childElementCount} more`;
    legend.append(more);
  }
}

/** A colour laid thinly on the panel, itself opaque: areas that lie on each other stay what they are. */
function faint(hex, share) {
  const mixed = [1, 3, 5].map((at) =>
    Math.round(Number.parseInt(hex.slice(at, at + 2), 16) * share + [24, 27, 31][(at - 1) / 2] * (1 - share)),
  );
  return `rgb(${mixed.join(' ')})`;
}

function thresholdColour(steps, value) {
  return colour((steps ?? []).filter((step) => step.value === null || value >= step.value).at(-1)?.color ?? 'text');
}

function overridesOf(panel, name) {
  const found = panel.fieldConfig.overrides
    .filter(({ matcher }) => matcher.options === name)
    .flatMap(({ properties }) => properties);
  return Object.fromEntries(found.map(({ id, value }) => [id, value]));
}

function timeseries(panel, answers, body, node, { from, to }) {
  const series = seriesOf(panel, answers);
  const { unit, custom = {}, noValue, min, max, thresholds } = panel.fieldConfig.defaults;
  if (series.length === 0) return body.append(nothing(noValue ?? 'no data'));
  const times = [...new Set(series.flatMap(({ points }) => [...points.keys()]))].sort((a, b) => a - b);
  const stacked = custom.stacking?.mode === 'normal';
  const bars = custom.drawStyle === 'bars';
  const sums = times.map(() => 0);
  const rows = series.map(({ points }) =>
    times.map((time, at) => {
      const value = points.get(time);
      if (value === undefined || !Number.isFinite(value)) return stacked ? sums[at] : null;
      return stacked ? (sums[at] += value) : value;
    }),
  );
  const colours = series.map(({ name }, at) =>
    colour(overridesOf(panel, name).color?.fixedColor ?? PALETTE[at % PALETTE.length]),
  );
  const legend = element('div', { className: 'legend' });
  series.forEach(({ name }, at) => {
    const mark = element('i');
    mark.style.background = colours[at];
    legend.append(element('span', {}, mark, name));
  });
  node.append(legend);
  shorten(legend);
  const order = stacked ? rows.map((_, at) => rows.length - 1 - at) : rows.map((_, at) => at);
  const top = Math.max(...rows.flat().filter((value) => value !== null), 0);
  const low = Math.min(...rows.flat().filter((value) => value !== null), min ?? 0);
  const axis = { stroke: '#9da0aa', grid: { stroke: '#24272d', width: 1 }, ticks: { show: false }, font: FONT, gap: 4 };
  const plot = new uPlot(
    {
      width: body.clientWidth - 8,
      height: body.clientHeight - 2,
      cursor: { show: false },
      legend: { show: false },
      padding: [8, 28, 0, 0],
      scales: {
        x: { time: true, range: () => [from, to] },
        y: { range: () => [low < 0 ? low * 1.05 : 0, Math.min(max ?? Infinity, top * 1.1 || 1)] },
      },
      axes: [
        {
          ...axis,
          size: 26,
          gap: 7,
          space: 90,
          values: (_, ticks) => ticks.map((tick) => new Date(tick * 1000).toISOString().slice(11, 19)),
        },
        {
          ...axis,
          size: 62,
          values: (_, ticks) => ticks.map((tick) => format(tick, unit)),
          space: 30,
          ...(unit === 'bytes' && { incrs: POWERS }),
        },
      ],
      series: [
        {},
        ...order.map((at) => ({
          stroke: colours[at],
          width: bars ? 0 : 1.3,
          fill: bars ? faint(colours[at], 0.8) : stacked ? faint(colours[at], 0.4) : `${colours[at]}12`,
          points: { show: false },
          ...(bars ? { paths: uPlot.paths.bars({ size: [0.9] }) } : {}),
          ...(custom.lineInterpolation === 'stepAfter' ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}),
        })),
      ],
      hooks: {
        draw: [
          (self) => {
            if (!custom.thresholdsStyle) return;
            for (const { value, color } of thresholds?.steps ?? []) {
              if (value === null || value > self.scales.y.max || value < 0.0001) continue;
              const y = self.valToPos(value, 'y', true);
              Object.assign(self.ctx, { strokeStyle: colour(color), lineWidth: 1 });
              self.ctx.setLineDash([6, 5]);
              self.ctx.beginPath();
              self.ctx.moveTo(self.bbox.left, y);
              self.ctx.lineTo(self.bbox.left + self.bbox.width, y);
              self.ctx.stroke();
              self.ctx.setLineDash([]);
            }
          },
        ],
      },
    },
    [times, ...order.map((at) => rows[at])],
    body,
  );
  return plot;
}

function stat(panel, answers, body) {
  const [first] = seriesOf(panel, answers);
  const { unit, thresholds, noValue, decimals } = panel.fieldConfig.defaults;
  const values = [...(first?.points.values() ?? [])].filter(Number.isFinite);
  const last = values.at(-1);
  const shade = last === undefined ? colour('text') : thresholdColour(thresholds?.steps, last);
  const node = element(
    'div',
    { className: 'stat' },
    element('b', { textContent: last === undefined ? noValue : format(last, unit, decimals) }),
  );
  node.style.color = shade;
  body.append(node);
  if (values.length < 2 || panel.options.graphMode === 'none') return;
  const canvas = element('canvas', { width: body.clientWidth, height: body.clientHeight * 0.5 });
  node.prepend(canvas);
  const context = canvas.getContext('2d');
  const [low, high] = [Math.min(...values), Math.max(...values)];
  context.beginPath();
  context.moveTo(0, canvas.height);
  values.forEach((value, at) => {
    context.lineTo(
      (at / (values.length - 1)) * canvas.width,
      canvas.height - 2 - ((value - low) / (high - low || 1)) * (canvas.height - 6),
    );
  });
  context.lineTo(canvas.width, canvas.height);
  Object.assign(context, { fillStyle: `${shade}38`, strokeStyle: shade });
  context.fill();
}

function table(panel, answers, body) {
  const isTraces = panel.targets[0].datasource.type === 'tempo';
  if (isTraces) return traces(answers, body);
  const organize = panel.transformations.find(({ id }) => id === 'organize').options;
  const keys = Object.keys(organize.renameByName).filter((name) => !name.startsWith('Value'));
  const rows = new Map();
  const single = panel.targets.length === 1;
  for (const { refId } of panel.targets) {
    for (const { metric, value } of answers[refId]) {
      const id = JSON.stringify(keys.map((key) => metric[key] ?? ''));
      if (!rows.has(id)) rows.set(id, { metric });
      rows.get(id)[refId] = Number(value[1]);
    }
  }
  if (rows.size === 0) return body.append(nothing(panel.fieldConfig.defaults.noValue ?? 'none'));
  const columns = panel.targets.map(({ refId }) => {
    const field = single && organize.renameByName.Value ? 'Value' : `Value #${refId}`;
    return { refId, name: organize.renameByName[field], ...overridesOf(panel, organize.renameByName[field]) };
  });
  const sortBy = panel.options.sortBy?.[0]?.displayName ?? organize.renameByName['Value #A'];
  const sorting = columns.find(({ name }) => name === sortBy);
  const sorted = [...rows.values()].sort((a, b) => (sorting ? (b[sorting.refId] ?? -1) - (a[sorting.refId] ?? -1) : 0));
  const head = element(
    'tr',
    {},
    ...keys.map((key) => element('th', { textContent: organize.renameByName[key] })),
    ...columns.map(({ name }) => element('th', { textContent: name, className: 'number' })),
  );
  const lines = sorted.map((row) =>
    element(
      'tr',
      {},
      ...keys.map((key) => element('td', { textContent: row.metric[key] ?? '' })),
      ...columns.map((column) => {
        const value = row[column.refId];
        const cell = element('td', { className: 'number' });
        if (column['custom.cellOptions']?.type === 'gauge' && value > 0) {
          const most = Math.max(...sorted.map((each) => each[column.refId] ?? 0));
          const bar = element('span', { className: 'bar' });
          bar.style.width = `${Math.max(1, (value / most) * 90)}px`;
          cell.append(bar);
        }
        cell.append(value === undefined ? '' : format(value, column.unit, column.decimals));
        if (column.thresholds && value !== undefined) cell.style.color = thresholdColour(column.thresholds.steps, value);
        return cell;
      }),
    ),
  );
  body.append(element('table', {}, head, ...lines));
}

function traces({ A }, body) {
  if (A.length === 0) return body.append(nothing('none'));
  const head = element(
    'tr',
    {},
    ...['Trace ID', 'Service', 'Name', 'Duration'].map((textContent) => element('th', { textContent })),
  );
  const rows = A.slice(0, 20).map((trace) =>
    element(
      'tr',
      {},
      ...[
        trace.traceID.slice(0, 16),
        trace.rootServiceName,
        trace.rootTraceName,
        format((trace.durationMs ?? 0) / 1000, 's'),
      ].map((textContent) => element('td', { textContent })),
    ),
  );
  body.append(element('table', {}, head, ...rows));
}

function logs(_panel, { A }, body) {
  const lines = A.flatMap(({ stream, values }) =>
    values.map(([time, line]) => ({ time, line, level: stream.detected_level, service: stream.service_name })),
  );
  lines.sort((a, b) => (a.time < b.time ? 1 : -1));
  const shades = { error: 'red', fatal: 'dark-red', warn: 'orange', info: 'green', debug: 'blue' };
  for (const { time, line, level, service } of lines.slice(0, 40)) {
    const clock = new Date(Number(time.slice(0, -6))).toISOString().slice(11, 23);
    const node = element('div', { className: 'line', textContent: `${clock}  ${service}  ${line.split('\n')[0]}` });
    node.style.borderColor = colour(shades[level] ?? 'text');
    body.append(node);
  }
  if (lines.length === 0) body.append(nothing('none'));
}

function heatmap(panel, { A }, body) {
  const bounds = A.map(({ metric, values }) => ({
    le: Number(metric.le.replace('+Inf', 'Infinity')),
    points: new Map(values.map(([t, v]) => [t, Number(v)])),
  })).sort((a, b) => a.le - b.le);
  const times = [...new Set(bounds.flatMap(({ points }) => [...points.keys()]))].sort((a, b) => a - b);
  const canvas = element('canvas', { width: body.clientWidth, height: body.clientHeight });
  body.append(canvas);
  const context = canvas.getContext('2d');
  const [left, under] = [56, 8];
  const [wide, tall] = [(canvas.width - left - 8) / times.length, (canvas.height - under - 4) / bounds.length];
  const cells = bounds.map(({ points }, at) =>
    times.map((time) => Math.max(0, (points.get(time) ?? 0) - (at > 0 ? (bounds[at - 1].points.get(time) ?? 0) : 0))),
  );
  const most = Math.max(...cells.flat());
  bounds.forEach(({ le }, at) => {
    const y = canvas.height - under - (at + 1) * tall;
    times.forEach((_, t) => {
      const share = Math.sqrt(cells[at][t] / most);
      if (share <= 0.02) return;
      context.fillStyle = `hsl(${250 - 210 * share} 75% ${30 + 30 * share}%)`;
      context.fillRect(left + t * wide, y, Math.ceil(wide), Math.ceil(tall) - 1);
    });
    context.fillStyle = '#9da0aa';
    context.font = FONT;
    if (at % 2 === 0) context.fillText(le === Infinity ? '+Inf' : format(le, panel.fieldConfig.defaults.unit), 6, y + tall - 2);
  });
}

function timeline(panel, answers, body, _node, { from, to }) {
  const states = panel.fieldConfig.defaults.mappings[0].options;
  const series = seriesOf(panel, answers);
  if (series.length === 0) return body.append(nothing(panel.fieldConfig.defaults.noValue));
  for (const { name, points } of series) {
    const strip = element('div');
    const list = [...points];
    list.forEach(([time, value], at) => {
      const next = list[at + 1]?.[0] ?? to;
      const cell = element('i');
      cell.style.left = `${((time - from) / (to - from)) * 100}%`;
      cell.style.width = `${((next - time) / (to - from)) * 100 + 0.2}%`;
      cell.style.background = colour(states[value]?.color ?? '#8e8e8e');
      strip.append(cell);
    });
    body.append(element('div', { className: 'state' }, element('span', { textContent: name }), strip));
  }
}

function nodeGraph(_panel, { A }, body) {
  const { all, wrong } = A;
  const names = [...new Set(all.flatMap(({ metric }) => [metric.client, metric.server]))];
  const depth = new Map(names.map((name) => [name, 0]));
  for (let round = 0; round < names.length; round += 1)
    for (const { metric } of all)
      if (metric.client !== metric.server)
        depth.set(metric.server, Math.min(8, Math.max(depth.get(metric.server), depth.get(metric.client) + 1)));
  const [width, height] = [body.clientWidth, body.clientHeight];
  const levels = Math.max(...depth.values()) + 1;
  const place = new Map();
  for (let level = 0; level < levels; level += 1) {
    const here = names.filter((name) => depth.get(name) === level);
    for (const [at, name] of here.entries()) {
      place.set(name, [((level + 0.5) / levels) * width, ((at + 0.5) / here.length) * (height - 30) + 10]);
    }
  }
  const canvas = element('canvas', { width, height });
  body.append(canvas);
  const context = canvas.getContext('2d');
  context.font = FONT;
  context.textAlign = 'center';
  for (const { metric, value } of all) {
    const [x1, y1] = place.get(metric.client);
    const [x2, y2] = place.get(metric.server);
    context.strokeStyle = '#5a5f6b';
    context.beginPath();
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
    context.stroke();
    context.fillStyle = '#9da0aa';
    context.fillText(`${Number(value[1]).toPrecision(2)}/s`, (x1 + x2) / 2, (y1 + y2) / 2 - 4);
  }
  for (const name of names) {
    const [x, y] = place.get(name);
    const total = (list) =>
      list.filter(({ metric }) => metric.server === name).reduce((sum, { value }) => sum + Number(value[1]), 0);
    const share = total(all) > 0 ? total(wrong) / total(all) : 0;
    context.fillStyle = '#181b1f';
    context.lineWidth = 4;
    context.beginPath();
    context.arc(x, y, 26, 0, 2 * Math.PI);
    context.fill();
    for (const [start, end, shade] of [
      [share, 1, '#73bf69'],
      [0, share, '#f2495c'],
    ]) {
      context.strokeStyle = shade;
      context.beginPath();
      context.arc(x, y, 26, start * 2 * Math.PI - Math.PI / 2, end * 2 * Math.PI - Math.PI / 2);
      if (end > start) context.stroke();
    }
    context.lineWidth = 1;
    context.fillStyle = '#ccccdc';
    context.fillText(name, x, y + 42);
    context.fillText(total(all) > 0 ? `${total(all).toPrecision(2)}/s` : '', x, y + 4);
  }
}

const DRAW = { timeseries, stat, table, logs, heatmap, 'state-timeline': timeline, nodeGraph };
