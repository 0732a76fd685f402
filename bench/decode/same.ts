/**
 * One text however it is decoded: the held-out extraction set alone, speculated, and sixteen at once. Greedy tokens must be equal but where the two best allowed logits lie within 1e-3 of each other: kernels for one row and for
 * several add in different orders.
 */
import { createEngine } from '../../src/engine/create.js';
import type { GenerateOptions, Result } from '../../src/engine/types.js';
import type { Line } from './common.js';
import { readRecords } from './records.js';

const TIE = 1e-3;
const ROWS = 16;

export async function samePart(quick: boolean): Promise<Line[]> {
  const lines: Line[] = [];
  for (const { model, exact, count } of [
    { model: 'embedded', exact: true, count: quick ? 12 : 48 },
    { model: 'embedded', exact: false, count: quick ? 32 : 160 },
    { model: 'embedded-moe', exact: false, count: quick ? 32 : 160 },
  ]) {
    const records = readRecords().slice(0, count);
    const engine = await createEngine({ model, exact, device: 'cpu', worker: false, threads: 1 });
    const ask = (i: number, options: Partial<GenerateOptions>): Promise<Result<unknown>> => {
      const { target, messages } = records[i]!;
      return engine.generate(target, { messages, maxTokens: 256, validate: false, ...options });
    };
    // Alone, one token a pass, with the distance of the best two.
    const alone: Result<unknown>[] = [];
    for (const i of records.keys()) alone.push(await ask(i, { speculation: false, logprobs: 2 }));
    const ways: readonly [string, Partial<GenerateOptions>, number][] = [
      ['speculated', {}, 1],
      ['16 at once', { speculation: false }, ROWS],
      ['16 at once, speculated', {}, ROWS],
    ];
    for (const [name, options, rows] of ways) {
      const got: Result<unknown>[] = [];
      for (let at = 0; at < records.length; at += rows) {
        const some = [...records.keys()].slice(at, at + rows);
        got.push(...(await Promise.all(some.map((i) => ask(i, { ...options, logprobs: 2 })))));
      }
      let [ties, wrong, widest] = [0, 0, 0];
      for (const [i, a] of alone.entries()) {
        const parting = firstDifference(a, got[i]!);
        if (parting === undefined) continue;
        if (parting <= TIE) ties++;
        else wrong++;
        widest = Math.max(widest, parting);
      }
      lines.push({
        part: 'same',
        name: `${model}${exact ? ', exact kernels' : ''}, ${name} against alone: outputs that differ beyond ties`,
        value: wrong,
        unit: '',
        target: '0',
        met: wrong === 0,
        note: `${records.length} records, ${ties} part at a tie${widest > 0 ? `, best two at most ${widest.toPrecision(2)} apart` : ''}`,
      });
    }
    await engine.close();
  }
  return lines;
}

/** How far the two best logits lie apart where the texts part; undefined where they are the same. */
function firstDifference(alone: Result<unknown>, other: Result<unknown>): number | undefined {
  const [a, b] = [alone.tokens ?? [], other.tokens ?? []];
  for (let i = 0; i < a.length; i++) {
    if (a[i]?.token === b[i]?.token) continue;
    const best = a[i]?.top?.after ?? [];
    // One allowed token leaves no choice; then forced text was cut differently, which the text would show.
    if (best.length < 2) return alone.text === other.text ? undefined : Number.POSITIVE_INFINITY;
    return (best[0]?.logprob ?? 0) - (best[1]?.logprob ?? 0);
  }
  return alone.text === other.text ? undefined : Number.POSITIVE_INFINITY;
}
