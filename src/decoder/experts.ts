/**
 * Batches for mixtures of experts. On a CPU the time of an expert layer follows the number of distinct experts that a batch touches,
 * hardly its rows; so sequences that use the same experts should share steps. (Placing requests is the scheduler's work: the router's
 * choices are read, never changed.)
 *
 * Each sequence keeps a profile: per layer and expert the recent share of its tokens that went there (exponential mean). The profile is
 * the prediction for its next token. When more sequences are ready than a step has rows, the composer starts from the one that has waited
 * longest and adds, one at a time, the sequence whose expected use adds least to the union so far. Waiting is bounded by the
 * scheduler: it only offers sequences of equal urgency, and urgency rises with waiting.
 */
import type { ExpertTrace } from './model.js';

/** Weight of the newest token in a profile, once it has seen more than a few. */
const RATE = 0.1;

export class ExpertProfiles {
  readonly #profiles = new Map<number, Float32Array>();
  /** Tokens that each profile has seen. */
  readonly #seen = new Map<number, number>();
  #layers = 0;
  #experts = 0;
  /** Token rows per layer and expert since the start. */
  #load: Float64Array = new Float64Array(0);
  #steps = 0;
  #distinct = 0;
  /** Distinct experts summed over layers, and token rows over them, of the last pass. */
  lastStep = { distinct: 0, rows: 0 };

  /** Takes the routing of a pass: rows in step order with their token counts. */
  learn(rows: readonly { readonly id: number; readonly tokens: number }[], trace: ExpertTrace): void {
    const { k, experts, ids } = trace;
    const layers = ids.length;
    if (layers === 0) return;
    if (layers !== this.#layers || experts !== this.#experts) {
      this.#layers = layers;
      this.#experts = experts;
      this.#load = new Float64Array(layers * experts);
      this.#profiles.clear();
      this.#seen.clear();
    }
    let distinct = 0;
    let count = 0;
    const seen = new Uint8Array(experts);
    for (let layer = 0; layer < layers; layer++) {
      const chosen = ids[layer]!;
      seen.fill(0);
      for (let i = 0; i < chosen.length; i++) {
        const expert = chosen[i]!;
        if (seen[expert] === 0) {
          seen[expert] = 1;
          distinct++;
        }
        this.#load[layer * experts + expert]!++;
        count++;
      }
      let at = 0;
      for (const { id, tokens } of rows) {
        const profile = this.#profileOf(id);
        const from = layer * experts;
        let seen = this.#seen.get(id) ?? 0;
        for (let t = 0; t < tokens; t++, at += k) {
          const rate = Math.max(RATE, 1 / ++seen);
          for (let e = 0; e < experts; e++) profile[from + e]! *= 1 - rate;
          for (let j = 0; j < k; j++) {
            const expert = chosen[at + j];
            if (expert !== undefined) profile[from + expert]! += rate;
          }
        }
        if (layer === layers - 1) this.#seen.set(id, seen);
      }
    }
    this.#steps++;
    this.#distinct += distinct;
    this.lastStep = { distinct, rows: count };
  }

  forget(id: number): void {
    this.#profiles.delete(id);
    this.#seen.delete(id);
  }

  /** Expected use per layer and expert, 0 to 1; undefined before anything was learnt of the sequence. */
  profile(id: number): Float32Array | undefined {
    return this.#profiles.get(id);
  }

  /** Orders candidates so that a prefix of `rows` touches few experts; undefined while there is nothing to go by. */
  composer(): ((ids: readonly number[], rows: number) => readonly number[]) | undefined {
    if (this.#profiles.size === 0) return undefined;
    return (ids, rows) => {
      const left = [...ids];
      const out: number[] = [];
      // Chance that an expert stays untouched by the rows chosen so far, per layer and expert.
      const idle = new Float32Array(this.#layers * this.#experts).fill(1);
      while (out.length < rows && left.length > 0) {
        let best = 0;
        if (out.length > 0) {
          let least = Number.POSITIVE_INFINITY;
          for (let i = 0; i < left.length; i++) {
            const profile = this.#profiles.get(left[i]!);
            let added = 0;
            // One that nothing is known of runs soon: a single token tells where it belongs.
            if (profile !== undefined) for (let e = 0; e < idle.length; e++) added += idle[e]! * profile[e]!;
            if (added < least) {
              least = added;
              best = i;
            }
          }
        }
        const [id] = left.splice(best, 1);
        if (id === undefined) break;
        out.push(id);
        const profile = this.#profiles.get(id);
        if (profile !== undefined) for (let e = 0; e < idle.length; e++) idle[e]! *= 1 - Math.min(1, profile[e]!);
      }
      return [...out, ...left];
    };
  }

  /** Load per layer and expert, and what follows from it, for the metrics. */
  gauges(): Readonly<Record<string, number>> {
    if (this.#steps === 0) return {};
    let worst = 0;
    for (let layer = 0; layer < this.#layers; layer++) {
      const load = this.#load.subarray(layer * this.#experts, (layer + 1) * this.#experts);
      const total = load.reduce((a, b) => a + b, 0);
      if (total > 0) worst = Math.max(worst, (Math.max(...load) * this.#experts) / total);
    }
    return { distinctExpertsPerStep: this.#distinct / this.#steps, expertImbalance: worst };
  }

  /** Token rows per expert, by layer. */
  load(): readonly (readonly number[])[] {
    const out: number[][] = [];
    for (let layer = 0; layer < this.#layers; layer++) {
      out.push([...this.#load.subarray(layer * this.#experts, (layer + 1) * this.#experts)]);
    }
    return out;
  }

  #profileOf(id: number): Float32Array {
    let profile = this.#profiles.get(id);
    if (profile === undefined) {
      profile = new Float32Array(this.#layers * this.#experts);
      this.#profiles.set(id, profile);
    }
    return profile;
  }
}
