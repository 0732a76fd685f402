/**
 * Sequences over the block pool: what each holds, growing, cutting, forking, moving out and back. Knows no graph; the model
 * runs the pass between `grow` and `commit`.
 */
import { LimitError, ModelError, OptionError } from '../../base/errors.js';
import type { OpenOptions } from '../../decoder/model.js';
import { BLOCK_SIZE } from '../rewrite/layout.js';
import { type BlockKey, type BlockPool, blockKey, rootKey } from './blocks.js';
import type { KvMemory } from './store.js';
import type { Swapped, SwapStore } from './swap.js';

export interface Sequence {
  /** All tokens. */
  tokens: number[];
  /**
   * Positions that lie in the pool, or outside while suspended. Fewer than the tokens only where a sequence was suspended and
   * nothing had room for it: the rest is computed again with the next step.
   */
  present: number;
  /** Blocks in order; covers at least `present` positions. */
  table: number[];
  /** Keys of the leading full blocks; never longer than the full blocks. */
  keys: BlockKey[];
  readonly root: BlockKey;
  /** While suspended: per block its key or its content. */
  saved: readonly { readonly key?: BlockKey; readonly block: Swapped }[] | undefined;
}

/** What `grow` did, so that a failed pass can be undone. */
export interface Growth {
  readonly sequence: Sequence;
  readonly table: readonly number[];
  readonly added: readonly number[];
  readonly replaced: { readonly at: number; readonly was: number } | undefined;
}

/** See the module's header. */
export class SequenceTable {
  private readonly live = new Map<number, Sequence>();
  private next = 1;

  constructor(
    private readonly pool: BlockPool,
    private readonly store: KvMemory,
    private readonly swap: SwapStore,
  ) {}

  get(id: number): Sequence | undefined {
    return this.live.get(id);
  }

  /** Throws OptionError for an id that is not open. */
  need(id: number): Sequence {
    const s = this.live.get(id);
    if (s === undefined) throw new OptionError('sequence', 'an open sequence', String(id));
    return s;
  }

  open(options: OpenOptions = {}): { sequence: number; cached: number } {
    const root = rootKey(options.salt, options.adapter);
    const prompt = options.prompt ?? [];
    const { blocks, keys } = this.pool.match(root, prompt, BLOCK_SIZE);
    const cached = blocks.length * BLOCK_SIZE;
    const id = this.next++;
    const tokens = prompt.slice(0, cached);
    this.live.set(id, { tokens, present: cached, table: blocks, keys, root, saved: undefined });
    return { sequence: id, cached };
  }

  /** Blocks that appending `count` tokens takes from the pool. */
  demand(id: number, count: number): number {
    const s = this.live.get(id);
    if (s === undefined || count === 0) return 0;
    const held = s.saved?.length ?? s.table.length;
    const back = s.saved?.length ?? 0;
    const open = s.saved === undefined && s.present % BLOCK_SIZE !== 0;
    const partial = open ? s.table[Math.floor(s.present / BLOCK_SIZE)] : undefined;
    const copy = partial !== undefined && this.pool.shared(partial) ? 1 : 0;
    return Math.max(0, Math.ceil((s.tokens.length + count) / BLOCK_SIZE) - held) + copy + back;
  }

  /**
   * Makes room for the positions that are not present and `count` more: takes blocks, copies a shared partial one. Throws
   * LimitError where the pool has too few.
   */
  grow(id: number, count: number): Growth {
    const sequence = this.need(id);
    this.resume(id);
    const { pool, store } = this;
    const demand = this.demand(id, count);
    if (demand > pool.available()) throw new LimitError('blocks of KV memory', demand, pool.available());
    const { present } = sequence;
    const length = sequence.tokens.length;
    const table = [...sequence.table];
    const added: number[] = [];
    let replaced: Growth['replaced'];
    const take = (): number => {
      const block = pool.allocate();
      if (block === undefined) throw new LimitError('blocks of KV memory', demand, pool.total);
      added.push(block);
      return block;
    };
    const last = Math.floor(present / BLOCK_SIZE);
    const partial = present % BLOCK_SIZE;
    const was = table[last];
    if (partial !== 0 && was !== undefined) {
      if (pool.shared(was)) {
        const mine = take();
        store.copyBlock(was, mine, partial);
        table[last] = mine;
        replaced = { at: last, was };
      } else pool.forget(was);
    }
    while (table.length * BLOCK_SIZE < length + count) table.push(take());
    return { sequence, table, added, replaced };
  }

  /** Gives back what `grow` took. */
  undo(growth: Growth): void {
    for (const block of growth.added) this.pool.release(block);
  }

  /** Makes the growth and the new tokens part of the sequence; full blocks become findable. */
  commit(growth: Growth, tokens: readonly number[]): void {
    const { sequence: s } = growth;
    if (growth.replaced !== undefined) this.pool.release(growth.replaced.was);
    s.table = [...growth.table];
    for (const t of tokens) s.tokens.push(t);
    s.present = s.tokens.length;
    const full = Math.floor(s.tokens.length / BLOCK_SIZE);
    while (s.keys.length < full) {
      const i = s.keys.length;
      const key = blockKey(s.keys[i - 1] ?? s.root, s.tokens, i * BLOCK_SIZE, (i + 1) * BLOCK_SIZE);
      s.keys.push(key);
      this.pool.publish(s.table[i]!, key);
    }
  }

  truncate(id: number, length: number): void {
    const s = this.live.get(id);
    if (s === undefined || length >= s.tokens.length) return;
    const keep = Math.max(0, length);
    s.tokens.length = keep;
    s.present = Math.min(s.present, keep);
    const blocks = Math.ceil(s.present / BLOCK_SIZE);
    for (const block of s.table.splice(blocks)) this.pool.release(block);
    s.keys.length = Math.min(s.keys.length, Math.floor(s.present / BLOCK_SIZE));
    if (s.saved === undefined) return;
    for (const { block } of s.saved.slice(blocks)) this.swap.drop(block);
    // A block that is no longer full must not be taken for the one of its key.
    s.saved = s.saved.slice(0, blocks).map((x, i) => (i < s.keys.length ? x : { block: x.block }));
  }

  fork(id: number): number {
    const s = this.need(id);
    this.resume(id);
    for (const block of s.table) this.pool.retain(block);
    const copy = this.next++;
    this.live.set(copy, {
      tokens: [...s.tokens],
      present: s.present,
      table: [...s.table],
      keys: [...s.keys],
      root: s.root,
      saved: undefined,
    });
    return copy;
  }

  close(id: number): void {
    const s = this.live.get(id);
    if (s === undefined) return;
    this.releaseTable(s);
    for (const { block } of s.saved ?? []) this.swap.drop(block);
    this.live.delete(id);
  }

  /** Last block first: of a chain that is only partly used again, the front should stay longest. */
  private releaseTable(s: Sequence): void {
    for (let i = s.table.length - 1; i >= 0; i--) this.pool.release(s.table[i]!);
    s.table = [];
  }

  /**
   * Copies the sequence's blocks out of the pool and gives their places back. Where nothing has room for them they are dropped,
   * to be computed again.
   */
  suspend(id: number): void {
    const s = this.need(id);
    if (s.saved !== undefined) return;
    const saved: { key?: BlockKey; block: Swapped }[] = [];
    try {
      for (const [i, block] of s.table.entries()) {
        const key = s.keys[i];
        saved.push({ block: this.swap.put(this.store.save(block)), ...(key === undefined ? {} : { key }) });
      }
      s.saved = saved;
    } catch (error) {
      if (!(error instanceof LimitError) && !(error instanceof ModelError)) throw error;
      for (const { block } of saved) this.swap.drop(block);
      this.lose(s);
    }
    this.releaseTable(s);
  }

  private lose(s: Sequence): void {
    s.present = 0;
    s.keys = [];
    s.saved = undefined;
  }

  /**
   * Brings a suspended sequence back, as far as it can be had: content that was dropped or damaged is computed again with the
   * next step. Throws LimitError, changing nothing, where the pool has no room.
   */
  resume(id: number): void {
    const s = this.need(id);
    const { saved } = s;
    if (saved === undefined) {
      if (s.present > 0 || s.tokens.length === 0) return;
      const { blocks, keys } = this.pool.match(s.root, s.tokens, BLOCK_SIZE);
      [s.table, s.keys, s.present] = [blocks, keys, blocks.length * BLOCK_SIZE];
      return;
    }
    const table: number[] = [];
    try {
      for (const { key, block: swapped } of saved) table.push(this.bringBack(key, swapped));
    } catch (error) {
      for (const b of table) this.pool.release(b);
      if (!(error instanceof ModelError)) throw error;
      for (const { block } of saved) this.swap.drop(block);
      this.lose(s);
      return;
    }
    for (const { block } of saved) this.swap.drop(block);
    s.table = table;
    s.saved = undefined;
  }

  /** The block of this key where the pool still has it, else a new one with the content that was put away. */
  private bringBack(key: BlockKey | undefined, swapped: Swapped): number {
    const known = key === undefined ? undefined : this.pool.take(key);
    if (known !== undefined) return known;
    const content = this.swap.get(swapped);
    const block = this.pool.allocate();
    if (block === undefined) throw new LimitError('blocks of KV memory', 1, this.pool.available());
    this.store.restore(block, content);
    if (key !== undefined) this.pool.publish(block, key);
    return block;
  }

  closeAll(): void {
    for (const id of [...this.live.keys()]) this.close(id);
  }
}
