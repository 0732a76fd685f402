/**
 * Rewrites a decoder graph to the paged form: the cache leaves the graph's inputs and outputs, and a pool of blocks, read through
 * block tables, takes its place.
 *
 * Two kinds of exports, two cuts. GroupQueryAttention: each node is replaced by plain operators (attention.ts), and since nothing
 * else in such a graph looks across positions, all tokens of all sequences run as one row of length T ('flat'). Plain operators:
 * the past input becomes a Gather of blocks and the present output the new rows before the Concat ('padded': the graph's own
 * mask arithmetic goes on working on right-padded rows, since it goes by columns and the attention mask).
 *
 * A graph that does not fit is refused with a reason, never half rewritten; what the reading of a graph cannot prove (a mask that
 * depends on distances, positions computed from shapes) the probe at start-up catches.
 */

import type { DecoderNames } from '../io.js';
import { GraphBuilder, intAttribute, MICROSOFT, makeNode } from '../onnx/builder.js';
import { DataType, type GraphProto, type ModelProto, type NodeProto } from '../onnx/proto.js';
import { dimsOf } from '../onnx/tensor.js';
import { gatherPast, kernelAttention, type PoolShape, pagedAttention, readAttention } from './attention.js';
import { copyModel, declaredDims, indexGraph, opsetOf, prune } from './graph.js';
import { findHead, pickPositions } from './head.js';
import {
  BLOCK_SIZE,
  type CacheType,
  cacheName,
  cacheOut,
  maskName,
  NAMES,
  type PagedGraph,
  type PoolType,
  type Refusal,
} from './layout.js';

interface CacheShape {
  readonly kvHeads: number;
  readonly headDim: number;
  readonly type: CacheType;
}

/** Bytes of one block of 16 positions over all layers, scales included, or the reason why the cache has no single shape. */
export function blockBytes(model: ModelProto, names: DecoderNames, pool: PoolType): number | Refusal {
  const shape = cacheShape(model, names, pool);
  if ('refused' in shape) return shape;
  const row = pool === 'int8' ? shape.headDim + 4 : (shape.type === 'float16' ? 2 : 4) * shape.headDim;
  return 2 * names.layers.length * BLOCK_SIZE * shape.kvHeads * row;
}

/**
 * See the module's header. `blocks` is built into the graph. `joined` (layout.ts) asks for that form where there is one; by default it is
 * taken where query heads share keys: one query row per head has a kernel of its own, and giving it company costs more than joining.
 * The given model is not changed; weights are shared.
 */
export function rewritePaged(
  model: ModelProto,
  names: DecoderNames,
  blocks: number,
  pool: PoolType = 'f32',
  kernel = false,
  joined?: boolean,
): PagedGraph | Refusal {
  const shape = cacheShape(model, names, pool);
  if ('refused' in shape) return shape;
  if (opsetOf(model, '') < 13) return { refused: `opset ${opsetOf(model, '')} (13 is needed)` };
  const copy = copyModel(model);
  const graph = copy.graph;
  if (graph === undefined) return { refused: 'no graph' };
  if (opsetOf(copy, MICROSOFT) === 0) copy.opsetImport.push({ domain: MICROSOFT, version: 1 });
  const attention = graph.node.find((n) => n.opType === 'GroupQueryAttention');
  const grouped = attention !== undefined;
  const shares = grouped && intAttribute(attention, 'num_heads', 0) > shape.kvHeads;
  const joins = grouped && pool === 'f32' && (joined ?? shares);
  const stored: PoolShape = { ...shape, blocks, pool, joined: joins };
  if (kernel && !(grouped && pool === 'device' && shape.type === 'float16')) {
    return { refused: 'PagedAttention takes GroupQueryAttention exports with f16 caches on a device' };
  }
  const cut = grouped ? cutGrouped(graph, names, stored, kernel) : cutPlain(graph, names, stored);
  if ('refused' in cut) return cut;

  const head = findHead(graph, names.logits);
  const builder = new GraphBuilder('tl.head.');
  if (head !== undefined) pickPositions(graph, builder, head, NAMES);
  merge(graph, builder);
  // On a device the choices would have to be waited for before the pass is done.
  const experts = pool === 'device' ? undefined : addExperts(graph);
  const drop = new Set(names.layers.flatMap((l) => [l.presentKey, l.presentValue]));
  for (const r of names.routers) drop.add(r);
  graph.output = graph.output.filter((o) => !drop.has(o.name ?? ''));
  prune(graph);
  graph.input = graph.input.map(loosen);
  graph.output = graph.output.map(loosen);
  const still = new Set(graph.input.map((i) => i.name ?? ''));
  const left = names.layers.flatMap((l) => [l.pastKey, l.pastValue]).filter((n) => still.has(n));
  if (left.length > 0) return { refused: `input ${left[0]} is still used` };
  const keeps = (name: string | undefined): name is string => name !== undefined && still.has(name);
  return {
    model: copy,
    pool,
    form: grouped ? 'flat' : 'padded',
    kernel,
    joined: joins,
    blocks,
    layers: names.layers.length,
    ...shape,
    groups: cut.groups,
    windows: cut.windows,
    idsName: names.inputIds,
    ...(keeps(names.positionIds) ? { positionIds: names.positionIds } : {}),
    ...(keeps(names.attentionMask) ? { attentionMask: names.attentionMask } : {}),
    ...(keeps(names.logitsToKeep) ? { logitsToKeep: names.logitsToKeep } : {}),
    ...(keeps(names.useCache) ? { useCache: names.useCache } : {}),
    logits: names.logits,
    logitsType: logitsType(graph, names),
    picks: head !== undefined,
    ...(head?.weights === undefined ? {} : { head: head.weights }),
    ...(experts === undefined ? {} : { experts }),
  };
}

function cacheShape(model: ModelProto, names: DecoderNames, pool: PoolType): CacheShape | Refusal {
  let found: CacheShape | undefined;
  for (const name of names.layers.flatMap((l) => [l.pastKey, l.pastValue])) {
    const info = model.graph?.input.find((i) => i.name === name);
    const [, kvHeads, , headDim] = declaredDims(info);
    if (typeof kvHeads !== 'number' || typeof headDim !== 'number')
      return { refused: `${name} has no fixed heads and size` };
    const type = floatType(info?.type?.tensorType?.elemType);
    if (type === undefined || (type === 'float16' && pool !== 'device')) return { refused: `${name} is not float32` };
    if (found !== undefined && (found.kvHeads !== kvHeads || found.headDim !== headDim || found.type !== type)) {
      return { refused: 'layers with caches of different shape' };
    }
    found = { kvHeads, headDim, type };
  }
  return found ?? { refused: 'no cache' };
}

function floatType(elemType: number | undefined): CacheType | undefined {
  if (elemType === DataType.float) return 'float32';
  return elemType === DataType.float16 ? 'float16' : undefined;
}

function logitsType(graph: GraphProto, names: DecoderNames): CacheType {
  return floatType(graph.output.find((o) => o.name === names.logits)?.type?.tensorType?.elemType) ?? 'float32';
}

interface Cut {
  readonly windows: readonly number[];
  readonly groups: number;
}

function cutGrouped(graph: GraphProto, names: DecoderNames, shape: PoolShape, kernel: boolean): Cut | Refusal {
  const g = new GraphBuilder('tl.');
  const index = indexGraph(graph);
  if (kernel) addCacheInputs(g, shape, names.layers.length);
  else addPoolInputs(g, shape);
  g.input(NAMES.pad, DataType.int32, ['rows', shape.kvHeads, 'places']);
  g.input(NAMES.unpad, DataType.int32, ['tokens', shape.kvHeads]);
  g.input(NAMES.positions, DataType.int64, [1, 'tokens']);
  if (shape.joined !== true) g.input(NAMES.split, DataType.int64, [2]);
  else g.input(NAMES.place, DataType.int64, ['rows', shape.kvHeads, 'places', 3]);
  const replaced = new Map<NodeProto, readonly NodeProto[]>();
  const fresh: string[] = [];
  const windows = new Set<number>();
  let groups = 0;
  for (const [layer, l] of names.layers.entries()) {
    const node = graph.node.find((n) => n.opType === 'GroupQueryAttention' && n.input[3] === l.pastKey);
    if (node === undefined) return { refused: `no GroupQueryAttention reads ${l.pastKey}` };
    if (node.input[4] !== l.pastValue || node.output[1] !== l.presentKey || node.output[2] !== l.presentValue) {
      return { refused: `the cache of layer ${layer} is not the node's own` };
    }
    const attention = readAttention(node, shape.headDim);
    if (typeof attention === 'string') return { refused: attention };
    if (attention.kvHeads !== shape.kvHeads) return { refused: 'KV heads that differ from the cache' };
    if (groups !== 0 && groups !== attention.heads / attention.kvHeads)
      return { refused: 'layers with different heads' };
    groups = attention.heads / attention.kvHeads;
    windows.add(attention.window);
    const rope = index.initializer.get(node.input[7] ?? '');
    if (attention.rotary && rope === undefined) return { refused: 'rotary caches that are computed' };
    const before = g.nodes.length;
    if (kernel) {
      const lacks = kernelAttention(g, node, attention, layer, rope);
      if (lacks !== undefined) return { refused: lacks };
    } else {
      const { key, value } = pagedAttention(g, node, attention, layer, shape, rope);
      fresh.push(key, value);
    }
    replaced.set(node, g.nodes.slice(before));
  }
  const count = graph.node.filter((n) => n.opType === 'GroupQueryAttention').length;
  if (count !== names.layers.length) return { refused: `${count} attention nodes for ${names.layers.length} caches` };
  const rows = g.nodes.length;
  if (!kernel) giveFresh(g, fresh, shape, [fresh.length, 'tokens', shape.kvHeads * shape.headDim]);
  for (const w of kernel ? [] : windows) g.input(maskName(w), DataType.float, ['rows', 1, 'queries', 'columns']);
  graph.node = [...graph.node.flatMap((n) => replaced.get(n) ?? [n]), ...g.nodes.slice(rows)];
  merge(graph, g);
  return { windows: [...windows], groups };
}

function cutPlain(graph: GraphProto, names: DecoderNames, shape: PoolShape): Cut | Refusal {
  const g = new GraphBuilder('tl.');
  const index = indexGraph(graph);
  addPoolInputs(g, shape);
  if (names.attentionMask === undefined) return { refused: 'no attention_mask input' };
  const past = new Map<string, string>();
  const fresh: string[] = [];
  for (const [layer, l] of names.layers.entries()) {
    const pairs = [
      [l.pastKey, l.presentKey],
      [l.pastValue, l.presentValue],
    ] as const;
    for (const [part, [from, to]] of pairs.entries()) {
      const node = index.producer.get(to);
      const axis = node === undefined ? 0 : intAttribute(node, 'axis', 0);
      if (
        node?.opType !== 'Concat' ||
        node.input[0] !== from ||
        node.input.length !== 2 ||
        (axis !== 2 && axis !== -2)
      ) {
        return { refused: `${to} is not the Concat of ${from} and new rows` };
      }
      const other = (index.consumers.get(from) ?? []).find((n) => n !== node && n.opType !== 'Shape');
      if (other !== undefined) return { refused: `${from} is also read by ${other.opType}` };
      past.set(from, gatherPast(g, 2 * layer + part, shape));
      fresh.push(node.input[1] ?? '');
    }
  }
  for (const node of graph.node) node.input = node.input.map((n) => past.get(n) ?? n);
  const rows = g.nodes.length;
  giveFresh(g, fresh, shape, ['layers_rows', shape.kvHeads, 'places', shape.headDim]);
  graph.node = [...g.nodes.slice(0, rows), ...graph.node, ...g.nodes.slice(rows)];
  merge(graph, g);
  return { windows: [], groups: 1 };
}

/** Joins the new rows of all layers and returns them, or writes them to the device's pool. */
function giveFresh(
  g: GraphBuilder,
  fresh: readonly string[],
  shape: PoolShape,
  dims: readonly (number | string)[],
): void {
  if (shape.pool !== 'device') {
    g.op('Concat', fresh, { axis: 0 }, '', NAMES.fresh);
    g.output(NAMES.fresh, DataType.float, dims);
    return;
  }
  g.input(NAMES.scatter, DataType.int64, ['new_rows', 2]);
  const rows = g.reshape(g.op('Concat', fresh, { axis: 0 }), [-1, shape.headDim]);
  g.op('ScatterND', [NAMES.pool, NAMES.scatter, rows], {}, '', NAMES.poolOut);
  g.output(NAMES.poolOut, elementType(shape), ['pool_rows', BLOCK_SIZE, shape.headDim]);
}

const elementType = (shape: PoolShape): number => (shape.type === 'float16' ? DataType.float16 : DataType.float);

function addCacheInputs(g: GraphBuilder, shape: PoolShape, layers: number): void {
  const dims = ['blocks', BLOCK_SIZE, shape.kvHeads, shape.headDim];
  for (let slot = 0; slot < 2 * layers; slot++) {
    g.input(cacheName(slot), DataType.float16, dims);
    g.output(cacheOut(slot), DataType.float16, dims);
  }
  g.input(NAMES.table, DataType.int32, ['rows', 'blocks_of_row']);
  g.input(NAMES.cumulative, DataType.int32, ['borders']);
  g.input(NAMES.past, DataType.int32, ['rows']);
}

function addPoolInputs(g: GraphBuilder, shape: PoolShape): void {
  const { pool } = shape;
  g.input(NAMES.pool, pool === 'int8' ? DataType.int8 : elementType(shape), ['pool_rows', BLOCK_SIZE, shape.headDim]);
  if (pool === 'int8') g.input(NAMES.scales, DataType.float, ['pool_rows', BLOCK_SIZE]);
  g.input(NAMES.table, DataType.int32, ['rows', shape.kvHeads, 'blocks']);
}

/** Adds what a builder collected besides nodes. */
function merge(graph: GraphProto, g: GraphBuilder): void {
  graph.initializer.push(...g.initializers);
  graph.input.push(...g.inputs);
  graph.output.push(...g.outputs);
}

/** Forgets the declared dims of an input or output: batch and sequence no longer mean what the exporter wrote. */
function loosen<T extends GraphProto['input'][number]>(info: T): T {
  const name = info.name ?? '';
  const tensor = info.type?.tensorType;
  if (name.startsWith('tl.') || tensor?.shape === undefined) return info;
  const dim = tensor.shape.dim.map((d, i, all) =>
    i === all.length - 1 && d.dimValue !== undefined ? d : { dimParam: `${name}_${i}` },
  );
  return { ...info, type: { ...info.type, tensorType: { ...tensor, shape: { ...tensor.shape, dim } } } };
}

/** Adds the routers' choices as one output [tokens, layers * k], where experts are MoE or QMoE nodes. */
function addExperts(graph: GraphProto): PagedGraph['experts'] | undefined {
  const nodes = graph.node.filter((n) => n.opType === 'MoE' || n.opType === 'QMoE');
  const first = nodes[0];
  if (first === undefined) return undefined;
  const k = intAttribute(first, 'k', 1);
  const initializers = new Map(graph.initializer.map((t) => [t.name ?? '', t]));
  const weights = initializers.get(first.input[2] ?? '');
  const count = weights === undefined ? undefined : dimsOf(weights)[0];
  if (count === undefined || nodes.some((n) => intAttribute(n, 'k', 1) !== k)) return undefined;
  const g = new GraphBuilder('tl.moe.');
  const chosen = nodes.map((n) => {
    const [values, ids] = [g.fresh('values'), g.fresh('ids')];
    g.nodes.push(makeNode('TopK', [n.input[1] ?? '', g.ints([k])], [values, ids], { axis: -1 }));
    return ids;
  });
  const joined = chosen.length === 1 ? (chosen[0] ?? '') : g.op('Concat', chosen, { axis: 1 });
  g.op('Cast', [joined], { to: DataType.int32 }, '', NAMES.experts);
  g.output(NAMES.experts, DataType.int32, ['tokens', nodes.length * k]);
  graph.node.push(...g.nodes);
  merge(graph, g);
  return { layers: nodes.length, count, k };
}
