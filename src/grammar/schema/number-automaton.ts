/**
 * Automata for positional number texts: all comparisons and remainders of one box run together, digit by digit.
 *
 * A state is the tuple (phase, one code per bound, one code per step); tuples are explored breadth-first from the empty text, and
 * states that cannot accept are trimmed, so that every transition kept is live. Sizes: a bound of n digits costs about 3n codes,
 * a step m * 10^e at most m * |e| codes.
 */
import { LimitError } from '../../base/errors.js';
import type { Regex } from '../../regular/regex.js';
import { type Decimal, digitsOf, isMultiple, negate, ONE, ZERO } from './decimal.js';
import type { Box } from './numbers.js';
import { NEVER_RE } from './re.js';

/** Bounds on the size of a number automaton. */
const MAX_STATES = 60_000;
const MAX_REMAINDER = 20_000;

/** A magnitude interval: |x| from lo to hi. */
export interface Magnitude {
  readonly lo: Decimal;
  readonly loOpen: boolean;
  readonly hi: Decimal | undefined;
  readonly hiOpen: boolean;
}

export function positiveSide(b: Box): Magnitude | undefined {
  if (b.hi !== undefined && (b.hi.m < 0n || (b.hi.m === 0n && b.hiOpen))) return undefined;
  const bounded = b.lo !== undefined && b.lo.m >= 0n;
  return { lo: bounded ? b.lo! : ZERO, loOpen: bounded && b.loOpen, hi: b.hi, hiOpen: b.hiOpen };
}

export function negativeSide(b: Box): Magnitude | undefined {
  if (b.lo !== undefined && b.lo.m >= 0n) return undefined;
  const bounded = b.hi !== undefined && b.hi.m <= 0n;
  return {
    lo: bounded ? negate(b.hi!) : ZERO,
    loOpen: bounded && b.hiOpen,
    hi: b.lo === undefined ? undefined : negate(b.lo),
    hiOpen: b.loOpen,
  };
}

/** Comparison of the digits read with one bound. Codes: k * 3 + outcome after k integer digits, then the fraction codes. */
class Comparer {
  private readonly int: string;
  private readonly frac: string;
  private readonly base: number;
  constructor(
    bound: Decimal,
    private readonly open: boolean,
    private readonly lower: boolean,
  ) {
    const { int, frac } = digitsOf(bound);
    this.int = int;
    this.frac = frac;
    this.base = (int.length + 2) * 3;
  }

  /** Codes are below this. */
  get size(): number {
    return this.base + this.frac.length + 3;
  }

  /** -1: no continuation fits. */
  digit(code: number, d: number): number {
    if (code >= this.base) {
      const j = code - this.base - 2;
      if (j < 0) return code;
      const at = j < this.frac.length ? this.frac.charCodeAt(j) - 48 : 0;
      if (d === at) return j < this.frac.length ? code + 1 : code;
      return d < at ? this.less() : this.greater();
    }
    const n = this.int.length;
    const k = Math.min(Math.floor(code / 3) + 1, n + 1);
    let c = code === 0 ? 1 : code % 3;
    if (k > n) c = 2;
    else if (c === 1) {
      const at = this.int.charCodeAt(k - 1) - 48;
      c = d < at ? 0 : d > at ? 2 : 1;
    }
    if (!this.lower && k >= n && c === 2) return -1;
    // Beyond a lower bound nothing more can go wrong: one code for all lengths.
    if (this.lower && k > n) return (n + 1) * 3 + 2;
    return k * 3 + c;
  }

  point(code: number): number {
    const k = Math.floor(code / 3);
    const c = code % 3;
    const n = this.int.length;
    if (k < n || c === 0) return this.less();
    return c === 2 ? this.greater() : this.base + 2;
  }

  private less(): number {
    return this.lower ? -1 : this.base;
  }

  private greater(): number {
    return this.lower ? this.base + 1 : -1;
  }

  accepts(code: number): boolean {
    let at = code;
    if (at < this.base) {
      at = this.point(code);
      if (at < 0) return false;
    }
    if (at === this.base) return !this.lower;
    if (at === this.base + 1) return this.lower;
    if (at - this.base - 2 < this.frac.length) return !this.lower;
    return !this.open;
  }
}

/** Remainder of the digits read by a step m * 10^e; code -2 once a digit below the step was not zero. */
class Remainder {
  private readonly q: number;
  private readonly zeros: number;
  private readonly places: number;
  private readonly pow: number[] = [1];
  constructor(
    step: Decimal,
    private readonly wanted: boolean,
  ) {
    if (step.m > BigInt(MAX_REMAINDER)) throw new LimitError('remainders of multipleOf', Number(step.m), MAX_REMAINDER);
    this.q = Number(step.m);
    this.zeros = Math.max(step.e, 0);
    this.places = Math.max(-step.e, 0);
    for (let i = 1; i <= Math.max(this.zeros, this.places) + 1; i++) this.pow.push((this.pow[i - 1]! * 10) % this.q);
  }

  get start(): number {
    return this.zeros * this.q;
  }

  /** Codes are from -2 to below this. */
  get size(): number {
    return (Math.max(this.zeros, this.places) + 1) * this.q;
  }

  digit(code: number, d: number): number {
    const q = this.q;
    const z = Math.floor(code / q);
    const r = code % q;
    if (d === 0) return z < this.zeros ? code + q : z * q + ((r * 10) % q);
    return (this.pow[z + 1]! * r + d) % q;
  }

  fraction(code: number, d: number): number {
    if (code < 0) return code;
    const q = this.q;
    if (this.places === 0) return d === 0 ? code : this.broken();
    const j = Math.floor(code / q);
    if (j >= this.places) return d === 0 ? code : this.broken();
    return (j + 1) * q + (((code % q) * 10 + d) % q);
  }

  private broken(): number {
    return this.wanted ? -1 : -2;
  }

  accepts(code: number): boolean {
    if (code < 0) return !this.wanted;
    const q = this.q;
    const j = Math.floor(code / q);
    const r = code % q;
    const fits =
      this.places === 0
        ? j === this.zeros && r === 0
        : (r * this.pow[this.places - Math.min(j, this.places)]!) % q === 0;
    return fits === this.wanted;
  }
}

interface Draft {
  accept: boolean;
  edges: number[];
}

/** The positional spellings of a box, as an automaton. `zeroFraction`: integers may be written with a fraction of zeros. */
export function positional(b: Box, zeroFraction: boolean): Regex {
  const states: Draft[] = [{ accept: false, edges: [] }];
  const start = states[0]!;
  const down = negativeSide(b);
  const up = positiveSide(b);
  const integral = !zeroFraction && b.step !== undefined && isMultiple(b.step, ONE);
  if (down !== undefined) {
    const at = states.push({ accept: false, edges: [] }) - 1;
    start.edges.push(45, 45, at);
    magnitude(states, at, down, b, integral);
  }
  if (up !== undefined) magnitude(states, 0, up, b, integral);
  return trim(states);
}

const START = 0;
const ZERO_INT = 1;
const IN_INT = 2;
const POINT = 3;
const IN_FRACTION = 4;

function magnitude(states: Draft[], root: number, range: Magnitude, b: Box, integral: boolean): void {
  const bounds: Comparer[] = [];
  if (range.lo.m !== 0n || range.loOpen) bounds.push(new Comparer(range.lo, range.loOpen, true));
  if (range.hi !== undefined) bounds.push(new Comparer(range.hi, range.hiOpen, false));
  const steps: Remainder[] = [];
  if (b.step !== undefined && !(integral && b.step === ONE)) steps.push(new Remainder(b.step, true));
  for (const n of b.nots) steps.push(new Remainder(n, false));
  const nb = bounds.length;
  const width = 1 + nb + steps.length;

  // A tuple as one number, or as text where that is too large.
  const radix = [5, ...bounds.map((c) => c.size), ...steps.map((r) => r.size + 2)];
  const numeric = radix.reduce((a, b) => a * b, 1) < Number.MAX_SAFE_INTEGER;
  const ids = new Map<string | number, number>();
  const keyOf = (tuple: readonly number[]): string | number => {
    if (!numeric) return tuple.join();
    let key = 0;
    for (let i = 0; i < width; i++) key = key * radix[i]! + tuple[i]! + (i > nb ? 2 : 0);
    return key;
  };
  const tuples: number[][] = [[START, ...bounds.map(() => 0), ...steps.map((s) => s.start)]];
  const stateOf: number[] = [root];
  const next = new Array<number>(width).fill(0);
  const visit = (): number => {
    const key = keyOf(next);
    let id = ids.get(key);
    if (id === undefined) {
      id = tuples.length;
      ids.set(key, id);
      tuples.push(next.slice());
      if (id > MAX_STATES) throw new LimitError('states of a number automaton', id, MAX_STATES);
      let accept = next[0] === ZERO_INT || next[0] === IN_INT || next[0] === IN_FRACTION;
      for (let i = 0; accept && i < nb; i++) accept = bounds[i]!.accepts(next[1 + i]!);
      for (let i = 0; accept && i < steps.length; i++) accept = steps[i]!.accepts(next[1 + nb + i]!);
      stateOf.push(states.push({ accept, edges: [] }) - 1);
    }
    return stateOf[id]!;
  };

  for (let at = 0; at < tuples.length; at++) {
    const tuple = tuples[at]!;
    const phase = tuple[0]!;
    const edges = states[stateOf[at]!]!.edges;
    if ((phase === ZERO_INT || phase === IN_INT) && !integral) {
      next[0] = POINT;
      let dead = false;
      for (let i = 0; i < nb && !dead; i++) {
        next[1 + i] = bounds[i]!.point(tuple[1 + i]!);
        dead = next[1 + i] === -1;
      }
      for (let i = 0; i < steps.length; i++) next[1 + nb + i] = tuple[1 + nb + i]!;
      if (!dead) edges.push(46, 46, visit());
    }
    if (phase === ZERO_INT) continue;
    const inFraction = phase === POINT || phase === IN_FRACTION;
    for (let d = 0; d <= 9; d++) {
      next[0] = inFraction ? IN_FRACTION : phase === START && d === 0 ? ZERO_INT : IN_INT;
      let dead = false;
      for (let i = 0; i < nb && !dead; i++) {
        next[1 + i] = bounds[i]!.digit(tuple[1 + i]!, d);
        dead = next[1 + i] === -1;
      }
      for (let i = 0; i < steps.length && !dead; i++) {
        const code = tuple[1 + nb + i]!;
        next[1 + nb + i] = inFraction ? steps[i]!.fraction(code, d) : steps[i]!.digit(code, d);
        dead = next[1 + nb + i] === -1;
      }
      if (dead) continue;
      const to = visit();
      const n = edges.length;
      if (n > 0 && edges[n - 1] === to && edges[n - 2] === 47 + d) edges[n - 2] = 48 + d;
      else edges.push(48 + d, 48 + d, to);
    }
  }
}

/** Removes states that cannot accept. */
function trim(states: readonly Draft[]): Regex {
  const back: number[][] = states.map(() => []);
  states.forEach((s, i) => {
    for (let k = 2; k < s.edges.length; k += 3) back[s.edges[k]!]!.push(i);
  });
  const live = new Uint8Array(states.length);
  const work: number[] = [];
  states.forEach((s, i) => {
    if (s.accept) {
      live[i] = 1;
      work.push(i);
    }
  });
  for (let at = work.pop(); at !== undefined; at = work.pop()) {
    for (const p of back[at]!) {
      if (live[p] === 0) {
        live[p] = 1;
        work.push(p);
      }
    }
  }
  if (live[0] === 0) return NEVER_RE;
  const to = new Int32Array(states.length).fill(-1);
  let n = 0;
  for (let i = 0; i < states.length; i++) if (live[i] === 1) to[i] = n++;
  const out: Draft[] = [];
  states.forEach((s, i) => {
    if (live[i] === 0) return;
    const edges: number[] = [];
    for (let k = 0; k < s.edges.length; k += 3) {
      const t = to[s.edges[k + 2]!]!;
      if (t >= 0) edges.push(s.edges[k]!, s.edges[k + 1]!, t);
    }
    out.push({ accept: s.accept, edges });
  });
  return { t: 'dfa', start: 0, states: out };
}
