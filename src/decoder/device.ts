/**
 * Choosing tokens where the logits live on a device: masks are computed while the pass runs, then one sampler call serves all rows and
 * all draft positions. Nothing but token ids and their log probabilities comes back, unless more is to be reported.
 *
 * A draft position is sampled as if the drafts before it held; the walk in {@link Sequence.advance} stops at the first that does not.
 */
import { ModelError } from '../base/errors.js';
import type { SampleSpec } from './model.js';
import type { Sequence } from './sequence.js';

/** Longest id list: past it, the device unfolds bits in less time than it gathers. */
const MOST_IDS = 4096;
/** Short lists are as good as bits in bytes, and spare work on the device, whatever the vocabulary. */
const FEW_IDS = 64;
/** Bytes of a denied place: row and column as 64-bit numbers, and a value. */
const DENIED_BYTES = 20;

/** A position that is to be chosen on the device. */
export interface Choice {
  readonly owner: Sequence;
  readonly spec: SampleSpec;
  /** The mask as bits; undefined: unconstrained. */
  readonly bits: Uint32Array | undefined;
  /** Asks for the likeliest token without the token budget, where that allows more. */
  readonly free: SampleSpec | undefined;
  readonly maskMs: number;
}

/** What to choose for one row: one position after another (forced drafts are skipped), masks included. */
export function choicesOf(row: number, sequence: Sequence, vocabularySize: number): Choice[] {
  const { matcher, draft } = sequence;
  const constrained = matcher !== undefined && !sequence.thinking;
  const out: Choice[] = [];
  let accepted = 0;
  for (let position = 0; position <= draft.length; position++) {
    if (draft[position]?.forced !== true) {
      const bits = constrained ? new Uint32Array((vocabularySize + 31) >>> 5) : undefined;
      const maskMs = bits === undefined ? 0 : sequence.fillMask(bits);
      const mask = bits === undefined ? undefined : pack(bits, vocabularySize);
      const spec = { row, position, ...(mask === undefined ? {} : { mask }), ...sequence.spec(out.length) };
      const free = bits === undefined ? undefined : matcher?.unbudgeted?.(bits);
      out.push({ owner: sequence, spec, bits, free: free && likeliest(spec, free, vocabularySize), maskMs });
    }
    const next = draft[position];
    if (next === undefined) break;
    if (constrained) {
      if (!matcher.accept(next.token)) break;
      accepted++;
    }
  }
  if (accepted > 0) matcher?.rollback(accepted);
  return out;
}

/** Asks what a spec would choose under other bits (copied: the matcher writes to its own again). */
const likeliest = (spec: SampleSpec, bits: Uint32Array, size: number): SampleSpec => ({
  ...spec,
  mask: pack(bits.slice(), size),
  temperature: 0,
  whole: false,
});

/** The form of a mask that takes the fewest bytes: allowed ids, denied ids, or bits. @throws ModelError for one that allows nothing */
export function pack(bits: Uint32Array, size: number): NonNullable<SampleSpec['mask']> {
  let count = 0;
  for (let w = 0; w < bits.length; w++) {
    let v = bits[w]!;
    v -= (v >>> 1) & 0x55555555;
    v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
    count += Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
  }
  if (count === 0) throw new ModelError("the constraint's mask", 'at least one allowed token', 'none');
  const asBits = 4 * bits.length;
  if (count <= MOST_IDS && (count <= FEW_IDS || 4 * count <= asBits)) return { kind: 'allow', ids: idsOf(bits, count) };
  const denied = size - count;
  if (DENIED_BYTES * denied > asBits) return { kind: 'bits', bits };
  const rest = bits.map((w) => ~w);
  if (size % 32 !== 0) rest[rest.length - 1]! &= 2 ** (size % 32) - 1;
  return { kind: 'deny', ids: idsOf(rest, denied) };
}

/** The set bits, ascending. */
export function idsOf(bits: Uint32Array, count: number): Int32Array {
  const ids = new Int32Array(count);
  let n = 0;
  for (let w = 0; w < bits.length; w++) {
    for (let b = bits[w]!; b !== 0; b &= b - 1) ids[n++] = (w << 5) + 31 - Math.clz32(b & -b);
  }
  return ids;
}
