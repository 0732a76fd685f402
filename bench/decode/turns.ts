/**
 * Rows of a step as chosen by measured costs ('auto') against all that are ready, and against fixed sizes; one run, by turns, the mean of the
 * cheaper half of each one's rounds. The embedded model with rows of one length and of many, and a mixture with planted routing, 64 requests of four domains. The same
 * tokens each way, or the part says so.
 */
import { createRandom } from '../../src/base/random.js';
import { measureStepCost } from '../../src/decoder/cost-probe.js';
import { DecodeLoop } from '../../src/decoder/loop.js';
import type { LoopOptions } from '../../src/decoder/loop-options.js';
import { resolveSampling } from '../../src/decoder/sampling.js';
import { loadModel } from '../../src/runtime/load.js';
import { type Line, timed, withFolder } from './common.js';
import { DOMAINS, PLANTED } from './planted.js';

const SIZES = [4, 8, 16] as const;
const ROUNDS = { quick: 6, full: 16 };

interface Load {
  readonly name: string;
  readonly source: string;
  /** Positions in the prefix cache when the clock starts, and tokens to decode, by request. */
  readonly requests: readonly { readonly prompt: readonly number[]; readonly bias: (token: number) => number }[];
  readonly tokens: number;
}

/** Prompts of full blocks and one token, which is never cached. */
function prompts(count: number, least: number, most: number): number[][] {
  const random = createRandom(3);
  return Array.from({ length: count }, () => {
    const length = least + random.below(most - least + 1);
    return Array.from({ length: Math.floor(length / 16) * 16 + 1 }, () => 10 + random.below(240));
  });
}

/** Milliseconds of processor time by round, what the metrics said, and the tokens. */
interface Outcome {
  readonly cpuMs: number[];
  note: string;
  tokens: string;
}

function cheap(ms: readonly number[]): number {
  const half = [...ms].sort((a, b) => a - b).slice(0, Math.ceil(ms.length / 2));
  return half.reduce((a, b) => a + b, 0) / half.length;
}

function shifted<T>(list: readonly T[], by: number): readonly T[] {
  // Steps of another length from round to round, so that the one before differs too.
  const step = 1 + (by % (list.length - 1));
  return list.map((_, i) => list[(by + i * step) % list.length]!);
}

async function compare({ name, source, requests, tokens }: Load, quick: boolean): Promise<Line[]> {
  const { model, vocabulary } = await loadModel(source, { device: 'cpu', threads: 1 });
  const ways = new Map<string, LoopOptions['batch']>([
    ['all', 'all'],
    ['auto', 'auto'],
    ...SIZES.map((n) => [String(n), n] as const),
  ]);
  const outcomes = new Map(
    [...ways.keys()].map((way): [string, Outcome] => [way, { cpuMs: [], note: '', tokens: '' }]),
  );
  // As a process does: measured once, then corrected by what runs.
  const start = performance.now();
  const cost = await measureStepCost(model);
  const probeMs = performance.now() - start;
  const loops = new Map(
    [...ways].map(([way, batch]) => [
      way,
      new DecodeLoop(model, vocabulary, { batch, cost: way === 'auto' ? cost : undefined }),
    ]),
  );
  for (let round = 0; round <= (quick ? ROUNDS.quick : ROUNDS.full); round++) {
    // Each way comes after each other one equally often: what ran before leaves its keys and values in the caches.
    for (const way of shifted([...ways.keys()], round)) {
      const loop = loops.get(way)!;
      const run = ({ prompt, bias }: Load['requests'][number], maxTokens: number) => {
        const logitBias: Record<number, number> = {};
        for (let t = 0; t < vocabulary.size; t++) if (bias(t) !== 0) logitBias[t] = bias(t);
        for (const eos of vocabulary.eos) logitBias[eos] = -1000;
        const { sampling } = resolveSampling({ logitBias }, () => 1);
        return loop.run({ prompt, matchers: [undefined], maxTokens, sampling, draftTokens: 0 });
      };
      if (round === 0) {
        await Promise.all(requests.map((r) => run(r, 1)));
        continue;
      }
      const before = loop.metrics.snapshot();
      const { value, spent } = await timed(() => Promise.all(requests.map((r) => run(r, tokens))));
      const { counters, times } = loop.metrics.snapshot();
      const steps = counters.steps - before.counters.steps;
      const rows = (counters.rows - before.counters.rows) / steps;
      const experts = (counters.expertsTouched - before.counters.expertsTouched) / steps;
      const error =
        times.measuredMs.sum === 0
          ? ''
          : `, predicted ${(times.predictedMs.sum / times.measuredMs.sum).toFixed(2)} of measured`;
      const note = `${rows.toFixed(1)} rows a step${experts === 0 ? '' : `, ${experts.toFixed(1)} experts`}${error}`;
      const outcome = outcomes.get(way)!;
      outcome.cpuMs.push(spent.cpuMs);
      outcome.note = note;
      outcome.tokens = JSON.stringify(value.map((r) => r.outputs.map((o) => o.tokens)));
    }
  }
  await model.dispose();
  const of = (way: string): Outcome => outcomes.get(way)!;
  const spent = (way: string): number => cheap(of(way).cpuMs);
  const line = (text: string, way: string, target?: Pick<Line, 'target' | 'met'>): Line => ({
    part: 'turns',
    name: `${name}: ${text}`,
    value: spent(way) / spent('auto'),
    unit: 'x',
    ...target,
    note: of(way).note,
  });
  const gain = spent('all') / spent('auto');
  const parted = of('all').tokens === of('auto').tokens ? '' : ', OTHER TOKENS THAN WITH ALL';
  return [
    {
      part: 'turns',
      name: `${name}: chosen, tokens per cpu second`,
      value: (1000 * requests.length * tokens) / spent('auto'),
      unit: '/s',
      note: `${of('auto').note}, measured in ${probeMs.toFixed(0)} ms${parted}`,
    },
    line('chosen against all rows', 'all', { target: '>= 1 (0.95 with noise)', met: gain >= 0.95 }),
    ...SIZES.map((n) => line(`chosen against ${n} rows`, String(n))),
  ];
}

export async function turnsPart(quick: boolean): Promise<Line[]> {
  const any = (): number => 0;
  const plain = (list: readonly number[][]) => list.map((prompt) => ({ prompt, bias: any }));
  const tokens = quick ? 24 : 64;
  const lines: Line[] = [];
  for (const [kind, least, most] of [
    ['one length (64)', 64, 64],
    ['one length (300)', 300, 300],
    ['lengths 50 to 900', 50, 900],
  ] as const) {
    const requests = plain(prompts(32, least, most));
    lines.push(...(await compare({ name: `embedded, 32 of ${kind}`, source: 'embedded', requests, tokens }, quick)));
  }
  await withFolder(PLANTED, async (source) => {
    const random = createRandom(9);
    const requests = Array.from({ length: 64 }, (_, i) => ({
      prompt: Array.from({ length: 33 }, () => 260 + DOMAINS * random.below(60) + (i % DOMAINS)),
      bias: (token: number): number => (token >= 259 && token % DOMAINS === i % DOMAINS ? 50 : 0),
    }));
    lines.push(...(await compare({ name: 'planted mixture, 64', source, requests, tokens }, quick)));
  });
  return lines;
}
