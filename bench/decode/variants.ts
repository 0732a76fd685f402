/**
 * The embedded dense model in other element types, made from its int8 weights: f32 and f16 by unpacking, int4 by rounding again. They are for
 * comparing devices, type by type, on a model that was trained; they are not meant to be good models. Activations stay f32 in all of them
 * (no accuracy level): each device rounds them to int8 in its own way.
 */
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { intAttribute, MICROSOFT, makeNode } from '../../src/runtime/onnx/builder.js';
import {
  DataType,
  decodeModel,
  encodeModel,
  type ModelProto,
  type NodeProto,
  type TensorProto,
} from '../../src/runtime/onnx/proto.js';
import { quantizeRows } from '../../src/runtime/onnx/quantize.js';
import { bytesOf, dimsOf, floatsOf, floatTensor, halfTensor, rawTensor } from '../../src/runtime/onnx/tensor.js';
import { exactKernels } from '../../src/runtime/rewrite/kernels.js';

export type Variant = 'f32' | 'f16' | 'int8' | 'int4';

const BLOCK = 32;

/** Writes a variant of a model folder (tokenizer and configuration copied). Throws where the graph has products that are not known. */
export async function writeVariant(from: string, to: string, variant: Variant): Promise<void> {
  await mkdir(to, { recursive: true });
  await cp(from, to, { recursive: true });
  const file = path.join(to, 'onnx', 'model.onnx');
  const model = decodeModel(await readFile(file), file);
  await writeFile(file, encodeModel(variant === 'int8' ? exactKernels(model) : unpack(exactKernels(model), variant)));
}

function unpack(model: ModelProto, variant: 'f32' | 'f16' | 'int4'): ModelProto {
  const { graph } = model;
  if (graph === undefined) throw new Error('no graph');
  const initial = new Map(graph.initializer.map((t) => [t.name ?? '', t]));
  const producer = new Map(graph.node.flatMap((n) => n.output.map((o) => [o, n] as const)));
  const added: TensorProto[] = [];
  const node = graph.node.map((n): NodeProto => {
    if (n.opType === 'GatherBlockQuantized') {
      const source = producer.get(n.input[0] ?? '')?.input[0] ?? n.input[0] ?? '';
      const rows = dequantized(initial.get(source), initial.get(n.input[2] ?? ''));
      added.push(floatTensor('embedding', [rows.n, rows.k], rows.data));
      return makeNode('Gather', ['embedding', n.input[1] ?? ''], n.output, { axis: 0 });
    }
    if (n.opType !== 'MatMulNBits') return n;
    const { n: rows, k, data } = dequantized(initial.get(n.input[1] ?? ''), initial.get(n.input[2] ?? ''));
    const name = `${n.input[1]}.${variant}`;
    if (variant === 'int4') {
      const q = quantizeRows(data, rows, k, 4, BLOCK);
      added.push(
        rawTensor(name, [rows, k / BLOCK, BLOCK / 2], DataType.uint8, q.data),
        floatTensor(`${name}.scales`, [rows, k / BLOCK], q.scales),
      );
      const attributes = {
        N: rows,
        K: k,
        bits: 4,
        block_size: BLOCK,
        accuracy_level: intAttribute(n, 'accuracy_level', 0),
      };
      return makeNode('MatMulNBits', [n.input[0] ?? '', name, `${name}.scales`], n.output, attributes, MICROSOFT);
    }
    const turned = new Float32Array(data.length);
    for (let i = 0; i < rows; i++) for (let j = 0; j < k; j++) turned[j * rows + i] = data[i * k + j]!;
    added.push(floatTensor(name, [k, rows], turned));
    return makeNode('MatMul', [n.input[0] ?? '', name], n.output);
  });
  const used = new Set(node.flatMap((n) => n.input));
  const initializer = [...graph.initializer, ...added].filter((t) => used.has(t.name ?? ''));
  const whole: ModelProto = { ...model, graph: { ...graph, node, initializer, valueInfo: [] } };
  return variant === 'f16' ? halved(whole) : whole;
}

/** A packed weight [N, K / block, bytes] of 8 bits with scales [N, K / block] as numbers [N, K]. */
function dequantized(
  weight: TensorProto | undefined,
  scale: TensorProto | undefined,
): { n: number; k: number; data: Float32Array } {
  const bytes = weight === undefined ? undefined : bytesOf(weight);
  const scales = scale === undefined ? undefined : floatsOf(scale);
  if (weight === undefined || bytes === undefined || scales === undefined)
    throw new Error('weights of 8 bits in the model are expected');
  const [n = 0, blocks = 0, block = 0] = dimsOf(weight);
  const data = Float32Array.from(bytes, (b, i) => (b - 128) * scales[Math.floor(i / block)]!);
  return { n, k: blocks * block, data };
}

function halved(model: ModelProto): ModelProto {
  const { graph } = model;
  if (graph === undefined) return model;
  const half = <T extends (typeof graph.input)[number]>(info: T): T => {
    const tensorType = info.type?.tensorType;
    if (tensorType?.elemType !== DataType.float) return info;
    return { ...info, type: { ...info.type, tensorType: { ...tensorType, elemType: DataType.float16 } } };
  };
  const initializer = graph.initializer.map((t) => {
    const data = t.dataType === DataType.float ? floatsOf(t) : undefined;
    return data === undefined ? t : halfTensor(t.name ?? '', dimsOf(t), data);
  });
  return { ...model, graph: { ...graph, initializer, input: graph.input.map(half), output: graph.output.map(half) } };
}
