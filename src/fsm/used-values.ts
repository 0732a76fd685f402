/**
 * Sets of JSON values: the object and array items that an array with unique items has so far.
 *
 * A value is where its text lies in the captures, known by a digest of its canonical text; a set is (set before, value). So an
 * item that ends, which a mask tries for every token that closes one, costs its text once, and keeps none of it.
 */
import { parseJson } from '../base/parse-json.js';
import { TupleTable } from '../base/tuple-table.js';
import type { Captures } from './captures.js';
import { couldBecome, readPartial } from './partial-value.js';
import { canonicalJson } from './unique.js';

/** Characters of parsed values that are kept. */
const KEPT_CHARS = 1 << 22;
/** Texts whose values are remembered, and values in all of them. */
const KEPT_TEXTS = 1 << 14;
const KEPT_NEAR = 1 << 18;
/** Bytes of a token, mostly. */
const MOST_BYTES = 16;
const ID_SPAN = 2 ** 26;
const NOTHING: readonly number[] = [];

export class UsedValues {
  /** [] for the empty set, then [set before, value]. */
  private readonly sets = new TupleTable(16);
  private readonly sizes: number[] = [0];
  private readonly byDigest = new Map<number, number>();
  /** By value: its capture, and the byte where it begins there. */
  private readonly capture: number[] = [];
  private readonly start: number[] = [];
  private readonly parsed = new Map<number, unknown>();
  private parsedChars = 0;
  /** By set and first byte, then by capture: the values of the set that such a text could become. */
  private readonly near = new Map<number, Map<number, readonly number[]>>();
  private nearTexts = 0;
  private nearValues = 0;
  readonly none: number;

  constructor(private readonly captures: Captures) {
    this.none = this.sets.intern([], 0);
  }

  get bytes(): number {
    return (
      this.sets.bytes +
      this.sizes.length * 8 +
      this.capture.length * 56 +
      this.parsedChars * 2 +
      this.nearTexts * 48 +
      this.nearValues * 8
    );
  }

  sizeOf(set: number): number {
    return this.sizes[set]!;
  }

  /** The set with the value whose text begins at byte `start` of a capture; the same set where it has it already. */
  add(set: number, capture: number, start: number): number {
    const value = this.idOf(capture, start);
    const { data, offsets } = this.sets;
    for (let s = set; s !== this.none; s = data[offsets[s]!]!) if (data[offsets[s]! + 1] === value) return set;
    const made = this.sets.intern([set, value], 2);
    this.sizes[made] = this.sizes[set]! + 1;
    return made;
  }

  /**
   * Whether a text that begins at byte `start` of a capture could become a value of the set. Texts grow by bytes or tokens, so only the values are
   * compared that the last text before it could become: mostly none.
   */
  couldBecome(set: number, capture: number, start: number): boolean {
    return set !== this.none && this.nearTo(set, capture, start).length > 0;
  }

  private nearTo(set: number, capture: number, start: number): readonly number[] {
    const key = set * ID_SPAN + start;
    const texts = this.near.get(key);
    const known = texts?.get(capture);
    if (known !== undefined) return known;
    const { captures } = this;
    const n = captures.lengthOf(capture);
    let found: readonly number[] | undefined;
    if (texts !== undefined)
      for (let c = capture, k = Math.min(n - start, MOST_BYTES); k > 0 && found === undefined; k--) {
        c = captures.before(c);
        found = texts.get(c);
      }
    found ??= this.valuesOf(set);
    if (n > start && found.length > 0) {
      const part = readPartial(captures.text(capture, start)!);
      const near = found.filter((v) => couldBecome(part, this.value(v)));
      if (near.length < found.length) found = near.length === 0 ? NOTHING : near;
    }
    this.keep(key, capture, found);
    return found;
  }

  private keep(key: number, capture: number, values: readonly number[]): void {
    this.nearTexts++;
    this.nearValues += values.length;
    if (this.nearTexts > KEPT_TEXTS || this.nearValues > KEPT_NEAR) {
      this.near.clear();
      this.nearTexts = 1;
      this.nearValues = values.length;
    }
    let texts = this.near.get(key);
    if (texts === undefined) {
      texts = new Map();
      this.near.set(key, texts);
    }
    texts.set(capture, values);
  }

  private valuesOf(set: number): number[] {
    const values: number[] = [];
    const { data, offsets } = this.sets;
    for (let s = set; s !== this.none; s = data[offsets[s]!]!) values.push(data[offsets[s]! + 1]!);
    return values;
  }

  /** The same set among the values of other tables. */
  carry(from: UsedValues, set: number): number {
    let made = this.none;
    for (const v of from.valuesOf(set).reverse())
      made = this.add(made, this.captures.carry(from.captures, from.capture[v]!), from.start[v]!);
    return made;
  }

  private idOf(capture: number, start: number): number {
    const text = canonicalJson(parseJson(this.captures.text(capture, start)!));
    // A digest that another value has already is passed over: few ever meet.
    for (let digest = digestOf(text); ; digest++) {
      const known = this.byDigest.get(digest);
      if (known !== undefined && canonicalJson(this.value(known)) !== text) continue;
      if (known !== undefined) return known;
      const id = this.capture.length;
      this.capture.push(capture);
      this.start.push(start);
      this.byDigest.set(digest, id);
      return id;
    }
  }

  private value(id: number): unknown {
    if (this.parsed.has(id)) return this.parsed.get(id);
    const text = this.captures.text(this.capture[id]!, this.start[id]!)!;
    const value = parseJson(text);
    this.parsedChars += text.length;
    if (this.parsedChars > KEPT_CHARS) {
      this.parsed.clear();
      this.parsedChars = text.length;
    }
    this.parsed.set(id, value);
    return value;
  }
}

/** 53 bits of two multiplicative hashes. */
function digestOf(text: string): number {
  let a = 0x811c9dc5;
  let b = text.length;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    a = Math.imul(a ^ c, 0x01000193);
    b = Math.imul(b + c, 0x9e3779b1) ^ (b >>> 15);
  }
  return (a >>> 0) * 0x200000 + (b >>> 11);
}
