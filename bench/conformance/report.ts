/** Compact tables of the parts' verdicts. */
import type { DeadEndVerdict } from './dead-ends.js';
import { passes, type SchemaVerdict } from './maskbench.js';
import type { RandomVerdict } from './random.js';
import type { GroupVerdict } from './suite.js';
import type { Part } from './worker.js';

export interface PartResult {
  readonly part: Part;
  readonly verdicts: readonly unknown[];
  /** Tasks whose process had to be ended or ended itself. */
  readonly lost: readonly { readonly name: string; readonly why: string }[];
  readonly seconds: number;
  /** False where it was stopped before all tasks were done. */
  readonly complete: boolean;
}

const percent = (n: number, of: number): string => (of === 0 ? '-' : `${((100 * n) / of).toFixed(2)}%`);

/** Rows of cells, columns aligned; the first to the left, the others to the right. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, c] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, String(c).length);
  }
  return rows
    .map((row) =>
      row.map((c, i) => (i === 0 ? String(c).padEnd(widths[i] ?? 0) : String(c).padStart(widths[i] ?? 0))).join('  '),
    )
    .join('\n');
}

export function groupBy<T>(items: readonly T[], key: (t: T) => string): Map<string, T[]> {
  const out = new Map<string, T[]>();
  for (const item of items) {
    const k = key(item);
    const list = out.get(k);
    if (list === undefined) out.set(k, [item]);
    else list.push(item);
  }
  return out;
}

function reportMaskBench(order: string, verdicts: readonly SchemaVerdict[], lost: number, list: number): void {
  const rows: (string | number)[][] = [
    [
      'MaskBench',
      'schemas',
      'pass',
      '',
      'refused',
      'crash',
      'valid refused',
      'invalid accepted',
      '> 2 s',
      'compile p50 ms',
      'p99',
    ],
  ];
  const row = (name: string, vs: readonly SchemaVerdict[]): void => {
    const times = vs.map((v) => v.compileMs).sort((a, b) => a - b);
    const at = (q: number): string => (times[Math.min(times.length - 1, Math.floor(q * times.length))] ?? 0).toFixed(2);
    const count = (k: string): number => vs.reduce((n, v) => n + v.wrong.filter((w) => w.kind === k).length, 0);
    rows.push([
      name,
      vs.length,
      vs.filter(passes).length,
      percent(vs.filter(passes).length, vs.length),
      vs.filter((v) => v.compile !== 'ok' && v.compile !== 'crash').length,
      vs.filter((v) => v.compile === 'crash').length + count('crash'),
      count('valid refused'),
      count('invalid accepted'),
      vs.filter((v) => v.ms > 2000).length,
      at(0.5),
      at(0.99),
    ]);
  };
  for (const [source, vs] of groupBy(verdicts, (v) => v.source)) row(source, vs);
  row('all', verdicts);
  console.log(`\npropertyOrder '${order}', whitespace 'flexible'; hangs and lost processes: ${lost}\n${table(rows)}`);
  const refused = groupBy(
    verdicts.filter((v) => v.compile !== 'ok'),
    (v) =>
      `${v.compile}: ${
        /keyword '([^']*)'.*?: (.*)$/
          .exec(v.message ?? '')
          ?.slice(1, 3)
          .join(': ') ??
        v.message ??
        ''
      }`.slice(0, 110),
  );
  for (const [why, vs] of [...refused].sort((a, b) => b[1].length - a[1].length).slice(0, list)) {
    console.log(
      `  ${vs.length} x ${why}  (${vs
        .slice(0, 3)
        .map((v) => v.id)
        .join(', ')})`,
    );
  }
  const wrong = verdicts.flatMap((v) => v.wrong.map((w) => ({ ...w, id: v.id })));
  for (const w of wrong.slice(0, list))
    console.log(`  ${w.kind}: ${w.id} test ${w.test} (${w.description}); ajv: ${w.ajv}`);
  if (wrong.length > list) console.log(`  … ${wrong.length - list} more wrong answers`);
  for (const v of verdicts.filter((x) => x.ms > 2000).slice(0, list))
    console.log(`  slow: ${v.id} ${v.ms.toFixed(0)} ms (compile ${v.compileMs.toFixed(0)})`);
}

function reportSuite(verdicts: readonly GroupVerdict[], list: number): void {
  const rows: (string | number)[][] = [['JSON-Schema-Test-Suite', 'cases', 'right', '', 'refused', 'wrong']];
  for (const [name, vs] of groupBy(verdicts, (v) => `${v.draft} ${v.part}`)) {
    const sum = (f: (v: GroupVerdict) => number): number => vs.reduce((n, v) => n + f(v), 0);
    const cases = sum((v) => v.right + v.refused + v.wrong.length);
    rows.push([
      name,
      cases,
      sum((v) => v.right),
      percent(
        sum((v) => v.right),
        cases,
      ),
      sum((v) => v.refused),
      sum((v) => v.wrong.length),
    ]);
  }
  console.log(`\n${table(rows)}`);
  const wrong = verdicts.flatMap((v) => v.wrong.map((w) => `${v.draft}/${v.file}: ${v.description}: ${w}`));
  for (const w of wrong.slice(0, list)) console.log(`  wrong: ${w}`);
  if (wrong.length > list) console.log(`  … ${wrong.length - list} more wrong answers`);
  const refused = groupBy(
    verdicts.filter((v) => v.refused > 0),
    (v) => `${v.why ?? ''}`.slice(0, 110),
  );
  for (const [why, vs] of [...refused].sort((a, b) => b[1].length - a[1].length).slice(0, list)) {
    console.log(`  refused ${vs.length} x ${why}  (${vs[0]?.draft}/${vs[0]?.file})`);
  }
}

function reportDeadEnds(verdicts: readonly DeadEndVerdict[], seconds: number, list: number): void {
  const rows: (string | number)[][] = [
    ['random generations', 'schemas', 'ok', 'failed', 'longer than 512', 'ajv cannot compile', 'tokens', 'us a token'],
  ];
  const row = (name: string, vs: readonly DeadEndVerdict[]): void => {
    const n = (k: string): number => vs.filter((v) => v.kind === k).length;
    const tokens = vs.reduce((s, v) => s + v.tokens, 0);
    const ms = vs.reduce((s, v) => s + v.ms, 0);
    rows.push([
      name,
      vs.length - n('not compiled'),
      n('ok'),
      n('failed'),
      n('too long'),
      n('unchecked'),
      tokens,
      ((1000 * ms) / Math.max(1, tokens)).toFixed(0),
    ]);
  };
  for (const [source, vs] of groupBy(verdicts, (v) => v.source)) row(source, vs);
  row('all', verdicts);
  console.log(
    `\nnever a dead end: whitespace 'bounded', maxTokens 512, cl100k, ${seconds.toFixed(0)} s\n${table(rows)}`,
  );
  for (const v of verdicts.filter((x) => x.kind === 'failed').slice(0, list))
    console.log(`  ${v.id}: ${v.failure ?? ''}`);
}

function reportMutants(verdicts: readonly DeadEndVerdict[], list: number): void {
  const n = (k: string): number => verdicts.filter((v) => v.kind === k).length;
  const slow = verdicts.filter((v) => v.ms > 2000);
  console.log(
    `\nmutants: ${verdicts.length} schemas; typed errors ${n('not compiled')}, valid ${n('ok')}, too long ${n('too long')}, ajv cannot compile ${n('unchecked')}, failed ${n('failed')}, crashes ${n('crash')}, over 2 s ${slow.length}`,
  );
  for (const v of verdicts.filter((x) => x.kind === 'failed' || x.kind === 'crash').slice(0, list))
    console.log(`  ${v.id}: ${v.failure ?? ''}`);
  for (const v of slow.slice(0, list)) console.log(`  slow: ${v.id} ${v.ms.toFixed(0)} ms`);
}

function reportRandom(verdicts: readonly RandomVerdict[], list: number): void {
  const n = (k: string): number => verdicts.filter((v) => v.kind === k).length;
  const sum = (f: (v: RandomVerdict) => number): number => verdicts.reduce((s, v) => s + f(v), 0);
  const slow = verdicts.filter((v) => v.ms > 2000);
  console.log(
    `\nrandom schemas against ajv: ${verdicts.length} schemas; equal ${n('ok')}, without any value ${n('empty')}, refused ${n('refused')}, ajv cannot compile ${n('unchecked')}, apart ${n('apart')}; ` +
      `${sum((v) => v.answers)} answers, ${sum((v) => v.generated)} values generated, ${sum((v) => v.tooLong)} too long, ${sum((v) => v.theirs)} answers of ajv against the specification, over 2 s ${slow.length}`,
  );
  for (const [why, vs] of groupBy(
    verdicts.filter((v) => v.kind === 'refused'),
    (v) => (v.why ?? '').replace(/'#[^']*'/, '').slice(0, 80),
  ))
    console.log(`  refused ${vs.length} x ${why}`);
  for (const v of verdicts.filter((x) => x.kind === 'apart').slice(0, list))
    console.log(`  seed ${v.seed}: ${v.why ?? ''}\n    ${v.schema ?? ''}`);
  for (const v of slow.slice(0, list)) console.log(`  slow: seed ${v.seed} ${v.ms.toFixed(0)} ms`);
}

export function printReport(r: PartResult, list: number): void {
  if (r.part === 'any' || r.part === 'schema')
    reportMaskBench(r.part, r.verdicts as SchemaVerdict[], r.lost.length, list);
  else if (r.part === 'suite') reportSuite(r.verdicts as GroupVerdict[], list);
  else if (r.part === 'mutants') reportMutants(r.verdicts as DeadEndVerdict[], list);
  else if (r.part === 'random') reportRandom(r.verdicts as RandomVerdict[], list);
  else if (r.part === 'deadends') reportDeadEnds(r.verdicts as DeadEndVerdict[], r.seconds, list);
  else {
    const rows = r.verdicts as { name: string; outcome: string; ok: boolean; ms: number }[];
    console.log(
      `\n${table([['hostile schemas', 'ms', 'ok', ''], ...rows.map((v) => [v.name, v.ms.toFixed(0), v.ok && v.ms < 2000 ? 'yes' : 'NO', v.outcome])])}`,
    );
  }
  if (!r.complete) console.log('  stopped early: the figures are of a part of the tasks');
  for (const l of r.lost) console.log(`  LOST: ${l.name}: ${l.why}`);
}
