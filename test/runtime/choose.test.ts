import { describe, expect, it } from 'vitest';
import { OptionError } from '../../src/base/errors.js';
import { createRandom } from '../../src/base/random.js';
import type { SampleSpec } from '../../src/decoder/model.js';
import { Noise } from '../../src/runtime/sampling/noise.js';
import { choose } from './choose.js';

const noise = new Noise(6);
const base: SampleSpec = { row: 0, position: 0, temperature: 1, topK: 0, topP: 1, minP: 0, seed: 0 };
const logits = Float32Array.of(1, 2.5, 0, -1, 2, 0.5);

/** Frequencies over many seeds. */
function frequencies(spec: Partial<SampleSpec>, n = 20_000): number[] {
  const random = createRandom(7);
  const out = new Array<number>(6).fill(0);
  for (let i = 0; i < n; i++) out[choose(logits, { ...base, ...spec, seed: random.next() }, 6, noise).token]! += 1 / n;
  return out;
}

function softmax(scores: readonly number[]): number[] {
  const weights = scores.map(Math.exp);
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => w / sum);
}

const near = (a: readonly number[], b: readonly number[]): void => {
  for (const [i, x] of a.entries()) expect(Math.abs(x - (b[i] ?? 0))).toBeLessThan(0.015);
};

describe('choose', () => {
  it('has the distribution of the masked, tempered softmax', () => {
    near(frequencies({}), softmax([...logits]));
    near(frequencies({ temperature: 2 }), softmax([...logits].map((x) => x / 2)));
    const few = frequencies({ mask: { kind: 'allow', ids: Int32Array.of(0, 3, 5) } });
    near([few[0]!, few[3]!, few[5]!], softmax([1, -1, 0.5]));
    expect(few[1]).toBe(0);
  });

  it('filters by top-k, top-p and min-p', () => {
    const two = frequencies({ topK: 2 });
    near([two[1]!, two[4]!], softmax([2.5, 2]));
    const p = softmax([...logits]);
    expect(frequencies({ topP: p[1]! + 0.01 }).filter((x) => x > 0).length).toBe(2);
    expect(frequencies({ topP: p[1]! - 0.01 }).filter((x) => x > 0).length).toBe(1);
    expect(frequencies({ minP: 0.5 }).map((x) => x > 0)).toEqual([false, true, false, false, true, false]);
  });

  it('is greedy at temperature 0, edits logits, ignores columns beyond the vocabulary', () => {
    expect(choose(logits, { ...base, temperature: 0 }, 6, noise).token).toBe(1);
    expect(choose(logits, { ...base, temperature: 0 }, 1, noise).token).toBe(0);
    const edits = { ids: Int32Array.of(3, 1), divide: Float32Array.of(2, 1), add: Float32Array.of(9, 0) };
    expect(choose(logits, { ...base, temperature: 0, edits }, 6, noise)).toMatchObject({ token: 3 });
    expect(
      choose(logits, { ...base, temperature: 0, mask: { kind: 'deny', ids: Int32Array.of(1, 4) } }, 6, noise).token,
    ).toBe(0);
    expect(() => choose(logits, { ...base, mask: { kind: 'bits', bits: new Uint32Array(1) } }, 6, noise)).toThrow(
      OptionError,
    );
  });

  it('gives the log probability among the allowed', () => {
    const { logprob } = choose(
      logits,
      { ...base, temperature: 0, mask: { kind: 'allow', ids: Int32Array.of(0, 4) } },
      6,
      noise,
    );
    expect(logprob).toBeCloseTo(Math.log(softmax([1, 2])[1]!), 5);
  });

  it('has Gumbel noise (plus ln 2) whatever the seed, independent between neighbours, and rare tokens at their rate', () => {
    const tables = new Noise(1000);
    let [sum, squares, product] = [0, 0, 0];
    const n = 50_000;
    for (let i = 0; i < n; i++) {
      const x = tables.at(i, i % 999) - Math.LN2;
      sum += x;
      squares += x * x;
      product += (x - 0.5772) * (tables.at(i, (i % 999) + 1) - Math.LN2 - 0.5772);
    }
    const mean = sum / n;
    expect(mean).toBeCloseTo(0.5772, 1);
    expect(squares / n - mean * mean).toBeCloseTo(Math.PI ** 2 / 6, 1);
    expect(Math.abs(product / n)).toBeLessThan(0.03);
    // One token of probability 0.001 against the rest, whose greatest noisy score is a Gumbel value at ln 0.999.
    let rare = 0;
    for (let i = 0; i < 400_000; i++) {
      if (Math.log(0.001 / 0.999) + tables.at(i, 7) > tables.at(i ^ 0x5bd1e995, 900)) rare++;
    }
    expect(rare / 400_000).toBeGreaterThan(0.0008);
    expect(rare / 400_000).toBeLessThan(0.0012);
  });

  it('gives equal noise to greedy rows', () => {
    const tables = new Noise(40);
    const at = tables.silence;
    expect([...tables.first.subarray(at, at + 40), ...tables.second.subarray(at)].every((x) => x === 0)).toBe(true);
    expect(tables.first.length).toBe(at + 40);
  });
});
