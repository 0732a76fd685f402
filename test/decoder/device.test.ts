/** What crosses to a device's sampler: masks in their shortest form, penalties as sparse edits. */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { ModelError } from '../../src/base/errors.js';
import { idsOf, pack } from '../../src/decoder/device.js';
import { TokenHistory } from '../../src/decoder/history.js';
import { resolveSampling } from '../../src/decoder/sampling.js';

const masks = fc
  .record({
    size: fc.integer({ min: 1, max: 4000 }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    seed: fc.nat(),
  })
  .map(({ size, share, seed }) => {
    const bits = new Uint32Array((size + 31) >>> 5);
    let h = seed | 1;
    for (let t = 0; t < size; t++) {
      h = (Math.imul(h, 1_103_515_245) + 12_345) >>> 0;
      if ((h >>> 8) / 2 ** 24 < share) bits[t >>> 5]! |= 1 << (t & 31);
    }
    return { size, bits };
  });

it('packs a mask without changing it, in the form of the fewest bytes', () => {
  fc.assert(
    fc.property(masks, ({ size, bits }) => {
      const allowed = Array.from({ length: size }, (_, t) => t).filter(
        (t) => ((bits[t >>> 5]! >>> (t & 31)) & 1) === 1,
      );
      if (allowed.length === 0) {
        expect(() => pack(bits, size)).toThrow(ModelError);
        return;
      }
      const mask = pack(bits, size);
      const denied = new Set(mask.kind === 'deny' ? mask.ids : []);
      const got = {
        allow: () => [...idsOf(bits, allowed.length)],
        deny: () => Array.from({ length: size }, (_, t) => t).filter((t) => !denied.has(t)),
        bits: () => allowed,
      };
      expect(got[mask.kind]()).toEqual(allowed);
      if (mask.kind === 'allow') expect([...mask.ids]).toEqual(allowed);
      const bytes = { allow: 4 * allowed.length, deny: 20 * (size - allowed.length), bits: 4 * bits.length };
      if (allowed.length > 64) expect(bytes[mask.kind]).toBeLessThanOrEqual(bytes.bits);
      if (mask.kind === 'bits') expect(bytes.bits).toBeLessThan(Math.min(bytes.allow, bytes.deny));
    }),
    { numRuns: 200 },
  );
});

it('edits say what adjusting does', () => {
  const given = {
    repetitionPenalty: 1.3,
    frequencyPenalty: 0.4,
    presencePenalty: -0.2,
    logitBias: { 3: 2, 9: -1, 20: 5 },
  };
  const { sampling } = resolveSampling(given, () => 0);
  const history = new TokenHistory([1, 3, 3, 5], sampling);
  for (const token of [3, 7, 7, 9, 30]) history.add(token);
  const logits = Float32Array.from({ length: 32 }, (_, i) => Math.sin(i * 7) * 4);
  const expected = new Float32Array(32);
  history.adjust(logits, expected);
  const { ids, divide, add } = history.edits();
  expect(new Set(ids).size).toBe(ids.length);
  const got = logits.slice();
  for (const [i, id] of ids.entries()) {
    const x = logits[id]!;
    got[id] = (x > 0 ? x / divide[i]! : x * divide[i]!) + add[i]!;
  }
  for (const [i, x] of got.entries()) expect(x).toBeCloseTo(expected[i]!, 5);
});
