import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MAX_CHUNK, planPasses } from '../../src/runtime/passes.js';

const shape = { form: 'flat', kvHeads: 2, groups: 4 } as const;
const row = (n: number) => ({ tokens: new Array<number>(n).fill(1) });

it('covers every token once, in order, each row at most once per pass, within bounds', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 900 }), fc.nat(3000)), { maxLength: 12 }),
      fc.constantFrom('flat' as const, 'padded' as const),
      (rows, form) => {
        const passes = planPasses(
          rows.map(([n]) => row(n)),
          rows.map(([, s]) => s),
          { ...shape, form },
        );
        const at = rows.map(() => 0);
        for (const pass of passes) {
          expect(new Set(pass.map((p) => p.row)).size).toBe(pass.length);
          for (const p of pass) {
            expect(p.from).toBe(at[p.row]);
            expect(p.to - p.from).toBeLessThanOrEqual(MAX_CHUNK);
            at[p.row] = p.to;
          }
        }
        expect(at).toEqual(rows.map(([n]) => n));
      },
    ),
  );
});

it('joins decoding rows and short chunks, keeps long chunks apart', () => {
  expect(planPasses([1, 1, 4, 1].map(row), [10, 500, 0, 7], shape).length).toBe(1);
  const passes = planPasses([1, 1, 200, 1].map(row), [10, 500, 0, 7], shape);
  expect(passes.map((p) => p.map((x) => x.row))).toEqual([[2], [0, 1, 3]]);
  expect(planPasses([row(600)], [0], shape).map((p) => p.map((x) => [x.from, x.to]))).toEqual([
    [[0, 256]],
    [[256, 512]],
    [[512, 600]],
  ]);
});

it('shortens chunks where the score matrix would not fit', () => {
  const passes = planPasses([row(256)], [100_000], { form: 'flat', kvHeads: 8, groups: 4 });
  expect(passes.length).toBeGreaterThan(1);
});
