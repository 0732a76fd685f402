import { expect, it } from 'vitest';
import { floatsToHalf } from '../../../src/runtime/onnx/tensor.js';
import { halfToFloats } from '../../../src/runtime/session.js';

it('half precision: all values come back, others go to the nearest, ties to even', () => {
  const all = Uint16Array.from({ length: 65_536 }, (_, i) => i);
  const floats = halfToFloats(all);
  const back = floatsToHalf(floats);
  for (let i = 0; i < all.length; i++) if (!Number.isNaN(floats[i])) expect(back[i]).toBe(i);
  const of = (x: number): number => halfToFloats(floatsToHalf(Float32Array.of(x)))[0]!;
  expect(of(Number.NaN)).toBeNaN();
  expect(of(1 + 2 ** -11)).toBe(1);
  expect(of(1 + 3 * 2 ** -11)).toBe(1 + 2 ** -9);
  expect(of(65_519)).toBe(65_504);
  expect(of(65_520)).toBe(Number.POSITIVE_INFINITY);
  expect(of(2 ** -25)).toBe(0);
  expect(of(1.1 * 2 ** -25)).toBe(2 ** -24);
});
