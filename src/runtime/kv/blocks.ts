/**
 * Which block of KV memory belongs to whom: reference counts, the free list, and the prefix cache.
 *
 * A full block may carry a key: SHA-256 over the parent block's key and the block's tokens, the root being a hash of salt and adapter.
 * Equal keys mean equal content, so a new sequence takes over the blocks of its prompt's longest known chain. A block that
 * nobody refers to but that has a key stays in memory until its place is needed, least recently used first. Tenants have
 * different roots, so one cannot find out what another's prompts held.
 *
 * Invariant: each block is exactly one of free, cached (no references, has a key, in `idle`), referenced.
 */
import { createHash } from 'node:crypto';

/** Keys are digests in base64. */
export type BlockKey = string;

export interface CacheCounters {
  /** Blocks asked for when sequences were opened, and how many of them were found. */
  readonly lookups: number;
  readonly hits: number;
  /** Positions that need not be computed again. */
  readonly savedTokens: number;
  readonly evictions: number;
}

/** The root of a key chain. */
export function rootKey(salt = '', adapter = ''): BlockKey {
  return createHash('sha256')
    .update(JSON.stringify([salt, adapter]))
    .digest('base64');
}

/** The key of a block of `tokens` (from, to) whose predecessor has key `parent`. */
export function blockKey(parent: BlockKey, tokens: ArrayLike<number>, from: number, to: number): BlockKey {
  const ids = new Int32Array(to - from);
  for (let i = from; i < to; i++) ids[i - from] = tokens[i]!;
  return createHash('sha256').update(parent).update(ids).digest('base64');
}

/** See the module's header. */
export class BlockPool {
  private readonly references: Int32Array;
  private readonly keys: (BlockKey | undefined)[];
  private readonly freeList: number[] = [];
  /** Cached blocks without references, least recently used first. */
  private readonly idle = new Set<number>();
  private readonly byKey = new Map<BlockKey, number>();
  private lookups = 0;
  private hits = 0;
  private savedTokens = 0;
  private evictions = 0;

  constructor(
    readonly total: number,
    private readonly caching = true,
  ) {
    this.references = new Int32Array(total);
    this.keys = new Array<BlockKey | undefined>(total).fill(undefined);
    for (let b = total - 1; b >= 0; b--) this.freeList.push(b);
  }

  /** Blocks that can be had now: free or evictable. */
  available(): number {
    return this.freeList.length + this.idle.size;
  }

  /** Blocks that no one refers to and that hold nothing. */
  unused(): number {
    return this.freeList.length;
  }

  counters(): CacheCounters {
    const { lookups, hits, savedTokens, evictions } = this;
    return { lookups, hits, savedTokens, evictions };
  }

  /** Takes a block with one reference, evicting a cached one if need be; undefined when all are referenced. */
  allocate(): number | undefined {
    const free = this.freeList.pop();
    if (free !== undefined) {
      this.references[free] = 1;
      return free;
    }
    for (const block of this.idle) {
      this.idle.delete(block);
      this.forget(block);
      this.evictions++;
      this.references[block] = 1;
      return block;
    }
    return undefined;
  }

  retain(block: number): void {
    if (this.references[block] === 0) this.idle.delete(block);
    this.references[block]!++;
  }

  release(block: number): void {
    const left = --this.references[block]!;
    if (left > 0) return;
    if (this.caching && this.keys[block] !== undefined) this.idle.add(block);
    else {
      this.forget(block);
      this.freeList.push(block);
    }
  }

  /** Whether more than one sequence refers to a block. */
  shared(block: number): boolean {
    return this.references[block]! > 1;
  }

  keyOf(block: number): BlockKey | undefined {
    return this.keys[block];
  }

  /** Makes a full block findable; a key that is already known stays with its block. */
  publish(block: number, key: BlockKey): void {
    if (!this.caching || this.byKey.has(key) || this.keys[block] !== undefined) return;
    this.keys[block] = key;
    this.byKey.set(key, block);
  }

  /** Makes a block unfindable, since its content is about to change. */
  forget(block: number): void {
    const key = this.keys[block];
    if (key === undefined) return;
    this.byKey.delete(key);
    this.keys[block] = undefined;
  }

  /** The block with this key, retained; undefined where there is none. */
  take(key: BlockKey): number | undefined {
    const block = this.byKey.get(key);
    if (block !== undefined) this.retain(block);
    return block;
  }

  /**
   * The longest known chain of a prompt's full blocks, retained; one token at least is left to be run. Counts hits.
   */
  match(root: BlockKey, prompt: readonly number[], blockSize: number): { blocks: number[]; keys: BlockKey[] } {
    const blocks: number[] = [];
    const keys: BlockKey[] = [];
    const most = Math.floor((prompt.length - 1) / blockSize);
    let parent = root;
    while (this.caching && blocks.length < most) {
      const from = blocks.length * blockSize;
      const key = blockKey(parent, prompt, from, from + blockSize);
      this.lookups++;
      const block = this.take(key);
      if (block === undefined) break;
      this.hits++;
      this.savedTokens += blockSize;
      blocks.push(block);
      keys.push(key);
      parent = key;
    }
    return { blocks, keys };
  }

  /** Throws away all cached blocks that nobody refers to. */
  clear(): void {
    for (const block of this.idle) {
      this.forget(block);
      this.freeList.push(block);
    }
    this.idle.clear();
  }
}
