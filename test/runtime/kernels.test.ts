/** Kernel choices: `exact` means f32 activations also where the graph itself asks for rounded ones, as the embedded model does. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { intAttribute } from '../../src/runtime/onnx/builder.js';
import { decodeModel, type ModelProto } from '../../src/runtime/onnx/proto.js';
import { chooseKernels, exactKernels } from '../../src/runtime/rewrite/kernels.js';

const levels = (model: ModelProto): number[] =>
  (model.graph?.node ?? []).filter((n) => n.opType === 'MatMulNBits').map((n) => intAttribute(n, 'accuracy_level', 0));

it('exact kernels round no activations, the usual ones those of 8-bit weights', () => {
  const file = fileURLToPath(new URL('../../models/embedded/onnx/model.onnx', import.meta.url));
  const model = decodeModel(readFileSync(file));
  expect(levels(model).length).toBeGreaterThan(10);
  expect(new Set(levels(exactKernels(model)))).toEqual(new Set([0]));
  expect(new Set(levels(chooseKernels(exactKernels(model))))).toEqual(new Set([4]));
});
