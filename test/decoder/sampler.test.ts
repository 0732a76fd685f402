import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ModelError, OptionError } from '../../src/base/errors.js';
import { createRandom } from '../../src/base/random.js';
import { TokenHistory } from '../../src/decoder/history.js';
import { logprobs, Sampler, type Shape } from '../../src/decoder/sampler.js';
import { resolveSampling, type SamplingOptions } from '../../src/decoder/sampling.js';

const resolve = (o: SamplingOptions = {}) => resolveSampling(o, () => 7);

/** The documented order, step by step on sorted arrays. */
function naive(logits: readonly number[], allowed: (id: number) => boolean, shape: Shape): Map<number, number> {
  let c = logits.map((logit, id) => ({ id, logit })).filter((x) => allowed(x.id));
  c.sort((a, b) => b.logit - a.logit || a.id - b.id);
  if (shape.temperature === 0) return new Map([[c[0]!.id, 1]]);
  if (shape.topK > 0) c = c.slice(0, shape.topK);
  const norm = (xs: { id: number; p: number }[]) => {
    const sum = xs.reduce((a, x) => a + x.p, 0);
    return xs.map((x) => ({ id: x.id, p: x.p / sum }));
  };
  let p = norm(c.map((x) => ({ id: x.id, p: Math.exp((x.logit - c[0]!.logit) / shape.temperature) })));
  let mass = 0;
  if (shape.topP < 1) {
    const kept = [];
    for (const x of p) {
      if (mass >= shape.topP) break;
      kept.push(x);
      mass += x.p;
    }
    p = norm(kept);
  }
  p = norm(p.filter((x) => x.p >= shape.minP * p[0]!.p));
  return new Map(p.map((x) => [x.id, x.p]));
}

function maskOf(size: number, allowed: (id: number) => boolean): Uint32Array {
  const mask = new Uint32Array((size + 31) >>> 5);
  for (let id = 0; id < size; id++) if (allowed(id)) mask[id >>> 5]! |= 1 << (id & 31);
  return mask;
}

describe('Sampler', () => {
  it.each<Shape>([
    { temperature: 1, topK: 0, topP: 1, minP: 0 },
    { temperature: 0.5, topK: 0, topP: 1, minP: 0 },
    { temperature: 1, topK: 5, topP: 1, minP: 0 },
    { temperature: 1.5, topK: 0, topP: 0.8, minP: 0 },
    { temperature: 1, topK: 0, topP: 1, minP: 0.2 },
    { temperature: 0.9, topK: 12, topP: 0.9, minP: 0.05 },
  ])('draws have the distribution of the documented order: %j', (shape) => {
    const random = createRandom(1);
    const size = 40;
    const logits = Float32Array.from({ length: size }, () => random.float() * 6 - 3);
    const allowed = (id: number): boolean => id % 3 !== 0;
    const expected = naive([...logits], allowed, shape);
    const sampler = new Sampler(size);
    const mask = maskOf(size, allowed);
    const ids = Int32Array.from([...Array(size).keys()].filter(allowed));
    const picked = Float32Array.from(ids, (id) => logits[id]!);
    for (const draw of [
      () => sampler.choose(logits, mask, shape, random),
      () => sampler.chooseAmong(ids, picked, shape, random),
    ]) {
      const n = 40_000;
      const counts = new Map<number, number>();
      for (let i = 0; i < n; i++) {
        const id = draw();
        counts.set(id, (counts.get(id) ?? 0) + 1);
      }
      for (const id of counts.keys()) expect(expected.has(id)).toBe(true);
      let chi = 0;
      for (const [id, p] of expected) chi += ((counts.get(id) ?? 0) - n * p) ** 2 / (n * p);
      // Mean d, deviation sqrt(2d): six deviations.
      const d = expected.size - 1;
      expect(chi).toBeLessThan(d + 6 * Math.sqrt(2 * d) + 6);
    }
  });

  it('greedy is the greatest allowed logit, the lowest id among equals', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 1, maxLength: 200 }),
        fc.integer(),
        fc.constantFrom(2, 40, 1000),
        (values, seed, sparse) => {
          const random = createRandom(seed);
          const ok = values.map(() => random.below(sparse) > 0);
          if (!ok.includes(true)) ok[0] = true;
          const best = Math.max(...values.filter((_, i) => ok[i]));
          const want = values.findIndex((v, i) => ok[i] && v === best);
          const logits = Float32Array.from(values);
          expect(
            new Sampler(values.length).greedy(
              logits,
              maskOf(values.length, (i) => ok[i]!),
            ),
          ).toBe(want);
          const free = values.indexOf(Math.max(...values));
          expect(new Sampler(values.length).greedy(logits, undefined)).toBe(free);
          const bad = random.below(values.length);
          logits[bad] = Number.NaN;
          expect(() => new Sampler(values.length).greedy(logits, undefined)).toThrow(`token ${bad}`);
          if (!ok[bad]) return;
          const mask = maskOf(values.length, (i) => ok[i]!);
          expect(() => new Sampler(values.length).greedy(logits, mask)).toThrow(`token ${bad}`);
        },
      ),
    );
  });
  it('keeps to its size where logits are wider', () => {
    const sampler = new Sampler(3);
    expect(sampler.greedy(Float32Array.of(1, 2, 0, 9), undefined)).toBe(1);
    expect(
      sampler.choose(
        Float32Array.of(1, 2, 0, 9),
        Uint32Array.of(0xffffffff),
        { temperature: 1, topK: 0, topP: 1, minP: 0 },
        createRandom(1),
      ),
    ).toBeLessThan(3);
  });
  it('a temperature whose reciprocal is infinite takes the greatest', () => {
    const logits = Float32Array.of(0, 1, 5, 4.999_999, -1);
    for (const temperature of [1e-30, 1e-300, 1e-310, Number.MIN_VALUE]) {
      for (const more of [{}, { topK: 3 }, { topP: 0.9, minP: 0.1 }]) {
        const shape = { temperature, topK: 0, topP: 1, minP: 0, ...more };
        expect(new Sampler(5).choose(logits, undefined, shape, createRandom(1))).toBe(2);
      }
    }
  });
  it('infinite logits are legal, NaN and no allowed token are typed errors', () => {
    const sampler = new Sampler(4);
    const shape = { temperature: 1, topK: 0, topP: 1, minP: 0 };
    const low = Number.NEGATIVE_INFINITY;
    expect(sampler.greedy(Float32Array.of(low, low, low, low), Uint32Array.of(0b1100))).toBe(2);
    expect([2, 3]).toContain(
      sampler.choose(Float32Array.of(low, low, low, low), Uint32Array.of(0b1100), shape, createRandom(1)),
    );
    expect(sampler.choose(Float32Array.of(0, Number.POSITIVE_INFINITY, 0, 0), undefined, shape, createRandom(1))).toBe(
      1,
    );
    expect(() => sampler.greedy(Float32Array.of(0, Number.NaN, 0, 0), undefined)).toThrow(ModelError);
    expect(() => sampler.choose(Float32Array.of(0, Number.NaN, 0, 0), undefined, shape, createRandom(1))).toThrow(
      ModelError,
    );
    expect(() => sampler.greedy(Float32Array.of(0, 0, 0, 0), Uint32Array.of(0))).toThrow(ModelError);
    expect(() => sampler.choose(Float32Array.of(0, 0, 0, 0), Uint32Array.of(0), shape, createRandom(1))).toThrow(
      ModelError,
    );
  });
});

describe('logprobs', () => {
  it('of infinite logits are numbers: equal ones share', () => {
    const [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    const of = (logits: number[], token: number) => logprobs(Float32Array.from(logits), 3, undefined, token, 2);
    expect(of([0, high, 1], 1)).toEqual({
      logprob: 0,
      top: [
        { token: 1, logprob: 0 },
        { token: 2, logprob: low },
      ],
    });
    expect(of([0, high, 1], 2).logprob).toBe(low);
    expect(of([high, high, 1], 1).logprob).toBeCloseTo(-Math.log(2));
    expect(of([low, low, low], 1).logprob).toBeCloseTo(-Math.log(3));
    expect(of([low, 2, 2], 1).logprob).toBeCloseTo(-Math.log(2));
  });
  it('are those of a softmax over the allowed, with the best in order', () => {
    const logits = Float32Array.of(1, 3, 2, 5);
    const { logprob, top } = logprobs(logits, 4, Uint32Array.of(0b0111), 2, 2);
    const z = Math.exp(1) + Math.exp(3) + Math.exp(2);
    expect(logprob).toBeCloseTo(2 - Math.log(z), 5);
    expect(top.map((t) => t.token)).toEqual([1, 2]);
    expect(logprobs(logits, 4, Uint32Array.of(0b0111), 3, 0).logprob).toBe(Number.NEGATIVE_INFINITY);
  });
});

describe('penalties and bias', () => {
  it('touch the tokens seen', () => {
    const { sampling } = resolve({
      repetitionPenalty: 2,
      frequencyPenalty: 0.5,
      presencePenalty: 0.25,
      logitBias: { 4: -3 },
    });
    const history = new TokenHistory([0], sampling);
    history.add(1);
    history.add(1);
    const logits = Float32Array.of(2, 2, -2, 1, 1);
    const out = new Float32Array(5);
    history.adjust(logits, out);
    expect([...out]).toEqual([1, 1 - 1 - 0.25, -2, 1, -2]);
    const some = new Float32Array(2);
    history.adjustAt(Int32Array.of(1, 4), Float32Array.of(2, 1), some);
    expect([...some]).toEqual([-0.25, -2]);
  });
  it('are off by default', () => {
    expect(new TokenHistory([1, 2], resolve().sampling).active).toBe(false);
  });
});

describe('resolveSampling', () => {
  it.each([
    { temperature: -1 },
    { temperature: Number.NaN },
    { topK: 1.5 },
    { topP: 0 },
    { topP: 1.1 },
    { minP: 2 },
    { repetitionPenalty: 0 },
    { seed: 0.5 },
    { logitBias: { x: 1 } as unknown as Record<number, number> },
  ])('refuses %j', (options) => {
    expect(() => resolve(options)).toThrow(OptionError);
  });
  it('says what has no effect', () => {
    expect(resolve({ topP: 0.5, seed: 1 }).warnings[0]).toMatch(/topP, seed: no effect at temperature 0/);
    expect(resolve({ temperature: 1, topK: 1 }).warnings[0]).toMatch(/topK 1/);
    expect(resolve({ temperature: 1, topP: 0.5, seed: 1 }).warnings).toEqual([]);
  });
  it('draws a seed where none is given and one is needed', () => {
    expect(resolve({ temperature: 1 }).sampling.seed).toBe(7);
    expect(resolve().sampling.seed).toBe(0);
  });
});
