/**
 * What a token's last visit to the experts tells of its next. Routers of trained mixtures listen to the token more than to its context
 * (Xue et al., OpenMoE, 2024, section 4; Muennighoff et al., OLMoE, 2024, "vocabulary specialization"), and the token that a step will run is known
 * before the step. So the experts of each token id are kept from the last time it ran, and a running share of hits by layer
 * says how far to believe them.
 *
 * A direct-mapped table of bounded size: tokens that fall on one entry replace each other.
 */

/** Most bytes of remembered choices. */
const MAX_BYTES = 2 ** 22;
const MAX_ENTRIES = 2 ** 15;
/** Weight of the newest token in the share of hits, once some are known. */
const RATE = 0.002;

export class TokenRouting {
  readonly layers: number;
  readonly k: number;
  /** Token of each entry; -1: none. */
  readonly #tags: Int32Array;
  /** Choices by entry, layer, choice. */
  readonly #choices: Uint16Array;
  /** By layer: share of a token's choices that were those of its last visit. */
  readonly #hits: Float64Array;
  #seen = 0;

  constructor(layers: number, k: number) {
    this.layers = layers;
    this.k = k;
    let entries = MAX_ENTRIES;
    while (entries > 1 && entries * layers * k * 2 > MAX_BYTES) entries >>= 1;
    this.#tags = new Int32Array(entries).fill(-1);
    this.#choices = new Uint16Array(entries * layers * k);
    this.#hits = new Float64Array(layers);
  }

  /** Takes the choices of one token: `ids[layer]` from `at` on. */
  learn(token: number, ids: readonly Uint16Array[], at: number): void {
    const { layers, k } = this;
    const entry = token & (this.#tags.length - 1);
    const known = this.#tags[entry] === token;
    const rate = known ? Math.max(RATE, 1 / ++this.#seen) : 0;
    this.#tags[entry] = token;
    for (let layer = 0; layer < layers; layer++) {
      const from = (entry * layers + layer) * k;
      const chosen = ids[layer]!;
      if (known) {
        let same = 0;
        for (let j = 0; j < k; j++) {
          const expert = chosen[at + j];
          for (let i = 0; i < k; i++) if (this.#choices[from + i] === expert) same++;
        }
        this.#hits[layer]! += rate * (same / k - this.#hits[layer]!);
      }
      for (let j = 0; j < k; j++) this.#choices[from + j] = chosen[at + j]!;
    }
  }

  /** Where the choices of a token start in {@link choices}, layer by layer; -1 where it is not known. */
  find(token: number): number {
    const entry = token & (this.#tags.length - 1);
    return this.#tags[entry] === token ? entry * this.layers * this.k : -1;
  }

  get choices(): Uint16Array {
    return this.#choices;
  }

  /** Chance that a remembered choice of this layer is made again. */
  trust(layer: number): number {
    return this.#hits[layer]!;
  }

  /** The same over all layers, for the metrics; 0 before any token came back. */
  get meanTrust(): number {
    return this.layers === 0 ? 0 : this.#hits.reduce((a, b) => a + b, 0) / this.layers;
  }
}
