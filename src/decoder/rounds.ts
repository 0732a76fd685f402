/**
 * What the loop remembers between plans: what steps cost, the turns that are left of a round (turns.ts), and when to look for turns again. Looking
 * costs up to 4% of a step, so rounds that follow one that was best run whole go unasked; and once in a while a round that would be cut runs whole, so
 * that what turns are compared with stays measured.
 */
import type { StepCost } from './cost-model.js';
import type { RoundOptions } from './loop-options.js';
import type { Metrics } from './metrics.js';
import type { Plan } from './schedule.js';

/** What a step of decoding rows consists of. */
export interface StepShape {
  readonly rows: number;
  readonly tokens: number;
  /** Positions of its longest row, and over all rows. */
  readonly longest: number;
  readonly positions: number;
}

/** Decoding rows with which it begins to matter what steps cost. */
const COST_MATTERS = 4;
/** Rounds after one that was best run whole in which turns are not looked for. */
const REST = 7;
/** After so many rounds that were cut into turns one runs whole. */
const CHECK_WHOLE = 64;

export class Rounds {
  readonly #options: RoundOptions;
  readonly #metrics: Metrics;
  /** Undefined: not known; null: there is no knowing. */
  #cost: StepCost | null | undefined;
  #turns: readonly (readonly number[])[] = [];
  /** Rounds that were cut since one last ran whole. */
  #cuts = 0;
  /** Rounds that go whole unasked, and the rows that decoded when that was found: with more or fewer it is asked anew. */
  #rest = 0;
  #restSize = 0;

  constructor(options: RoundOptions, metrics: Metrics) {
    const { cost } = options;
    this.#options = options;
    this.#metrics = metrics;
    if (typeof cost !== 'function') this.#cost = cost ?? null;
  }

  get cost(): StepCost | undefined {
    return this.#cost ?? undefined;
  }

  get turns(): readonly (readonly number[])[] {
    return this.#turns;
  }

  /** Whether the next plan begins a round, as far as is known before it. */
  get begins(): boolean {
    return this.#turns.length === 0;
  }

  /** Finds out what steps cost, where that begins to matter. `decoding` counts the rows; `mixture`: experts matter too. */
  async measure(decoding: () => number, mixture: boolean): Promise<void> {
    const { cost, batch = 'auto', maxStepMs } = this.#options;
    if (this.#cost !== undefined || typeof cost !== 'function') return;
    if (maxStepMs === undefined && ((batch !== 'auto' && !mixture) || decoding() < COST_MATTERS)) return;
    const began = performance.now();
    try {
      this.#cost = (await cost()) ?? null;
    } catch {
      // A step of a request would fail as well, and tell its caller.
      this.#cost = null;
    }
    this.#metrics.observe('probeMs', performance.now() - began);
  }

  /** The bounds of the next plan. */
  limits(decoding: number): { readonly batch: RoundOptions['batch']; readonly stepMs: number | undefined } {
    if (this.begins && this.#restSize !== decoding) this.#rest = 0;
    const { batch, maxStepMs } = this.#options;
    const whole = typeof batch !== 'number' && (this.#rest > 0 || this.#cuts >= CHECK_WHOLE);
    return { batch: whole ? 'all' : batch, stepMs: maxStepMs };
  }

  /** A row that has left waits for no turn; with the last one a round is over. */
  forget(id: number): void {
    this.#turns = this.#turns.map((turn) => turn.filter((other) => other !== id)).filter((turn) => turn.length > 0);
  }

  /** Takes what a plan left of its round. */
  take({ turns }: Plan, decoding: number): void {
    const { begins } = this;
    this.#turns = turns;
    if (!begins || decoding === 0) return;
    const cut = turns.length > 0;
    this.#metrics.add('rounds');
    if (cut) this.#metrics.add('cutRounds');
    if (this.#rest > 0) this.#rest--;
    else if (this.#cuts >= CHECK_WHOLE) this.#cuts = 0;
    else if (cut) this.#cuts++;
    else [this.#rest, this.#restSize] = [REST, decoding];
  }

  /** Compares what a step took with what was expected of it. */
  learn({ rows, tokens, longest, positions }: StepShape, distinct: number, ms: number): void {
    const { cost } = this;
    if (cost === undefined) return;
    const experts = cost.table.expertMs > 0 ? distinct : undefined;
    this.#metrics.observe('predictedMs', cost.learn(ms, rows, tokens, longest, positions, experts));
    this.#metrics.observe('measuredMs', ms);
  }
}
