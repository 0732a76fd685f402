/**
 * Planted routing: weights of a mixture whose tokens use the experts of their domain, as trained mixtures tend to, so that batching
 * by experts has something to find. Random routers spread every token over all experts alike.
 *
 * Token t belongs to domain t mod `domains`, expert e to domain floor(e * domains / experts). The first `domains` dimensions of the
 * residual stream are set aside: the embedding writes the domain there, nothing else does, and the routers listen to them
 * above all. With probability 1 - affinity a token carries another domain's mark.
 */
import { createRandom } from '../../base/random.js';
import type { WeightSource } from './llama-graph.js';

export interface PlantedRouting {
  readonly domains: number;
  /** Probability that a token uses its own domain's experts. */
  readonly affinity: number;
  readonly seed: number;
}

/** Strength of the mark against unit-size activations, and of the routers' attention to it. */
const MARK = 8;
const PULL = 2;

/** Wraps a weight source for a mixture with this hidden size. */
export function plantRouting(source: WeightSource, hidden: number, planted: PlantedRouting): WeightSource {
  const { domains, affinity, seed } = planted;
  return (name, dims) => {
    const w = source(name, dims);
    const part = name.split('.').at(-1);
    if (part === 'embed') {
      const random = createRandom(seed);
      for (let t = 0; t < w.length / hidden; t++) {
        const own = t % domains;
        const other = (own + 1 + random.below(Math.max(1, domains - 1))) % domains;
        const mark = random.float() < affinity ? own : other;
        for (let d = 0; d < domains; d++) w[t * hidden + d] = d === mark ? MARK : 0;
      }
    } else if (part === 'o' || part === 'fc2' || part === 'down') {
      // [.., hidden, inputs]: rows that would write the marked dimensions.
      const inputs = dims.at(-1) ?? 1;
      for (let at = 0; at < w.length; at += hidden * inputs) w.fill(0, at, at + domains * inputs);
    } else if (part === 'router') {
      const experts = dims[0] ?? 1;
      for (let e = 0; e < experts; e++) {
        const own = Math.floor((e * domains) / experts);
        for (let d = 0; d < domains; d++) w[e * hidden + d] = d === own ? PULL : 0;
      }
    } else if (part === 'head') {
      for (let t = 0; t < w.length / hidden; t++) w.fill(0, t * hidden, t * hidden + domains);
    }
    return w;
  };
}
