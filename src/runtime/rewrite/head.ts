/**
 * The head: the last matrix product, from hidden states to logits.
 *
 * A step wants logits of few positions, and sometimes of few tokens. So the rewrite (a) picks the wanted positions before the
 * head instead of after it, and (b) finds the head's weights, so that when few tokens are allowed the products are computed in
 * JavaScript, for the allowed rows alone: at 64,000 tokens and 1,024 columns the whole head takes 8.7 ms, 64 rows of it 0.07.
 */
import { type GraphBuilder, intAttribute } from '../onnx/builder.js';
import { DataType, type GraphProto, type NodeProto } from '../onnx/proto.js';
import { bytesOf, dimsOf, floatsOf } from '../onnx/tensor.js';
import { type GraphIndex, indexGraph } from './graph.js';

/** Weights of the head, by row of the vocabulary. */
export type HeadWeights =
  | {
      readonly kind: 'f32';
      /** [V, H], or [H, V] where `transposed`. */
      readonly data: Float32Array;
      readonly transposed: boolean;
      readonly columns: number;
      readonly vocab: number;
    }
  | {
      readonly kind: 'nbits';
      readonly bits: 4 | 8;
      readonly block: number;
      readonly columns: number;
      readonly vocab: number;
      readonly data: Uint8Array;
      readonly scales: Float32Array;
      /** The kernel quantises activations to int8 (accuracy_level 4). */
      readonly int8Activations: boolean;
    };

export interface HeadCut {
  /** The value whose last axis the head multiplies. */
  readonly hidden: string;
  /** The node that reads it. */
  readonly node: NodeProto;
  /** Size of that axis. */
  readonly columns: number;
  /** Set where the logits are nothing but the product, and the weights lie in the model. */
  readonly weights?: HeadWeights;
}

/** Operators that treat each position by itself and may follow the product. */
const POINTWISE = new Set(['Cast', 'Mul', 'Div', 'Add', 'Tanh', 'Identity', 'Sub', 'Clip']);

/** Walks back from the logits to the head's product; undefined where the graph ends in something else. */
export function findHead(graph: GraphProto, logits: string): HeadCut | undefined {
  const index = indexGraph(graph);
  let name = logits;
  let bare = true;
  for (let steps = 0; steps < 16; steps++) {
    const node = index.producer.get(name);
    if (node === undefined) return undefined;
    const op = node.opType ?? '';
    if (op === 'MatMul' || op === 'MatMulNBits') {
      const [hidden = '', weight = ''] = node.input;
      if (hidden === '' || (index.consumers.get(name)?.length ?? 0) > 1) return undefined;
      const columns = op === 'MatMul' ? inputSize(weight, index) : intAttribute(node, 'K', 0);
      if (columns === undefined || columns === 0) return undefined;
      const found = bare ? weightsOf(node, weight, index) : undefined;
      return { hidden, node, columns, ...(found === undefined ? {} : { weights: found }) };
    }
    if (!POINTWISE.has(op)) return undefined;
    // The varying operand is the one that is neither an initializer nor computed from initializers alone.
    const varying = node.input.filter((n) => n !== '' && !isConstant(n, index));
    if (varying.length !== 1) return undefined;
    if (op !== 'Identity') bare = false;
    name = varying[0] ?? '';
  }
  return undefined;
}

/** First axis of a product's weight, given directly, behind a Transpose or behind a DequantizeLinear. */
function inputSize(weight: string, index: GraphIndex): number | undefined {
  const direct = index.initializer.get(weight);
  if (direct !== undefined) return dimsOf(direct)[0];
  const made = index.producer.get(weight);
  const inner = index.initializer.get(made?.input[0] ?? '');
  if (inner === undefined) return undefined;
  if (made?.opType === 'DequantizeLinear') return dimsOf(inner)[0];
  return made?.opType === 'Transpose' ? dimsOf(inner).at(-1) : undefined;
}

function isConstant(name: string, index: GraphIndex, depth = 0): boolean {
  if (index.initializer.has(name)) return true;
  const node = index.producer.get(name);
  if (node === undefined || depth > 8) return false;
  return node.input.every((n) => n === '' || isConstant(n, index, depth + 1));
}

function weightsOf(node: NodeProto, weight: string, index: GraphIndex): HeadWeights | undefined {
  const direct = index.initializer.get(weight);
  if (node.opType === 'MatMul') {
    const made = index.producer.get(weight);
    const transposed = direct === undefined && made?.opType === 'Transpose';
    const tensor = direct ?? (transposed ? index.initializer.get(made?.input[0] ?? '') : undefined);
    const data = tensor === undefined ? undefined : floatsOf(tensor);
    if (tensor === undefined || data === undefined) return undefined;
    const [rows = 0, cols = 0, ...rest] = dimsOf(tensor);
    if (rest.length > 0) return undefined;
    // [H, V] as MatMul reads it, or [V, H] behind a Transpose.
    return transposed
      ? { kind: 'f32', data, transposed: false, columns: cols, vocab: rows }
      : { kind: 'f32', data, transposed: true, columns: rows, vocab: cols };
  }
  const bits = intAttribute(node, 'bits', 4);
  const block = intAttribute(node, 'block_size', 0);
  const [columns, vocab] = [intAttribute(node, 'K', 0), intAttribute(node, 'N', 0)];
  const extras = node.input.slice(3).some((n) => n !== '');
  const scaleTensor = index.initializer.get(node.input[2] ?? '');
  if ((bits !== 4 && bits !== 8) || extras || direct === undefined || scaleTensor === undefined) return undefined;
  const data = bytesOf(direct);
  const scales = floatsOf(scaleTensor);
  if (data === undefined || scales === undefined || block < 16 || columns % block !== 0) return undefined;
  if (data.length !== (vocab * columns * bits) / 8 || scales.length !== (vocab * columns) / block) return undefined;
  const int8Activations = intAttribute(node, 'accuracy_level', 0) === 4;
  return { kind: 'nbits', bits, block, columns, vocab, data, scales, int8Activations };
}

/**
 * Makes the head read only the positions that `want` (int32, indices into the flattened positions) names: logits become
 * [1, want, V]. Adds `hot` positions' hidden states as output `hiddenName` [hot, H]. Changes the graph's nodes.
 */
export function pickPositions(
  graph: GraphProto,
  g: GraphBuilder,
  cut: HeadCut,
  names: { readonly want: string; readonly hot: string; readonly hidden: string },
): void {
  g.input(names.want, DataType.int32, ['wanted']);
  const flat = g.reshape(cut.hidden, [-1, cut.columns]);
  const picked = g.unsqueeze(g.op('Gather', [flat, names.want], { axis: 0 }), [0]);
  if (cut.weights !== undefined) {
    g.input(names.hot, DataType.int32, ['hot']);
    g.op('Gather', [flat, names.hot], { axis: 0 }, '', names.hidden);
    g.output(names.hidden, DataType.float, ['hot', cut.columns]);
  }
  const at = graph.node.indexOf(cut.node);
  const node = graph.node[at];
  if (node === undefined) return;
  node.input[0] = picked;
  graph.node.splice(at, 0, ...g.nodes);
}

/**
 * Up to how many allowed ids computing the head in JavaScript is clearly cheaper. One product costs about 1 ns here; in the
 * kernels 0.13 ns in f32, 0.04 in int8, 0.03 in int4 (docs/runtime.md). Half of the break-even, since the kernels gain in a batch.
 */
export function restrictedIds(w: HeadWeights): number {
  const share = w.kind === 'f32' ? 0.06 : w.bits === 8 ? 0.02 : 0.01;
  return Math.min(1024, Math.floor(w.vocab * share));
}

/**
 * Logits of `allowed` rows for one hidden state, written to `out`. The same numbers as the graph's head up to rounding;
 * a few nanoseconds per product.
 */
export function restrictedLogits(w: HeadWeights, hidden: Float32Array, allowed: Int32Array, out: Float32Array): void {
  if (w.kind === 'f32') {
    denseRows(w.data, w.transposed ? w.vocab : 1, w.columns, hidden, allowed, out);
    return;
  }
  const x = w.int8Activations ? throughInt8(hidden, w.block) : hidden;
  const { block, columns, data, scales } = w;
  const blocks = columns / block;
  const half = w.bits === 4;
  for (let i = 0; i < allowed.length; i++) {
    const row = allowed[i]!;
    let sum = 0;
    for (let b = 0; b < blocks; b++) {
      const base = row * columns + b * block;
      let part = 0;
      if (half) {
        for (let j = 0; j < block; j += 2) {
          const byte = data[(base + j) >> 1]!;
          part += x[b * block + j]! * ((byte & 15) - 8) + x[b * block + j + 1]! * ((byte >> 4) - 8);
        }
      } else {
        for (let j = 0; j < block; j++) part += x[b * block + j]! * (data[base + j]! - 128);
      }
      sum += part * scales[row * blocks + b]!;
    }
    out[i] = sum;
  }
}

function denseRows(
  data: Float32Array,
  stride: number,
  columns: number,
  hidden: Float32Array,
  allowed: Int32Array,
  out: Float32Array,
): void {
  const step = stride === 1 ? columns : 1;
  for (let i = 0; i < allowed.length; i++) {
    let at = allowed[i]! * step;
    let sum = 0;
    for (let j = 0; j < columns; j++, at += stride) sum += hidden[j]! * data[at]!;
    out[i] = sum;
  }
}

/** What activations become in the kernel of accuracy level 4: rounded to int8 per block, and back. */
function throughInt8(x: Float32Array, block: number): Float32Array {
  const out = new Float32Array(x.length);
  for (let b = 0; b < x.length; b += block) {
    let peak = 0;
    for (let j = b; j < b + block; j++) peak = Math.max(peak, Math.abs(x[j]!));
    const scale = Math.fround(peak / 127);
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
    for (let j = b; j < b + block; j++) out[j] = Math.round(x[j]! * inverse) * scale;
  }
  return out;
}
