/**
 * Interns tuples of 32-bit integers: equal tuples get equal ids, ids count up from 0.
 *
 * All run-time values of the recognizer (terms, stacks, configs, states) are such tuples, so equality is `===` on integers and
 * memo tables are keyed by small numbers. Tuples lie end to end in one Int32Array; the index is open addressing with linear probing
 * at most half full. Ids and data never move or change; the table only grows (its owner bounds it by `bytes`).
 */
export class TupleTable {
  /** All tuples end to end; tuple `id` is data[offsets[id] .. offsets[id + 1]). */
  data: Int32Array;
  offsets: Int32Array;
  count = 0;
  private slots: Int32Array;
  private mask: number;

  constructor(expected = 64) {
    let size = 64;
    while (size < expected * 2) size *= 2;
    this.slots = new Int32Array(size);
    this.mask = size - 1;
    this.offsets = new Int32Array((size >> 1) + 2);
    this.data = new Int32Array(size * 2);
  }

  /** Bytes held. */
  get bytes(): number {
    return this.data.byteLength + this.offsets.byteLength + this.slots.byteLength;
  }

  /** Id of the tuple src[0..len), inserting it if new. */
  intern(src: ArrayLike<number>, len: number): number {
    let h = len | 0;
    for (let i = 0; i < len; i++) {
      h = Math.imul(h ^ src[i]!, 0x9e3779b1);
      h ^= h >>> 15;
    }
    const { mask } = this;
    let s = (h ^ (h >>> 13)) & mask;
    let slots = this.slots;
    const data = this.data;
    const offsets = this.offsets;
    for (;;) {
      const v = slots[s]!;
      if (v === 0) break;
      const o = offsets[v - 1]!;
      if (offsets[v]! - o === len) {
        let i = 0;
        while (i < len && data[o + i] === src[i]) i++;
        if (i === len) return v - 1;
      }
      s = (s + 1) & mask;
    }
    const id = this.count++;
    const end = offsets[id]! + len;
    if (end > this.data.length) {
      const grown = new Int32Array(Math.max(this.data.length * 2, end));
      grown.set(this.data);
      this.data = grown;
    }
    for (let i = 0, o = end - len; i < len; i++) this.data[o + i] = src[i]!;
    if (id + 2 > this.offsets.length) {
      const grown = new Int32Array(this.offsets.length * 2);
      grown.set(this.offsets);
      this.offsets = grown;
    }
    this.offsets[id + 1] = end;
    slots[s] = id + 1;
    if (this.count * 2 > slots.length) {
      slots = this.rehash();
    }
    return id;
  }

  private rehash(): Int32Array {
    const size = this.slots.length * 2;
    const slots = new Int32Array(size);
    const mask = size - 1;
    const { data, offsets } = this;
    for (let id = 0; id < this.count; id++) {
      const from = offsets[id]!;
      const to = offsets[id + 1]!;
      let h = (to - from) | 0;
      for (let i = from; i < to; i++) {
        h = Math.imul(h ^ data[i]!, 0x9e3779b1);
        h ^= h >>> 15;
      }
      let s = (h ^ (h >>> 13)) & mask;
      while (slots[s] !== 0) s = (s + 1) & mask;
      slots[s] = id + 1;
    }
    this.slots = slots;
    this.mask = mask;
    return slots;
  }
}

/** A map from a pair of non-negative integers to an integer, open addressing; `get` returns -1 where absent. */
export class PairMap {
  private slots: Int32Array;
  private mask: number;
  count = 0;

  constructor(expected = 64) {
    let size = 64;
    while (size < expected * 2) size *= 2;
    this.slots = new Int32Array(size * 3);
    this.mask = size - 1;
  }

  get bytes(): number {
    return this.slots.byteLength;
  }

  get(a: number, b: number): number {
    const { slots, mask } = this;
    let h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b);
    h ^= h >>> 15;
    let s = h & mask;
    for (;;) {
      const i = s * 3;
      const k = slots[i]!;
      if (k === 0) return -1;
      if (k === a + 1 && slots[i + 1] === b) return slots[i + 2]!;
      s = (s + 1) & mask;
    }
  }

  set(a: number, b: number, value: number): void {
    if (this.count * 2 >= this.mask) this.grow();
    this.put(a, b, value);
  }

  clear(): void {
    this.slots = new Int32Array(64 * 3);
    this.mask = 63;
    this.count = 0;
  }

  private put(a: number, b: number, value: number): void {
    const { slots, mask } = this;
    let h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b);
    h ^= h >>> 15;
    let s = h & mask;
    for (;;) {
      const i = s * 3;
      const k = slots[i]!;
      if (k === 0) {
        slots[i] = a + 1;
        slots[i + 1] = b;
        slots[i + 2] = value;
        this.count++;
        return;
      }
      if (k === a + 1 && slots[i + 1] === b) {
        slots[i + 2] = value;
        return;
      }
      s = (s + 1) & mask;
    }
  }

  private grow(): void {
    const old = this.slots;
    const size = (this.mask + 1) * 2;
    this.slots = new Int32Array(size * 3);
    this.mask = size - 1;
    this.count = 0;
    for (let i = 0; i < old.length; i += 3) if (old[i] !== 0) this.put(old[i]! - 1, old[i + 1]!, old[i + 2]!);
  }
}
