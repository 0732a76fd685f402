/**
 * Protobuf wire format, the four wire types that ONNX uses: varint, 64-bit, length-delimited, 32-bit.
 *
 * The usual way is a generated library with one class per message; ONNX needs a dozen messages and one thing such libraries
 * do badly: weights of hundreds of megabytes must stay views into the file's buffer. So: a cursor over bytes and a writer
 * that first measures and then fills one buffer of the exact size, so that each weight is copied once.
 *
 * 64-bit integers are numbers where they are safe integers, else bigint.
 *
 * Source: protobuf.dev/programming-guides/encoding.
 */
import { ModelError } from '../../base/errors.js';

/** A 64-bit integer: number while safe, else bigint. */
export type Int = number | bigint;

export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

const TWO32 = 0x1_0000_0000;
const utf8 = new TextDecoder('utf-8');
const utf8Encoder = new TextEncoder();

/** Combines two 32-bit halves to a signed (or unsigned) 64-bit integer. */
export function joinInt(lo: number, hi: number, signed: boolean): Int {
  const high = signed ? hi | 0 : hi >>> 0;
  const value = high * TWO32 + (lo >>> 0);
  if (Number.isSafeInteger(value)) return value;
  return (BigInt(high) << 32n) | BigInt(lo >>> 0);
}

/** A cursor over bytes. Every read checks its bounds and throws ModelError with the offset. */
export class WireReader {
  readonly view: DataView;
  at: number;
  constructor(
    readonly bytes: Uint8Array,
    /** What is read, for messages: a path or 'model'. */
    readonly source: string,
    start = 0,
    readonly end = bytes.length,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = start;
  }

  fail(expected: string, got: string): ModelError {
    return new ModelError(this.source, `${expected} at byte ${this.at}`, got);
  }

  /** The next varint as two halves: returns the low 32 bits and leaves the high ones in {@link high}. */
  high = 0;
  varint(): number {
    let lo = 0;
    let hi = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.at >= this.end) throw this.fail('a number', 'the end of the data');
      const byte = this.bytes[this.at++]!;
      const low7 = byte & 0x7f;
      if (shift < 28) lo |= low7 << shift;
      else if (shift === 28) {
        lo |= low7 << 28;
        hi |= low7 >>> 4;
      } else hi |= shift - 32 < 32 ? low7 << (shift - 32) : 0;
      if (byte < 0x80) {
        this.high = hi >>> 0;
        return lo >>> 0;
      }
    }
    throw this.fail('a number of at most ten bytes', 'a longer one');
  }

  int64(): Int {
    const lo = this.varint();
    return joinInt(lo, this.high, true);
  }

  uint64(): Int {
    const lo = this.varint();
    return joinInt(lo, this.high, false);
  }

  int32(): number {
    return this.varint() | 0;
  }

  float(): number {
    this.need(4);
    const value = this.view.getFloat32(this.at, true);
    this.at += 4;
    return value;
  }

  double(): number {
    this.need(8);
    const value = this.view.getFloat64(this.at, true);
    this.at += 8;
    return value;
  }

  /** Length of a delimited field, checked against what is left. */
  length(): number {
    const n = this.varint();
    if (this.high !== 0 || n > this.end - this.at) {
      throw this.fail(`a field of at most ${this.end - this.at} bytes`, `a length of ${this.high * TWO32 + n}`);
    }
    return n;
  }

  /** A view of the next delimited field: no copy. */
  chunk(): Uint8Array {
    const n = this.length();
    const out = this.bytes.subarray(this.at, this.at + n);
    this.at += n;
    return out;
  }

  string(): string {
    return utf8.decode(this.chunk());
  }

  /** Moves past a field of the given wire type. */
  skip(wire: number): void {
    if (wire === VARINT) this.varint();
    else if (wire === FIXED64) this.advance(8);
    else if (wire === BYTES) this.advance(this.length());
    else if (wire === FIXED32) this.advance(4);
    else throw this.fail('wire type 0, 1, 2 or 5', `wire type ${wire} (is this an ONNX file?)`);
  }

  private advance(n: number): void {
    this.need(n);
    this.at += n;
  }

  private need(n: number): void {
    if (n > this.end - this.at) throw this.fail(`${n} bytes`, `only ${this.end - this.at}`);
  }
}

/** Bytes that a varint takes. */
export function varintSize(value: Int): number {
  if (typeof value === 'bigint' || value < 0) {
    const v = BigInt.asUintN(64, BigInt(value));
    let n = 1;
    for (let x = v >> 7n; x > 0n; x >>= 7n) n++;
    return n;
  }
  let n = 1;
  for (let x = value; x >= 128; x = Math.floor(x / 128)) n++;
  return n;
}

/** Fills a buffer whose size is known beforehand. */
export class WireWriter {
  readonly bytes: Uint8Array;
  private readonly view: DataView;
  at = 0;
  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
  }

  varint(value: Int): void {
    if (typeof value === 'bigint' || value < 0) {
      let v = BigInt.asUintN(64, BigInt(value));
      while (v >= 128n) {
        this.bytes[this.at++] = Number(v & 127n) | 128;
        v >>= 7n;
      }
      this.bytes[this.at++] = Number(v);
      return;
    }
    let v = value;
    while (v >= 128) {
      this.bytes[this.at++] = (v % 128) | 128;
      v = Math.floor(v / 128);
    }
    this.bytes[this.at++] = v;
  }

  float(value: number): void {
    this.view.setFloat32(this.at, value, true);
    this.at += 4;
  }

  double(value: number): void {
    this.view.setFloat64(this.at, value, true);
    this.at += 8;
  }

  raw(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }
}

/** UTF-8 bytes of a string. */
export function encodeUtf8(text: string): Uint8Array {
  return utf8Encoder.encode(text);
}
