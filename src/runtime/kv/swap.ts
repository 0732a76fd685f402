/**
 * Where suspended sequences keep their blocks: host memory up to a limit, then a file up to another.
 *
 * The file has slots of one block each, is made on first use in the system's temporary folder and removed at the end. What comes
 * back from it is checked by a hash: a damaged file is an error of the sequence that needed it, never wrong output.
 */
import { createHash } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LimitError, ModelError } from '../../base/errors.js';
import { asBytes, asFloats } from '../onnx/tensor.js';
import type { SavedBlock } from './store.js';

export interface SwapLimits {
  /** Bytes in memory. */
  readonly memory: number;
  /** Bytes in the file; 0: no file. */
  readonly file: number;
}

/** A block that was put away. */
export type Swapped =
  | { readonly block: SavedBlock; readonly size: number }
  | { readonly slot: number; readonly hash: string; readonly shape: Shape; readonly size: number };

interface Shape {
  readonly data: number;
  readonly int8: boolean;
  readonly scales: number;
}

/** See the module's header. */
export class SwapStore {
  private inMemory = 0;
  private slots = 0;
  private readonly freeSlots: number[] = [];
  private file: { readonly fd: number; readonly folder: string; readonly slotBytes: number } | undefined;

  constructor(
    private readonly limits: SwapLimits,
    private readonly folder = tmpdir(),
  ) {}

  /** Bytes put away now, in memory and in the file. */
  bytes(): { readonly memory: number; readonly file: number } {
    const used = this.slots - this.freeSlots.length;
    return { memory: this.inMemory, file: used * (this.file?.slotBytes ?? 0) };
  }

  /** Whether `count` blocks of `size` bytes have room. */
  hasRoom(count: number, size: number): boolean {
    const memory = Math.floor(Math.max(0, this.limits.memory - this.inMemory) / size);
    const file = Math.floor(this.limits.file / size) - (this.slots - this.freeSlots.length);
    return count <= memory + Math.max(0, file);
  }

  /** Puts a block away; throws LimitError where nothing has room, ModelError where the file cannot be written. */
  put(block: SavedBlock): Swapped {
    const size = block.data.byteLength + block.scales.byteLength;
    if (this.inMemory + size <= this.limits.memory) {
      this.inMemory += size;
      return { block, size };
    }
    const slot = this.freeSlots.pop() ?? this.slots;
    if ((slot + 1) * size > this.limits.file) {
      if (slot < this.slots) this.freeSlots.push(slot);
      throw new LimitError(
        'bytes of suspended KV',
        this.inMemory + (slot + 1) * size,
        this.limits.memory + this.limits.file,
      );
    }
    if (slot === this.slots) this.slots++;
    const [data, scales] = [asBytes(block.data), asBytes(block.scales)];
    try {
      const { fd, slotBytes } = this.opened(size);
      writeSync(fd, data, 0, data.length, slot * slotBytes);
      if (scales.length > 0) writeSync(fd, scales, 0, scales.length, slot * slotBytes + data.length);
    } catch (error) {
      this.freeSlots.push(slot);
      const why = error instanceof Error ? error.message : String(error);
      throw new ModelError('swap file', 'a file that can be written', why, { cause: error });
    }
    const shape = { data: data.length, int8: block.data instanceof Int8Array, scales: scales.length };
    return { slot, hash: hashOf(data, scales), shape, size };
  }

  /** Reads a block back; it stays put away until dropped. Throws ModelError where the file is not what was written. */
  get(swapped: Swapped): SavedBlock {
    if ('block' in swapped) return swapped.block;
    const { slot, shape, hash } = swapped;
    const bytes = new Uint8Array(shape.data + shape.scales);
    let read = 0;
    try {
      const { fd, slotBytes } = this.opened(bytes.length);
      read = readSync(fd, bytes, 0, bytes.length, slot * slotBytes);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new ModelError('swap file', 'a file that can be read', why, { cause: error });
    }
    const [data, scales] = [bytes.subarray(0, shape.data), bytes.subarray(shape.data)];
    if (read !== bytes.length || hashOf(data, scales) !== hash) {
      throw new ModelError('swap file', 'the block that was written', 'other content; the sequence is lost');
    }
    const numbers = shape.int8 ? new Int8Array(data.buffer, 0, shape.data) : asFloats(data);
    return { data: numbers, scales: asFloats(scales) };
  }

  drop(swapped: Swapped): void {
    if ('block' in swapped) this.inMemory -= swapped.size;
    else this.freeSlots.push(swapped.slot);
  }

  dispose(): void {
    if (this.file === undefined) return;
    closeSync(this.file.fd);
    rmSync(this.file.folder, { recursive: true, force: true });
    this.file = undefined;
  }

  private opened(slotBytes: number): { readonly fd: number; readonly slotBytes: number } {
    if (this.file === undefined) {
      const folder = mkdtempSync(path.join(this.folder, 'tokenloom-swap-'));
      this.file = { fd: openSync(path.join(folder, 'blocks'), 'w+', 0o600), folder, slotBytes };
    }
    return this.file;
  }
}

function hashOf(...parts: readonly Uint8Array[]): string {
  const hash = createHash('sha1');
  for (const p of parts) hash.update(p);
  return hash.digest('base64');
}
