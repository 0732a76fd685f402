/** Experts in plain operators against the kernels of the CPU, on the CPU and, where there is an adapter, on the device. */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.js';
import { expertsOnDevice } from '../../src/runtime/device-experts.js';
import { GraphBuilder } from '../../src/runtime/onnx/builder.js';
import { type LlamaShape, randomWeights, writeLlama } from '../../src/runtime/onnx/llama-graph.js';
import { encodeModel, type ModelProto } from '../../src/runtime/onnx/proto.js';
import { floatTensor } from '../../src/runtime/onnx/tensor.js';
import { isMixture, mixtureAlone, plainExperts } from '../../src/runtime/rewrite/experts.js';
import { Session, Tensor, toFloats } from '../../src/runtime/session.js';
import { missing } from './adapter.js';
import { BASE, difference } from './models.js';

const EXPERTS = 5;

function alone(weights: LlamaShape['weights'], biases: boolean): ModelProto {
  const model = writeLlama({ ...BASE, layers: 1, weights, experts: { count: EXPERTS, topK: 2 } }, randomWeights(7));
  const { graph } = model;
  const node = graph?.node.find(isMixture);
  if (graph === undefined || node === undefined) throw new Error('no mixture');
  if (biases) {
    const numbers = randomWeights(3);
    const dims = { b1: [EXPERTS, 2 * BASE.inner], b2: [EXPERTS, BASE.hidden] };
    for (const [name, d] of Object.entries(dims)) graph.initializer.push(floatTensor(name, d, numbers(name, d)));
    node.input = [...node.input];
    node.input[weights === 'f32' ? 3 : 4] = 'b1';
    node.input[weights === 'f32' ? 5 : 7] = 'b2';
  }
  return mixtureAlone(model, node);
}

async function run(model: ModelProto, device: 'cpu' | 'webgpu', n: number): Promise<Float32Array> {
  const random = createRandom(n);
  const numbers = (size: number): Float32Array => Float32Array.from({ length: size }, () => random.float() * 4 - 2);
  const session = await Session.create({ bytes: encodeModel(model), name: 'experts' }, { device });
  try {
    const feeds = {
      x: new Tensor('float32', numbers(n * BASE.hidden), [n, BASE.hidden]),
      scores: new Tensor('float32', numbers(n * EXPERTS), [n, EXPERTS]),
    };
    return toFloats((await session.run(feeds, ['y'])).y!);
  } finally {
    await session.dispose();
  }
}

describe.each(['f32', 'int8', 'int4'] as const)('%s experts in plain operators', (weights) => {
  it.each([false, true])('equal the kernel (biases: %s)', async (biases) => {
    const model = alone(weights, biases);
    const plain = plainExperts(model);
    if ('refused' in plain) throw new Error(plain.refused);
    expect(plain.graph?.node.some(isMixture)).toBe(false);
    for (const n of [1, 7]) {
      const expected = await run(model, 'cpu', n);
      expect(difference(await run(plain, 'cpu', n), expected)).toBeLessThan(2e-3);
      if (missing === undefined) expect(difference(await run(plain, 'webgpu', n), expected)).toBeLessThan(2e-3);
    }
  });
});

it('refuses what it does not know, with the reason', () => {
  const model = alone('int4', false);
  const node = model.graph!.node[0]!;
  node.attribute = node.attribute.filter((a) => a.name !== 'activation_type');
  expect(plainExperts(model)).toMatchObject({ refused: expect.stringContaining('swiglu') });
});

it('leaves models without experts alone', async () => {
  const g = new GraphBuilder();
  const model = g.model('empty');
  expect(await expertsOnDevice(model, {})).toEqual({ model, hostNodes: [] });
});

it.skipIf(missing !== undefined)(
  'says what the fault of the kernel is, and runs where it was faster',
  async () => {
    const model = writeLlama({ ...BASE, weights: 'int4', experts: { count: 4, topK: 2 } }, randomWeights(7));
    const found = await expertsOnDevice(model, { device: 'webgpu' });
    expect(found.warning).toMatch(
      /^experts run .*QMoE kernel of WebGPU is wrong at random.*one layer, 1 and 16 tokens/,
    );
    expect(found.hostNodes.length).toBe(found.model === model ? 2 : 0);
    const host = await expertsOnDevice(model, { device: 'webgpu' }, 'host');
    expect([host.model === model, host.hostNodes.length]).toEqual([true, 2]);
    const plain = await expertsOnDevice(model, { device: 'webgpu' }, 'plain');
    expect(plain.model.graph?.node.some(isMixture)).toBe(false);
  },
  60_000,
);
