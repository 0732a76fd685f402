/** The report as one page: no script, no file beside it, nothing from the network. */
import { METHOD_LIST } from '../methods.js';
import type { Figures, SchemaCost, Summary } from '../summary.js';
import {
  groupChart,
  latencyChart,
  methodTitle,
  ratioChart,
  SOURCES,
  sourceTable,
  speedPlot,
  timeChart,
  validityChart,
} from './charts.js';
import type { Extras } from './extras.js';
import { count, interval, percent, plural, precise, time, times } from './format.js';
import { html, type Markup, raw } from './markup.js';
import { STYLE } from './style.js';
import { type Target, targets } from './targets.js';

export function page(summary: Summary, extras: Extras): string {
  const { run } = summary;
  const made = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Reliability of structured output: tokenloom ${run.version}</title><style>${raw(STYLE)}</style></head>
<body>
<header><p class="kicker">tokenloom ${run.version} · model ${run.model.source} · ${run.started.slice(0, 10)}</p>
<h1>${headline(summary)}</h1>
<p class="lead">${lead(summary)}</p>
<ul class="targets">${targets(summary, extras).map(targetCard)}</ul></header>
<main>
${validity(summary)}
${speed(summary)}
${latency(summary)}
${timeSpent(summary, extras)}
${hardest(summary)}
${peers(extras)}
${failures(summary)}
${allFigures(summary)}
${howMeasured(summary)}
</main>
<footer><p>${count(summary.requests)} requests, seed ${run.options.seed}, set ${run.set}, model ${run.model.fingerprint}. ${run.machine.processor}, ${run.machine.cores} cores, ${run.machine.platform}, Node ${run.machine.node}, ${run.workers} processes. Repeat a single answer with <code>tokenloom bench replay run.jsonl --id ID --method NAME</code>.</p></footer>
</body></html>
`;
  return made.markup;
}

function headline(summary: Summary): string {
  const guarded = summary.all.filter((f) => f.source === 'all' && methodTitle(f).number >= 5);
  const of = guarded.reduce((n, f) => n + f.fits.of, 0);
  const fit = guarded.reduce((n, f) => n + f.fits.count, 0);
  if (of === 0) return 'Reliability of structured output';
  return fit === of
    ? `${count(of)} constrained answers, and every one fits`
    : `${count(of - fit)} of ${count(of)} constrained answers ${of - fit === 1 ? 'does' : 'do'} not fit`;
}

function lead(summary: Summary): Markup {
  const prompt = summary.compared.find((f) => f.method === 'prompt');
  const retry = summary.compared.find((f) => f.method === 'retry');
  const partly = summary.requests < summary.expectedRequests;
  return html`${partly ? html`<strong>This run is not complete: ${count(summary.requests)} of ${count(summary.expectedRequests)} requests.</strong> ` : undefined}The same model and the same prompts, eight ways to get JSON out of it. ${
    prompt === undefined
      ? undefined
      : html`Asked with the schema in its prompt, the model gives an answer that fits in <strong>${percent(prompt.fits.share)}</strong> of the cases${retry === undefined ? undefined : html`, with up to three retries in <strong>${percent(retry.fits.share)}</strong>`}; `
  }${
    summary.failureCount === 0
      ? 'with the constraint every answer fits, also when the token limit is the least possible and when the logits are noise.'
      : html`with the constraint <strong>${plural(summary.failureCount, 'answer')} failed</strong>, listed below.`
  }`;
}

function targetCard(t: Target): Markup {
  const verdict = t.met === undefined ? 'open' : t.met ? 'met' : 'missed';
  const words = t.met === undefined ? 'not measured here' : t.met ? `✓ met: ${t.wanted}` : `✗ missed: ${t.wanted}`;
  return html`<li><span class="name">${t.name}</span><span class="got">${t.got}</span><span class="note">${t.note}</span><span class="verdict ${verdict}">${words}</span></li>`;
}

function validity(summary: Summary): Markup {
  const which =
    summary.compared.length > 0
      ? `All methods on the same ${plural(summary.compared[0]?.requests ?? 0, 'request')}.`
      : 'Each method on all its requests.';
  return html`<section><h2>Which answers fit</h2>
<p class="say">${which} An answer fits when it is JSON that ajv finds valid for the schema (of grammars: when an independent reader accepts the text).</p>
${validityChart(sideBySide(summary))}
<h3>By source</h3>
<p class="say">Each method on all its requests.</p>
${sourceTable(summary)}</section>`;
}

/** Methods side by side: on the requests that all of them got, or (where methods 1 to 4 got none) on all. */
function sideBySide(summary: Summary): readonly Figures[] {
  return summary.compared.length > 0 ? summary.compared : summary.all.filter((f) => f.source === 'all');
}

function speed(summary: Summary): Markup {
  const { speed: s } = summary;
  if (s === undefined) return html``;
  return html`<section><h2>The same text, faster</h2>
<p class="say">${count(s.requests)} extraction records at batch 1. The unconstrained runs write exactly the text of the constrained ones (${count(s.same)} of ${count(s.requests)} texts were equal in every repetition), so only the way differs: forced tokens and verified guesses need ${precise(s.passesPerToken.value)} passes of the model for each token.</p>
<div class="two"><div>${speedPlot(s)}</div><div>${ratioChart(s, 1.3)}</div></div></section>`;
}

function latency(summary: Summary): Markup {
  return html`<section><h2>How long an answer takes</h2>
<p class="say">From the request's arrival to its last token, prompt in the prefix cache, one request at a time in each of ${count(summary.run.workers)} processes that share the machine. Prefill comes on top for every method alike: median ${time(summary.prefill.p50)}, p99 ${time(summary.prefill.p99)}. Random logits cost no time of a model.</p>
${latencyChart(sideBySide(summary))}</section>`;
}

function timeSpent(summary: Summary, extras: Extras): Markup {
  const large = extras.largeVocabulary;
  const plain = summary.all.find((f) => f.method === 'constrained' && f.source === 'all');
  const { cold, cached } = summary.compile;
  return html`<section><h2>Where the time goes</h2>
<p class="say">Mean of an answer. Masks of method 5 are made for grammars that were compiled a moment before; later methods find some of them remembered.</p>
${timeChart(sideBySide(summary))}
<p class="say" style="margin-top:1.2rem">From a schema to its first mask: median ${time(cold.p50)}, p99 ${time(cold.p99)} the first time, ${time(cached.p50)} when it is known, over ${count(summary.compile.requests)} schemas.${
    plain === undefined
      ? undefined
      : html` A mask takes ${time(plain.maskMs.p50)} (median) and ${time(plain.maskMs.p99)} (p99) of ${count(plain.maskMs.count)} masks in method 5.`
  }${
    large === undefined
      ? undefined
      : html` With ${large.vocabulary} (${count(large.tokens)} tokens) and a model of ${(large.parameters / 1e6).toFixed(0)} M parameters masks are ${percent(large.share.value, 2)} of a step of ${time(large.stepMs)}, ${percent(large.coldShare.value, 2)} with grammars never seen before (${count(large.steps)} steps).`
  }</p></section>`;
}

function hardest(summary: Summary): Markup {
  const costs = (title: string, rows: readonly SchemaCost[]): Markup =>
    html`<table><caption>${title}</caption><thead><tr><th>request</th><th>compile, cold</th><th>masks</th><th>slowest mask</th></tr></thead>
<tbody>${rows.slice(0, 8).map((c) => html`<tr><td><code>${c.id}</code></td><td>${time(c.coldMs)}</td><td>${time(c.maskMs)}<small>of ${count(c.masks)}</small></td><td>${time(c.slowestMaskMs)}</td></tr>`)}</tbody></table>`;
  return html`<section><h2>The hardest schemas</h2>
<p class="say">Kinds of request where the prompt alone fails most often, and what the constraint makes of them.</p>
${groupChart(summary.groups, 16)}
<h3>The most expensive ones</h3>
<div class="two"><div class="scroll">${costs('Slowest to compile', summary.costly.compile)}</div><div class="scroll">${costs('Most time in masks (method 5)', summary.costly.masks)}</div></div>
${refused(summary)}</section>`;
}

function refused(summary: Summary): Markup {
  if (summary.refused.length === 0) return html``;
  const rows = new Map<string, number>();
  for (const r of summary.refused) rows.set(r.name, (rows.get(r.name) ?? 0) + 1);
  return html`<h3>Refused</h3><p class="say">${plural(summary.refused.length, 'schema')} refused by name before generation, counted for no method.</p>
<table><thead><tr><th>error</th><th>schemas</th></tr></thead><tbody>${[...rows].map(([name, n]) => html`<tr><td>${name}</td><td>${count(n)}</td></tr>`)}</tbody></table>
<div class="scroll"><table><tbody>${summary.refused.slice(0, 20).map((r) => html`<tr><td><code>${r.id}</code></td><td class="left" style="white-space:normal">${r.message}</td></tr>`)}</tbody></table></div>`;
}

function peers(extras: Extras): Markup {
  if (extras.peers === undefined) return html``;
  return html`<section><h2>Other engines</h2>
<p class="say">The same model and requests in the same run.</p>
<div class="scroll"><table><thead><tr><th>engine</th><th>model</th><th>requests</th><th>refused</th><th>fits</th><th>cut</th><th>tokens/s</th><th>time of an answer</th><th>over ours</th></tr></thead>
<tbody>${extras.peers.rows.map((p) => html`<tr><td>${p.name} <small>${p.version}</small></td><td>${p.model}</td><td>${count(p.requests)}</td><td>${count(p.refused)}</td><td>${percent(p.fits.share)}<small>${interval(p.fits)}</small></td><td>${count(p.cut)}</td><td>${precise(p.tokensPerSecond)}</td><td>${time(p.msPerAnswer)}</td><td>${times(p.timesOurs)}</td></tr>`)}</tbody></table></div>
<ul class="notes">${extras.peers.notes.map((n) => html`<li>${n}</li>`)}</ul></section>`;
}

function failures(summary: Summary): Markup {
  if (summary.failureCount === 0) return html``;
  return html`<section><h2>What failed</h2>
<p class="say">${plural(summary.failureCount, 'answer')} that should not have failed${summary.failureCount > summary.failures.length ? html`, the first ${count(summary.failures.length)}` : undefined}.</p>
<div class="scroll"><table><thead><tr><th>request</th><th class="left">method</th><th class="left">what happened</th></tr></thead><tbody>${summary.failures.map((f) => html`<tr><td><code>${f.id}</code></td><td class="left">${f.method}</td><td class="left" style="white-space:normal">${f.what}</td></tr>`)}</tbody></table></div></section>`;
}

function allFigures(summary: Summary): Markup {
  const all = summary.all.filter((f) => f.source === 'all');
  return html`<section><h2>All figures</h2>
<p class="say">Small print under a figure is its 95% interval: Wilson's for shares, a bootstrap over requests for ratios and fields.</p>
${
  summary.compared.length === 0
    ? undefined
    : html`<h3>The same ${plural(summary.compared[0]?.requests ?? 0, 'request')} for all methods</h3>
${answersTable('Answers', summary.compared)}
${costTable('Cost', summary.compared)}`
}
<h3>Every request</h3>
${answersTable('Answers', all)}
${costTable('Cost', all)}
${Object.keys(summary.bySource).map((source) => {
  const rows = summary.all.filter((f) => f.source === source);
  return rows.length === 0
    ? html``
    : html`<h3>${SOURCES[source] ?? source}</h3>${answersTable('Answers', rows)}${costTable('Cost', rows)}`;
})}</section>`;
}

function answersTable(caption: string, rows: readonly Figures[]): Markup {
  const row = (f: Figures): Markup => {
    const m = methodTitle(f);
    const warn = (n: number): Markup =>
      n > 0 && m.number >= 5 ? html`<span class="bad">${count(n)}</span>` : html`${count(n)}`;
    const more = [
      ...(f.unchecked > 0 ? [`${count(f.unchecked)} not judged`] : []),
      ...(f.disputed > 0 ? [`${count(f.disputed)} formats disputed`] : []),
      ...(f.long > 0 ? [`${count(f.long)} beyond the context`] : []),
    ];
    return html`<tr><td>${m.number}. ${m.title}${more.length > 0 ? html`<small>${more.join(', ')}</small>` : undefined}</td><td>${count(f.requests)}</td>
<td>${percent(f.json.share)}</td><td>${percent(f.fits.share, 2)}<small>${interval(f.fits, 2)}</small></td>
<td>${percent(f.fields.value)}${f.leaves > 0 ? html`<small>${interval(f.fields)} of ${count(f.leaves)}</small>` : undefined}</td><td>${percent(f.cut.share)}</td><td>${percent(f.closed.share)}</td>
<td>${warn(f.deadEnds)}</td><td>${warn(f.errors)}</td><td>${precise(f.attempts)}</td></tr>`;
  };
  return html`<div class="scroll"><table><caption>${caption}</caption>
<thead><tr><th>method</th><th>requests</th><th>JSON</th><th>fits</th><th>fields right</th><th>cut</th><th>closed by budget</th><th>dead ends</th><th>exceptions</th><th>attempts</th></tr></thead>
<tbody>${rows.map(row)}</tbody></table></div>`;
}

function costTable(caption: string, rows: readonly Figures[]): Markup {
  const row = (f: Figures): Markup => {
    const m = methodTitle(f);
    return html`<tr><td>${m.number}. ${m.title}</td><td>${precise(f.tokens)}</td>
<td>${precise(f.passesPerToken.value)}<small>${f.passesPerToken.low.toFixed(2)}–${f.passesPerToken.high.toFixed(2)}</small></td>
<td>${precise(f.tokensPerSecond.value)}<small>${precise(f.tokensPerSecond.low)}–${precise(f.tokensPerSecond.high)}</small></td>
<td>${time(f.firstToken.p50)}<small>p99 ${time(f.firstToken.p99)}</small></td><td>${time(f.total.p50)}<small>p99 ${time(f.total.p99)}</small></td>
<td>${f.maskMs.count === 0 ? '–' : html`${time(f.maskMs.p50)}<small>p99 ${time(f.maskMs.p99)}, ${count(f.maskMs.count)} masks</small>`}</td>
<td>${percent(f.maskShare.value)}${Number.isNaN(f.maskShare.value) ? undefined : html`<small>${interval(f.maskShare)}</small>`}</td><td>${m.constrained ? percent(f.constraintShare.value) : '–'}</td></tr>`;
  };
  return html`<div class="scroll"><table><caption>${caption}</caption>
<thead><tr><th>method</th><th>tokens</th><th>passes per token</th><th>tokens/s</th><th>first token</th><th>answer</th><th>mask</th><th>masks of the time</th><th>constraint of the time</th></tr></thead>
<tbody>${rows.map(row)}</tbody></table></div>`;
}

function howMeasured(summary: Summary): Markup {
  const { options } = summary.run;
  return html`<section><h2>What each method may do</h2>
<dl class="methods">${METHOD_LIST.map((m) => html`<dt>${m.number}. ${m.title}</dt><dd>${m.about}</dd>`)}</dl>
<h3>How to read it</h3>
<ul class="notes">
<li>Every method has the same prompt, with the schema in it, and greedy decoding but for retries. The usual limit is ${count(options.maxTokens)} tokens, more where the shortest value needs more; method 7 has the shortest value plus two, method 8 the shortest plus 96, since noise never ends a string by itself.</li>
<li>Methods 1 to 4 get an even part of the requests; bars and intervals compare all methods on that part. For grammars there is no JSON to parse, repair or allow, so methods 3 and 4 do not apply to them.</li>
<li>“Cut” means that the text ended in the middle. “Closed by budget” means that the value is complete and would have gone on. Method 4 runs on this engine and is never cut; JSON modes that are cut would do worse.</li>
<li>A right field is an expected leaf of the value, equal in place and value. How many are right says how good the model is; the embedded one is small and was trained for extraction alone, so the other sources show what a model makes of schemas that it was not made for. A constraint helps where it keeps the model on the way, and cannot know what is true.</li>
<li>Fitting is judged by ajv, which shares nothing with the masks but the automata of <code>pattern</code>. Where only its narrower idea of a format objects, the answer counts and is listed as disputed. Schemas that ajv cannot compile are listed as not judged.</li>
<li>Speed is processor time, least of three runs for each request and rival, run in turn in one process. Latencies are wall time while ${count(summary.run.workers)} processes share ${count(summary.run.machine.cores)} cores. Compare figures of one run only.</li>
<li>Time to the first token of a retry counts the failed attempts before it. Repair and retry are given more than usual: prose is cut off before repairing, and retrying stops on a validator's word.</li>
</ul></section>`;
}
