/** Tables and records of a part (part.ts). */
import { table } from '../conformance/report.js';
import type { Part } from './part.js';
import type { PeerPart } from './peers.js';
import { Samples, SUMMARY_HEAD, type Summary, summaryCells, us } from './stats.js';

/** What is kept of a part in a record: percentiles in place of times. */
export function recordOf(part: Part): object {
  const { mask, compile } = summaries(part);
  return {
    vocabulary: part.vocabulary,
    text: part.text,
    slices: part.slices.map(([k, n]) => `${k}/${n}`),
    setupMs: part.setupMs,
    coreShare: part.coreShare,
    replays: part.replays,
    schemas: part.schemas.length,
    compiled: part.schemas.filter((s) => s.refused === undefined).length,
    refused: part.schemas.filter((s) => s.refused !== undefined).length,
    wrong: wrongOf(part),
    mask,
    compile,
    worstOfThree: part.worst.slice(0, 12),
    memoryMb: part.memoryMb,
    peers: part.peers.map((p) => ({ ...p, theirs: unpacked(p.theirs), ours: unpacked(p.ours) })),
  };
}

const unpacked = (side: PeerPart['ours']): { mask: Summary; compile: Summary } => ({
  mask: Samples.unpack(side.mask).summary(),
  compile: Samples.unpack(side.compile).summary(),
});

function summaries(part: Part): { mask: Record<string, Summary>; compile: Record<string, Summary> } {
  const of = (packed: Part['mask']): Record<string, Summary> => {
    const all = new Samples();
    const out: Record<string, Summary> = {};
    for (const [source, text] of Object.entries(packed)) {
      const samples = Samples.unpack(text);
      out[source] = samples.summary();
      all.addAll(samples);
    }
    return { ...out, all: all.summary() };
  };
  return { mask: of(part.mask), compile: of(part.compile) };
}

function wrongOf(part: Part): string[] {
  return part.schemas.flatMap((s) => s.wrong.map((w) => `${s.id}: ${w}`));
}

export function printPart(part: Part): void {
  const { mask, compile } = summaries(part);
  const rows: string[][] = [
    ['source', ...SUMMARY_HEAD, '', 'schemas', 'refused', 'wrong', 'compile p50', 'p99', 'max'],
  ];
  for (const [source, m] of Object.entries(mask)) {
    const schemas = part.schemas.filter((s) => source === 'all' || s.source === source);
    const c = compile[source] ?? new Samples().summary();
    rows.push([
      source,
      ...summaryCells(m),
      '',
      String(schemas.length),
      String(schemas.filter((s) => s.refused !== undefined).length),
      String(schemas.reduce((n, s) => n + s.wrong.length, 0)),
      ...[c.p50, c.p99, c.max].map(us),
    ]);
  }
  const { vocabulary, text, setupMs, memoryMb, replays } = part;
  console.log(
    `\n${vocabulary}, ${text}: microseconds a token (mask + accept) and a schema (compile to first mask); vocabulary set-up ${setupMs.toFixed(0)} ms`,
  );
  console.log(table(rows));
  for (const w of part.worst.slice(0, 5))
    console.log(`  worst of three, cold: ${us(w.us)} us  ${w.id} test ${w.test} token ${w.at}`);
  console.log(
    `  memory above the start: ${memoryMb.live.toFixed(0)} MB live (heap and buffers), ${memoryMb.rss.toFixed(0)} MB resident; the process had ${(100 * part.coreShare).toFixed(0)}% of a core${replays > 1 ? `; least of ${replays} cold runs` : ''}`,
  );
  const wrong = wrongOf(part);
  for (const w of wrong.slice(0, 10)) console.log(`  WRONG ${w}`);
  if (wrong.length > 10) console.log(`  … ${wrong.length - 10} more`);
  if (part.peers.length > 0) console.log(peerTable(part.peers));
}

function peerTable(peers: readonly PeerPart[]): string {
  const rows: string[][] = [
    ['peer (same run, schemas both compile)', 'given', 'reached', 'compiled', 'right', 'both', ''].concat([
      'mask avg',
      'p50',
      'p99',
      'p99.9',
      'compile p50',
      'p99',
    ]),
  ];
  const figures = (s: { mask: Summary; compile: Summary }): number[] => [
    s.mask.avg,
    s.mask.p50,
    s.mask.p99,
    s.mask.p999,
    s.compile.p50,
    s.compile.p99,
  ];
  for (const p of peers) {
    const theirs = figures(unpacked(p.theirs));
    const ours = figures(unpacked(p.ours));
    const ratio = theirs.map((x, i) => ((ours[i] ?? 0) === 0 ? '-' : `${(x / (ours[i] ?? 1)).toFixed(1)}x`));
    rows.push(
      [
        `${p.engine} ${p.version}`,
        ...[p.given, p.reached, p.compiled, p.right, p.both].map(String),
        '',
        ...theirs.map(us),
      ],
      ['  tokenloom on these', '', '', '', '', '', '', ...ours.map(us)],
      ['  ratio (theirs / ours)', '', '', '', '', '', '', ...ratio],
    );
  }
  return table(rows);
}
