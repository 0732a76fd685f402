/**
 * GroupQueryAttention in plain operators over a paged cache, for several sequences with several new tokens each, which the
 * node itself refuses.
 *
 * The naive rewrite gathers each sequence's blocks into one long key tensor, appends the new keys and multiplies: two copies of the
 * cache per step. Here scores against the past and against the new keys are computed apart and joined before the softmax, so the
 * cache is copied once (by the Gather) and the small score matrix twice. Gathers by precomputed indices also do the padding and
 * the transposition from token order to head order, so there is no Transpose at all.
 *
 * Joined form (f32 pool): the new keys and values are scattered into the gathered ones instead, each at the column of its position. Then every
 * sum over positions adds the same numbers in the same order wherever a step was cut and whoever shares it, so a token's logits are
 * the same bits alone, in a batch and as a draft (test/runtime/invariant.test.ts). The scatter copies what was gathered.
 *
 * Invariant: masked scores get -1e30, so a fully masked (padding) row is a finite average that nobody reads. The pool must hold
 * finite numbers everywhere.
 */
import { floatAttribute, type GraphBuilder, intAttribute, MICROSOFT, makeNode } from '../onnx/builder.js';
import { DataType, type NodeProto, type TensorProto } from '../onnx/proto.js';
import { dimsOf } from '../onnx/tensor.js';
import { type CacheType, cacheName, cacheOut, maskName, NAMES, type PoolType } from './layout.js';

export interface AttentionShape {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly rotary: boolean;
  readonly interleaved: boolean;
  readonly scale: number;
  readonly softcap: number;
  /** 0: none. */
  readonly window: number;
  /** A score per head that takes part in the softmax and in nothing else: an input [heads]; '' for zeros. */
  readonly sink?: string;
  /** RMS norm of each query and key head before the rotation. */
  readonly norm?: { readonly query: string; readonly key: string; readonly epsilon: number };
}

const REPRODUCED = new Set([
  'num_heads',
  'kv_num_heads',
  'do_rotary',
  'rotary_interleaved',
  'scale',
  'softcap',
  'local_window_size',
  'smooth_softmax',
  'qk_norm_epsilon',
]);
/** Attributes that change nothing at these values. */
const NEUTRAL: Readonly<Record<string, number>> = {
  qk_output: 0,
  causal: 1,
  sliding_window_cache: 0,
  kv_cache_bit_width: 0,
};

/** Reads a node's attributes, or says why it cannot be reproduced. */
export function readAttention(node: NodeProto, headDim: number): AttentionShape | string {
  for (const a of node.attribute) {
    const name = a.name ?? '';
    if (REPRODUCED.has(name)) continue;
    if (name in NEUTRAL && Number(a.i ?? 0) === NEUTRAL[name]) continue;
    if (name === 'k_quant_type' || name === 'v_quant_type') continue;
    return `GroupQueryAttention attribute ${name}`;
  }
  for (const [i, name] of [
    [10, 'attention_bias'],
    [12, 'k_scale'],
    [13, 'v_scale'],
  ] as const) {
    if ((node.input[i] ?? '') !== '') return `GroupQueryAttention input ${name}`;
  }
  if (node.input.length > 16) return 'GroupQueryAttention inputs that are not known';
  if (node.output.slice(3).some((n) => n !== '')) return 'GroupQueryAttention output output_qk';
  const heads = intAttribute(node, 'num_heads', 0);
  const kvHeads = intAttribute(node, 'kv_num_heads', 0);
  if (heads <= 0 || kvHeads <= 0 || heads % kvHeads !== 0) return `${heads} heads over ${kvHeads} KV heads`;
  const scale = floatAttribute(node, 'scale', 0);
  const window = intAttribute(node, 'local_window_size', -1);
  const [given = '', query = '', key = ''] = [node.input[11], node.input[14], node.input[15]];
  const sink = given !== '' || intAttribute(node, 'smooth_softmax', 0) === 1 ? { sink: given } : {};
  const norm = query === '' ? {} : { norm: { query, key, epsilon: floatAttribute(node, 'qk_norm_epsilon', 1e-6) } };
  return {
    heads,
    kvHeads,
    headDim,
    rotary: intAttribute(node, 'do_rotary', 0) === 1,
    interleaved: intAttribute(node, 'rotary_interleaved', 0) === 1,
    scale: scale === 0 ? 1 / Math.sqrt(headDim) : scale,
    softcap: floatAttribute(node, 'softcap', 0),
    window: Math.max(0, window),
    ...sink,
    ...norm,
  };
}

/** Where the past is and how it is stored. */
export interface PoolShape {
  readonly blocks: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly pool: PoolType;
  readonly type: CacheType;
  /** New keys and values join the gathered ones (f32 pool alone). */
  readonly joined?: boolean;
}

/** A past read out of the pool: data [B, KH, M * blockSize, D], to be multiplied by scale [B, KH, 1, M * blockSize] if there is one. */
interface Past {
  readonly data: string;
  readonly scale?: string;
}

/** Reads slot layer * 2 + part; half precision stays as it is. */
function readPast(g: GraphBuilder, slot: number, shape: PoolShape): Past {
  const { blocks, kvHeads, headDim } = shape;
  const rows = slot === 0 ? NAMES.table : g.op('Add', [NAMES.table, g.int32(slot * blocks * kvHeads)]);
  const data = g.reshape(g.op('Gather', [NAMES.pool, rows], { axis: 0 }), [0, kvHeads, -1, headDim]);
  if (shape.pool !== 'int8') return { data };
  const scale = g.reshape(g.op('Gather', [NAMES.scales, rows], { axis: 0 }), [0, kvHeads, 1, -1]);
  return { data: g.cast(data, DataType.float), scale };
}

/** The past of a slot as the exporter's graph knows it, [B, KH, M * blockSize, D] in f32. */
export function gatherPast(g: GraphBuilder, slot: number, shape: PoolShape): string {
  const { data, scale } = readPast(g, slot, shape);
  return scale === undefined ? data : g.op('Mul', [data, g.reshape(scale, [0, shape.kvHeads, -1, 1])]);
}

/** What attention multiplies, [1, T, heads * D]: split, normed and rotated. */
function prepared(
  g: GraphBuilder,
  node: NodeProto,
  shape: AttentionShape,
  rope: TensorProto | undefined,
): { readonly query: string; readonly key: string; readonly value: string } {
  const { heads, kvHeads, headDim: d } = shape;
  let [query = '', key = '', value = ''] = node.input;
  if (key === '') {
    const widths = [heads * d, kvHeads * d, kvHeads * d];
    const parts = [g.fresh('q'), g.fresh('k'), g.fresh('v')];
    g.nodes.push(makeNode('Split', [query, g.ints(widths)], parts, { axis: 2 }));
    [query = '', key = '', value = ''] = parts;
  }
  if (shape.norm !== undefined) {
    const { norm } = shape;
    const attributes = { axis: -1, epsilon: { float: norm.epsilon }, stash_type: 1 };
    const normed = (x: string, weight: string, width: number): string =>
      g.reshape(g.op('SimplifiedLayerNormalization', [g.reshape(x, [-1, d]), weight], attributes), [1, -1, width]);
    query = normed(query, norm.query, heads * d);
    key = normed(key, norm.key, kvHeads * d);
  }
  if (shape.rotary) {
    const [cos = '', sin = ''] = [node.input[7], node.input[8]];
    const part = rope === undefined ? d : 2 * (dimsOf(rope)[1] ?? d / 2);
    const rotate = (x: string, count: number): string =>
      g.ms('RotaryEmbedding', [x, NAMES.positions, cos, sin], {
        interleaved: shape.interleaved ? 1 : 0,
        ...(part === d ? {} : { num_heads: count, rotary_embedding_dim: part }),
      });
    query = rotate(query, heads);
    key = rotate(key, kvHeads);
  }
  return { query, key, value };
}

/**
 * One layer by the device's own kernel (f16 caches, written in place): PagedAttention of com.microsoft. Returns why not, where the kernel
 * lacks something.
 */
export function kernelAttention(
  g: GraphBuilder,
  node: NodeProto,
  shape: AttentionShape,
  layer: number,
  rope: TensorProto | undefined,
): string | undefined {
  if (shape.sink !== undefined) return 'PagedAttention has no sinks';
  // Its window is not the node's: with 20 positions logits were off by 9% of the greatest.
  if (shape.window > 0) return 'PagedAttention has another window';
  if (shape.softcap > 0) return 'PagedAttention has no cap on scores';
  const { heads, kvHeads, headDim: d } = shape;
  const { query, key, value } = prepared(g, node, shape, rope);
  const rows = [
    g.reshape(query, [-1, heads * d]),
    g.reshape(key, [-1, kvHeads * d]),
    g.reshape(value, [-1, kvHeads * d]),
  ];
  const inputs = [...rows, cacheName(2 * layer), cacheName(2 * layer + 1), NAMES.cumulative, NAMES.past, NAMES.table];
  const outputs = [g.fresh('attention'), cacheOut(2 * layer), cacheOut(2 * layer + 1)];
  const attributes = {
    num_heads: heads,
    kv_num_heads: kvHeads,
    scale: { float: shape.scale },
    softcap: { float: shape.softcap },
    do_rotary: 0,
  };
  g.ops('PagedAttention', inputs, outputs, attributes, MICROSOFT);
  g.reshape(outputs[0] ?? '', [1, -1, heads * d], node.output[0]);
  return undefined;
}

/**
 * Builds the nodes of one layer. Returns the names of the new keys and values, [1, T, KH * D] (keys rotated), and gives
 * the attention's output [1, T, heads * D] the node's own output name.
 */
export function pagedAttention(
  g: GraphBuilder,
  node: NodeProto,
  shape: AttentionShape,
  layer: number,
  pool: PoolShape,
  rope: TensorProto | undefined,
): { readonly key: string; readonly value: string } {
  const { heads, kvHeads, headDim: d } = shape;
  const groups = heads / kvHeads;
  const { query, key, value } = prepared(g, node, shape, rope);
  // Sums of products and the softmax are computed in f32 whatever the cache holds.
  const half = pool.type === 'float16';
  const whole = (past: Past): Past => (half ? { ...past, data: g.cast(past.data, DataType.float) } : past);
  // [T * KH, width] rows picked into [B, KH, S, width]: padding and transposition in one.
  const place = (x: string, width: number): string => {
    const placed = g.op('Gather', [g.reshape(x, [-1, width]), NAMES.pad], { axis: 0 });
    return half ? g.cast(placed, DataType.float) : placed;
  };
  const q = g.reshape(place(query, groups * d), [0, kvHeads, -1, d]);
  const newKey = place(key, d);
  const newValue = place(value, d);
  // Scales of an int8 past go to the scores, a D-th of the numbers.
  const scaled = (x: string, past: Past): string => (past.scale === undefined ? x : g.op('Mul', [x, past.scale]));
  const against = product(g, q, shape.scale, pool.pool === 'device');
  let mixed: string;
  if (pool.joined === true) {
    const all = (slot: number, rows: string): string =>
      g.op('ScatterND', [readPast(g, slot, pool).data, NAMES.place, rows]);
    const { weights, sink } = softmax(g, against(all(2 * layer, newKey)), shape, groups);
    const seen = sink ? g.slice(weights, 3, 0, -1) : weights;
    mixed = g.op('MatMul', [seen, all(2 * layer + 1, newValue)]);
  } else {
    const pastKey = whole(readPast(g, 2 * layer, pool));
    const pastValue = whole(readPast(g, 2 * layer + 1, pool));
    const old = scaled(against(pastKey.data), pastKey);
    const { weights, sink } = softmax(g, g.op('Concat', [old, against(newKey)], { axis: 3 }), shape, groups);
    const [toOld, toRecent] = [g.fresh('past'), g.fresh('recent')];
    const sizes = sink ? g.op('Concat', [NAMES.split, g.ints([1])], { axis: 0 }) : NAMES.split;
    const parts = [toOld, toRecent, ...(sink ? [g.fresh('sink')] : [])];
    g.nodes.push(makeNode('Split', [weights, sizes], parts, { axis: 3 }));
    mixed = g.op('Add', [
      g.op('MatMul', [scaled(toOld, pastValue), pastValue.data]),
      g.op('MatMul', [toRecent, newValue]),
    ]);
  }
  const out = half ? g.cast(mixed, DataType.float16) : mixed;
  const rows = g.op('Gather', [g.reshape(out, [-1, groups * d]), NAMES.unpad], { axis: 0 });
  g.reshape(rows, [1, -1, heads * d], node.output[0]);
  return { key, value };
}

/** Capped, masked and normalised scores; where there is a sink its weight is the last column. */
function softmax(
  g: GraphBuilder,
  scores: string,
  shape: AttentionShape,
  groups: number,
): { readonly weights: string; readonly sink: boolean } {
  let masked = scores;
  if (shape.softcap > 0) {
    const bounded = g.op('Tanh', [g.op('Mul', [scores, g.float(1 / shape.softcap)])]);
    masked = g.op('Mul', [bounded, g.float(shape.softcap)]);
  }
  masked = g.op('Add', [masked, maskName(shape.window)]);
  if (shape.sink === undefined) return { weights: g.op('Softmax', [masked], { axis: -1 }), sink: false };
  const column = sinkColumn(g, masked, shape.sink, shape.kvHeads, groups);
  return { weights: g.op('Softmax', [g.op('Concat', [masked, column], { axis: 3 })], { axis: -1 }), sink: true };
}

/** Scaled products of q [B, KH, N, D] with rows of keys [B, KH, P, D]. FusedMatMul spares a transposition but is CPU only. */
function product(g: GraphBuilder, q: string, scale: number, device: boolean): (keys: string) => string {
  if (!device) return (keys) => g.ms('FusedMatMul', [q, keys], { transB: 1, alpha: { float: scale } });
  const scaled = g.op('Mul', [q, g.float(scale)]);
  return (keys) => g.op('MatMul', [scaled, g.transpose(keys, [0, 1, 3, 2])]);
}

/** The sink's score beside each row of scores, [B, KH, S * G, 1]. */
function sinkColumn(g: GraphBuilder, scores: string, sink: string, kvHeads: number, groups: number): string {
  const zeros = g.op('Mul', [g.slice(scores, 3, 0, 1), g.float(0)]);
  if (sink === '') return zeros;
  const perHead = g.reshape(g.cast(sink, DataType.float), [1, kvHeads, 1, groups]);
  return g.reshape(g.op('Add', [g.reshape(zeros, [0, kvHeads, -1, groups]), perHead]), [0, kvHeads, -1, 1]);
}
