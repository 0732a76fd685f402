/** Sixteen requests at once against sixteen after each other, through the engine; the bare graph's gain beside it. */
import { createEngine } from '../../src/engine/create.js';
import { loadModel } from '../../src/runtime/load.js';
import { DENSE, type Line, type Spent, timed, withFolder } from './common.js';

const ROWS = 16;
const TOKENS = 48;

interface Gain {
  readonly gain: number;
  readonly wall: number;
  /** Milliseconds of processor time per token, sixteen at once. */
  readonly perToken: number;
}

/** Least of several runs of each, by turns. */
async function compare(single: () => Promise<void>, batched: () => Promise<void>, rounds: number): Promise<Gain> {
  const least = { single: NOTHING, batched: NOTHING };
  for (let i = 0; i < rounds; i++) {
    least.single = cheaper(least.single, (await timed(single)).spent);
    least.batched = cheaper(least.batched, (await timed(batched)).spent);
  }
  return {
    gain: least.single.cpuMs / least.batched.cpuMs,
    wall: least.single.wallMs / least.batched.wallMs,
    perToken: least.batched.cpuMs / (ROWS * TOKENS),
  };
}

const NOTHING: Spent = { wallMs: Number.POSITIVE_INFINITY, cpuMs: Number.POSITIVE_INFINITY };

function cheaper(a: Spent, b: Spent): Spent {
  return { wallMs: Math.min(a.wallMs, b.wallMs), cpuMs: Math.min(a.cpuMs, b.cpuMs) };
}

async function engineGain(source: string, rounds: number): Promise<Gain> {
  const engine = await createEngine({ model: source, device: 'cpu', worker: false, threads: 1 });
  // Prompts are in the prefix cache when the clock starts: what is compared is decoding. So they are full blocks and one token, which is
  // never cached.
  const prompts: string[] = [];
  const ask = (prompt: string, maxTokens: number) =>
    engine.generate(null, { prompt, maxTokens, logitBias: { [engine.info.eos[0] ?? 0]: -1000 } });
  for (let i = 0; i < ROWS; i++) {
    let prompt = `${String(i).padStart(2, '0')} words words words`;
    while ((await ask(prompt, 1)).usage.promptTokens % 16 !== 1) prompt += '~';
    prompts.push(prompt);
  }
  const run = (i: number) => ask(prompts[i]!, TOKENS);
  for (let i = 0; i < ROWS; i++) await run(i);
  const out = await compare(
    async () => {
      for (let i = 0; i < ROWS; i++) await run(i);
    },
    async () => {
      await Promise.all(Array.from({ length: ROWS }, (_, i) => run(i)));
    },
    rounds,
  );
  await engine.close();
  return out;
}

/** The same token counts without scheduler, sampler or text: steps of the model alone, prompts in place when the clock starts. */
async function bareGain(source: string, rounds: number): Promise<Gain> {
  const { model } = await loadModel(source, { device: 'cpu', threads: 1, kv: { prefixCache: false } });
  const prompt = Array.from({ length: 36 }, (_, i) => 300 + i);
  const open = Array.from({ length: ROWS }, () => model.open().sequence);
  for (const sequence of open) (await model.submit([{ sequence, tokens: prompt, logits: 0 }])).release();
  const decode = async (sequences: readonly number[]): Promise<void> => {
    for (let t = 0; t < TOKENS; t++) {
      const handle = await model.submit(sequences.map((sequence) => ({ sequence, tokens: [400 + t], logits: 1 })));
      for (let i = 0; i < sequences.length; i++) await handle.logits(i, 0);
      handle.release();
    }
    for (const sequence of sequences) model.truncate(sequence, prompt.length);
  };
  await decode(open);
  const out = await compare(
    async () => {
      for (const sequence of open) await decode([sequence]);
    },
    () => decode(open),
    rounds,
  );
  await model.dispose();
  return out;
}

/** The embedded model, and one of the class that the yardsticks of the project were taken with (8.4 M parameters), quantised and not. */
export async function batchPart(quick: boolean): Promise<Line[]> {
  const lines = await gains('embedded', 'embedded', 2.5, quick);
  const kinds = { int8: 2.5, f32: 3.5 } as const;
  for (const weights of quick ? (['int8'] as const) : (['int8', 'f32'] as const)) {
    await withFolder({ ...DENSE, weights }, async (folder) => {
      lines.push(...(await gains(`8.4 M ${weights}`, folder, kinds[weights], quick)));
    });
  }
  return lines;
}

async function gains(name: string, source: string, target: number, quick: boolean): Promise<Line[]> {
  const rounds = quick ? 5 : 9;
  const bare = await bareGain(source, rounds);
  const { gain, wall, perToken } = await engineGain(source, rounds);
  return [
    {
      part: 'batch',
      name: `${name}: 16 at once against 16 in turn, engine`,
      value: gain,
      unit: 'x',
      target: `>= ${target}`,
      met: gain >= target,
      note: `wall ${wall.toFixed(2)}x, ${perToken.toFixed(2)} ms cpu a token at 16`,
    },
    {
      part: 'batch',
      name: `${name}: the same, bare graph`,
      value: bare.gain,
      unit: 'x',
      note: `wall ${bare.wall.toFixed(2)}x, ${bare.perToken.toFixed(2)} ms cpu a token at 16`,
    },
    {
      part: 'batch',
      name: `${name}: share of the bare graph's gain`,
      value: gain / bare.gain,
      unit: '',
      target: '>= 0.9',
      met: gain / bare.gain >= 0.9,
    },
  ];
}
