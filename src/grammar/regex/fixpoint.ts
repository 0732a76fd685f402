/**
 * Repeats whose body holds lookaheads, such as `(?:(?!-->).)*`: unknown languages X with equations, where unknowns stand only at
 * the end of concatenations and under intersections with known languages. Wanted is the least solution.
 *
 * No boolean formula over plain regular expressions says this, so the automaton is built: its states are unions of
 * conjunctions of "this language, then X" (disjunctive normal form), moved on by derivatives. While an unknown is being
 * expanded and no character was read, meeting it again adds nothing (it could only add conditions to what is there already).
 * The result is a `dfa`.
 */
import { LimitError } from '../../base/errors.js';
import type { Regex } from '../../regular/regex.js';
import { NEVER as NO_TERM, TermStore } from '../../regular/terms.js';
import type { Place } from './ast.js';
import { regexError } from './escapes.js';

export interface Equation {
  readonly unknown: Regex;
  readonly language: Regex;
}

/** Places beyond the code space, so that an unknown is no language by accident. */
const OUTSIDE = 0x110000;
const UNKNOWN_STATES = [
  { accept: false, edges: [OUTSIDE, OUTSIDE, 1] },
  { accept: true, edges: [] },
];

/** A new unknown, told from others by identity. */
export function unknown(): Regex {
  return { t: 'dfa', start: 0, states: UNKNOWN_STATES };
}

export function isUnknown(re: Regex): boolean {
  return re.t === 'dfa' && re.states === UNKNOWN_STATES;
}

export function holdsUnknown(re: Regex): boolean {
  if (isUnknown(re)) return true;
  if ('items' in re) return re.items.some(holdsUnknown);
  return 'item' in re && holdsUnknown(re.item);
}

/** Work that one pattern may still cost, in conjunctions moved on by a character; shared by all its repeats. */
export interface Effort {
  left: number;
}

const MAX_STATES = 1_000;
const MAX_CONJUNCTIONS = 200;

type Tail =
  | { readonly k: 'var'; readonly index: number }
  | { readonly k: 'term'; readonly term: number }
  | { readonly k: 'cat'; readonly head: number; readonly tail: number }
  | { readonly k: 'and'; readonly term: number; readonly tail: number }
  | { readonly k: 'alt'; readonly tails: readonly number[] };

/** A plain language and languages "head, then tail" (as `head:tail`, sorted), all of which must hold. */
interface Conjunction {
  readonly term: number;
  readonly pairs: readonly string[];
}

type State = readonly Conjunction[];

/** `language` with the least solution of `equations` in place of its unknowns. */
export function solve(
  language: Regex,
  equations: readonly Equation[],
  source: string,
  place: Place,
  effort: Effort,
): Regex {
  return new Solver(equations, source, place, effort).solve(language);
}

class Solver {
  private readonly store = new TermStore({ search: 500 });
  private readonly tails: Tail[] = [];
  /** Number of an unknown's tail, which is also its number in `bodies`. */
  private readonly numbers = new Map<Regex, number>();
  private readonly bodies: number[] = [];
  private readonly languages = new Map<Regex, Regex>();

  constructor(
    equations: readonly Equation[],
    private readonly source: string,
    private readonly place: Place,
    private readonly effort: Effort,
  ) {
    for (const e of equations) this.languages.set(e.unknown, e.language);
  }

  /** Tail of an unknown; its equation is read on first use. */
  private unknownTail(re: Regex): number {
    let tail = this.numbers.get(re);
    if (tail === undefined) {
      const index = this.bodies.push(-1) - 1;
      tail = this.tails.push({ k: 'var', index }) - 1;
      this.numbers.set(re, tail);
      this.bodies[index] = this.tail(this.languages.get(re) as Regex);
    }
    return tail;
  }

  private tail(re: Regex): number {
    if (isUnknown(re)) return this.unknownTail(re);
    if (!holdsUnknown(re)) return this.tails.push({ k: 'term', term: this.store.intern(re) }) - 1;
    if (re.t === 'cat') {
      const tail = this.tail(re.items[re.items.length - 1] as Regex);
      const head = this.store.intern({ t: 'cat', items: re.items.slice(0, -1) });
      return this.tails.push({ k: 'cat', head, tail }) - 1;
    }
    if (re.t === 'alt') return this.tails.push({ k: 'alt', tails: re.items.map((item) => this.tail(item)) }) - 1;
    if (re.t === 'and') {
      const inside = re.items.filter(holdsUnknown);
      const term = this.store.intern({ t: 'and', items: re.items.filter((item) => !holdsUnknown(item)) });
      if (inside.length === 1) return this.tails.push({ k: 'and', term, tail: this.tail(inside[0] as Regex) }) - 1;
    }
    throw regexError(this.source, this.place, 'a repeat with this use of assertions cannot be compiled');
  }

  solve(language: Regex): Regex {
    const root = this.tail(language);
    const ids = new Map<string, number>();
    const states: State[] = [];
    const idOf = (state: State): number => {
      const key = state.map((c) => `${c.term}|${c.pairs.join(',')}`).join(';');
      let id = ids.get(key);
      if (id === undefined) {
        id = states.push(state) - 1;
        ids.set(key, id);
        if (states.length > MAX_STATES || state.length > MAX_CONJUNCTIONS) {
          throw regexError(
            this.source,
            this.place,
            'this repeat with assertions needs too large an automaton',
            'simplify its body',
          );
        }
      }
      return id;
    };
    idOf([{ term: this.store.all, pairs: [`1:${root}`] }]);
    const out: { accept: boolean; edges: number[] }[] = [];
    for (let at = 0; at < states.length; at++) {
      const state = states[at] as State;
      const edges: number[] = [];
      const cuts = this.cuts(state);
      for (let i = 0; i + 1 < cuts.length; i++) {
        const lo = cuts[i] as number;
        const next = this.step(state, lo);
        if (next.length === 0) continue;
        const target = idOf(next);
        const n = edges.length;
        if (n > 0 && edges[n - 1] === target && edges[n - 2] === lo - 1) edges[n - 2] = (cuts[i + 1] as number) - 1;
        else edges.push(lo, (cuts[i + 1] as number) - 1, target);
      }
      out.push({ accept: state.some((c) => this.accepting(c)), edges });
    }
    return trimmed(out, 0);
  }

  private accepting(c: Conjunction): boolean {
    if (!this.store.nullable(c.term)) return false;
    return c.pairs.every((pair) => {
      const [head, tail] = pair.split(':').map(Number) as [number, number];
      return this.store.nullable(head) && this.tailNullable(tail);
    });
  }

  private tailNullable(id: number, open: readonly number[] = []): boolean {
    const tail = this.tails[id] as Tail;
    switch (tail.k) {
      case 'var':
        if (open.includes(tail.index)) return false;
        return this.tailNullable(this.bodies[tail.index] as number, [...open, tail.index]);
      case 'term':
        return this.store.nullable(tail.term);
      case 'cat':
        return this.store.nullable(tail.head) && this.tailNullable(tail.tail, open);
      case 'and':
        return this.store.nullable(tail.term) && this.tailNullable(tail.tail, open);
      case 'alt':
        return tail.tails.some((t) => this.tailNullable(t, open));
    }
  }

  /** Code points where any part of the state may change its move; the first is 0, the last 0x110000. */
  private cuts(state: State): number[] {
    const cuts = new Set<number>([0, 0x110000]);
    const note = (term: number): void => {
      const edges = this.store.edges(term);
      for (let i = 0; i < edges.length; i += 3) {
        cuts.add(edges[i] as number);
        cuts.add((edges[i + 1] as number) + 1);
      }
    };
    const seen = new Set<number>();
    const noteTail = (id: number): void => {
      if (seen.has(id)) return;
      seen.add(id);
      const tail = this.tails[id] as Tail;
      if (tail.k === 'var') {
        noteTail(this.bodies[tail.index] as number);
      } else if (tail.k === 'alt') tail.tails.forEach(noteTail);
      else {
        note(tail.k === 'cat' ? tail.head : tail.term);
        if (tail.k !== 'term') noteTail(tail.tail);
      }
    };
    for (const c of state) {
      note(c.term);
      for (const pair of c.pairs) {
        const [head, tail] = pair.split(':').map(Number) as [number, number];
        note(head);
        if (this.store.nullable(head)) noteTail(tail);
      }
    }
    return [...cuts].sort((a, b) => a - b);
  }

  private step(state: State, cp: number): State {
    const out: Conjunction[] = [];
    this.spend(state.length);
    for (const c of state) {
      const term = this.store.step(c.term, cp);
      let parts: Conjunction[] = term === NO_TERM ? [] : [{ term, pairs: [] }];
      for (const pair of c.pairs) {
        const [head, tail] = pair.split(':').map(Number) as [number, number];
        parts = this.both(parts, this.stepPair(head, tail, cp, []));
      }
      out.push(...parts);
    }
    return canonical(out);
  }

  private stepPair(head: number, tail: number, cp: number, open: readonly number[]): Conjunction[] {
    const moved = this.store.step(head, cp);
    const out: Conjunction[] = moved === NO_TERM ? [] : [{ term: this.store.all, pairs: [`${moved}:${tail}`] }];
    if (this.store.nullable(head)) out.push(...this.stepTail(tail, cp, open));
    return out;
  }

  /** `open`: the unknowns being expanded since the last character. */
  private stepTail(id: number, cp: number, open: readonly number[]): Conjunction[] {
    const tail = this.tails[id] as Tail;
    const plain = (term: number): Conjunction[] => (term === NO_TERM ? [] : [{ term, pairs: [] }]);
    switch (tail.k) {
      case 'var':
        if (open.includes(tail.index)) return [];
        this.spend(1);
        return this.stepTail(this.bodies[tail.index] as number, cp, [...open, tail.index]);
      case 'term':
        return plain(this.store.step(tail.term, cp));
      case 'cat':
        return this.stepPair(tail.head, tail.tail, cp, open);
      case 'and':
        return this.both(plain(this.store.step(tail.term, cp)), this.stepTail(tail.tail, cp, open));
      case 'alt':
        return tail.tails.flatMap((t) => this.stepTail(t, cp, open));
    }
  }

  private spend(n: number): void {
    this.effort.left -= n;
    if (this.effort.left < 0) {
      throw regexError(
        this.source,
        this.place,
        'the repeats with assertions of this pattern need too much work',
        'simplify them',
      );
    }
  }

  /** Undecided counts as not empty: states from which nothing is accepted are cut at the end. */
  private plainlyEmpty(term: number): boolean {
    try {
      return this.store.isEmpty(term);
    } catch (error) {
      if (error instanceof LimitError) return false;
      throw error;
    }
  }

  private both(a: readonly Conjunction[], b: readonly Conjunction[]): Conjunction[] {
    const out: Conjunction[] = [];
    for (const x of a) {
      for (const y of b) {
        this.spend(1);
        const term = this.store.and(x.term, y.term);
        if (this.plainlyEmpty(term)) continue;
        out.push({ term, pairs: [...new Set([...x.pairs, ...y.pairs])].sort() });
      }
    }
    return out;
  }
}

/** Sorted, without duplicates and without conjunctions that only add pairs to another one. */
function canonical(list: readonly Conjunction[]): State {
  const kept = list.filter(
    (c, i) =>
      !list.some((d, j) => {
        if (i === j || c.term !== d.term || !d.pairs.every((p) => c.pairs.includes(p))) return false;
        return d.pairs.length < c.pairs.length || j < i;
      }),
  );
  return kept.sort((a, b) => a.term - b.term || (a.pairs.join() < b.pairs.join() ? -1 : 1));
}

/** The automaton without states from which nothing is accepted. */
function trimmed(states: readonly { accept: boolean; edges: number[] }[], start: number): Regex {
  const back: number[][] = states.map(() => []);
  states.forEach((s, i) => {
    for (let e = 2; e < s.edges.length; e += 3) back[s.edges[e] as number]?.push(i);
  });
  const live = new Set<number>();
  const queue = states.flatMap((s, i) => (s.accept ? [i] : []));
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    if (live.has(at)) continue;
    live.add(at);
    queue.push(...(back[at] as number[]));
  }
  if (!live.has(start)) return { t: 'never' };
  const reached = new Set([start]);
  for (const at of reached) {
    const { edges } = states[at] as { edges: number[] };
    for (let e = 2; e < edges.length; e += 3) if (live.has(edges[e] as number)) reached.add(edges[e] as number);
  }
  const order = [...reached].sort((a, b) => a - b);
  const rename = new Map(order.map((old, now) => [old, now]));
  return {
    t: 'dfa',
    start: rename.get(start) as number,
    states: order.map((old) => {
      const { accept, edges } = states[old] as { accept: boolean; edges: number[] };
      const kept: number[] = [];
      for (let e = 0; e < edges.length; e += 3) {
        const target = rename.get(edges[e + 2] as number);
        if (target !== undefined) kept.push(edges[e] as number, edges[e + 1] as number, target);
      }
      return { accept, edges: kept };
    }),
  };
}
