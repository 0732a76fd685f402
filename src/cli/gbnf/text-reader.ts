/**
 * Reads a text of any length through a recognizer, piece by piece, and knows the place where it stops: line, column, byte, the line's
 * text around it. What is kept of the text is bounded.
 */

import { LimitError } from '../../base/errors.js';
import { decodeUtf8 } from '../../base/utf8.js';
import { DEAD } from '../../fsm/layout.js';
import type { Recognizer } from '../../fsm/recognizer.js';
import { MAX_EXPLAINED } from './expect.js';

/** Where a text stops to fit. */
export interface Failure {
  /** From 1; columns in UTF-16 units. */
  readonly line: number;
  readonly column: number;
  /** From 0. */
  readonly byte: number;
  readonly offset: number;
  /** The text ended while more was needed. */
  readonly atEnd: boolean;
  /** State of the recognizer before the character that did not fit. */
  readonly state: number;
  /** The character; undefined at the end and for bytes that are no UTF-8. */
  readonly codePoint: number | undefined;
  /** The byte that did not fit, in hexadecimal. */
  readonly found: string;
  /** The text before it, where it is short enough to be kept. */
  readonly prefix: string | undefined;
  /** The line around the place, cut where it is long, and the column in that. */
  readonly lineText: string;
  readonly shownColumn: number;
}

/** Bytes of a line that are kept before the place, and shown after it. */
const CONTEXT = 1 << 12;
/** Most memory of a recognizer, in bytes. */
const MAX_MEMORY = 1 << 30;

export class TextReader {
  #state: number;
  /** Before the character being read. */
  #whole: number;
  #wholeByte = 0;
  #byte = 0;
  #offset = 0;
  #line = 1;
  #column = 1;
  /** Last bytes of the text, the ones being read included, and the byte at which they begin. */
  #recent: Uint8Array = new Uint8Array(0);
  #recentFrom = 0;
  #kept: Uint8Array[] = [];

  constructor(readonly recognizer: Recognizer) {
    this.#state = recognizer.start;
    this.#whole = this.#state;
  }

  /** Undefined where the text fits. Stops reading at the first character that does not. @throws LimitError */
  async read(chunks: AsyncIterable<Uint8Array> | readonly Uint8Array[]): Promise<Failure | undefined> {
    const pieces = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks.values();
    for (let piece = await pieces.next(); !piece.done; piece = await pieces.next()) {
      if (this.#take(piece.value)) continue;
      const more = this.#recentFrom + this.#recent.length - this.#wholeByte < CONTEXT ? await pieces.next() : undefined;
      if (more !== undefined && !more.done)
        this.#recent = Buffer.concat([this.#recent, more.value.subarray(0, CONTEXT)]);
      await pieces.return?.();
      return this.#failure(false);
    }
    if (this.recognizer.accepts(this.#state)) return undefined;
    this.#begin();
    return this.#failure(true);
  }

  /** False where a byte does not fit. */
  #take(bytes: Uint8Array): boolean {
    const { recognizer } = this;
    const keep = Math.max(0, this.#recent.length - CONTEXT);
    this.#recentFrom += keep;
    this.#recent = Buffer.concat([this.#recent.subarray(keep), bytes]);
    if (this.#byte <= MAX_EXPLAINED) this.#kept.push(bytes);
    else this.#kept = [];
    if (recognizer.bytes > MAX_MEMORY)
      throw new LimitError('bytes that matching this text takes', recognizer.bytes, MAX_MEMORY);
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i] as number;
      if ((byte & 0xc0) !== 0x80) this.#begin();
      const next = recognizer.step(this.#state, byte);
      if (next === DEAD) return false;
      this.#state = next;
      this.#byte++;
      if ((byte & 0xc0) === 0x80) continue;
      const units = byte >= 0xf0 ? 2 : 1;
      this.#offset += units;
      if (byte === 0x0a) {
        this.#line++;
        this.#column = 1;
      } else this.#column += units;
    }
    return true;
  }

  #begin(): void {
    this.#whole = this.#state;
    this.#wholeByte = this.#byte;
  }

  #failure(atEnd: boolean): Failure {
    // The first byte of the character was counted if a later one failed.
    const lead = this.#recent[this.#wholeByte - this.#recentFrom];
    const units = this.#byte > this.#wholeByte ? ((lead as number) >= 0xf0 ? 2 : 1) : 0;
    const at = this.#wholeByte - this.#recentFrom;
    const lineFrom = this.#recent.lastIndexOf(0x0a, at - 1) + 1;
    const from = at === 0 ? 0 : Math.max(lineFrom, at - CONTEXT);
    const end = this.#recent.indexOf(0x0a, at);
    const decode = (a: number, b: number): string => decodeUtf8(this.#recent.subarray(a, b));
    const before = decode(from, at);
    const after = decode(at, Math.min(end < 0 ? this.#recent.length : end, at + CONTEXT));
    const rest = decode(at, at + 4);
    const codePoint =
      atEnd || lead === undefined || (rest.startsWith('\ufffd') && lead !== 0xef) ? undefined : rest.codePointAt(0);
    const whole = this.#kept.length === 0 ? undefined : Buffer.concat(this.#kept).subarray(0, this.#wholeByte);
    return {
      line: this.#line,
      column: this.#column - units,
      byte: this.#wholeByte,
      offset: this.#offset - units,
      atEnd,
      state: this.#whole,
      codePoint,
      found: lead === undefined ? '' : `byte 0x${lead.toString(16).toUpperCase().padStart(2, '0')}`,
      prefix: whole !== undefined ? decodeUtf8(whole) : this.#wholeByte > 0 ? undefined : '',
      lineText: before + after,
      shownColumn: before.length + 1,
    };
  }
}
