/** The short summary: what a commit message or an issue can hold. */
import { METHOD_LIST } from '../methods.js';
import type { Figures, Summary } from '../summary.js';
import type { Extras } from './extras.js';
import { count, interval, percent, plural, precise, time, times } from './format.js';
import { targets } from './targets.js';

export function markdown(summary: Summary, extras: Extras): string {
  const { run, speed } = summary;
  const lines = [
    '# Reliability of structured output',
    '',
    `tokenloom ${run.version}, model ${run.model.source}, ${count(summary.requests)} requests (seed ${run.options.seed}), ${run.started.slice(0, 10)}, ${run.machine.processor}, ${run.machine.cores} cores, Node ${run.machine.node}.`,
    '',
    '| target | wanted | this run | |',
    '|---|---|---|---|',
    ...targets(summary, extras).map(
      (t) =>
        `| ${t.name} | ${t.wanted} | ${t.got} (${t.note}) | ${t.met === undefined ? 'not measured' : t.met ? 'met' : '**missed**'} |`,
    ),
    '',
    ...(summary.compared.length === 0
      ? []
      : [
          `All methods on the same ${plural(summary.compared[0]?.requests ?? 0, 'request')}:`,
          '',
          table(summary.compared),
          '',
        ]),
    'Methods 5 to 8 on all requests:',
    '',
    table(summary.all.filter((f) => f.source === 'all' && numberOf(f) >= 5)),
    '',
    `Compile, from schema to first mask, over ${count(summary.compile.requests)} requests: cold p50 ${time(summary.compile.cold.p50)}, p99 ${time(summary.compile.cold.p99)}; cached p50 ${time(summary.compile.cached.p50)}.`,
  ];
  if (speed !== undefined) {
    const rival = (name: string, r: typeof speed.bare): string =>
      `${times(r)} (${r.low.toFixed(2)} to ${r.high.toFixed(2)}) ${name}`;
    lines.push(
      `Speed of the same final text at batch 1, ${count(speed.requests)} extraction records, least processor time of three: ${rival('as fast as unconstrained decoding', speed.unconstrained)}, ${rival('as fast as unconstrained with drafts from the text', speed.lookup)}, ${rival('as fast as the bare model', speed.bare)}; ${rival('counting the first compilation of every schema', speed.withCompile)}.`,
    );
  }
  if (extras.largeVocabulary !== undefined) {
    const l = extras.largeVocabulary;
    lines.push(
      `Masks of ${l.vocabulary} (${count(l.tokens)} tokens): ${percent(l.share.value, 2)} of the step (${time(l.stepMs)}), ${percent(l.coldShare.value, 2)} with grammars never seen before.`,
    );
  }
  if (extras.peers !== undefined) {
    lines.push(
      '',
      '| peer | model | requests | refused | fits | tokens/s | time over ours |',
      '|---|---|---|---|---|---|---|',
    );
    for (const p of extras.peers.rows)
      lines.push(
        `| ${p.name} ${p.version} | ${p.model} | ${count(p.requests)} | ${count(p.refused)} | ${percent(p.fits.share)} (${interval(p.fits)}) | ${precise(p.tokensPerSecond)} | ${times(p.timesOurs)} |`,
      );
  }
  if (summary.refused.length > 0)
    lines.push(`Refused by name: ${count(summary.refused.length)} of ${count(summary.requests)}.`);
  if (summary.failureCount > 0) {
    lines.push('', 'Failures:', '', ...summary.failures.map((f) => `- \`${f.id}\`, ${f.method}: ${f.what}`));
  }
  return `${lines.join('\n')}\n`;
}

function table(rows: readonly Figures[]): string {
  return [
    '| method | requests | JSON | fits (95%) | fields right | cut | tokens | passes per token | p50 | mask share |',
    '|---|---|---|---|---|---|---|---|---|---|',
    ...rows.map((f) => {
      const method = METHOD_LIST.find((m) => m.name === f.method);
      return `| ${method?.number}. ${method?.title} | ${count(f.requests)} | ${percent(f.json.share)} | ${percent(f.fits.share, 2)} (${interval(f.fits)}) | ${percent(f.fields.value)} | ${percent(f.cut.share)} | ${precise(f.tokens)} | ${precise(f.passesPerToken.value)} | ${time(f.total.p50)} | ${percent(f.maskShare.value)} |`;
    }),
  ].join('\n');
}

function numberOf(f: Figures): number {
  return METHOD_LIST.find((m) => m.name === f.method)?.number ?? 0;
}
