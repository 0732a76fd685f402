/**
 * The graphs of the device sampler. Shapes: n sampled positions, V columns of the logits, W columns of the candidates (V, or the
 * length of id lists), m edits.
 *
 * Order as everywhere (decoder/sampling.ts): edits (penalties, bias), mask, temperature, top-k, top-p, min-p, draw. All numbers are
 * f32: indices too, exact up to 2^24, since casts from the int64 of ArgMax run on the host and would cut the pass in two.
 *
 * Filters without sorting. TopK over a large vocabulary takes 100 times an ArgMax (docs/runtime.md). But a draw needs no sorted list:
 * let c be the candidate of greatest noisy score among all. If c itself survives the filters, it is the greatest of the survivors, so it
 * is the answer; whether it survives is a count and a mass over the candidates ranked before it. If it does not, neither does anything
 * ranked after it: the next candidate is the greatest of those ranked before. So each round is three reductions, most draws take one,
 * and what two rounds leave undecided the caller runs again with the last candidate as the bound.
 *
 * Top-p after top-k needs the mass of the top k: the k-th greatest score is found by bisection on counts, 24 halvings of the range in
 * which probabilities are above e^-30 of the greatest. Scores closer than 2e-6 to the k-th count as equal to it there.
 */
import { GraphBuilder } from '../onnx/builder.js';
import { DataType } from '../onnx/proto.js';
import { asBytes, floatTensor, rawTensor } from '../onnx/tensor.js';

/** What a sampler graph has to do for its rows; each row gives neutral values for what it does not ask for. */
export interface SamplerPlan {
  /** Candidates: a list of ids per row, or all columns less what packed bits or a list of places deny. */
  readonly mask: 'allow' | 'bits' | 'deny' | 'none';
  readonly noisy: boolean;
  /** Top-k, top-p, min-p. */
  readonly filtered: boolean;
  /** Some row has top-k and top-p both. */
  readonly nucleusOfTop: boolean;
  readonly edits: boolean;
  /** Log probabilities before the mask as well. */
  readonly whole: boolean;
}

export interface LogitsShape {
  readonly type: 'float32' | 'float16';
  /** V. */
  readonly columns: number;
  /** Columns that are tokens; the rest is never chosen. */
  readonly tokens: number;
}

export const MASKED = -1e30;
/** Below all masked scores. */
const LOWEST = -3e38;
export const ROUNDS = 2;
const HALVINGS = 24;
/** In units of temperature, from the greatest score down: what lies lower has no mass. */
const RANGE = 30;

/** Columns of the output, by plan: ROUNDS times (candidate, log probability, score, 1 if it survives), then what `whole` adds. */
export const outputColumns = (plan: SamplerPlan): number => (plan.filtered ? 4 * ROUNDS : 2) + (plan.whole ? 1 : 0);

const elementType = (shape: Pick<LogitsShape, 'type'>): number =>
  shape.type === 'float16' ? DataType.float16 : DataType.float;

/** See the module's header. */
export function sampleGraph(plan: SamplerPlan, shape: LogitsShape): GraphBuilder {
  const g = new GraphBuilder();
  const { columns, tokens } = shape;
  g.input('logits', elementType(shape), [1, 'rows', columns]);
  g.input('rows', DataType.int32, ['n']);
  let all = g.reshape(g.op('Gather', ['logits', 'rows'], { axis: 1 }), [-1, columns]);
  if (shape.type === 'float16') all = g.cast(all, DataType.float);
  if (plan.edits) all = edited(g, all);
  if (tokens < columns) {
    const tail = new Float32Array(columns).fill(MASKED, tokens);
    all = g.op('Add', [all, g.initializer(floatTensor('tail', [1, columns], tail))]);
  }
  const scores = masked(g, plan, all, columns);
  const place = plan.mask === 'allow' ? g.input('place', DataType.float, [1, 'width']) : places(g, columns);
  const peak = reduce(g, 'Max', scores);
  const total = logSum(g, scores, peak);
  const out: string[] = [];
  if (!plan.noisy) {
    const token = reduce(g, 'Min', choose(g, g.op('Equal', [scores, peak]), place, 1e9));
    out.push(token, g.op('Sub', [peak, total]));
  } else draw(g, plan, { scores, place, peak, total }, out);
  if (plan.whole) {
    // What the mask took away comes off the log probability: log p(before) = log p(after) + this.
    out.push(g.op('Sub', [total, plan.mask === 'none' ? total : logSum(g, all, reduce(g, 'Max', all))]));
  }
  g.op('Concat', out, { axis: 1 }, '', 'out');
  g.output('out', DataType.float, ['n', outputColumns(plan)]);
  return g;
}

interface Candidates {
  /** [n, W]. */
  readonly scores: string;
  /** Each candidate's index, [1, W]. */
  readonly place: string;
  /** The greatest score, [n, 1]. */
  readonly peak: string;
  /** Logarithm of the sum of exponentials of the scores, [n, 1]. */
  readonly total: string;
}

function draw(g: GraphBuilder, plan: SamplerPlan, { scores, place, peak, total }: Candidates, out: string[]): void {
  g.input('heat', DataType.float, ['n', 1]);
  g.input('first', DataType.int32, ['n', 1]);
  g.input('second', DataType.int32, ['n', 1]);
  for (const name of ['firstTable', 'secondTable']) g.input(name, DataType.float, ['noise']);
  const ids = plan.mask === 'allow' ? 'ids' : g.cast(place, DataType.int32);
  const noise = (table: string, offset: string): string =>
    g.op('Gather', [table, g.op('Add', [ids, offset])], { axis: 0 });
  const warm = g.op('Mul', [g.op('Sub', [scores, peak]), 'heat']);
  let ranked = g.op('Add', [warm, g.op('Max', [noise('firstTable', 'first'), noise('secondTable', 'second')])]);
  if (!plan.filtered) {
    const best = g.op('Equal', [ranked, reduce(g, 'Max', ranked)]);
    const score = reduce(g, 'Max', choose(g, best, scores, LOWEST));
    out.push(reduce(g, 'Min', choose(g, best, place, 1e9)), g.op('Sub', [score, total]));
    return;
  }
  for (const name of ['topK', 'topP', 'floor', 'boundScore', 'boundPlace']) g.input(name, DataType.float, ['n', 1]);
  const weights = g.op('Exp', [warm]);
  const mass = plan.nucleusOfTop ? massOfTop(g, warm, weights) : reduce(g, 'Sum', weights);
  const limit = g.op('Mul', [mass, 'topP']);
  const alive = g.op('Mul', [
    before(g, scores, place, 'boundScore', 'boundPlace'),
    g.cast(g.op('GreaterOrEqual', [warm, 'floor']), DataType.float),
  ]);
  ranked = choose(g, g.op('Greater', [alive, g.float(0.5)]), ranked, LOWEST);
  const rounds: string[][] = [[], [], [], []];
  for (let round = 0; round < ROUNDS; round++) {
    const best = g.op('Equal', [ranked, reduce(g, 'Max', ranked)]);
    const score = reduce(g, 'Max', choose(g, best, scores, LOWEST));
    const candidate = reduce(g, 'Min', choose(g, best, place, 1e9));
    const ahead = before(g, scores, place, score, candidate);
    const count = reduce(g, 'Sum', ahead);
    const above = reduce(g, 'Sum', g.op('Mul', [ahead, weights]));
    const good = g.op('Mul', [
      g.cast(g.op('Less', [count, 'topK']), DataType.float),
      g.cast(g.op('Less', [above, limit]), DataType.float),
    ]);
    const values = [candidate, g.op('Sub', [score, total]), score, good];
    for (const [i, list] of rounds.entries()) list.push(values[i]!);
    if (round + 1 < ROUNDS) ranked = choose(g, g.op('Greater', [ahead, g.float(0.5)]), ranked, LOWEST);
  }
  out.push(...rounds.flat());
}

/** 1 for candidates ranked before one of this score and place: greater, or equal and earlier; else 0. [n, W] */
function before(g: GraphBuilder, scores: string, place: string, score: string, at: string): string {
  const greater = g.cast(g.op('Greater', [scores, score]), DataType.float);
  const equal = g.cast(g.op('Equal', [scores, score]), DataType.float);
  const earlier = g.cast(g.op('Less', [place, at]), DataType.float);
  return g.op('Add', [greater, g.op('Mul', [equal, earlier])]);
}

/** Mass of each row's `topK` greatest, [n, 1]. Invariant: more than or exactly k are above `low`, fewer above `high`. */
function massOfTop(g: GraphBuilder, warm: string, weights: string): string {
  const above = (limit: string): string => g.cast(g.op('Greater', [warm, limit]), DataType.float);
  const zero = g.op('Mul', ['topK', g.float(0)]);
  let low = g.op('Sub', [zero, g.float(RANGE)]);
  let high = zero;
  for (let i = 0; i < HALVINGS; i++) {
    const middle = g.op('Mul', [g.op('Add', [low, high]), g.float(0.5)]);
    const fewer = g.op('Less', [reduce(g, 'Sum', above(middle)), 'topK']);
    [low, high] = [g.op('Where', [fewer, low, middle]), g.op('Where', [fewer, middle, high])];
  }
  return reduce(g, 'Sum', g.op('Mul', [above(low), weights]));
}

/** Penalties and bias: value = (value > 0 ? value / divide : value * divide) + add, at m places [m, 2]. */
function edited(g: GraphBuilder, all: string): string {
  g.input('editAt', DataType.int64, ['m', 2]);
  g.input('editDivide', DataType.float, ['m']);
  g.input('editAdd', DataType.float, ['m']);
  const old = g.op('GatherND', [all, 'editAt']);
  const smaller = choose(
    g,
    g.op('Greater', [old, g.float(0)]),
    g.op('Div', [old, 'editDivide']),
    g.op('Mul', [old, 'editDivide']),
  );
  return g.op('ScatterND', [all, 'editAt', g.op('Add', [smaller, 'editAdd'])]);
}

function masked(g: GraphBuilder, plan: SamplerPlan, all: string, columns: number): string {
  if (plan.mask === 'none') return all;
  if (plan.mask === 'allow') {
    g.input('ids', DataType.int32, ['n', 'width']);
    g.input('count', DataType.float, ['n', 1]);
    const listed = g.op('GatherElements', [all, 'ids'], { axis: 1 });
    return choose(g, g.op('Less', ['place', 'count']), listed, MASKED);
  }
  if (plan.mask === 'deny') {
    g.input('denyAt', DataType.int64, ['denied', 2]);
    g.input('denyValue', DataType.float, ['denied']);
    return g.op('ScatterND', [all, 'denyAt', 'denyValue']);
  }
  // Words fall into bytes by division, since there are no shifts; a table turns bytes into eight numbers.
  const words = Math.ceil(columns / 32);
  g.input('words', DataType.uint32, ['n', words]);
  const bytesOf = (values: readonly number[]): string =>
    g.initializer(rawTensor(g.fresh('units'), [values.length], DataType.uint32, asBytes(Uint32Array.from(values))));
  const shifted = g.op('Div', [g.unsqueeze('words', [2]), bytesOf([1, 2 ** 8, 2 ** 16, 2 ** 24])]);
  const wide = bytesOf([256]);
  const low = g.op('Sub', [shifted, g.op('Mul', [g.op('Div', [shifted, wide]), wide])]);
  const table = Float32Array.from({ length: 2048 }, (_, i) => (((i >> 3) >> (i & 7)) & 1 ? 0 : MASKED));
  const tableName = g.initializer(floatTensor('table', [256, 8], table));
  const flat = g.reshape(g.op('Gather', [tableName, g.cast(low, DataType.int32)], { axis: 0 }), [-1, words * 32]);
  return g.op('Add', [all, columns % 32 === 0 ? flat : g.slice(flat, 1, 0, columns)]);
}

function places(g: GraphBuilder, columns: number): string {
  return g.initializer(
    floatTensor(
      'place',
      [1, columns],
      Float32Array.from({ length: columns }, (_, i) => i),
    ),
  );
}

const reduce = (g: GraphBuilder, how: 'Max' | 'Min' | 'Sum', x: string): string =>
  g.op(`Reduce${how}`, [x, g.ints([1])], { keepdims: 1 });

/** `x` where the condition holds, else `other`. */
const choose = (g: GraphBuilder, condition: string, x: string, other: string | number): string =>
  g.op('Where', [condition, x, typeof other === 'number' ? g.float(other) : other]);

function logSum(g: GraphBuilder, scores: string, peak: string): string {
  const sum = reduce(g, 'Sum', g.op('Exp', [g.op('Sub', [scores, peak])]));
  return g.op('Add', [g.op('Log', [sum]), peak]);
}

/** Zeros of a shape that is fed. */
export function zerosGraph(rank: number, type: LogitsShape['type'] = 'float32'): GraphBuilder {
  const g = new GraphBuilder();
  g.input('shape', DataType.int64, [rank]);
  const dims = new Array<number>(rank).fill(1);
  const zero = rawTensor('zero', dims, elementType({ type }), new Uint8Array(type === 'float16' ? 2 : 4));
  g.op('Expand', [g.initializer(zero), 'shape'], {}, '', 'out');
  g.output(
    'out',
    elementType({ type }),
    dims.map((_, i) => `d${i}`),
  );
  return g;
}

/** One row of logits as f32, for the host. */
export function readGraph(shape: LogitsShape): GraphBuilder {
  const g = new GraphBuilder();
  g.input('logits', elementType(shape), [1, 'rows', shape.columns]);
  g.input('row', DataType.int32, [1]);
  const picked = g.op('Gather', ['logits', 'row'], { axis: 1 });
  g.op('Cast', [picked], { to: DataType.float }, '', 'out');
  g.output('out', DataType.float, [1, 1, shape.columns]);
  return g;
}

/** What it is fed, as it is: how numbers of the host come to lie in a device's buffer. */
export function keepGraph(rank: number): GraphBuilder {
  const g = new GraphBuilder();
  const dims = Array.from({ length: rank }, (_, i) => `d${i}`);
  g.input('in', DataType.float, dims);
  g.op('Add', ['in', g.float(0)], {}, '', 'out');
  g.output('out', DataType.float, dims);
  return g;
}
