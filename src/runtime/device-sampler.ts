/**
 * Choosing tokens where the logits are: they stay in a device buffer, a mask goes there, and ids come back.
 *
 * Sampling at a temperature is Gumbel-max: the greatest of logit / T + noise is distributed as softmax(logit / T). The noise of a
 * token depends on seed and id alone, so the choice is the same however the mask is packed and whatever else is in the batch.
 * Masks travel as ids where few are allowed, else as packed bytes that a 256 x 8 table unfolds on the device (no bit operations
 * exist there). Top-k, top-p, min-p and biases need order statistics or scattered sums, which are slow on devices: rows that
 * ask for them are read back and chosen here, with the same noise.
 *
 * Invariant: a device tensor is never read by JavaScript (`getData` aborts the process); what comes back is an output of a graph.
 */
import type { Tensor } from 'onnxruntime-node';
import { OptionError } from '../base/errors.js';
import type { Sampled, SampleSpec } from '../decoder/model.js';
import { choose, gumbel, isPlain } from './choose.js';
import { GraphBuilder } from './onnx/builder.js';
import { DataType, encodeModel } from './onnx/proto.js';
import { floatTensor } from './onnx/tensor.js';
import { Tensor as HostTensor, int64, Session, type SessionOptions, toFloats } from './session.js';

/** Logits of one pass, [1, n, V] on the device. */
export interface LogitsBuffer {
  readonly tensor: Tensor;
  readonly size: number;
}

/** A position's logits: row `index` of a buffer. */
export interface LogitsPlace {
  readonly buffer: LogitsBuffer;
  readonly index: number;
}

const MASKED = -1e30;
type Kind = 'ids' | 'bits';

/** See the module's header. */
export class DeviceSampler {
  private readonly spare = new Map<number, LogitsBuffer[]>();
  private readonly sessions = new Map<string, Promise<Session>>();

  constructor(
    private readonly options: SessionOptions,
    /** Columns of the logits. */
    private readonly columns: number,
    /** Tokens of the vocabulary; later columns are never chosen. */
    private readonly tokens: number,
  ) {}

  /** A buffer for n rows of logits; `n` must be a power of two, so that few sizes exist. */
  async acquire(n: number): Promise<LogitsBuffer> {
    const kept = this.spare.get(n)?.pop();
    if (kept !== undefined) return kept;
    const maker = await this.session('zeros', () => zerosGraph(), { outputs: 'gpu-buffer' });
    const made = await maker.run({ shape: int64([1, n, this.columns], [3]) }, ['out']);
    return { tensor: made.out!, size: n };
  }

  release(buffer: LogitsBuffer): void {
    const list = this.spare.get(buffer.size);
    if (list === undefined) this.spare.set(buffer.size, [buffer]);
    else list.push(buffer);
  }

  /** Copies one position's logits to the host. */
  async read(place: LogitsPlace): Promise<Float32Array> {
    const session = await this.session('read', () => readGraph(this.columns));
    const row = new HostTensor('int32', Int32Array.of(place.index), [1]);
    const out = await session.run({ logits: place.buffer.tensor, row }, ['out']);
    return toFloats(out.out!);
  }

  /** One token per spec, in order. Throws OptionError for a spec whose mask allows nothing. */
  async sample(specs: readonly SampleSpec[], place: (spec: SampleSpec) => LogitsPlace): Promise<Sampled[]> {
    const out = new Array<Sampled>(specs.length);
    const groups = new Map<string, { buffer: LogitsBuffer; kind: Kind; noisy: boolean; at: number[] }>();
    const ids = new Map<LogitsBuffer, number>();
    for (const [i, spec] of specs.entries()) {
      const { buffer, index } = place(spec);
      if (!isPlain(spec)) {
        out[i] = choose(await this.read({ buffer, index }), spec, this.tokens);
        continue;
      }
      const id = ids.get(buffer) ?? ids.size;
      ids.set(buffer, id);
      const kind: Kind = spec.mask?.kind === 'allow' ? 'ids' : 'bits';
      const noisy = spec.temperature > 0;
      const key = `${id} ${kind} ${noisy}`;
      const group = groups.get(key) ?? { buffer, kind, noisy, at: [] };
      groups.set(key, group);
      group.at.push(i);
    }
    for (const { buffer, kind, noisy, at } of groups.values()) {
      const chosen = specs.filter((_, i) => at.includes(i));
      const rows = Int32Array.from(chosen, (s) => place(s).index);
      const got = await (kind === 'ids'
        ? this.byIds(buffer, rows, chosen, noisy)
        : this.byBits(buffer, rows, chosen, noisy));
      for (const [j, i] of at.entries()) out[i] = got[j]!;
    }
    return out;
  }

  private async byIds(
    buffer: LogitsBuffer,
    rows: Int32Array,
    specs: readonly SampleSpec[],
    noisy: boolean,
  ): Promise<Sampled[]> {
    const lists = specs.map((s) =>
      s.mask?.kind === 'allow' ? s.mask.ids.filter((t) => t < this.tokens) : new Int32Array(0),
    );
    const width = powerOfTwo(Math.max(...lists.map((l) => l.length)));
    const [n, ids, add] = [specs.length, new Int32Array(specs.length * width), new Float32Array(specs.length * width)];
    const noise = new Float32Array(noisy ? n * width : 0);
    for (const [i, list] of lists.entries()) {
      if (list.length === 0) throw new OptionError('mask', 'at least one allowed token', 'none');
      ids.set(list, i * width);
      add.fill(MASKED, i * width + list.length, (i + 1) * width);
      for (let j = 0; noisy && j < list.length; j++) noise[i * width + j] = gumbel(specs[i]!.seed, list[j]!);
    }
    const session = await this.session(`ids ${noisy}`, () => sampleGraph('ids', noisy, this.columns));
    const feeds = {
      logits: buffer.tensor,
      rows: new HostTensor('int32', rows, [n]),
      ids: new HostTensor('int32', ids, [n, width]),
      add: new HostTensor('float32', add, [n, width]),
    };
    const got = await this.run(session, feeds, noise, specs, width, noisy);
    return got.map(({ token, logprob }, i) => ({ token: lists[i]![token] ?? 0, logprob }));
  }

  private async byBits(
    buffer: LogitsBuffer,
    rows: Int32Array,
    specs: readonly SampleSpec[],
    noisy: boolean,
  ): Promise<Sampled[]> {
    const [n, width] = [specs.length, Math.ceil(this.columns / 8)];
    const bytes = new Int32Array(n * width);
    const noise = new Float32Array(noisy ? n * this.columns : 0);
    for (const [i, spec] of specs.entries()) {
      const packed = packBytes(spec, this.tokens, width);
      if (packed.every((b) => b === 0)) throw new OptionError('mask', 'at least one allowed token', 'none');
      bytes.set(packed, i * width);
      for (let t = 0; noisy && t < this.tokens; t++) noise[i * this.columns + t] = gumbel(spec.seed, t);
    }
    const session = await this.session(`bits ${noisy}`, () => sampleGraph('bits', noisy, this.columns));
    const feeds = {
      logits: buffer.tensor,
      rows: new HostTensor('int32', rows, [n]),
      bytes: new HostTensor('int32', bytes, [n, width]),
    };
    return this.run(session, feeds, noise, specs, this.columns, noisy);
  }

  private async run(
    session: Session,
    feeds: Record<string, Tensor>,
    noise: Float32Array,
    specs: readonly SampleSpec[],
    width: number,
    noisy: boolean,
  ): Promise<Sampled[]> {
    const n = specs.length;
    const heat = Float32Array.from(specs, (s) => 1 / s.temperature);
    const extra = noisy
      ? { noise: new HostTensor('float32', noise, [n, width]), heat: new HostTensor('float32', heat, [n, 1]) }
      : {};
    const out = await session.run({ ...feeds, ...extra }, ['token', 'logprob']);
    const token = out.token!.data as BigInt64Array;
    const logprob = out.logprob!.data as Float32Array;
    return specs.map((_, i) => ({ token: Number(token[i]), logprob: logprob[i]! }));
  }

  private session(key: string, graph: () => GraphBuilder, more: SessionOptions = {}): Promise<Session> {
    const known = this.sessions.get(key);
    if (known !== undefined) return known;
    const bytes = encodeModel(graph().model('tokenloom-sampler'));
    const made = Session.create({ bytes, name: `sampler (${key})` }, { ...this.options, ...more });
    this.sessions.set(key, made);
    return made;
  }

  async dispose(): Promise<void> {
    for (const list of this.spare.values()) for (const b of list) b.tensor.dispose();
    this.spare.clear();
    for (const made of this.sessions.values()) await (await made).dispose();
    this.sessions.clear();
  }
}

/** The least power of two that is at least n. */
export function powerOfTwo(n: number): number {
  let p = 1;
  while (p < n) p *= 2;
  return p;
}

/** A spec's mask as one byte per 8 columns. */
function packBytes(spec: SampleSpec, tokens: number, width: number): Int32Array {
  const out = new Int32Array(width);
  const { mask } = spec;
  for (let t = 0; t < tokens; t++) {
    if (mask?.kind !== 'bits' || ((mask.bits[t >>> 5] ?? 0) >>> (t & 31)) & 1) out[t >> 3]! |= 1 << (t & 7);
  }
  if (mask?.kind === 'deny') for (const t of mask.ids) if (t < tokens) out[t >> 3]! &= ~(1 << (t & 7));
  return out;
}

function zerosGraph(): GraphBuilder {
  const g = new GraphBuilder();
  g.input('shape', DataType.int64, [3]);
  const zero = g.initializer(floatTensor('zero', [1, 1, 1], new Float32Array(1)));
  g.op('Expand', [zero, 'shape'], {}, '', 'out');
  g.output('out', DataType.float, ['one', 'rows', 'columns']);
  return g;
}

function readGraph(columns: number): GraphBuilder {
  const g = new GraphBuilder();
  g.input('logits', DataType.float, [1, 'rows', columns]);
  g.input('row', DataType.int32, [1]);
  g.op('Gather', ['logits', 'row'], { axis: 1 }, '', 'out');
  g.output('out', DataType.float, [1, 1, columns]);
  return g;
}

/** logits [1, rows, V] -> token [n, 1] (index into the ids, or a token), its log probability among the allowed [n, 1]. */
function sampleGraph(kind: Kind, noisy: boolean, columns: number): GraphBuilder {
  const g = new GraphBuilder();
  g.input('logits', DataType.float, [1, 'rows', columns]);
  g.input('rows', DataType.int32, ['n']);
  const picked = g.reshape(g.op('Gather', ['logits', 'rows'], { axis: 1 }), [-1, columns]);
  let scores: string;
  if (kind === 'ids') {
    g.input('ids', DataType.int32, ['n', 'width']);
    g.input('add', DataType.float, ['n', 'width']);
    scores = g.op('Add', [g.op('GatherElements', [picked, 'ids'], { axis: 1 }), 'add']);
  } else {
    g.input('bytes', DataType.int32, ['n', Math.ceil(columns / 8)]);
    const table = Float32Array.from({ length: 2048 }, (_, i) => (((i >> 3) >> (i & 7)) & 1 ? 0 : MASKED));
    const unfolded = g.op('Gather', [g.initializer(floatTensor('table', [256, 8], table)), 'bytes'], { axis: 0 });
    const flat = g.reshape(unfolded, [-1, Math.ceil(columns / 8) * 8]);
    scores = g.op('Add', [picked, columns % 8 === 0 ? flat : g.slice(flat, 1, 0, columns)]);
  }
  let ranked = scores;
  if (noisy) {
    g.input('noise', DataType.float, ['n', 'width']);
    g.input('heat', DataType.float, ['n', 1]);
    ranked = g.op('Add', [g.op('Mul', [scores, 'heat']), 'noise']);
  }
  const token = g.op('ArgMax', [ranked], { axis: 1, keepdims: 1 }, '', 'token');
  const axis = g.ints([1]);
  const peak = g.op('ReduceMax', [scores, axis], { keepdims: 1 });
  const sum = g.op('ReduceSum', [g.op('Exp', [g.op('Sub', [scores, peak])]), axis], { keepdims: 1 });
  const total = g.op('Add', [g.op('Log', [sum]), peak]);
  const index = g.cast(token, DataType.int32);
  g.op('Sub', [g.op('GatherElements', [scores, index], { axis: 1 }), total], {}, '', 'logprob');
  g.output('token', DataType.int64, ['n', 1]);
  g.output('logprob', DataType.float, ['n', 1]);
  return g;
}
