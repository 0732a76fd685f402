/**
 * The naive twin of the device sampler: a token from logits on the host by the rules of {@link SampleSpec}: edits, mask, temperature, top-k,
 * top-p, min-p by sorting, then Gumbel-max with the same noise.
 */
import { OptionError } from '../../src/base/errors.js';
import type { Sampled, SampleSpec } from '../../src/decoder/model.js';
import type { Noise } from '../../src/runtime/sampling/noise.js';

/** One token among the first `tokens` columns. Throws OptionError where the mask allows none. */
export function choose(logits: Float32Array, spec: SampleSpec, tokens: number, noise: Noise): Sampled {
  let ids = allowedIds(spec, Math.min(tokens, logits.length));
  if (ids.length === 0) throw new OptionError('mask', 'at least one allowed token', 'none');
  const edited = new Map<number, number>();
  for (const [i, id] of [...(spec.edits?.ids ?? [])].entries()) {
    const [divide, add] = [spec.edits?.divide[i] ?? 1, spec.edits?.add[i] ?? 0];
    edited.set(id, (logits[id]! > 0 ? logits[id]! / divide : logits[id]! * divide) + add);
  }
  const score = (id: number): number => edited.get(id) ?? logits[id]!;
  let peak = Number.NEGATIVE_INFINITY;
  for (const id of ids) peak = Math.max(peak, score(id));
  let sum = 0;
  for (const id of ids) sum += Math.exp(score(id) - peak);
  const total = peak + Math.log(sum);
  const { temperature } = spec;
  if (temperature > 0) ids = filtered(ids, (id) => score(id) / temperature, spec);
  let best = ids[0]!;
  let greatest = Number.NEGATIVE_INFINITY;
  for (const id of ids) {
    const rank = temperature > 0 ? score(id) / temperature + noise.at(spec.seed, id) : score(id);
    if (rank > greatest) [best, greatest] = [id, rank];
  }
  let whole = 0;
  for (let id = 0; id < tokens; id++) whole += Math.exp(score(id) - peak);
  return { token: best, logprob: score(best) - total, before: score(best) - peak - Math.log(whole) };
}

function allowedIds(spec: SampleSpec, tokens: number): number[] {
  const { mask } = spec;
  if (mask?.kind === 'allow') return [...mask.ids].filter((t) => t < tokens);
  const denied = new Set(mask?.kind === 'deny' ? mask.ids : []);
  const out: number[] = [];
  for (let t = 0; t < tokens; t++) {
    if (mask?.kind === 'bits' ? ((mask.bits[t >>> 5] ?? 0) >>> (t & 31)) & 1 : !denied.has(t)) out.push(t);
  }
  return out;
}

/** What top-k, top-p and min-p leave, each working on what the one before left. */
function filtered(ids: number[], score: (id: number) => number, spec: SampleSpec): number[] {
  const { topK, topP, minP } = spec;
  if (topK <= 0 && topP >= 1 && minP <= 0) return ids;
  let kept = [...ids].sort((a, b) => score(b) - score(a) || a - b);
  if (topK > 0) kept = kept.slice(0, topK);
  const peak = score(kept[0]!);
  const weights = kept.map((id) => Math.exp(score(id) - peak));
  if (topP < 1) {
    const limit = topP * weights.reduce((a, b) => a + b, 0);
    let sum = 0;
    let n = 0;
    while (n < kept.length && sum < limit) sum += weights[n++]!;
    kept = kept.slice(0, Math.max(1, n));
  }
  return minP > 0 ? kept.filter((_, i) => weights[i]! >= minP) : kept;
}
