/**
 * The page's charts. Rows of text with bars drawn by the style sheet, so that they reflow on a narrow screen and read as text without sight of them;
 * one plot of dots in SVG.
 */
import { METHOD_LIST, type Method } from '../methods.js';
import type { Figures, GroupFigures, SpeedFigures, Summary, TimeSplit } from '../summary.js';
import { count, interval, percent, precise, time, times } from './format.js';
import { html, type Markup, raw } from './markup.js';

export function methodTitle(f: { readonly method: string }): Method {
  const found = METHOD_LIST.find((m) => m.name === f.method);
  if (found === undefined) throw new TypeError(`no method '${f.method}'`);
  return found;
}

function label(m: Method): Markup {
  return html`<span class="label"><span class="n">${m.number}</span><b>${m.title}</b></span>`;
}

const at = (share: number): Markup => raw(`style="left:${(100 * share).toFixed(2)}%"`);
const span = (low: number, high: number): Markup =>
  raw(`style="left:${(100 * low).toFixed(2)}%;width:${(100 * Math.max(0, high - low)).toFixed(2)}%"`);
const wide = (share: number): Markup => raw(`style="width:${(100 * share).toFixed(3)}%"`);

/** Share of fitting answers by method; what is JSON and does not fit is the pale part. */
export function validityChart(rows: readonly Figures[]): Markup {
  const part = (title: string, of: readonly Figures[]): Markup | undefined =>
    of.length === 0
      ? undefined
      : html`
<div class="group-head">${title}</div>
${of.map((f) => {
  const m = methodTitle(f);
  return html`<div class="row">${label(m)}
<span class="track" aria-hidden="true">${Number.isNaN(f.json.share) ? undefined : html`<i class="fill also" ${wide(f.json.share)}></i>`}<i class="fill ${m.number >= 5 ? 'ours' : ''}" ${wide(f.fits.share)}></i><i class="whisker" ${span(f.fits.low, f.fits.high)}></i></span>
<span class="value">${percent(f.fits.share, 1)}<small>${interval(f.fits)} of ${count(f.fits.of)}</small></span></div>`;
})}`;
  return html`<div class="chart" role="group" aria-label="Share of answers that fit, by method">
<ul class="legend"><li><i style="background:var(--ours)"></i>fits, constrained to the schema</li><li><i style="background:var(--base)"></i>fits, schema in the prompt only</li><li><i style="background:var(--base-soft)"></i>JSON that does not fit</li><li>line: 95% interval</li></ul>
${part(
  'The schema is in the prompt only',
  rows.filter((f) => methodTitle(f).number < 5),
)}
${part(
  'The schema is enforced',
  rows.filter((f) => methodTitle(f).number >= 5),
)}
<div class="axis" aria-hidden="true"><span class="ticks">${[0, 0.25, 0.5, 0.75, 1].map((t) => html`<span ${at(t)}>${t * 100}%</span>`)}</span></div></div>`;
}

/** Fitting answers by source and method, as a table whose cells are shaded. */
export function sourceTable(summary: Summary): Markup {
  const sources = Object.keys(summary.bySource);
  const methods = METHOD_LIST.filter((m) => summary.all.some((f) => f.method === m.name));
  const cell = (method: string, source: string): Markup => {
    const f = summary.all.find((x) => x.method === method && x.source === source);
    if (f === undefined || f.fits.of === 0) return html`<td class="cell">–</td>`;
    const strength = Math.round(8 + 42 * f.fits.share);
    const color = methodTitle(f).number >= 5 ? '--ours' : '--base';
    return html`<td class="cell" ${raw(`style="background:color-mix(in srgb, var(${color}) ${strength}%, transparent)"`)}>${percent(f.fits.share)}<small>of ${count(f.fits.of)}</small></td>`;
  };
  return html`<div class="scroll"><table class="heat"><thead><tr><th>source</th>${methods.map((m) => html`<th>${m.number}. ${m.title}</th>`)}</tr></thead>
<tbody>${sources.map((s) => html`<tr><td>${SOURCES[s] ?? s}${(summary.bySource[s]?.refused ?? 0) > 0 ? html`<small>${count(summary.bySource[s]?.refused ?? 0)} refused by name</small>` : undefined}</td>${methods.map((m) => cell(m.name, s))}</tr>`)}</tbody></table></div>`;
}

export const SOURCES: Readonly<Record<string, string>> = {
  extraction: 'extraction, held out',
  'extraction-seen': 'extraction, seen domains',
  keywords: 'schemas of all keywords',
  tools: 'tool calls',
  grammars: 'GBNF grammars',
  maskbench: 'MaskBench schemas',
  own: 'own requests',
};

const KINDS: Readonly<Record<string, string>> = {
  extraction: 'extraction',
  'extraction-seen': 'extraction, seen',
  keywords: 'schema',
  tools: 'tool',
  grammars: 'grammar',
  maskbench: 'MaskBench',
};

/** Time to the whole answer: 5 to 95%, the middle half, the median, on a scale of powers of ten. */
export function latencyChart(rows: readonly Figures[]): Markup {
  const real = rows.filter((f) => f.total.p50 > 0);
  if (real.length === 0) return html`<p class="say">No answers.</p>`;
  const low = 10 ** Math.floor(Math.log10(Math.max(0.01, Math.min(...real.map((f) => f.total.p5)))));
  const high = 10 ** Math.ceil(Math.log10(Math.max(...real.map((f) => f.total.p99))));
  const place = (ms: number): number =>
    Math.min(1, Math.max(0, Math.log(Math.max(ms, low) / low) / Math.log(high / low)));
  const ticks: number[] = [];
  for (let t = low; t <= high * 1.001; t *= 10) ticks.push(t);
  return html`<div class="chart" role="group" aria-label="Time of an answer, by method">
<ul class="legend"><li>line: 5 to 95% of answers</li><li>bar: the middle half</li><li>tick: the median</li></ul>
${real.map((f) => {
  const m = methodTitle(f);
  const t = f.total;
  return html`<div class="row ${m.number >= 5 ? 'ours' : ''}">${label(m)}
<span class="track plain" aria-hidden="true">${ticks.map((x) => html`<i class="grid" ${at(place(x))}></i>`)}<i class="range" ${span(place(t.p5), place(t.p95))}></i><i class="box" ${span(place(t.p25), place(t.p75))}></i><i class="median" ${at(place(t.p50))}></i></span>
<span class="value">${time(t.p50)}<small>p95 ${time(t.p95)} · p99 ${time(t.p99)}</small></span></div>`;
})}
<div class="axis" aria-hidden="true"><span class="ticks">${ticks.map((x) => html`<span ${at(place(x))}>${time(x)}</span>`)}</span></div></div>`;
}

const PARTS: readonly (readonly [keyof TimeSplit, string])[] = [
  ['model', 'model'],
  ['mask', 'masks'],
  ['matcher', 'accepting tokens'],
  ['compile', 'compiling'],
  ['prompt', 'template, tokenizer'],
  ['repair', 'repairing'],
  ['other', 'sampling, drafts, loop'],
];

/** Where the time of an answer goes. */
export function timeChart(rows: readonly Figures[]): Markup {
  const sum = (s: TimeSplit): number => PARTS.reduce((n, [key]) => n + s[key], 0);
  const most = Math.max(...rows.map((f) => sum(f.split) / Math.max(1, f.requests)));
  return html`<div class="chart" role="group" aria-label="Where the time of an answer goes, by method">
<ul class="legend">${PARTS.map(([key, name]) => html`<li><i class="s-${key}"></i>${name}</li>`)}</ul>
${rows.map((f) => {
  const total = sum(f.split);
  const parts = PARTS.filter(([key]) => f.split[key] > 0);
  const said = parts.map(([key, name]) => `${name} ${percent(f.split[key] / total)}`).join(', ');
  return html`<div class="row">${label(methodTitle(f))}
<span class="track plain stack" role="img" aria-label="${said}">${parts.map(([key, name]) => html`<i class="s-${key}" title="${name} ${percent(f.split[key] / total)}" ${wide(f.split[key] / f.requests / most)}></i>`)}</span>
<span class="value">${time(total / f.requests)}<small>masks ${percent(f.split.mask / total)}</small></span></div>`;
})}</div>`;
}

/** Each request a dot: time constrained against unconstrained. */
export function speedPlot(speed: SpeedFigures): Markup {
  const size = 420;
  const pad = { left: 46, bottom: 40, top: 8, right: 8 };
  const values = speed.pairs.flat().filter((v) => v > 0);
  const low = 10 ** Math.floor(Math.log10(Math.min(...values)));
  const high = 10 ** Math.ceil(Math.log10(Math.max(...values)));
  const scale = (ms: number): number => Math.log(Math.max(ms, low) / low) / Math.log(high / low);
  const x = (ms: number): string => (pad.left + scale(ms) * (size - pad.left - pad.right)).toFixed(1);
  const y = (ms: number): string => (size - pad.bottom - scale(ms) * (size - pad.bottom - pad.top)).toFixed(1);
  const ticks: number[] = [];
  for (let t = low; t <= high * 1.001; t *= 10) ticks.push(t);
  const faster = speed.pairs.filter(([c, u]) => c < u).length;
  const line = (factor: number): Markup => {
    const from = Math.max(low, low * factor);
    const to = Math.min(high, high / factor);
    return raw(
      `x1="${x(from)}" y1="${y(from / factor)}" x2="${x(to * factor > high ? high : to * factor)}" y2="${y(to)}"`,
    );
  };
  return html`<svg viewBox="0 0 ${size} ${size}" role="img" aria-label="Time of ${count(speed.requests)} answers, constrained against unconstrained: ${count(faster)} are faster constrained">
${ticks.map((t) => html`<line class="axis-line" ${raw(`x1="${x(t)}" x2="${x(t)}" y1="${pad.top}" y2="${size - pad.bottom}"`)}/><line class="axis-line" ${raw(`y1="${y(t)}" y2="${y(t)}" x1="${pad.left}" x2="${size - pad.right}"`)}/><text ${raw(`x="${x(t)}" y="${size - pad.bottom + 16}" text-anchor="middle"`)}>${precise(t)}</text><text ${raw(`x="${pad.left - 6}" y="${y(t)}" dy="4" text-anchor="end"`)}>${precise(t)}</text>`)}
<line class="equal" ${line(1)}/>
<text ${raw(`x="${Number(x(high)) - 4}" y="${Number(y(high)) + 26}" text-anchor="end"`)}>equal</text>
${speed.pairs.map(([c, u]) => html`<circle class="mark" ${raw(`cx="${x(u)}" cy="${y(c)}" r="3" fill-opacity=".55"`)}/>`)}
<text ${raw(`x="${(size + pad.left) / 2}" y="${size - 4}" text-anchor="middle"`)}>unconstrained, ms</text>
<text ${raw(`transform="translate(12 ${(size - pad.bottom) / 2}) rotate(-90)" text-anchor="middle"`)}>constrained, ms</text></svg>`;
}

/** Times as fast as each rival, with its interval. */
export function ratioChart(speed: SpeedFigures, target: number): Markup {
  const rows = [
    { name: 'the engine, no constraint', sub: 'one token a pass', r: speed.unconstrained },
    { name: 'the engine, no constraint', sub: 'with drafts from the text', r: speed.lookup },
    { name: 'the bare model in a loop', sub: 'nothing around it', r: speed.bare },
    { name: 'as the first', sub: 'prefill on both sides', r: speed.withPrefill },
    { name: 'as the first', sub: 'every schema compiled for the first time', r: speed.withCompile },
    { name: 'as the first', sub: 'prefill and first compile', r: speed.withBoth },
  ];
  const most = Math.max(2, ...rows.map((r) => r.r.high)) * 1.05;
  const place = (v: number): number => Math.min(1, v / most);
  return html`<div class="chart" role="group" aria-label="Constrained decoding, times as fast as others">
<ul class="legend"><li><i style="background:var(--ours)"></i>times as fast as…</li><li><i style="background:var(--rule)"></i>as fast</li><li><i style="background:var(--warn)"></i>the target, ${target}×</li></ul>
${rows.map(
  ({ name, sub, r }) => html`<div class="row"><span class="label"><b>${name}</b><br><span class="n">${sub}</span></span>
<span class="track plain" aria-hidden="true"><i class="fill ours" ${wide(place(r.value))}></i><i class="grid" ${at(place(1))}></i><i class="goal" ${at(place(target))}></i><i class="whisker" ${span(place(r.low), place(r.high))}></i></span>
<span class="value">${times(r)}<small>${r.low.toFixed(2)}–${r.high.toFixed(2)}</small></span></div>`,
)}</div>`;
}

const FEW = 4;

/** Groups where prompting fails most, prompt against constrained. */
export function groupChart(groups: readonly GroupFigures[], most: number): Markup {
  const known = groups.filter((g) => g.fits.prompt !== undefined && g.fits.fast !== undefined);
  // One answer says little of a kind; where all kinds have few, they are all there is.
  const well = known.filter((g) => g.fits.prompt!.of >= FEW);
  const rows = (well.length >= most ? well : known)
    .sort((a, b) => a.fits.prompt!.share - b.fits.prompt!.share || (a.group < b.group ? -1 : 1))
    .slice(0, most);
  return html`<div class="chart" role="group" aria-label="Fitting answers by kind of schema">
<ul class="legend"><li><i style="background:var(--base)"></i>prompt only</li><li><i style="background:var(--ours)"></i>constrained</li></ul>
${rows.map((g) => {
  const from = g.fits.prompt!;
  const to = g.fits.fast!;
  const [low, high] = [Math.min(from.share, to.share), Math.max(from.share, to.share)];
  return html`<div class="row"><span class="label"><b>${g.group}</b> <span class="n">${KINDS[g.source] ?? g.source}</span></span>
<span class="track plain" aria-hidden="true"><i class="between" ${span(low, high)}></i><i class="dot" ${at(from.share)}></i><i class="dot ours" ${at(to.share)}></i></span>
<span class="value">${percent(from.share, 0)} → ${percent(to.share, 0)}<small>${count(from.of)} and ${count(to.of)} answers</small></span></div>`;
})}</div>`;
}
