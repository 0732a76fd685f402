/**
 * Mixtures of experts in plain operators, for devices without a kernel that can be trusted.
 *
 * The naive form runs each expert on its rows: gathers of data-dependent size, which a graph cannot have. Here all experts see all rows,
 * in two products: the first over the experts' rows one below the other, [E * F, H]; the second over their columns side by side, [H, E * I],
 * whose sum over E * I is also the sum over experts, since activations are multiplied by the routing weights before (0 for those not
 * chosen). Price: E / k times the multiplications, and all weights are read whatever was chosen, as they are anyway once a batch is wide.
 *
 * Weights keep their bytes (MatMulNBits packs as QMoE does, with more scales); those of the second product are copied once.
 */
import { floatAttribute, GraphBuilder, intAttribute, makeNode, stringAttribute } from '../onnx/builder.js';
import { DataType, type GraphProto, type ModelProto, type NodeProto, type TensorProto } from '../onnx/proto.js';
import { bytesOf, dimsOf, floatsOf, floatTensor, rawTensor } from '../onnx/tensor.js';
import { copyModel, prune } from './graph.js';
import type { Refusal } from './layout.js';

/** Block of MatMulNBits; scales of a whole row are repeated for each. */
const BLOCK = 32;

interface Experts {
  readonly count: number;
  readonly hidden: number;
  readonly inner: number;
  readonly k: number;
  /** 0: weights are f32. */
  readonly bits: 0 | 4 | 8;
}

export const isMixture = (node: NodeProto): boolean => node.opType === 'MoE' || node.opType === 'QMoE';

/** The model with every MoE and QMoE node in plain operators, or why not. The given model is not changed. */
export function plainExperts(model: ModelProto): ModelProto | Refusal {
  const copy = copyModel(model);
  const { graph } = copy;
  if (graph === undefined) return { refused: 'no graph' };
  const initial = new Map(graph.initializer.map((t) => [t.name ?? '', t]));
  const g = new GraphBuilder('tl.experts.');
  const nodes: NodeProto[] = [];
  for (const node of graph.node) {
    if (!isMixture(node)) {
      nodes.push(node);
      continue;
    }
    const before = g.nodes.length;
    const why = replace(g, node, initial);
    if (why !== undefined) return { refused: why };
    nodes.push(...g.nodes.slice(before));
  }
  graph.node = nodes;
  graph.initializer.push(...g.initializers);
  prune(graph, new Set(graph.input.map((i) => i.name ?? '')));
  return copy;
}

/** A model of one mixture node alone: inputs `x` [n, H] and `scores` [n, E], output `y`; for measurements. */
export function mixtureAlone(model: ModelProto, node: NodeProto): ModelProto {
  const g = new GraphBuilder();
  g.input('x', DataType.float, ['n', 'hidden']);
  g.input('scores', DataType.float, ['n', 'experts']);
  g.output('y', DataType.float, ['n', 'hidden']);
  const wanted = new Set(node.input.slice(2));
  const weights = (model.graph?.initializer ?? []).filter((t) => wanted.has(t.name ?? ''));
  const alone = g.model('mixture');
  const only = { ...node, input: ['x', 'scores', ...node.input.slice(2)], output: ['y'] };
  const graph: GraphProto = { ...g.graph('mixture'), node: [only], initializer: weights };
  return { ...alone, graph };
}

function replace(g: GraphBuilder, node: NodeProto, initial: ReadonlyMap<string, TensorProto>): string | undefined {
  const quantised = node.opType === 'QMoE';
  const [x = '', scores = ''] = node.input;
  const [w1, s1, b1, w2, s2, b2] = quantised
    ? [node.input[2], node.input[3], node.input[4], node.input[5], node.input[6], node.input[7]]
    : [node.input[2], '', node.input[3], node.input[4], '', node.input[5]];
  if (node.input.slice(quantised ? 8 : 6).some((n) => n !== ''))
    return `${node.opType} with a third product or zero points`;
  if (stringAttribute(node, 'activation_type', 'relu') !== 'swiglu' || intAttribute(node, 'swiglu_fusion', 0) !== 1) {
    return `${node.opType} whose activation is not the interleaved swiglu`;
  }
  if (intAttribute(node, 'use_sparse_mixer', 0) !== 0) return `${node.opType} with a sparse mixer`;
  const [first, second] = [initial.get(w1 ?? ''), initial.get(w2 ?? '')];
  if (first === undefined || second === undefined) return `${node.opType} whose weights are computed`;
  const [count = 0, width = 0] = dimsOf(first);
  const hidden = dimsOf(second)[1] ?? 0;
  const bits = quantised ? intAttribute(node, 'expert_weight_bits', 4) : 0;
  if (bits !== 0 && bits !== 4 && bits !== 8) return `${node.opType} of ${bits} bits`;
  const shape: Experts = { count, hidden, inner: width / 2, k: intAttribute(node, 'k', 1), bits };
  const block = intAttribute(node, 'block_size', 0);
  const normalised = quantised || intAttribute(node, 'normalize_routing_weights', 0) === 1;
  const flat = g.reshape(x, [-1, hidden]);
  const gates = routing(g, scores, shape, normalised);
  let up: string | undefined;
  let down: ((y: string) => string) | undefined;
  if (bits === 0) {
    const rows = g.transpose(g.reshape(w1 ?? '', [-1, hidden]), [1, 0]);
    up = g.op('MatMul', [flat, rows]);
    const columns = g.reshape(g.transpose(w2 ?? '', [0, 2, 1]), [-1, hidden]);
    down = (y) => g.op('MatMul', [y, columns]);
  } else {
    const [scale1, scale2] = [initial.get(s1 ?? ''), initial.get(s2 ?? '')];
    const one = stacked(g, first, scale1, shape, block);
    const two = joined(g, second, scale2, shape, block);
    if (one === undefined || two === undefined) {
      return `${node.opType} whose weights or scales are not in the model, not f32, or not of blocks of ${BLOCK}`;
    }
    const nbits = (y: string, [data, scales]: readonly [string, string], n: number, k: number): string =>
      g.ms('MatMulNBits', [y, data, scales], { N: n, K: k, bits, block_size: BLOCK });
    up = nbits(flat, one, count * width, hidden);
    down = (y) => nbits(y, two, hidden, count * shape.inner);
  }
  if ((b1 ?? '') !== '') up = g.op('Add', [up, g.reshape(b1 ?? '', [1, -1])]);
  const active = g.reshape(swiglu(g, up, node), [-1, count, shape.inner]);
  const weighted = g.reshape(g.op('Mul', [active, g.unsqueeze(gates, [2])]), [-1, count * shape.inner]);
  let out = down(weighted);
  if ((b2 ?? '') !== '') out = g.op('Add', [out, g.op('MatMul', [gates, b2 ?? ''])]);
  // The node kept the shape of its input.
  g.nodes.push(makeNode('Reshape', [out, g.op('Shape', [x])], [node.output[0] ?? '']));
  return undefined;
}

/** Softmax over the k greatest scores, 0 elsewhere, [n, E]; without `normalised`, over all scores, and then the rest is dropped. */
function routing(g: GraphBuilder, scores: string, { k, count }: Experts, normalised: boolean): string {
  const flat = g.reshape(scores, [-1, count]);
  const values = g.fresh('values');
  g.nodes.push(makeNode('TopK', [flat, g.ints([k])], [values, g.fresh('ids')], { axis: 1 }));
  const chosen = g.cast(g.op('GreaterOrEqual', [flat, g.slice(values, 1, k - 1, k)]), DataType.float);
  const weights = g.op('Exp', [g.op('Sub', [flat, g.slice(values, 1, 0, 1)])]);
  const kept = g.op('Mul', [weights, chosen]);
  const sum = g.op('ReduceSum', [normalised ? kept : weights, g.ints([1])], { keepdims: 1 });
  return g.op('Div', [kept, sum]);
}

/** g * sigmoid(alpha * g) * (u + beta) of interleaved (g, u), both clamped where there is a limit. */
function swiglu(g: GraphBuilder, y: string, node: NodeProto): string {
  const pairs = g.reshape(y, [0, -1, 2]);
  let [gate, linear] = [g.slice(pairs, 2, 0, 1), g.slice(pairs, 2, 1, 2)];
  const limit = floatAttribute(node, 'swiglu_limit', 0);
  if (limit > 0 && Number.isFinite(limit)) {
    gate = g.op('Min', [gate, g.float(limit)]);
    linear = g.op('Max', [g.op('Min', [linear, g.float(limit)]), g.float(-limit)]);
  }
  const alpha = floatAttribute(node, 'activation_alpha', 1);
  const beta = floatAttribute(node, 'activation_beta', 0);
  const sigmoid = g.op('Sigmoid', [alpha === 1 ? gate : g.op('Mul', [gate, g.float(alpha)])]);
  return g.op('Mul', [g.op('Mul', [gate, sigmoid]), beta === 0 ? linear : g.op('Add', [linear, g.float(beta)])]);
}

/** Scale of a row's block b of BLOCK columns. `block`: columns of a scale, 0 for the whole row. */
function scalesPerBlock(
  scales: Float32Array,
  row: number,
  columns: number,
  block: number,
  out: Float32Array,
  at: number,
): void {
  const own = block === 0 ? columns : block;
  const perRow = columns / own;
  for (let b = 0; b < columns / BLOCK; b++) out[at + b] = scales[row * perRow + Math.floor((b * BLOCK) / own)]!;
}

function parts(
  weight: TensorProto,
  scale: TensorProto | undefined,
  columns: number,
  block: number,
): { data: Uint8Array; scales: Float32Array } | undefined {
  const data = bytesOf(weight);
  const scales = scale === undefined ? undefined : floatsOf(scale);
  const fits = columns % BLOCK === 0 && (block === 0 || (block % BLOCK === 0 && columns % block === 0));
  return data === undefined || scales === undefined || !fits ? undefined : { data, scales };
}

/** First weights [E, F, H]: as they are, E * F rows. */
function stacked(
  g: GraphBuilder,
  weight: TensorProto,
  scale: TensorProto | undefined,
  { count, hidden, inner, bits }: Experts,
  block: number,
): readonly [string, string] | undefined {
  const found = parts(weight, scale, hidden, block);
  if (found === undefined) return undefined;
  const [rows, blocks] = [count * 2 * inner, hidden / BLOCK];
  const scales = new Float32Array(rows * blocks);
  for (let r = 0; r < rows; r++) scalesPerBlock(found.scales, r, hidden, block, scales, r * blocks);
  return initializers(g, rows, blocks, bits, found.data, scales);
}

/** Second weights [E, H, I]: row h becomes the rows (e, h) of all experts, one after the other. */
function joined(
  g: GraphBuilder,
  weight: TensorProto,
  scale: TensorProto | undefined,
  { count, hidden, inner, bits }: Experts,
  block: number,
): readonly [string, string] | undefined {
  const found = parts(weight, scale, inner, block);
  if (found === undefined) return undefined;
  const width = (inner * bits) / 8;
  const perExpert = inner / BLOCK;
  const data = new Uint8Array(found.data.length);
  const scales = new Float32Array(hidden * count * perExpert);
  for (let h = 0; h < hidden; h++) {
    for (let e = 0; e < count; e++) {
      const from = e * hidden + h;
      const to = h * count + e;
      data.set(found.data.subarray(from * width, (from + 1) * width), to * width);
      scalesPerBlock(found.scales, from, inner, block, scales, to * perExpert);
    }
  }
  return initializers(g, hidden, count * perExpert, bits, data, scales);
}

function initializers(
  g: GraphBuilder,
  rows: number,
  blocks: number,
  bits: number,
  data: Uint8Array,
  scales: Float32Array,
): readonly [string, string] {
  return [
    g.initializer(rawTensor(g.fresh('weight'), [rows, blocks, (BLOCK * bits) / 8], DataType.uint8, data)),
    g.initializer(floatTensor(g.fresh('scales'), [rows, blocks], scales)),
  ];
}
