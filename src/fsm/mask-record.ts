/** A mask as references to shared parts, so that making one allocates little; written out when it is asked for. */

/** Allowed tokens = the bits of the bases and `within`, less `removed`; then `lists` and `added`. */
export interface MaskRecord {
  readonly bases: readonly Uint32Array[];
  readonly within: readonly Int32Array[];
  readonly removed: Int32Array;
  readonly lists: readonly Int32Array[];
  readonly added: Int32Array;
  /** Tokens that a cut state cannot decide; none in the record of a whole state. */
  readonly doubt: Int32Array;
  /** Single bits. */
  readonly single: number;
  /** Merged form, made when a record of several bases or many bits is used again. */
  dense: Uint32Array | undefined;
  uses: number;
}

export const NONE: Int32Array = new Int32Array(0);

/** Records with more single bits than this are merged when used again. */
const MAX_SINGLE_BITS = 256;
/** Uses after which a record of several parts is merged into one mask. */
const PROMOTE_AFTER = 3;

/** What a record is made of, while it is collected. */
export class MaskParts {
  readonly bases: Uint32Array[] = [];
  readonly within: Int32Array[] = [];
  readonly lists: Int32Array[] = [];
  readonly found: number[] = [];
  readonly doubt: number[] = [];
  removed: Int32Array = NONE;

  addList(list: Int32Array): void {
    if (list.length > 0) this.lists.push(list);
  }

  addBase(base: Uint32Array): void {
    if (!this.bases.includes(base)) this.bases.push(base);
  }

  addDoubt(list: Int32Array): void {
    for (let i = 0; i < list.length; i++) this.doubt.push(list[i]!);
  }

  record(): MaskRecord {
    return makeRecord(this.bases, this.within, this.removed, this.lists, ids(this.found), ids(this.doubt));
  }
}

export function ids(list: readonly number[]): Int32Array {
  if (list.length === 0) return NONE;
  const out = new Int32Array(list.length);
  for (let i = 0; i < list.length; i++) out[i] = list[i]!;
  return out;
}

export function makeRecord(
  bases: readonly Uint32Array[],
  within: readonly Int32Array[],
  removed: Int32Array,
  lists: readonly Int32Array[],
  added: Int32Array,
  doubt: Int32Array,
): MaskRecord {
  let single = removed.length + added.length;
  for (const list of within) single += list.length;
  for (const list of lists) single += list.length;
  return { bases, within, removed, lists, added, doubt, single, dense: undefined, uses: 0 };
}

/** Bytes that a record holds by itself. */
export function recordBytes(record: MaskRecord): number {
  return (
    160 +
    8 * (record.within.length + record.lists.length) +
    4 * (record.doubt.length + record.removed.length + record.added.length)
  );
}

/**
 * Writes a record into a mask; words from `words` on are zeroed. Returns the bytes that were newly allocated (the merged form of a
 * record that is used often).
 */
export function writeRecord(record: MaskRecord, mask: Uint32Array, words: number): number {
  const { bases, within, lists, removed, added } = record;
  if (record.dense !== undefined) {
    mask.set(record.dense);
    if (mask.length > words) mask.fill(0, words);
    return 0;
  }
  if (bases.length === 0) mask.fill(0);
  else {
    mask.set(bases[0]!);
    for (let i = 1; i < bases.length; i++) {
      const base = bases[i]!;
      for (let w = 0; w < base.length; w++) mask[w]! |= base[w]!;
    }
    if (mask.length > words) mask.fill(0, words);
  }
  for (let k = 0; k < within.length; k++) setBits(within[k]!, mask);
  for (let i = 0; i < removed.length; i++) mask[removed[i]! >> 5]! &= ~(1 << (removed[i]! & 31));
  for (let k = 0; k < lists.length; k++) setBits(lists[k]!, mask);
  setBits(added, mask);
  if ((record.single > MAX_SINGLE_BITS || bases.length > 1) && ++record.uses > PROMOTE_AFTER) {
    record.dense = mask.slice(0, words);
    return words * 4;
  }
  return 0;
}

function setBits(list: Int32Array, mask: Uint32Array): void {
  for (let i = 0; i < list.length; i++) mask[list[i]! >> 5]! |= 1 << (list[i]! & 31);
}
