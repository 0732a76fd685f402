import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StepCost } from '../../src/decoder/cost-model.js';
import { type Company, cutRound, evenRound, type ReadyRow } from '../../src/decoder/turns.js';

/** A table of what so many rows take, and a row's position. */
const priced = (ms: readonly (readonly [number, number])[], positionMs = 0, part: object = {}): StepCost =>
  new StepCost({
    points: ms.map(([tokens, at]) => ({ tokens, ms: at, positionMs: positionMs * tokens })),
    padding: 1,
    chunks: [],
    expertMs: 0,
    ownExperts: 0,
    noise: 0,
    ...part,
  });
const rows = (...positions: readonly number[]): ReadyRow[] =>
  positions.map((p, i) => ({ id: 10 + i, tokens: 1, positions: p }));
const even = (n: number, positions = 10): ReadyRow[] => rows(...Array.from({ length: n }, () => positions));
const sizes = (turns: readonly (readonly number[])[]): number[] => turns.map((t) => t.length).sort((a, b) => b - a);
const LIMITS = { turns: 32 };

describe('cutRound', () => {
  it('concave costs: all rows in one step', () => {
    const cost = priced([
      [1, 1],
      [4, 1.5],
      [16, 2],
    ]);
    for (const n of [1, 2, 5, 16, 40]) expect(sizes(cutRound(even(n), cost, LIMITS))).toEqual([n]);
  });
  it('linear costs with a base: all rows in one step', () => {
    const cost = priced([
      [1, 1.1],
      [16, 2.6],
    ]);
    expect(sizes(cutRound(even(16), cost, LIMITS))).toEqual([16]);
  });
  it('convex costs: as many as cost least a row', () => {
    // 0.5 + n² / 32: least a row at 4.
    const cost = priced(Array.from({ length: 16 }, (_, i) => [i + 1, 0.5 + (i + 1) ** 2 / 32] as const));
    expect(sizes(cutRound(even(16), cost, LIMITS))).toEqual([4, 4, 4, 4]);
    expect(sizes(cutRound(even(8), cost, LIMITS))).toEqual([4, 4]);
    // 1.63 against twice 0.78: not worth a turn.
    expect(sizes(cutRound(even(6), cost, LIMITS))).toEqual([6]);
    expect(sizes(cutRound(even(5), cost, LIMITS))).toEqual([5]);
  });
  it('steps: up to the edge of a tile', () => {
    // Tiles of 8 rows: 1 ms each, and hardly anything for a row.
    const tiled = [1, 8, 9, 16, 17, 24].map((n) => [n, Math.ceil(n / 8) + 0.01 * n] as const);
    const cost = priced(tiled);
    expect(sizes(cutRound(even(16), cost, LIMITS))).toEqual([16]);
    // A cliff: 9 rows and more take four times as long.
    const cliff = priced([
      [1, 1],
      [8, 1.2],
      [9, 6],
      [16, 6.5],
    ]);
    expect(sizes(cutRound(even(16), cliff, LIMITS))).toEqual([8, 8]);
    expect(sizes(cutRound(even(12), cliff, LIMITS))).toEqual([8, 4]);
    expect(sizes(cutRound(even(8), cliff, LIMITS))).toEqual([8]);
  });
  it('where 12 rows cost nearly as 16, 16 run together and 12 take turns', () => {
    const cost = priced([
      [1, 1],
      [8, 2],
      [12, 3.9],
      [16, 4],
    ]);
    expect(sizes(cutRound(even(16), cost, LIMITS))).toEqual([16]);
    expect(sizes(cutRound(even(12), cost, LIMITS))).toEqual([8, 4]);
  });
  it('what the measurements do not tell apart is not cut', () => {
    const points = [
      [8, 1],
      [16, 2.2],
    ] as const;
    expect(sizes(cutRound(even(16), priced(points), LIMITS))).toEqual([8, 8]);
    expect(sizes(cutRound(even(16), priced(points, 0, { noise: 0.15 }), LIMITS))).toEqual([16]);
    expect(
      sizes(
        cutRound(
          even(16),
          priced([
            [8, 1],
            [16, 2.08],
          ]),
          LIMITS,
        ),
      ),
    ).toEqual([16]);
  });
  it('long rows apart from short ones, where attention is padded', () => {
    const mixed = rows(1000, 20, 30, 900, 20, 25, 1000, 10);
    const cost = priced(
      [
        [1, 0.6],
        [8, 1.3],
      ],
      0.001,
    );
    expect(cutRound(mixed, cost, LIMITS)).toEqual([
      [10, 13, 16],
      [11, 12, 14, 15, 17],
    ]);
    const ragged = priced(
      [
        [1, 0.6],
        [8, 1.3],
      ],
      0.001,
      { padding: 0 },
    );
    expect(sizes(cutRound(mixed, ragged, LIMITS))).toEqual([8]);
  });
  it('a bound on the time of a step cuts, whatever it costs; a row alone always runs', () => {
    const cost = priced([
      [1, 1],
      [16, 4],
    ]);
    expect(sizes(cutRound(even(16), cost, { turns: 32, stepMs: 2.5 }))).toEqual([8, 8]);
    expect(sizes(cutRound(even(3), cost, { turns: 32, stepMs: 0.1 }))).toEqual([1, 1, 1]);
    expect(sizes(cutRound(even(16), cost, { turns: 32, stepMs: 4 }))).toEqual([16]);
  });
  it('the bound of waiting goes before it', () => {
    const cost = priced([
      [1, 1],
      [16, 4],
    ]);
    expect(cutRound(even(16), cost, { turns: 4, stepMs: 0.1 })).toHaveLength(4);
    expect(cutRound(even(16), cost, { turns: 1, stepMs: 0.1 })).toHaveLength(1);
    expect(cutRound(even(300), cost, { turns: 7, stepMs: 0.1 }).length).toBeLessThanOrEqual(7);
  });
  it('mixtures: rows of shared experts together, where that costs less than one step', () => {
    const ids = even(16);
    const company = domains((i) => i % 4, 4);
    const dear = priced(
      [
        [1, 1],
        [16, 2.5],
      ],
      0,
      { expertMs: 1, ownExperts: 2 },
    );
    // Four turns: 4 · (1.3 + 2 experts beyond those of one token); one step: 2.5 + 14.
    expect(cutRound(ids, dear, LIMITS, company)).toEqual([0, 1, 2, 3].map((d) => [0, 4, 8, 12].map((i) => 10 + d + i)));
    const cheap = priced(
      [
        [1, 1],
        [16, 2.5],
      ],
      0,
      { expertMs: 0.1, ownExperts: 2 },
    );
    expect(sizes(cutRound(ids, cheap, LIMITS, company))).toEqual([16]);
  });
  it('any rows and costs: each row once, turns in bounds, never dearer than one step (property)', () => {
    const point = fc.double({ min: 0.01, max: 20, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(fc.record({ tokens: fc.integer({ min: 1, max: 9 }), positions: fc.integer({ min: 1, max: 2000 }) }), {
          minLength: 1,
          maxLength: 90,
        }),
        fc.array(point, { minLength: 1, maxLength: 6 }),
        fc.double({ min: 0, max: 0.01, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 12 }),
        fc.option(point, { nil: undefined }),
        fc.integer({ min: 0, max: 3 }),
        (shapes, ms, positionMs, padding, turns, stepMs, count) => {
          const ready = shapes.map((s, i) => ({ id: i, ...s }));
          const cost = priced(
            ms.map((at, i) => [2 ** i, at] as const),
            positionMs,
            { padding, ...(count === 0 ? {} : { expertMs: 0.3, ownExperts: 2 }) },
          );
          const company = count === 0 ? undefined : domains((i) => i % count, count);
          const cut = cutRound(ready, cost, { turns, stepMs }, company);
          expect(cut.flat().sort((a, b) => a - b)).toEqual(ready.map((r) => r.id));
          expect(cut.length).toBeLessThanOrEqual(turns);
          expect(cutRound(ready, cost, { turns, stepMs }, company)).toEqual(cut);
          const price = (turn: readonly number[]): number =>
            cost.predict(
              turn.length,
              turn.reduce((n, i) => n + ready[i]!.tokens, 0),
              Math.max(...turn.map((i) => ready[i]!.positions)),
              turn.reduce((n, i) => n + ready[i]!.positions, 0),
              company?.distinct(turn),
            );
          const all = price(ready.map((r) => r.id));
          if (stepMs === undefined && cut.length > 1) {
            expect(cut.reduce((total, turn) => total + price(turn), 0)).toBeLessThan(0.95 * all);
          }
        },
      ),
      { numRuns: 300, seed: 5 },
    );
  });
});

/** Rows of a domain touch four experts of their own, for sure. */
function domains(domainOf: (row: number) => number, count: number): Company {
  const distinct = (chosen: readonly number[]): number => 4 * new Set(chosen.map(domainOf)).size;
  return {
    width: 4 * count,
    distinct,
    average: () => Float32Array.from({ length: 400 }, (_, n) => 4 * count * (1 - (1 - 1 / count) ** n)),
    gather: (left, goesOn) => {
      const [first, ...rest] = left;
      const out = [first!];
      goesOn([...out], distinct(out));
      const near = (i: number): number => (domainOf(i) === domainOf(first!) ? 0 : 1);
      for (const next of [...rest].sort((a, b) => near(a) - near(b) || a - b)) {
        if (!goesOn([...out, next], distinct([...out, next]))) break;
        out.push(next);
      }
      return out;
    },
  };
}

describe('evenRound', () => {
  it('turns of a set size, in order, no more than a row may wait', () => {
    expect(evenRound(even(5), 2, LIMITS)).toEqual([[10, 11], [12, 13], [14]]);
    expect(evenRound(even(5), 8, LIMITS)).toEqual([[10, 11, 12, 13, 14]]);
    expect(evenRound(even(9), 1, { turns: 3 })).toHaveLength(3);
    expect(evenRound([], 4, LIMITS)).toEqual([]);
  });
});
