/**
 * The KV pool in a device buffer. The graph writes new rows itself (ScatterND into the buffer it was fed), so no key or value crosses
 * to the host; sequences that are moved out are computed again instead of being copied.
 *
 * JavaScript cannot make a device buffer: the pool is the output of a graph of zeros. Blocks are copied by a small graph of their
 * own, which runs before the pass that needs the copy.
 */
import { LimitError, ModelError } from '../../base/errors.js';
import { releaseAll } from '../../base/release.js';
import type { PassRow } from '../feeds.js';
import { GraphBuilder } from '../onnx/builder.js';
import { DataType, encodeModel } from '../onnx/proto.js';
import { BLOCK_SIZE, cacheName, cacheOut, NAMES } from '../rewrite/layout.js';
import { zerosGraph } from '../sampling/graphs.js';
import { type DeviceTensor, int64, Session, type SessionOptions, Tensor } from '../session.js';
import type { KvMemory, SavedBlock, StoreShape } from './store.js';

/** See the module's header. */
export class DeviceStore implements KvMemory {
  private readonly copies: { readonly from: number; readonly to: number; readonly positions: number }[] = [];

  private constructor(
    private readonly shape: StoreShape,
    /** The pool, or the caches of the kernel form by slot. */
    private readonly pools: readonly DeviceTensor[],
    private readonly maker: Session,
    private readonly copier: Session,
  ) {}

  /** Makes the pool; throws ModelError where the device refuses a buffer of its size. */
  static async create(shape: StoreShape, options: SessionOptions): Promise<DeviceStore> {
    const { blocks, headDim, kernel = false, kvHeads, layers } = shape;
    // One row more than blocks have: where padding is written.
    const rows = 2 * layers * blocks * kvHeads + 1;
    const dims = kernel ? [blocks, BLOCK_SIZE, kvHeads, headDim] : [rows, BLOCK_SIZE, headDim];
    const zeros = zerosGraph(dims.length, shape.half === true ? 'float16' : 'float32');
    const bytes = encodeModel(zeros.model('tokenloom-zeros'));
    const maker = await Session.create({ bytes, name: 'KV pool' }, { ...options, outputs: 'gpu-buffer' });
    const pools: DeviceTensor[] = [];
    try {
      for (let i = 0; i < (kernel ? 2 * layers : 1); i++) {
        pools.push((await maker.runToDevice({ shape: int64(dims, [dims.length]) }, ['out'])).out!);
      }
      const copy = encodeModel(copyGraph(dims.slice(1), kernel ? 1 : 2, shape.half === true).model('tokenloom-copy'));
      return new DeviceStore(shape, pools, maker, await Session.create({ bytes: copy, name: 'KV copy' }, options));
    } catch (error) {
      for (const pool of pools) pool.dispose();
      await maker.dispose();
      if (!(error instanceof ModelError)) throw error;
      const mib = Math.ceil(dims.reduce((a, b) => a * b, shape.half === true ? 2 : 4) / 2 ** 20);
      throw new ModelError('KV pool', `a device that holds a buffer of ${mib} MiB (lower kv.bytes)`, error.got, {
        cause: error,
      });
    }
  }

  get tensors(): Readonly<Record<string, DeviceTensor>> {
    if (this.shape.kernel === true) return Object.fromEntries(this.pools.map((p, slot) => [cacheName(slot), p]));
    return { [NAMES.pool]: this.pools[0]! };
  }

  /** What a run writes in place, by output name. */
  get outputs(): Readonly<Record<string, DeviceTensor>> {
    if (this.shape.kernel === true) return Object.fromEntries(this.pools.map((p, slot) => [cacheOut(slot), p]));
    return { [NAMES.poolOut]: this.pools[0]! };
  }

  bytes(): number {
    return this.pools.length * this.pools[0]!.dims.reduce((a, b) => a * b, this.shape.half === true ? 2 : 4);
  }

  copyBlock(from: number, to: number, positions: number): void {
    this.copies.push({ from, to, positions });
  }

  save(_block: number): SavedBlock {
    throw new LimitError('bytes of KV that leave the device', this.bytes(), 0);
  }

  restore(_block: number, _saved: SavedBlock): void {
    throw new ModelError('KV pool', 'blocks that stay on the device', 'a saved block');
  }

  /** Runs the copies that were asked for, in order. */
  async flush(): Promise<void> {
    const { blocks, kvHeads, layers } = this.shape;
    for (const { from, to, positions } of this.copies.splice(0)) {
      if (this.shape.kernel === true) {
        const [source, target] = [int64([from], [1, 1]), int64([to], [1, 1])];
        for (const pool of this.pools) await this.copier.run({ pool, from: source, to: target }, { out: pool });
        continue;
      }
      const [source, target]: [number[], number[]] = [[], []];
      for (let slot = 0; slot < 2 * layers; slot++) {
        for (let h = 0; h < kvHeads; h++) {
          for (let p = 0; p < positions; p++) {
            source.push((slot * blocks + from) * kvHeads + h, p);
            target.push((slot * blocks + to) * kvHeads + h, p);
          }
        }
      }
      const dims = [source.length / 2, 2];
      const pool = this.pools[0]!;
      const feeds = { pool, from: int64(source, dims), to: int64(target, dims) };
      await this.copier.run(feeds, { out: pool });
    }
  }

  /** Forgets copies that were asked for: their step failed, and their targets may belong to somebody else next. */
  discard(): void {
    this.copies.length = 0;
  }

  /** The scatter input of a pass: where each new row of its output goes; nothing in the kernel form. */
  scatter(rows: readonly PassRow[], form: 'flat' | 'padded'): Readonly<Record<string, Tensor>> {
    if (this.shape.kernel === true) return {};
    const { blocks, kvHeads, layers } = this.shape;
    const slots = 2 * layers;
    const longest = Math.max(...rows.map((r) => r.tokens.length));
    const tokens = form === 'flat' ? rows.reduce((a, r) => a + r.tokens.length, 0) : rows.length * longest;
    const out = new BigInt64Array(slots * tokens * kvHeads * 2);
    // Low halves of little-endian 64-bit numbers: making bigints costs more than all the rest.
    const low = new Int32Array(out.buffer);
    const nowhere = slots * blocks * kvHeads;
    let at = 0;
    const put = (slot: number, r: PassRow, place: number, head: number): void => {
      const position = r.start + place;
      const block = r.table[Math.floor(position / BLOCK_SIZE)];
      const real = place < r.tokens.length && block !== undefined;
      low[at] = real ? (slot * blocks + block) * kvHeads + head : nowhere;
      low[at + 2] = real ? position % BLOCK_SIZE : 0;
      at += 4;
    };
    for (let slot = 0; slot < slots; slot++) {
      for (const r of rows) {
        if (form === 'flat') {
          for (let i = 0; i < r.tokens.length; i++) for (let h = 0; h < kvHeads; h++) put(slot, r, i, h);
        } else for (let h = 0; h < kvHeads; h++) for (let i = 0; i < longest; i++) put(slot, r, i, h);
      }
    }
    return { [NAMES.scatter]: new Tensor('int64', out, [out.length / 2, 2]) };
  }

  async dispose(): Promise<void> {
    await releaseAll(
      ...this.pools.map((pool) => () => pool.dispose()),
      () => this.copier.dispose(),
      () => this.maker.dispose(),
    );
  }
}

/** Copies places of a pool whose index has `depth` numbers to others; `inner`: the axes after the first. */
function copyGraph(inner: readonly number[], depth: number, half: boolean): GraphBuilder {
  const g = new GraphBuilder();
  const type = half ? DataType.float16 : DataType.float;
  g.input('pool', type, ['rows', ...inner]);
  g.input('from', DataType.int64, ['count', depth]);
  g.input('to', DataType.int64, ['count', depth]);
  const picked = g.op('GatherND', ['pool', 'from'], { batch_dims: 0 });
  g.op('ScatterND', ['pool', 'to', picked], {}, '', 'out');
  g.output('out', type, ['rows', ...inner]);
  return g;
}
