/**
 * Choosing tokens where the logits live on a device: masks are computed while the pass runs, then one sampler call serves all rows and
 * all draft positions. Nothing but token ids comes back.
 *
 * A draft position is sampled as if the drafts before it held; the walk in {@link Sequence.advance} stops at the first that does not.
 */
import type { SampleSpec } from './model.js';
import type { Sequence } from './sequence.js';

const FEW = 4096;

/** Sample specs of one row: one per sampled position (forced drafts are skipped), masks included. */
export function specsOf(
  row: number,
  sequence: Sequence,
  vocabularySize: number,
): { specs: SampleSpec[]; positions: number[] } {
  const { sampling, matcher, draft } = sequence;
  const constrained = matcher !== undefined && !sequence.thinking;
  const specs: SampleSpec[] = [];
  const positions: number[] = [];
  let accepted = 0;
  for (let position = 0; position <= draft.length; position++) {
    if (draft[position]?.forced !== true) {
      const bits = new Uint32Array((vocabularySize + 31) >>> 5);
      if (constrained) sequence.fillMask(bits);
      specs.push({
        row,
        position,
        ...(constrained ? { mask: pack(bits) } : {}),
        temperature: sampling.temperature,
        topK: sampling.topK,
        topP: sampling.topP,
        minP: sampling.minP,
        seed: sequence.noiseSeed(specs.length),
      });
      positions.push(position);
    }
    const next = draft[position];
    if (next === undefined) break;
    if (constrained) {
      if (!matcher.accept(next.token)) break;
      accepted++;
    }
  }
  if (accepted > 0) matcher?.rollback(accepted);
  return { specs, positions };
}

/** Ids where few are allowed (they cross to the device in less, and need no expansion there), else bits. */
function pack(bits: Uint32Array): NonNullable<SampleSpec['mask']> {
  let count = 0;
  for (const word of bits) {
    for (let b = word; b !== 0; b &= b - 1) count++;
    if (count > FEW) return { kind: 'bits', bits };
  }
  return { kind: 'allow', ids: idsOf(bits, count) };
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
