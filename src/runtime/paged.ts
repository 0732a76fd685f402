/**
 * A rewritten decoder over a pool of KV blocks: many sequences with several new tokens each in one run.
 *
 * The cache never passes through ONNX Runtime's outputs (which are copied): JavaScript owns the pool, feeds it by reference, and
 * writes the few new rows that each run returns.
 *
 * Rows of very different length in one run pad each other's attention, so a step is cut into passes (`planPasses`).
 *
 * Invariant: between steps every sequence's positions are in the pool (or suspended); a failed step changes nothing.
 */
import { releaseAll } from '../base/release.js';
import type { ExpertTrace, OpenOptions, StepHandle, StepModel, StepRow } from '../decoder/model.js';
import { buildPass, type PassRow } from './feeds.js';
import { DeviceHandle, HostHandle, type HostRow } from './handle.js';
import { BlockPool, type CacheCounters } from './kv/blocks.js';
import { DeviceStore } from './kv/device-store.js';
import { type Growth, SequenceTable } from './kv/sequences.js';
import { KvStore } from './kv/store.js';
import { type SwapLimits, SwapStore } from './kv/swap.js';
import { planPasses } from './passes.js';
import { restrictedLogits } from './rewrite/head.js';
import { BLOCK_SIZE, NAMES, type PagedGraph } from './rewrite/layout.js';
import { checkRows } from './rows.js';
import { type DeviceSampler, type LogitsBuffer, type LogitsPlace, powerOfTwo } from './sampling/device-sampler.js';
import { type DeviceTensor, type Session, type Tensors, toFloats } from './session.js';
import type { Traffic } from './traffic.js';

export interface PagedOptions {
  readonly contextLength: number;
  readonly vocabSize: number;
  readonly prefixCache: boolean;
  /** Most allowed ids for which the head is computed in JavaScript; 0: never. */
  readonly restrictUpTo: number;
  /** Where suspended sequences may go; default 256 MiB of memory, then 1 GiB of a file. */
  readonly swap?: Partial<SwapLimits>;
}

/** See the module's header. */
export class PagedModel implements StepModel {
  /** On a device with all logits of a pass in a buffer there. */
  readonly samples: boolean;
  readonly maxRows = 256;
  readonly maxStepTokens = 65_536;
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly blocks: { readonly size: number; readonly total: number; free(): number };
  private readonly pool: BlockPool;
  private readonly store: KvStore | DeviceStore;
  private readonly swap: SwapStore;
  private readonly sampler: DeviceSampler | undefined;
  private readonly sequences: SequenceTable;
  private running: Promise<unknown> = Promise.resolve();
  restrictUpTo: number;

  constructor(
    private readonly session: Session,
    readonly graph: PagedGraph,
    options: PagedOptions,
    device?: { readonly store: DeviceStore; readonly sampler: DeviceSampler; readonly traffic: Traffic },
  ) {
    const total = graph.blocks;
    if (device !== undefined) this.traffic = () => device.traffic.now();
    this.sampler = graph.picks ? device?.sampler : undefined;
    this.samples = this.sampler !== undefined;
    this.vocabSize = options.vocabSize;
    this.contextLength = Math.min(options.contextLength, total * BLOCK_SIZE);
    this.restrictUpTo = graph.head === undefined || !graph.picks || this.samples ? 0 : options.restrictUpTo;
    const { layers, kvHeads, headDim } = graph;
    this.store = device?.store ?? new KvStore({ blocks: total, layers, kvHeads, headDim, type: graph.pool });
    this.pool = new BlockPool(total, options.prefixCache);
    this.swap = new SwapStore({ memory: 2 ** 28, file: 2 ** 30, ...options.swap });
    this.sequences = new SequenceTable(this.pool, this.store, this.swap);
    this.blocks = { size: BLOCK_SIZE, total, free: () => this.pool.available() };
  }

  open(options?: OpenOptions): { readonly sequence: number; readonly cached: number } {
    return this.sequences.open(options);
  }

  length(sequence: number): number {
    return this.sequences.get(sequence)?.tokens.length ?? 0;
  }

  fits(rows: readonly { readonly sequence: number; readonly tokens: number }[]): boolean {
    let need = 0;
    for (const r of rows) need += this.sequences.demand(r.sequence, r.tokens);
    return need <= this.pool.available();
  }

  submit(rows: readonly StepRow[]): Promise<StepHandle> {
    const run = this.running.then(() => this.run(rows));
    this.running = run.catch(() => undefined);
    return run;
  }

  private async run(rows: readonly StepRow[]): Promise<StepHandle> {
    checkRows(rows, this, (s) => this.sequences.get(s)?.tokens.length);
    const growths: Growth[] = [];
    const started = performance.now();
    const out = new StepOutput(rows, this.graph, this.vocabSize);
    try {
      for (const row of rows) growths.push(this.sequences.grow(row.sequence, row.tokens.length));
      if (this.store instanceof DeviceStore) await this.store.flush();
      const starts = growths.map((g) => g.sequence.present);
      const work = growths.map(({ sequence: { tokens, present } }, i) => {
        const again = tokens.length - present;
        const own = rows[i]!.tokens;
        return { again, tokens: again === 0 ? own : [...tokens.slice(present), ...own] };
      });
      out.again = work.map((w) => w.again);
      const hot = rows.map((r) => r.allowed !== undefined && r.allowed.length <= this.restrictUpTo);
      for (const pass of planPasses(work, starts, this.graph)) {
        const passRows = pass.map(({ row, from, to }): PassRow => {
          const all = work[row]!.tokens;
          const tokens = all.slice(from, to);
          const logits = Math.max(0, to - Math.max(from, all.length - rows[row]!.logits));
          return { tokens, start: starts[row]! + from, table: growths[row]!.table, logits, hot: hot[row]! };
        });
        await this.runPass(passRows, pass, out);
      }
    } catch (error) {
      if (this.store instanceof DeviceStore) this.store.discard();
      for (const g of growths) this.sequences.undo(g);
      for (const b of out.buffers()) this.sampler?.release(b);
      throw error;
    }
    for (const [i, g] of growths.entries()) this.sequences.commit(g, rows[i]!.tokens);
    const ms = performance.now() - started;
    if (this.sampler !== undefined) return new DeviceHandle(out.places, this.sampler, out.trace, ms);
    return new HostHandle(out.finish(), out.trace, ms);
  }

  private async runPass(
    passRows: readonly PassRow[],
    places: readonly { readonly row: number; readonly from: number }[],
    out: StepOutput,
  ): Promise<void> {
    const { graph, session, store } = this;
    const pass = buildPass(graph, passRows, store.tensors);
    const anyLogits = passRows.some((r) => r.logits > 0 && !r.hot);
    const fetches: Record<string, DeviceTensor | null> = {};
    const buffer = anyLogits ? await this.sampler?.acquire(powerOfTwo(pass.wanted)) : undefined;
    if (buffer !== undefined) out.hold(buffer);
    if (anyLogits) fetches[graph.logits] = buffer?.tensor ?? null;
    if (pass.hot > 0) fetches[NAMES.hidden] = null;
    if (graph.experts !== undefined) fetches[NAMES.experts] = null;
    let result: Tensors;
    if (store instanceof DeviceStore) {
      const feeds = { ...pass.feeds, ...store.scatter(passRows, graph.form) };
      result = await session.run(feeds, { ...fetches, ...store.outputs });
    } else {
      result = await session.run(pass.feeds, { ...fetches, [NAMES.fresh]: null });
      const fresh = result[NAMES.fresh]!.data as Float32Array;
      for (const [i, r] of passRows.entries()) {
        const at = pass.freshAt[i]!;
        store.write(fresh, pass.fresh, at.row, at.from, r.tokens.length, r.table, r.start);
      }
    }
    const logits = anyLogits && buffer === undefined ? toFloats(result[graph.logits]!) : undefined;
    const hidden = pass.hot > 0 ? toFloats(result[NAMES.hidden]!) : undefined;
    let [nextLogits, nextHidden] = [0, 0];
    for (const [i, r] of passRows.entries()) {
      for (let j = 0; j < r.logits; j++) {
        if (r.hot && hidden !== undefined) out.addHidden(places[i]!.row, hidden, nextHidden++);
        else if (buffer !== undefined) out.places[places[i]!.row]?.push({ buffer, index: nextLogits++ });
        else if (logits !== undefined) {
          const index = graph.picks ? nextLogits++ : pass.flatAt[i]! + r.tokens.length - r.logits + j;
          out.addLogits(places[i]!.row, logits, index);
        }
      }
    }
    const chosen = result[NAMES.experts]?.data as Int32Array | undefined;
    if (chosen === undefined) return;
    for (const [i, r] of passRows.entries()) {
      out.addExperts(places[i]!.row, places[i]!.from, r.tokens.length, chosen, pass.flatAt[i]!);
    }
  }

  truncate(sequence: number, length: number): void {
    this.sequences.truncate(sequence, length);
  }

  fork(sequence: number): number {
    return this.sequences.fork(sequence);
  }

  close(sequence: number): void {
    this.sequences.close(sequence);
  }

  suspend(sequence: number): void {
    this.sequences.suspend(sequence);
  }

  /** Brings a sequence back if there is room; else the step that needs it does, and `fits` counts what that takes. */
  resume(sequence: number): void {
    if (this.sequences.demand(sequence, 1) <= this.pool.available()) this.sequences.resume(sequence);
  }

  samplerIdleMs(): number {
    return this.sampler?.idleMs ?? 0;
  }

  /** Bytes that crossed to the device and back; undefined on CPU. */
  traffic?(): ReturnType<Traffic['now']>;

  /** Bytes of the pool, bytes moved out of it (memory and file), and what the prefix cache did. */
  memory(): {
    readonly poolBytes: number;
    readonly suspended: { readonly memory: number; readonly file: number };
    readonly cache: CacheCounters;
  } {
    return { poolBytes: this.store.bytes(), suspended: this.swap.bytes(), cache: this.pool.counters() };
  }

  /** Sets up to how many allowed ids the head is computed in JavaScript; no effect where the weights are out of reach. */
  restrict(upTo: number): void {
    this.restrictUpTo = this.graph.head === undefined || !this.graph.picks || this.samples ? 0 : upTo;
  }

  /** Forgets all cached prefixes. */
  clearCache(): void {
    this.pool.clear();
  }

  async dispose(): Promise<void> {
    await this.running;
    this.sequences.closeAll();
    const { store } = this;
    await releaseAll(
      () => this.swap.dispose(),
      () => (store instanceof DeviceStore ? store.dispose() : undefined),
      () => this.sampler?.dispose(),
      () => this.session.dispose(),
    );
  }
}

/** Collects what the passes of a step return, by row of the step. */
class StepOutput {
  private readonly logits: Float32Array[][];
  private readonly restricted: boolean[];
  private readonly tokenAt: number[] = [];
  readonly trace: ExpertTrace | undefined;
  /** Positions per row that are computed again, before its new ones. */
  again: readonly number[] = [];
  /** By row and wanted position, where logits stay on the device. */
  readonly places: LogitsPlace[][];
  private readonly held: LogitsBuffer[] = [];

  constructor(
    private readonly rows: readonly StepRow[],
    private readonly graph: PagedGraph,
    private readonly vocabSize: number,
  ) {
    this.logits = rows.map(() => []);
    this.places = rows.map(() => []);
    this.restricted = rows.map(() => false);
    let total = 0;
    for (const r of rows) {
      this.tokenAt.push(total);
      total += r.tokens.length;
    }
    const e = graph.experts;
    if (e !== undefined) {
      const ids = Array.from({ length: e.layers }, () => new Uint16Array(total * e.k));
      this.trace = { k: e.k, experts: e.count, ids };
    }
  }

  addLogits(row: number, all: Float32Array, index: number): void {
    this.logits[row]?.push(all.subarray(index * this.vocabSize, (index + 1) * this.vocabSize));
  }

  addHidden(row: number, all: Float32Array, index: number): void {
    const { head } = this.graph;
    const allowed = this.rows[row]?.allowed;
    if (head === undefined || allowed === undefined) return;
    const out = new Float32Array(allowed.length);
    restrictedLogits(head, all.subarray(index * head.columns, (index + 1) * head.columns), allowed, out);
    this.logits[row]?.push(out);
    this.restricted[row] = true;
  }

  addExperts(row: number, from: number, count: number, chosen: Int32Array, flat: number): void {
    const { k, layers } = this.graph.experts ?? { k: 0, layers: 0 };
    // Positions that were computed again are not of this step.
    const first = from - (this.again[row] ?? 0);
    for (const [layer, ids] of (this.trace?.ids ?? []).entries()) {
      for (let t = Math.max(0, -first); t < count; t++) {
        for (let j = 0; j < k; j++) {
          ids[(this.tokenAt[row]! + first + t) * k + j] = chosen[((flat + t) * layers + layer) * k + j]!;
        }
      }
    }
  }

  /** Remembers a buffer of logits, to be given back where the step fails. */
  hold(buffer: LogitsBuffer): void {
    this.held.push(buffer);
  }

  buffers(): readonly LogitsBuffer[] {
    return this.held;
  }

  finish(): HostRow[] {
    return this.logits.map((logits, i) => ({ logits, restricted: this.restricted[i]! }));
  }
}
