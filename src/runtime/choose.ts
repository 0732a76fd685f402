/**
 * Choosing a token from logits on the host by the rules of {@link SampleSpec}: bias, mask, temperature, top-k, top-p, min-p, and then
 * Gumbel-max with noise that depends on seed and token alone (the twin of what the device graphs do).
 */
import { OptionError } from '../base/errors.js';
import type { Sampled, SampleSpec } from '../decoder/model.js';

/** Whether mask and temperature say it all. */
export function isPlain(spec: SampleSpec): boolean {
  const filters = spec.temperature > 0 && (spec.topK > 0 || spec.topP < 1 || spec.minP > 0);
  return !filters && spec.bias === undefined;
}

/** Standard Gumbel noise of one token: -log(-log(u)), u from a hash of seed and id. */
export function gumbel(seed: number, id: number): number {
  let h = (seed ^ Math.imul(id + 1, 0x9e3779b1)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad);
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97);
  h = (h ^ (h >>> 15)) >>> 0;
  return -Math.log(-Math.log((h + 0.5) / 0x1_0000_0000));
}

/** One token among the first `tokens` columns. Throws OptionError where the mask allows none. */
export function choose(logits: Float32Array, spec: SampleSpec, tokens: number): Sampled {
  let ids = allowedIds(spec, Math.min(tokens, logits.length));
  if (ids.length === 0) throw new OptionError('mask', 'at least one allowed token', 'none');
  const biased = new Map<number, number>();
  for (const [i, id] of [...(spec.bias?.ids ?? [])].entries()) biased.set(id, spec.bias?.values[i] ?? 0);
  const score = (id: number): number => logits[id]! + (biased.get(id) ?? 0);
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
    const rank = temperature > 0 ? score(id) / temperature + gumbel(spec.seed, id) : score(id);
    if (rank > greatest) [best, greatest] = [id, rank];
  }
  return { token: best, logprob: score(best) - total };
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
