/**
 * The text of the key being read, as interned bytes: a capture is (capture before, byte). `none` remembers nothing (and stays so),
 * `empty` has read nothing yet.
 */
import { TupleTable } from '../base/tuple-table.js';

export class Captures {
  private readonly tuples = new TupleTable(16);
  readonly none: number;
  readonly empty: number;

  constructor() {
    this.none = this.tuples.intern([0], 1);
    this.empty = this.tuples.intern([1], 1);
  }

  get bytes(): number {
    return this.tuples.bytes;
  }

  append(capture: number, byte: number): number {
    return capture === this.none ? capture : this.tuples.intern([capture, byte], 2);
  }

  /** The decoded JSON string content that was captured; undefined for `none`. */
  key(capture: number): string | undefined {
    if (capture === this.none) return undefined;
    const raw: number[] = [];
    for (let c = capture; c !== this.empty; ) {
      const o = this.tuples.offsets[c]!;
      raw.push(this.tuples.data[o + 1]!);
      c = this.tuples.data[o]!;
    }
    const text = new TextDecoder().decode(Uint8Array.from(raw.reverse()));
    return JSON.parse(`"${text}"`) as string;
  }
}
