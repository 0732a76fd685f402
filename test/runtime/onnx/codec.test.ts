import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ModelError } from '../../../src/base/errors.js';
import { randomWeights, writeLlama } from '../../../src/runtime/onnx/llama-graph.js';
import { decodeModel, encodeModel } from '../../../src/runtime/onnx/proto.js';
import { quantizeRows } from '../../../src/runtime/onnx/quantize.js';
import { intTensor } from '../../../src/runtime/onnx/tensor.js';
import { joinInt, varintSize, WireReader, WireWriter } from '../../../src/runtime/onnx/wire.js';

const small = { layers: 1, hidden: 32, heads: 2, kvHeads: 1, inner: 32, vocab: 40, contextLength: 16 } as const;
const bytesOfModel = (): Uint8Array =>
  encodeModel(writeLlama({ ...small, attention: 'gqa', weights: 'f32' }, randomWeights(1)));

describe('wire', () => {
  it('round-trips 64-bit integers of every size', () => {
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), (big) => {
        const value = joinInt(Number(BigInt.asUintN(32, big)), Number(BigInt.asUintN(32, big >> 32n)), true);
        expect(BigInt(value)).toBe(big);
        const w = new WireWriter(varintSize(value));
        w.varint(value);
        expect(w.at).toBe(w.bytes.length);
        expect(new WireReader(w.bytes, 'test').int64()).toBe(value);
      }),
    );
  });
});

describe('ONNX codec', () => {
  it.each([
    ['gqa', 'f32', undefined],
    ['plain', 'int8', undefined],
    ['gqa', 'int4', { count: 4, topK: 2 }],
    ['plain', 'f32', { count: 4, topK: 2 }],
  ] as const)('round-trips written models: %s %s', (attention, weights, experts) => {
    const shape = { ...small, attention, weights, ...(experts === undefined ? {} : { experts }) };
    const bytes = encodeModel(writeLlama(shape, randomWeights(1)));
    const again = encodeModel(decodeModel(bytes));
    expect(again.length).toBe(bytes.length);
    expect(Buffer.compare(again, bytes)).toBe(0);
  });

  it('keeps fields that it does not name, at every level', () => {
    const model = decodeModel(bytesOfModel());
    const note = Uint8Array.of(0xa2, 0x06, 3, 1, 2, 3); // field 100, length-delimited
    model.unknown = [note];
    const first = model.graph?.node[0]?.attribute[0];
    if (first !== undefined) first.unknown = [note];
    const again = decodeModel(encodeModel(model));
    expect(again.unknown?.map((u) => [...u])).toEqual([[...note]]);
    expect(again.graph?.node[0]?.attribute[0]?.unknown?.length).toBe(1);
  });

  it('reads weights as views of the file', () => {
    const bytes = bytesOfModel();
    const raw = decodeModel(bytes).graph?.initializer.find((t) => t.name === 'embed')?.rawData;
    expect(raw?.buffer).toBe(bytes.buffer);
  });

  it('reads integers beyond 2^53 exactly', () => {
    const model = decodeModel(bytesOfModel());
    model.graph?.initializer.push({ ...intTensor('big', [], [0]), int64Data: [2n ** 63n - 1n, -5] });
    delete model.graph?.initializer.at(-1)?.rawData;
    const last = decodeModel(encodeModel(model)).graph?.initializer.at(-1);
    expect(last?.int64Data).toEqual([2n ** 63n - 1n, -5]);
  });

  it('throws ModelError, and nothing else, for damaged files', () => {
    const bytes = bytesOfModel();
    expect(() => decodeModel(new Uint8Array(0), 'a.onnx')).toThrow(/a\.onnx: .*empty file/);
    expect(() => decodeModel(new TextEncoder().encode('<!doctype html><title>404</title>'))).toThrow(ModelError);
    expect(() => decodeModel(bytes.subarray(0, bytes.length - 7))).toThrow(ModelError);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.nat(3000), (at, value, cut) => {
        const broken = bytes.slice(0, cut < 1000 ? bytes.length - cut : bytes.length);
        if (at < broken.length) broken[at] = value;
        try {
          decodeModel(broken);
        } catch (error) {
          expect(error).toBeInstanceOf(ModelError);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('refuses endless nesting', () => {
    let inner = Uint8Array.of();
    for (let i = 0; i < 20_000; i++) {
      const header = new WireWriter(10);
      header.varint((i % 3 === 0 ? 6 : i % 3 === 1 ? 5 : 1) * 8 + 2);
      header.varint(inner.length);
      const next = new Uint8Array(header.at + inner.length);
      next.set(header.bytes.subarray(0, header.at));
      next.set(inner, header.at);
      inner = next;
      if (inner.length > 60_000) break;
    }
    expect(() => decodeModel(inner)).toThrow(ModelError);
  });
});

describe('quantizeRows', () => {
  it.each([4, 8] as const)('%i bits: error at most half a step', (bits) => {
    const w = randomWeights(3)('x', [4, 64]);
    const { data, scales } = quantizeRows(w, 4, 64, bits, 32);
    for (let i = 0; i < w.length; i++) {
      const scale = scales[Math.floor(i / 32)] ?? 0;
      const stored = bits === 8 ? data[i]! : (data[i >> 1]! >> (i % 2 === 0 ? 0 : 4)) & 15;
      expect(Math.abs((stored - 2 ** (bits - 1)) * scale - w[i]!)).toBeLessThanOrEqual(scale / 2 + 1e-6);
    }
  });
});
