/**
 * Batches for mixtures of experts. On a CPU the time of an expert layer follows the number of distinct experts that a batch touches,
 * hardly its rows; so sequences that use the same experts should share steps. (Placing requests is the scheduler's work: the router's
 * choices are read, never changed.)
 *
 * The experts of a sequence's next step are predicted from two sources. Its profile: per layer and expert the recent share of its tokens
 * that went there (exponential mean). And the very tokens that wait to run, by where each went when it last ran (token-routing.ts), believed as
 * far as such predictions have come true in that layer. When more sequences are ready than a step has rows, the composer starts from those that are sure of a
 * place (else from the one that came first) and adds, one at a time, the sequence whose expected use adds least to the union so far. Waiting is bounded
 * by the scheduler: it only offers sequences of equal urgency, and urgency rises with waiting.
 */
import type { StepCost } from './cost-model.js';
import type { ExpertTrace } from './model.js';
import { TokenRouting } from './token-routing.js';
import type { Company } from './turns.js';

/** Weight of the newest token in a profile, once it has seen more than a few. */
const RATE = 0.1;
/** Waiting tokens of a row that are looked up: with more of them a row touches most experts anyway. */
const LOOKED_UP = 16;

/** A row of a pass that was run. */
export interface RoutedRow {
  /** Its sequence; undefined: it has left. */
  readonly id: number | undefined;
  readonly tokens: readonly number[];
}

/** Reorders ids so that a prefix of `rows`, beside the rows of `sure`, touches few experts. */
export type Composer = (ids: readonly number[], rows: number, sure?: readonly number[]) => readonly number[];

export class ExpertProfiles {
  readonly #profiles = new Map<number, Profile>();
  #routing = new TokenRouting(0, 0);
  #layers = 0;
  #experts = 0;
  /** Token rows per layer and expert since the start. */
  #load: Float64Array = new Float64Array(0);
  #steps = 0;
  #distinct = 0;
  /** Chances by candidate, layer and expert; grows with the most candidates met. */
  #expected = new Float32Array(0);
  /** Distinct experts summed over layers, and token rows over them, of the last pass. */
  lastStep = { distinct: 0, rows: 0 };

  /** Takes the routing of a pass, rows in step order. */
  learn(rows: readonly RoutedRow[], trace: ExpertTrace): void {
    const { k, experts, ids } = trace;
    const layers = ids.length;
    if (layers === 0) return;
    if (layers !== this.#layers || experts !== this.#experts || k !== this.#routing.k) {
      this.#layers = layers;
      this.#experts = experts;
      this.#load = new Float64Array(layers * experts);
      this.#routing = new TokenRouting(layers, k);
      this.#profiles.clear();
    }
    this.#count(trace);
    let at = 0;
    for (const { id, tokens } of rows) {
      const profile = id === undefined ? undefined : this.#profileOf(id);
      for (const token of tokens) {
        this.#routing.learn(token, ids, at);
        if (profile !== undefined) {
          const rate = profile.next();
          for (let layer = 0; layer < layers; layer++) {
            for (let j = 0; j < k; j++) profile.use[layer * experts + ids[layer]![at + j]!]! += rate;
          }
        }
        at += k;
      }
    }
  }

  /**
   * A first profile for a sequence whose prompt was not run because its blocks were cached: where its last tokens went in other
   * sequences.
   */
  seed(id: number, tokens: readonly number[]): void {
    const { k, choices } = this.#routing;
    for (const token of tokens) {
      const from = this.#routing.find(token);
      if (from < 0) continue;
      const profile = this.#profileOf(id);
      const rate = profile.next();
      for (let i = 0; i < this.#layers * k; i++) {
        profile.use[Math.floor(i / k) * this.#experts + choices[from + i]!]! += rate;
      }
    }
  }

  /** Whether the model has told where tokens go. */
  get known(): boolean {
    return this.#steps > 0;
  }

  forget(id: number): void {
    this.#profiles.delete(id);
  }

  /** Expected use per layer and expert, 0 to 1; undefined before anything was learnt of the sequence. */
  profile(id: number): Float32Array | undefined {
    return this.#profiles.get(id)?.use;
  }

  /**
   * Composes by the tokens that wait to run in each sequence; the order stays as it was where too little would be saved. Undefined while
   * there is nothing to go by.
   */
  composer(waiting: (id: number) => readonly number[], cost: Pick<StepCost, 'pays'>): Composer | undefined {
    if (this.#profiles.size === 0) return undefined;
    return (ids, rows, sure = []) => {
      const width = this.#layers * this.#experts;
      const all = [...sure, ...ids];
      const tokens = all.map(waiting);
      const expected = this.#expectAll(all, tokens);
      const as = all.map((_, i) => i);
      const { order, distinct } = compose(as, sure.length, sure.length + rows, expected, width);
      const plain = as.slice(0, sure.length + rows);
      const count = plain.reduce((n, i) => n + tokens[i]!.length, 0);
      if (!cost.pays(count, touched(plain, expected, width), distinct)) return ids;
      return order.slice(sure.length).map((i) => all[i]!);
    };
  }

  /** What these sequences are expected to touch when their waiting tokens run, until the next call; undefined as above. */
  company(ids: readonly number[], waiting: (id: number) => readonly number[]): Company | undefined {
    if (this.#profiles.size === 0) return undefined;
    const width = this.#layers * this.#experts;
    const expected = this.#expectAll(ids, ids.map(waiting));
    return {
      width,
      distinct: (rows) => touched(rows, expected, width),
      average: () => averageTouched(ids.length, expected, width),
      gather: (left, goesOn) => gather(left, expected, width, goesOn),
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
    return {
      distinctExpertsPerStep: this.#distinct / this.#steps,
      expertImbalance: worst,
      expertsOfSameToken: this.#routing.meanTrust,
    };
  }

  /** Token rows per expert, by layer. */
  load(): readonly (readonly number[])[] {
    const out: number[][] = [];
    for (let layer = 0; layer < this.#layers; layer++) {
      out.push([...this.#load.subarray(layer * this.#experts, (layer + 1) * this.#experts)]);
    }
    return out;
  }

  #count({ experts, ids }: ExpertTrace): void {
    const seen = new Uint8Array(experts);
    let distinct = 0;
    let count = 0;
    ids.forEach((chosen, layer) => {
      seen.fill(0);
      for (const expert of chosen) {
        if (seen[expert] === 0) distinct++;
        seen[expert] = 1;
        this.#load[layer * experts + expert]!++;
      }
      count += chosen.length;
    });
    this.#steps++;
    this.#distinct += distinct;
    this.lastStep = { distinct, rows: count };
  }

  /** Chances by sequence, layer and expert, in memory that the next call takes. */
  #expectAll(ids: readonly number[], tokens: readonly (readonly number[])[]): Float32Array {
    const width = this.#layers * this.#experts;
    if (this.#expected.length < ids.length * width) this.#expected = new Float32Array(ids.length * width);
    const expected = this.#expected;
    ids.forEach((id, i) => {
      this.#expect(id, tokens[i]!, expected.subarray(i * width, (i + 1) * width));
    });
    return expected;
  }

  /** Writes the chance that a sequence touches each expert when these tokens run; 0 for all where nothing is known: it runs soon, and then tells. */
  #expect(id: number, tokens: readonly number[], out: Float32Array): void {
    const profile = this.#profiles.get(id)?.use;
    const experts = this.#experts;
    const routing = this.#routing;
    const { k, choices } = routing;
    out.fill(0);
    for (let t = 0; t < tokens.length && t < LOOKED_UP; t++) {
      const found = routing.find(tokens[t]!);
      for (let layer = 0; layer < this.#layers; layer++) {
        const trust = found < 0 ? 0 : routing.trust(layer);
        const from = layer * experts;
        // With chance `trust` its experts are those of the last visit, else those of the sequence.
        if (profile !== undefined) {
          for (let e = from; e < from + experts; e++) out[e] = join(out[e]!, (1 - trust) * Math.min(1, profile[e]!));
        }
        if (trust === 0) continue;
        for (let j = 0; j < k; j++) {
          const e = from + choices[found + layer * k + j]!;
          // The two chances add: given the first, the second is out of the question.
          const second = profile === undefined ? 0 : (1 - trust) * Math.min(1, profile[e]!);
          out[e] = join(out[e]!, second < 1 ? trust / (1 - second) : 0);
        }
      }
    }
  }

  #profileOf(id: number): Profile {
    let profile = this.#profiles.get(id);
    if (profile === undefined) {
      profile = new Profile(this.#layers * this.#experts);
      this.#profiles.set(id, profile);
    }
    return profile;
  }
}

/** Mean use of each layer's experts by one sequence: plain over its first tokens, exponential from then on. */
class Profile {
  readonly use: Float32Array;
  #seen = 0;

  constructor(width: number) {
    this.use = new Float32Array(width);
  }

  /** Makes room for one more token; returns its weight. */
  next(): number {
    const { use } = this;
    const rate = Math.max(RATE, 1 / ++this.#seen);
    for (let e = 0; e < use.length; e++) use[e]! *= 1 - rate;
    return rate;
  }
}

/**
 * Candidates in an order of which the first `rows` share experts; the first `sure` of them keep their places, else the very first keeps
 * its own. Also the distinct experts that those rows are expected to touch. `expected`: chances by candidate, layer and expert.
 */
function compose(
  candidates: readonly number[],
  sure: number,
  rows: number,
  expected: Float32Array,
  width: number,
): { readonly order: readonly number[]; readonly distinct: number } {
  const left = [...candidates];
  const order: number[] = [];
  const idle = new Float32Array(width).fill(1);
  while (order.length < rows && left.length > 0) {
    const best = order.length < Math.max(1, sure) ? 0 : leastAdded(left, idle, expected);
    const [chosen] = left.splice(best, 1);
    if (chosen === undefined) break;
    order.push(chosen);
    occupy(idle, expected, chosen);
  }
  return { order: [...order, ...left], distinct: width - sum(idle) };
}

/** The first of `left` and, one at a time, the row that adds least, while `goesOn` takes it. */
function gather(
  left: readonly number[],
  expected: Float32Array,
  width: number,
  goesOn: (rows: readonly number[], distinct: number) => boolean,
): readonly number[] {
  const rest = [...left];
  const rows: number[] = [];
  const idle = new Float32Array(width).fill(1);
  while (rest.length > 0) {
    const [chosen] = rest.splice(rows.length === 0 ? 0 : leastAdded(rest, idle, expected), 1);
    if (chosen === undefined) break;
    rows.push(chosen);
    occupy(idle, expected, chosen);
    if (goesOn(rows, width - sum(idle))) continue;
    rows.pop();
    break;
  }
  return rows;
}

/** Distinct experts of 0, 1, 2, … `most` rows whose chances are the mean of those of the first `most`. */
function averageTouched(most: number, expected: Float32Array, width: number): Float32Array {
  const out = new Float32Array(most + 1);
  for (let e = 0; e < width; e++) {
    let chance = 0;
    for (let row = 0; row < most; row++) chance += expected[row * width + e]!;
    chance /= most;
    let idle = 1;
    for (let rows = 1; rows <= most; rows++) {
      idle *= 1 - chance;
      out[rows]! += 1 - idle;
    }
  }
  return out;
}

/** Distinct experts that these rows are expected to touch. */
function touched(rows: readonly number[], expected: Float32Array, width: number): number {
  const idle = new Float32Array(width).fill(1);
  for (const row of rows) occupy(idle, expected, row);
  return width - sum(idle);
}

/** Takes a row's experts from the chances of being idle. */
function occupy(idle: Float32Array, expected: Float32Array, row: number): void {
  const from = row * idle.length;
  for (let e = 0; e < idle.length; e++) idle[e]! *= 1 - expected[from + e]!;
}

function sum(values: Float32Array): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total;
}

/**
 * The candidate of whose experts the smallest share is idle. A share, so that rows of many tokens (forced text, drafts), which touch more
 * experts in any company, are not put off for it.
 */
function leastAdded(candidates: readonly number[], idle: Float32Array, expected: Float32Array): number {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < candidates.length; i++) {
    const from = candidates[i]! * idle.length;
    let added = 0;
    let alone = 0;
    for (let e = 0; e < idle.length; e++) {
      const chance = expected[from + e]!;
      added += idle[e]! * chance;
      alone += chance;
    }
    // One that nothing is known of runs soon: a single token tells where it belongs.
    const share = alone > 0 ? added / alone : 0;
    if (share < least) {
      least = share;
      best = i;
    }
  }
  return best;
}

/** Chance of at least one of two independent events. */
function join(a: number, b: number): number {
  return a + b - a * b;
}
