/**
 * The memory of the KV pool on the host: one typed array that the graph reads by reference and JavaScript writes.
 *
 * Layout (rewrite/layout.ts): row ((layer * 2 + part) * blocks + block) * KH + head of blockSize * D numbers.
 *
 * Invariant: holds finite numbers everywhere, since masked positions are multiplied by zero.
 */
import { Tensor } from 'onnxruntime-node';
import { LimitError } from '../../base/errors.js';
import { BLOCK_SIZE } from '../rewrite/layout.js';

export interface StoreShape {
  readonly blocks: number;
  readonly layers: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** Where the new rows of a run lie: strides in numbers, for slot (layer * 2 + part), row, head and place. */
export interface FreshLayout {
  readonly slot: number;
  readonly row: number;
  readonly head: number;
  readonly place: number;
}

/** See the module's header. */
export class KvStore {
  readonly data: Float32Array;
  readonly tensor: Tensor;
  private readonly slots: number;
  private readonly rowSize: number;

  constructor(readonly shape: StoreShape) {
    this.slots = 2 * shape.layers;
    this.rowSize = BLOCK_SIZE * shape.headDim;
    const rows = this.slots * shape.blocks * shape.kvHeads;
    try {
      this.data = new Float32Array(rows * this.rowSize);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new LimitError('bytes of KV pool', rows * this.rowSize * 4, 2 ** 32);
    }
    this.tensor = new Tensor('float32', this.data, [rows, this.rowSize]);
  }

  bytes(): number {
    return this.data.byteLength;
  }

  /**
   * Writes `count` new positions of one sequence, from place `from` of row `row` of a run's output, at positions `start` on,
   * into the blocks of `table`.
   */
  write(
    fresh: Float32Array,
    layout: FreshLayout,
    row: number,
    from: number,
    count: number,
    table: readonly number[],
    start: number,
  ): void {
    const { blocks, kvHeads, headDim } = this.shape;
    const { data, rowSize, slots } = this;
    for (let slot = 0; slot < slots; slot++) {
      const source = slot * layout.slot + row * layout.row;
      for (let i = 0; i < count; i++) {
        const position = start + i;
        const block = table[Math.floor(position / BLOCK_SIZE)]!;
        const inBlock = (position % BLOCK_SIZE) * headDim;
        for (let h = 0; h < kvHeads; h++) {
          let to = ((slot * blocks + block) * kvHeads + h) * rowSize + inBlock;
          let at = source + h * layout.head + (from + i) * layout.place;
          for (const end = at + headDim; at < end; at++, to++) data[to] = fresh[at]!;
        }
      }
    }
  }

  /** Copies the first `positions` of a block to another one. */
  copyBlock(from: number, to: number, positions: number): void {
    const { blocks, kvHeads, headDim } = this.shape;
    for (let slot = 0; slot < this.slots; slot++) {
      for (let h = 0; h < kvHeads; h++) {
        const a = ((slot * blocks + from) * kvHeads + h) * this.rowSize;
        const b = ((slot * blocks + to) * kvHeads + h) * this.rowSize;
        this.data.copyWithin(b, a, a + positions * headDim);
      }
    }
  }

  /** Numbers that one block holds over all layers. */
  blockSize(): number {
    return this.slots * this.shape.kvHeads * this.rowSize;
  }

  /** Copies a block out of the pool. */
  save(block: number): Float32Array {
    const width = this.shape.kvHeads * this.rowSize;
    const out = new Float32Array(this.slots * width);
    for (let slot = 0; slot < this.slots; slot++) {
      const at = (slot * this.shape.blocks + block) * width;
      out.set(this.data.subarray(at, at + width), slot * width);
    }
    return out;
  }

  /** Copies a saved block into the pool. */
  restore(block: number, saved: Float32Array): void {
    const width = this.shape.kvHeads * this.rowSize;
    for (let slot = 0; slot < this.slots; slot++) {
      const at = (slot * this.shape.blocks + block) * width;
      this.data.set(saved.subarray(slot * width, (slot + 1) * width), at);
    }
  }
}
