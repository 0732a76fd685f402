import { describe, expect, it } from 'vitest';
import { OptionError } from '../../src/base/errors.js';
import { createRandom } from '../../src/base/random.js';
import type { SampleSpec } from '../../src/decoder/model.js';
import { choose, gumbel } from '../../src/runtime/choose.js';

const base: SampleSpec = { row: 0, position: 0, temperature: 1, topK: 0, topP: 1, minP: 0, seed: 0 };
const logits = Float32Array.of(1, 2.5, 0, -1, 2, 0.5);

/** Frequencies over many seeds. */
function frequencies(spec: Partial<SampleSpec>, n = 20_000): number[] {
  const random = createRandom(7);
  const out = new Array<number>(6).fill(0);
  for (let i = 0; i < n; i++) out[choose(logits, { ...base, ...spec, seed: random.next() }, 6).token]! += 1 / n;
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

  it('is greedy at temperature 0, adds biases, ignores columns beyond the vocabulary', () => {
    expect(choose(logits, { ...base, temperature: 0 }, 6).token).toBe(1);
    expect(choose(logits, { ...base, temperature: 0 }, 1).token).toBe(0);
    const bias = { ids: Int32Array.of(3, 1), values: Float32Array.of(9, 0) };
    expect(choose(logits, { ...base, temperature: 0, bias }, 6)).toMatchObject({ token: 3 });
    expect(choose(logits, { ...base, temperature: 0, mask: { kind: 'deny', ids: Int32Array.of(1, 4) } }, 6).token).toBe(
      0,
    );
    expect(() => choose(logits, { ...base, mask: { kind: 'bits', bits: new Uint32Array(1) } }, 6)).toThrow(OptionError);
  });

  it('gives the log probability among the allowed', () => {
    const { logprob } = choose(
      logits,
      { ...base, temperature: 0, mask: { kind: 'allow', ids: Int32Array.of(0, 4) } },
      6,
    );
    expect(logprob).toBeCloseTo(Math.log(softmax([1, 2])[1]!), 5);
  });

  it('has standard Gumbel noise', () => {
    let [sum, squares] = [0, 0];
    for (let i = 0; i < 50_000; i++) {
      const x = gumbel(i >> 4, i & 15);
      sum += x;
      squares += x * x;
    }
    const mean = sum / 50_000;
    expect(mean).toBeCloseTo(0.5772, 1);
    expect(squares / 50_000 - mean * mean).toBeCloseTo(Math.PI ** 2 / 6, 1);
  });
});
