/**
 * Text being remembered, as interned bytes: a capture is (capture before, byte). `none` remembers nothing (and stays so), `empty`
 * has read nothing yet; `apart` remembers only that the text differs from all that it is compared with, `unlike` (budgets) that it also
 * differs from all that will be compared with it.
 */

import { TupleTable } from '../base/tuple-table.js';
import { decodeUtf8 } from '../base/utf8.js';

export class Captures {
  private readonly tuples = new TupleTable(16);
  private readonly lengths: number[] = [];
  readonly none: number;
  readonly empty: number;
  readonly apart: number;
  readonly unlike: number;

  constructor() {
    this.none = this.tuples.intern([0], 1);
    this.empty = this.tuples.intern([1], 1);
    this.apart = this.tuples.intern([2], 1);
    this.unlike = this.tuples.intern([3], 1);
    this.lengths.push(0, 0, 0, 0);
  }

  get bytes(): number {
    return this.tuples.bytes + this.lengths.length * 8;
  }

  append(capture: number, byte: number): number {
    if (!this.isKept(capture)) return capture;
    const id = this.tuples.intern([capture, byte], 2);
    this.lengths[id] ??= this.lengths[capture]! + 1;
    return id;
  }

  /** Whether text is being remembered. */
  isKept(capture: number): boolean {
    return capture !== this.none && capture !== this.apart && capture !== this.unlike;
  }

  /** Bytes remembered. */
  lengthOf(capture: number): number {
    return this.lengths[capture]!;
  }

  /** What was remembered before the last byte of a text that is not empty. */
  before(capture: number): number {
    return this.tuples.data[this.tuples.offsets[capture]!]!;
  }

  /** The text from byte `from` on; undefined where none is kept, and where less was captured. */
  text(capture: number, from = 0): string | undefined {
    if (!this.isKept(capture)) return undefined;
    const n = this.lengths[capture]! - from;
    if (n < 0) return undefined;
    const raw = new Uint8Array(n);
    let c = capture;
    for (let i = n - 1; i >= 0; i--) {
      const o = this.tuples.offsets[c]!;
      raw[i] = this.tuples.data[o + 1]!;
      c = this.tuples.data[o]!;
    }
    return decodeUtf8(raw);
  }

  /** What is decoded so far of a JSON string whose content is captured from byte `from` on; a character or an escape that is cut off is left out. */
  stringPrefix(capture: number, from = 0): string | undefined {
    // A cut character decodes to U+FFFD at the end, an escape that is cut off (the last of an unpaired run of backslashes) goes too.
    const text = this.text(capture, from)?.replace(/\uFFFD+$/, '');
    if (text === undefined || !text.includes('\\')) return text;
    const whole = /^(?:[^\\]|\\u[0-9a-fA-F]{4}|\\[^u])*/.exec(text)?.[0] ?? '';
    return JSON.parse(`"${whole}"`) as string;
  }

  /** The decoded content of a JSON string that was captured without its quotes; undefined for `none`. */
  key(capture: number): string | undefined {
    const text = this.text(capture);
    return text === undefined ? undefined : (JSON.parse(`"${text}"`) as string);
  }

  /** The same capture of other tables. */
  carry(from: Captures, capture: number): number {
    if (!from.isKept(capture)) return capture;
    const bytes: number[] = [];
    for (let c = capture; c !== from.empty; ) {
      const o = from.tuples.offsets[c]!;
      bytes.push(from.tuples.data[o + 1]!);
      c = from.tuples.data[o]!;
    }
    let made = this.empty;
    for (let i = bytes.length - 1; i >= 0; i--) made = this.append(made, bytes[i]!);
    return made;
  }
}
