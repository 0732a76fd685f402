/**
 * Sampling is exact: statistical tests over whole outputs. The expected distribution is worked out by walking every allowed token of a small
 * grammar: at each step the model's distribution, restricted to what the mask allows and renormalised. Draws are seeded, so a test that passes goes on
 * passing; the bound on chi-square has a chance of 10^-6 if the seeds were drawn anew.
 */
import { describe, expect, it } from 'vitest';
import { DecodeLoop } from '../../src/decoder/loop.js';
import type { DecodeRequest } from '../../src/decoder/request.js';
import { resolveSampling, type SamplingOptions } from '../../src/decoder/sampling.js';
import { compileGrammar, Matcher } from '../../src/fsm/index.js';
import { constraintGrammar, gbnf } from '../../src/grammar/constraint/index.js';
import { FakeModel, hashLogits, testVocabulary } from '../decoder/fakes.js';

const vocabulary = testVocabulary(['ab', 'bx', 'xy', 'b!', 'q']);
const compiled = (source: string) => compileGrammar(constraintGrammar(gbnf(source)).grammar);
const words = compiled('root ::= ("a" | "b" | "ab") ("x" | "y" | "xy")? [!?]');
const PROMPT = [33, 34];

/** Logits that depend on all tokens so far; what the grammar is made of is likelier, so that about half of free draws are refused. */
function logits(tokens: readonly number[], out: Float32Array): void {
  hashLogits(tokens, out);
  for (let t = 0; t < out.length; t++) {
    const text = vocabulary.isEos(t) ? '' : new TextDecoder().decode(vocabulary.tokenBytes(t));
    out[t] = out[t]! * 0.3 + (/^[abxy!?]+$/.test(text) ? 4 : 0);
  }
}

/** Probability of each text under masked sampling at a temperature. */
function expectedTexts(temperature: number): Map<string, number> {
  const out = new Map<string, number>();
  const mask = new Uint32Array((vocabulary.size + 31) >>> 5);
  const row = new Float32Array(vocabulary.size);
  const walk = (matcher: Matcher, tokens: readonly number[], p: number): void => {
    if (matcher.isFinished) {
      const text = new TextDecoder().decode(vocabulary.decode(tokens.filter((t) => !vocabulary.isEos(t))));
      out.set(text, (out.get(text) ?? 0) + p);
      return;
    }
    matcher.fillMask(mask);
    logits([...PROMPT, ...tokens], row);
    const allowed: number[] = [];
    for (let t = 0; t < vocabulary.size; t++) if (((mask[t >> 5]! >>> (t & 31)) & 1) === 1) allowed.push(t);
    const weights = allowed.map((t) => Math.exp(row[t]! / temperature));
    const total = weights.reduce((a, b) => a + b, 0);
    // The end costs no pass where nothing else is allowed; it is certain then.
    allowed.forEach((t, i) => {
      const next = matcher.fork();
      next.accept(t);
      walk(next, [...tokens, t], (p * weights[i]!) / total);
    });
  };
  walk(new Matcher(words, vocabulary), [], 1);
  return out;
}

interface Pearson {
  readonly chi: number;
  readonly degrees: number;
}

/** Pearson's chi-square; cells with fewer than five expected are put together. */
function pearson(counts: ReadonlyMap<string, number>, expected: ReadonlyMap<string, number>, n: number): Pearson {
  let chi = 0;
  let cells = 0;
  let restExpected = 0;
  let restCount = 0;
  for (const [text, p] of expected) {
    const count = counts.get(text) ?? 0;
    if (n * p < 5) {
      restExpected += n * p;
      restCount += count;
      continue;
    }
    chi += (count - n * p) ** 2 / (n * p);
    cells++;
  }
  if (restExpected > 0) {
    chi += (restCount - restExpected) ** 2 / restExpected;
    cells++;
  }
  return { chi, degrees: Math.max(1, cells - 1) };
}

/** The value that chi-square passes with a chance of 10^-6 (Wilson and Hilferty's approximation). */
function critical(degrees: number): number {
  const z = 4.753;
  const a = 2 / (9 * degrees);
  return degrees * (1 - a + z * Math.sqrt(a)) ** 3;
}

async function countTexts(n: number, part: Partial<DecodeRequest>, temperature: number): Promise<Map<string, number>> {
  const model = new FakeModel({ vocabSize: vocabulary.size, logits, maxRows: 32, maxStepTokens: 512 });
  const loop = new DecodeLoop(model, vocabulary);
  const counts = new Map<string, number>();
  await Promise.all(
    Array.from({ length: n }, async (_, seed) => {
      const result = await loop.run({
        prompt: PROMPT,
        matchers: [new Matcher(words, vocabulary)],
        maxTokens: 16,
        sampling: resolveSampling({ temperature, seed }, () => 1).sampling,
        ...part,
      });
      const text = result.outputs[0]!.text;
      counts.set(text, (counts.get(text) ?? 0) + 1);
    }),
  );
  return counts;
}

describe('the distribution of whole outputs', () => {
  const n = 8000;
  const temperature = 0.9;
  const expected = expectedTexts(temperature);
  it('covers every text of the grammar', () => {
    expect(expected.size).toBe(24);
    expect([...expected.values()].reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
  });
  it.each([
    ['masked', { optimistic: false, forcing: false, draftTokens: 0 }],
    ['optimistic', { optimistic: true, forcing: false, draftTokens: 0 }],
    ['optimistic, with drafts', { optimistic: true, forcing: false, draftTokens: 8 }],
  ] as const)('%s: the model restricted to what is allowed, renormalised', async (_name, part) => {
    const counts = await countTexts(n, part, temperature);
    for (const text of counts.keys()) expect(expected.has(text), text).toBe(true);
    const { chi, degrees } = pearson(counts, expected, n);
    expect(chi).toBeLessThan(critical(degrees));
  });
  it('optimistic and masked draws are of one distribution', async () => {
    // Other seeds for each, so that the samples are independent; a test of homogeneity.
    const masked = await countTexts(n, { optimistic: false, forcing: false, draftTokens: 0 }, temperature);
    const shifted = new Map<string, number>();
    const loop = new DecodeLoop(
      new FakeModel({ vocabSize: vocabulary.size, logits, maxRows: 32, maxStepTokens: 512 }),
      vocabulary,
    );
    let optimistic = 0;
    await Promise.all(
      Array.from({ length: n }, async (_, i) => {
        const r = await loop.run({
          prompt: PROMPT,
          matchers: [new Matcher(words, vocabulary)],
          maxTokens: 16,
          sampling: resolveSampling({ temperature, seed: 1_000_000 + i }, () => 1).sampling,
          forcing: false,
          draftTokens: 0,
        });
        optimistic += r.usage.optimisticTokens;
        const text = r.outputs[0]!.text;
        shifted.set(text, (shifted.get(text) ?? 0) + 1);
      }),
    );
    // The shortcut was taken, and refused, often enough to matter.
    expect(optimistic).toBeGreaterThan(n / 4);
    let chi = 0;
    let cells = 0;
    for (const text of expected.keys()) {
      const [a, b] = [masked.get(text) ?? 0, shifted.get(text) ?? 0];
      if (a + b < 10) continue;
      chi += (a - b) ** 2 / (a + b);
      cells++;
    }
    expect(chi).toBeLessThan(critical(cells - 1));
  });
  it('would notice: free draws until one fits are another distribution, and so is another temperature', async () => {
    const counts = await countTexts(n, { optimistic: false, forcing: false, draftTokens: 0 }, temperature);
    const { chi, degrees } = pearson(counts, expectedTexts(1.4), n);
    expect(chi).toBeGreaterThan(critical(degrees));
  });
});

describe('rows of one batch, each with its own sampling', () => {
  const letters = compiled('root ::= [a-h]');
  const row = new Float32Array(vocabulary.size);
  logits(PROMPT, row);
  const SHAPES: readonly SamplingOptions[] = [
    { temperature: 1 },
    { temperature: 0.4 },
    { temperature: 1.6, topK: 3 },
    { temperature: 1, topP: 0.6 },
    { temperature: 1.2, minP: 0.5 },
    // Here the order counts: the mass of top-p is that of the three that top-k left.
    { temperature: 6, topK: 3, topP: 0.6 },
    { temperature: 1.3, topK: 6, topP: 0.9, minP: 0.45 },
    { temperature: 1, repetitionPenalty: 1, logitBias: { 97: 1.5, 98: -2 } },
  ];
  type Weighted = { readonly id: number; readonly p: number };
  const norm = (xs: readonly Weighted[]): Weighted[] => {
    const sum = xs.reduce((a, x) => a + x.p, 0);
    return xs.map((x) => ({ ...x, p: x.p / sum }));
  };
  const topK = (xs: readonly Weighted[], k: number) => (k > 0 ? norm(xs.slice(0, k)) : xs);
  const topP = (xs: readonly Weighted[], p: number): readonly Weighted[] => {
    let mass = 0;
    const kept = xs.filter((x) => {
      const take = mass < p;
      mass += x.p;
      return take;
    });
    return p < 1 ? norm(kept) : xs;
  };
  const minP = (xs: readonly Weighted[], p: number) => norm(xs.filter((x) => x.p >= p * xs[0]!.p));
  /** Bias, mask, temperature, top-k, top-p, min-p: as docs/decoding.md has it. `swapped`: top-p before top-k. */
  const documented = (o: SamplingOptions, swapped = false): Map<string, number> => {
    const { temperature = 0 } = o;
    let xs: readonly Weighted[] = norm(
      Array.from({ length: 8 }, (_, i) => ({
        id: 97 + i,
        p: Math.exp((row[97 + i]! + (o.logitBias?.[97 + i] ?? 0)) / temperature),
      })).sort((a, b) => b.p - a.p),
    );
    if (swapped) xs = topK(topP(xs, o.topP ?? 1), o.topK ?? 0);
    else xs = topP(topK(xs, o.topK ?? 0), o.topP ?? 1);
    return new Map(minP(xs, o.minP ?? 0).map((x) => [String.fromCharCode(x.id), x.p]));
  };
  const n = 3000;
  /** All shapes in one loop, in turn, so that every batch holds all of them. */
  const draw = async (): Promise<Map<string, number>[]> => {
    const model = new FakeModel({ vocabSize: vocabulary.size, logits, maxRows: 16, maxStepTokens: 512 });
    const loop = new DecodeLoop(model, vocabulary);
    const counts = SHAPES.map(() => new Map<string, number>());
    await Promise.all(
      Array.from({ length: n * SHAPES.length }, async (_, i) => {
        const shape = i % SHAPES.length;
        const result = await loop.run({
          prompt: PROMPT,
          matchers: [new Matcher(letters, vocabulary)],
          maxTokens: 4,
          sampling: resolveSampling({ ...SHAPES[shape], seed: i }, () => 1).sampling,
        });
        const text = result.outputs[0]!.text;
        counts[shape]!.set(text, (counts[shape]!.get(text) ?? 0) + 1);
      }),
    );
    expect(model.planned.some((rows) => rows.length === 16)).toBe(true);
    return counts;
  };
  it('have the distribution of the documented order', async () => {
    const counts = await draw();
    SHAPES.forEach((shape, i) => {
      const expected = documented(shape);
      for (const text of counts[i]!.keys()) expect(expected.has(text), JSON.stringify({ shape, text })).toBe(true);
      const { chi, degrees } = pearson(counts[i]!, expected, n);
      expect(chi, JSON.stringify(shape)).toBeLessThan(critical(degrees));
    });
    // Another order would be seen.
    const swapped = documented(SHAPES[5]!, true);
    expect([...swapped.keys()].sort()).not.toEqual([...documented(SHAPES[5]!).keys()].sort());
  });
  it('give each row what it gives alone', async () => {
    const requests = SHAPES.map((shape, i) => ({
      prompt: PROMPT,
      maxTokens: 16,
      sampling: resolveSampling({ ...shape, seed: 40 + i }, () => 1).sampling,
    }));
    const model = () => new FakeModel({ vocabSize: vocabulary.size, logits, maxRows: 16, maxStepTokens: 512 });
    const together = new DecodeLoop(model(), vocabulary);
    const batch = await Promise.all(
      requests.map((r) => together.run({ ...r, matchers: [new Matcher(words, vocabulary)] })),
    );
    for (const [i, r] of requests.entries()) {
      const alone = await new DecodeLoop(model(), vocabulary).run({ ...r, matchers: [new Matcher(words, vocabulary)] });
      expect(batch[i]?.outputs[0]?.tokens).toEqual(alone.outputs[0]?.tokens);
    }
  });
});
