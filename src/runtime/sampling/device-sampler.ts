/**
 * Choosing tokens where the logits are: they stay in a device buffer, masks and what little else a row asks for go there, and one
 * small row of numbers per sampled position comes back (graphs.ts). One run serves all rows of a pass: rows that want less than their
 * neighbours get neutral values.
 *
 * Masks travel as ids where few are allowed, as places where few are denied, else as packed bits; rows of a pass share one form.
 */
import { ModelError, OptionError } from '../../base/errors.js';
import type { Sampled, SampleSpec } from '../../decoder/model.js';
import { heatOf } from '../../decoder/sampler.js';
import type { GraphBuilder } from '../onnx/builder.js';
import { encodeModel } from '../onnx/proto.js';
import { type DeviceTensor, type Feeds, int64, Session, type SessionOptions, Tensor, toFloats } from '../session.js';
import {
  keepGraph,
  type LogitsShape,
  MASKED,
  outputColumns,
  ROUNDS,
  readGraph,
  type SamplerPlan,
  sampleGraph,
  zerosGraph,
} from './graphs.js';
import { Noise } from './noise.js';

/** Logits of one pass, [1, size, V] on the device. */
export interface LogitsBuffer {
  readonly tensor: DeviceTensor;
  readonly size: number;
}

/** A position's logits: row `index` of a buffer. */
export interface LogitsPlace {
  readonly buffer: LogitsBuffer;
  readonly index: number;
}

/** A candidate that did not survive the filters: what is ranked from it on is out. */
interface Bound {
  readonly score: number;
  readonly place: number;
}

/** Bytes of logits buffers that are kept between passes: 256 rows of a vocabulary of 128,256. */
const MOST_KEPT = 2 ** 27 + 2 ** 22;

const NO_BOUND: Bound = { score: -3e38, place: 0 };

/** See the module's header. */
export class DeviceSampler {
  private readonly spare = new Map<number, LogitsBuffer[]>();
  private readonly sessions = new Map<string, Promise<Session>>();
  private readonly places = new Map<number, Promise<DeviceTensor>>();
  private tables: Promise<{ noise: Noise; first: DeviceTensor; second: DeviceTensor }> | undefined;
  private keptBytes = 0;
  private readonly rowBytes: number;
  /** Milliseconds of a run while nothing else is under way on the device; 0 before the first one. */
  idleMs = 0;
  /** Runs beyond the first of a pass, since filters had refused the first candidates. */
  reruns = 0;

  constructor(
    private readonly options: SessionOptions,
    private readonly shape: LogitsShape,
  ) {
    this.rowBytes = shape.columns * (shape.type === 'float16' ? 2 : 4);
  }

  /** A buffer for n rows of logits; `n` must be a power of two, so that few sizes exist. */
  async acquire(n: number): Promise<LogitsBuffer> {
    const kept = this.spare.get(n)?.pop();
    if (kept !== undefined) {
      this.keptBytes -= n * this.rowBytes;
      return kept;
    }
    const maker = await this.session('zeros', () => zerosGraph(3, this.shape.type), { outputs: 'gpu-buffer' });
    const made = await maker.runToDevice({ shape: int64([1, n, this.shape.columns], [3]) }, ['out']);
    return { tensor: made.out!, size: n };
  }

  /** Takes a buffer back; kept for the next pass while the kept ones are few bytes. */
  release(buffer: LogitsBuffer): void {
    const bytes = buffer.size * this.rowBytes;
    if (this.keptBytes + bytes > MOST_KEPT) {
      buffer.tensor.dispose();
      return;
    }
    this.keptBytes += bytes;
    const list = this.spare.get(buffer.size);
    if (list === undefined) this.spare.set(buffer.size, [buffer]);
    else list.push(buffer);
  }

  /** Copies one position's logits to the host. */
  async read(place: LogitsPlace): Promise<Float32Array> {
    const session = await this.session('read', () => readGraph(this.shape));
    const row = new Tensor('int32', Int32Array.of(place.index), [1]);
    const out = await session.run({ logits: place.buffer.tensor, row }, ['out']);
    return toFloats(out.out!);
  }

  /** One token per spec, in order. Throws OptionError for a spec whose mask allows nothing. */
  async sample(specs: readonly SampleSpec[], place: (spec: SampleSpec) => LogitsPlace): Promise<Sampled[]> {
    const out = new Array<Sampled>(specs.length);
    const groups = new Map<LogitsBuffer, number[]>();
    for (const [i, spec] of specs.entries()) {
      const { buffer } = place(spec);
      const group = groups.get(buffer);
      if (group === undefined) groups.set(buffer, [i]);
      else group.push(i);
    }
    for (const [buffer, members] of groups) {
      let at = members;
      let bounds: readonly Bound[] = at.map(() => NO_BOUND);
      while (at.length > 0) {
        const chosen = at.map((i) => specs[i]!);
        const rows = Int32Array.from(chosen, (s) => place(s).index);
        const got = await this.run(buffer, rows, chosen, bounds);
        const next: number[] = [];
        const nextBounds: Bound[] = [];
        for (const [j, i] of at.entries()) {
          const result = got[j]!;
          if ('token' in result) out[i] = result;
          else {
            next.push(i);
            nextBounds.push(result);
          }
        }
        if (next.length > 0) this.reruns++;
        [at, bounds] = [next, nextBounds];
      }
    }
    return out;
  }

  private async run(
    buffer: LogitsBuffer,
    rows: Int32Array,
    specs: readonly SampleSpec[],
    bounds: readonly Bound[],
  ): Promise<(Sampled | Bound)[]> {
    const { tokens } = this.shape;
    const plan = planFor(specs, tokens);
    const lists = plan.mask === 'allow' ? specs.map((s) => idsOf(s, tokens)) : [];
    const n = specs.length;
    const feeds: Record<string, Feeds[string]> = {
      logits: buffer.tensor,
      rows: new Tensor('int32', rows, [n]),
      ...(plan.mask === 'allow' ? await this.idFeeds(lists) : {}),
      ...(plan.mask === 'bits' ? this.bitFeeds(specs) : {}),
      ...(plan.mask === 'deny' ? denyFeeds(specs, tokens) : {}),
      ...(plan.edits ? editFeeds(specs, tokens) : {}),
      ...(plan.noisy ? await this.noiseFeeds(specs) : {}),
      ...(plan.filtered ? filterFeeds(specs, bounds) : {}),
    };
    const session = await this.session(JSON.stringify(plan), () => sampleGraph(plan, this.shape));
    const result = await session.run(feeds, ['out']);
    if (this.idleMs === 0) {
      const start = performance.now();
      await session.run(feeds, ['out']);
      this.idleMs = performance.now() - start;
    }
    const data = result.out!.data as Float32Array;
    const width = outputColumns(plan);
    return specs.map((_, i) =>
      readResult(data.subarray(i * width, (i + 1) * width), plan, lists[i], this.shape.columns),
    );
  }

  private async idFeeds(lists: readonly Int32Array[]): Promise<Record<string, Feeds[string]>> {
    const n = lists.length;
    const width = powerOfTwo(Math.max(...lists.map((l) => l.length)));
    const ids = new Int32Array(n * width);
    for (const [i, list] of lists.entries()) {
      if (list.length === 0) throw nothingAllowed();
      ids.set(list, i * width);
    }
    const count = Float32Array.from(lists, (l) => l.length);
    let place = this.places.get(width);
    if (place === undefined) {
      place = this.keep(
        Float32Array.from({ length: width }, (_, i) => i),
        [1, width],
      );
      this.places.set(width, place);
      place.catch(() => this.places.delete(width));
    }
    return {
      ids: new Tensor('int32', ids, [n, width]),
      count: new Tensor('float32', count, [n, 1]),
      place: await place,
    };
  }

  private bitFeeds(specs: readonly SampleSpec[]): Record<string, Tensor> {
    const { columns, tokens } = this.shape;
    const [n, width] = [specs.length, Math.ceil(columns / 32)];
    const words = new Uint32Array(n * width);
    for (const [i, spec] of specs.entries()) {
      const row = words.subarray(i * width, (i + 1) * width);
      fillBits(spec, tokens, row);
      if (row.every((w) => w === 0)) throw nothingAllowed();
    }
    return { words: new Tensor('uint32', words, [n, width]) };
  }

  private async noiseFeeds(specs: readonly SampleSpec[]): Promise<Record<string, Feeds[string]>> {
    if (this.tables === undefined) {
      this.tables = this.makeTables();
      this.tables.catch(() => {
        this.tables = undefined;
      });
    }
    const { noise, first, second } = await this.tables;
    const n = specs.length;
    const heat = new Float32Array(n);
    const [a, b] = [new Int32Array(n), new Int32Array(n)];
    for (const [i, spec] of specs.entries()) {
      const still = isGreedy(spec);
      const offsets = still ? [noise.silence, noise.silence] : noise.offsets(spec.seed);
      heat[i] = still ? 1 : heatOf(spec.temperature);
      [a[i], b[i]] = [offsets[0]!, offsets[1]!];
    }
    return {
      heat: new Tensor('float32', heat, [n, 1]),
      first: new Tensor('int32', a, [n, 1]),
      second: new Tensor('int32', b, [n, 1]),
      firstTable: first,
      secondTable: second,
    };
  }

  private async makeTables(): Promise<{ noise: Noise; first: DeviceTensor; second: DeviceTensor }> {
    const noise = new Noise(this.shape.columns);
    const [first, second] = [noise.first, noise.second];
    return {
      noise,
      first: await this.keep(first, [first.length]),
      second: await this.keep(second, [second.length]),
    };
  }

  /** Numbers in a buffer of the device. */
  private async keep(data: Float32Array, dims: readonly number[]): Promise<DeviceTensor> {
    const rank = dims.length;
    const keeper = await this.session(`keep ${rank}`, () => keepGraph(rank), { outputs: 'gpu-buffer' });
    return (await keeper.runToDevice({ in: new Tensor('float32', data, dims) }, ['out'])).out!;
  }

  private session(key: string, graph: () => GraphBuilder, more: SessionOptions = {}): Promise<Session> {
    const known = this.sessions.get(key);
    if (known !== undefined) return known;
    const bytes = encodeModel(graph().model('tokenloom-sampler'));
    const made = Session.create({ bytes, name: `sampler (${key})` }, { ...this.options, ...more });
    this.sessions.set(key, made);
    // What could not be made is nothing to give back, and may be had another time.
    made.catch(() => this.sessions.delete(key));
    return made;
  }

  async dispose(): Promise<void> {
    for (const list of this.spare.values()) for (const b of list) b.tensor.dispose();
    this.spare.clear();
    for (const place of this.places.values()) (await place).dispose();
    this.places.clear();
    const tables = await this.tables;
    tables?.first.dispose();
    tables?.second.dispose();
    this.tables = undefined;
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

const nothingAllowed = (): OptionError => new OptionError('mask', 'at least one allowed token', 'none');

const isGreedy = (spec: SampleSpec): boolean => spec.temperature === 0 || spec.topK === 1;

const isFiltered = (spec: SampleSpec): boolean => !isGreedy(spec) && (spec.topK > 0 || spec.topP < 1 || spec.minP > 0);

/** What of a spec there is to do; ids beyond the logits and lists without ids are nothing. */
function planFor(specs: readonly SampleSpec[], tokens: number): SamplerPlan {
  const inside = (ids: Int32Array | undefined): boolean => ids?.some((t) => t < tokens) === true;
  const kinds = new Set(
    specs.map(({ mask }) => (mask === undefined || (mask.kind === 'deny' && !inside(mask.ids)) ? 'none' : mask.kind)),
  );
  let mask: SamplerPlan['mask'] = 'bits';
  const [only = 'none'] = kinds;
  if (kinds.size === 1) mask = only;
  else if (!kinds.has('bits') && !kinds.has('allow')) mask = 'deny';
  const noisy = specs.some((s) => !isGreedy(s));
  const filtered = specs.some(isFiltered);
  return {
    mask,
    noisy,
    filtered,
    nucleusOfTop: filtered && specs.some((s) => isFiltered(s) && s.topK > 0 && s.topP < 1),
    edits: specs.some((s) => inside(s.edits?.ids)),
    whole: specs.some((s) => s.whole === true),
  };
}

function idsOf(spec: SampleSpec, tokens: number): Int32Array {
  if (spec.mask?.kind !== 'allow') return new Int32Array(0);
  const { ids } = spec.mask;
  return (ids.at(-1) ?? 0) < tokens ? ids : ids.filter((t) => t < tokens);
}

/** A spec's mask as bits; columns beyond the tokens stay 0. */
function fillBits(spec: SampleSpec, tokens: number, row: Uint32Array): void {
  const { mask } = spec;
  if (mask?.kind === 'allow') {
    for (const t of mask.ids) if (t < tokens) row[t >>> 5]! |= 1 << (t & 31);
    return;
  }
  const words = Math.ceil(tokens / 32);
  if (mask?.kind === 'bits') row.set(mask.bits.subarray(0, words));
  else row.fill(0xffffffff, 0, words);
  if (tokens % 32 !== 0) row[words - 1]! &= 2 ** (tokens % 32) - 1;
  if (mask?.kind === 'deny') for (const t of mask.ids) if (t < tokens) row[t >>> 5]! &= ~(1 << (t & 31));
}

function denyFeeds(specs: readonly SampleSpec[], tokens: number): Record<string, Tensor> {
  const pairs: number[] = [];
  for (const [i, spec] of specs.entries())
    if (spec.mask?.kind === 'deny') for (const t of spec.mask.ids) if (t < tokens) pairs.push(i, t);
  const count = powerOfTwo(Math.max(1, pairs.length / 2));
  const value = new Float32Array(count).fill(MASKED);
  return { denyAt: pairsTensor(pairs, count), denyValue: new Tensor('float32', value, [count]) };
}

function editFeeds(specs: readonly SampleSpec[], tokens: number): Record<string, Tensor> {
  const pairs: number[] = [];
  const [divide, add]: [number[], number[]] = [[], []];
  for (const [i, { edits }] of specs.entries()) {
    for (const [j, id] of (edits?.ids ?? []).entries()) {
      if (id >= tokens) continue;
      pairs.push(i, id);
      divide.push(edits?.divide[j] ?? 1);
      add.push(edits?.add[j] ?? 0);
    }
  }
  const count = powerOfTwo(divide.length);
  const padded = (list: readonly number[]): Tensor =>
    new Tensor(
      'float32',
      Float32Array.from({ length: count }, (_, i) => list[i] ?? list[0]!),
      [count],
    );
  return { editAt: pairsTensor(pairs, count), editDivide: padded(divide), editAdd: padded(add) };
}

/** [count, 2]; the first pair is repeated, with its value, so that writing it twice is harmless. */
function pairsTensor(pairs: readonly number[], count: number): Tensor {
  return int64(
    Array.from({ length: 2 * count }, (_, i) => pairs[i] ?? pairs[i % 2]!),
    [count, 2],
  );
}

function filterFeeds(specs: readonly SampleSpec[], bounds: readonly Bound[]): Record<string, Tensor> {
  const n = specs.length;
  const column = (of: (spec: SampleSpec, i: number) => number): Tensor =>
    new Tensor('float32', Float32Array.from(specs, of), [n, 1]);
  return {
    topK: column((s) => (isFiltered(s) && s.topK > 0 ? s.topK : 1e9)),
    topP: column((s) => (isFiltered(s) && s.topP < 1 ? s.topP : 2)),
    floor: column((s) => (isFiltered(s) && s.minP > 0 ? Math.log(s.minP) : -3e38)),
    boundScore: column((_, i) => bounds[i]!.score),
    boundPlace: column((_, i) => bounds[i]!.place),
  };
}

/** A row of the output: the first candidate that survived, or the last one as the next run's bound. */
function readResult(
  row: Float32Array,
  plan: SamplerPlan,
  ids: Int32Array | undefined,
  columns: number,
): Sampled | Bound {
  let found = 0;
  const rounds = plan.filtered ? ROUNDS : 1;
  if (plan.filtered) {
    while (found < rounds && row[3 * rounds + found] === 0) found++;
    if (found === rounds && row[rounds - 1]! < columns) return { place: row[rounds - 1]!, score: row[3 * rounds - 1]! };
  }
  const place = row[Math.min(found, rounds - 1)]!;
  if (!(place < columns)) throw new ModelError("the model's logits", 'numbers', 'NaN');
  const logprob = row[rounds + found]!;
  return {
    token: ids === undefined ? place : ids[place]!,
    logprob,
    ...(plan.whole ? { before: logprob + row.at(-1)! } : {}),
  };
}
