/**
 * What a lexeme keeps taking: the character groups that it takes again and again (its run, which a slice of the vocabulary stands for),
 * and the characters that lead from a state back to it (its loop, which takes whole subtrees of tokens).
 */
import type { TermStore } from '../regular/terms.js';
import type { LexemePool } from './lexeme.js';
import type { Slices } from './slices.js';
import {
  ASCII_GROUP,
  GROUP_NON_ASCII,
  GROUP_NON_ASCII_SPACE,
  GROUP_PARTIAL,
  LETTER_GROUPS,
  NON_ASCII_SPACES,
  OTHER_NON_ASCII,
  type TokenTrie,
} from './trie.js';

export interface Run {
  /** Character groups such that every run of them, up to `depth` code points, keeps the lexeme alive. */
  readonly signature: number;
  readonly depth: number;
  /** Whether the lexeme comes back to the same state after each of them. */
  readonly loops: boolean;
  /** Whether runs of the same length all lead to the same state. */
  readonly together: boolean;
  /** Whether nothing may follow a run of full depth inside the lexeme. */
  readonly ends: boolean;
}

/** The characters after which a lexeme state is the same again. */
interface Loop {
  /** Character groups; those of letters are always in it. */
  readonly signature: number;
  /** Small letters and capitals, one bit each. */
  readonly small: number;
  readonly capital: number;
}

const NO_LOOP: Loop = { signature: 0, small: 0, capital: 0 };
const NO_RUN: Run = { signature: 0, depth: 0, loops: false, together: false, ends: false };
/** Slices with fewer tokens than this are not worth a dense mask. */
export const MIN_SLICE_TOKENS = 256;
/** A run without end. */
export const LONGEST_RUN = 255;

export class Runs {
  private readonly runs = new Map<number, Run>();
  private readonly loops: (Loop | undefined)[] = [];
  private readonly targets = new Map<number, Int32Array>();

  constructor(
    private readonly pool: LexemePool,
    private readonly trie: TokenTrie,
    private readonly slices: Slices,
  ) {}

  get bytes(): number {
    return this.runs.size * 100 + this.targets.size * 180 + this.loops.length * 8;
  }

  /** Groups that a term keeps taking, and for how many code points. */
  of(term: number, string: boolean): Run {
    const key = term * 2 + (string ? 1 : 0);
    const known = this.runs.get(key);
    if (known !== undefined) return known;
    let run = this.findRun(term, string);
    if (run.signature !== 0 && !this.paysOff(run)) run = NO_RUN;
    this.runs.set(key, run);
    return run;
  }

  /** Whether a run has enough tokens for a slice of its own. */
  private paysOff(run: Run): boolean {
    return this.slices.count(run.signature, run.depth) >= MIN_SLICE_TOKENS;
  }

  private findRun(term: number, string: boolean): Run {
    const terms: TermStore = this.pool.terms;
    const split = terms.splitFinite(term);
    if (split !== undefined) {
      // An endless language minus a finite one is alive wherever the endless one is.
      const run = this.of(split.rest, string);
      if (run.depth === LONGEST_RUN) return { ...run, loops: false, together: false, ends: false };
    }
    const first = this.groupTargets(term, string);
    if (term !== terms.all && terms.alwaysLeft(term) !== undefined) {
      // A search for something further on: every text is as much alive as in a string without any rule.
      return { ...this.of(terms.all, string), loops: false, together: false };
    }
    let loop = 0;
    for (let g = 0; g < GROUP_PARTIAL; g++) if (first[g] === term) loop |= 1 << g;
    if (loop !== 0) return { signature: loop, depth: LONGEST_RUN, loops: true, together: true, ends: false };
    // The target that most groups share, then as long as they stay together.
    const votes = new Map<number, number>();
    for (let g = 0; g < GROUP_PARTIAL; g++) {
      const t = first[g]!;
      if (t >= 0) votes.set(t, (votes.get(t) ?? 0) | (1 << g));
    }
    let signature = 0;
    let target = -1;
    for (const [t, groups] of votes)
      if (popcount(groups) > popcount(signature)) {
        signature = groups;
        target = t;
      }
    if (target < 0) return NO_RUN;
    let depth = 1;
    while (depth < LONGEST_RUN) {
      const next = this.groupTargets(target, string);
      let shared = -1;
      for (let g = 0; g < GROUP_PARTIAL; g++) {
        if (((signature >>> g) & 1) === 0) continue;
        const t = next[g]!;
        if (t < 0 || (shared >= 0 && t !== shared)) {
          const ends = terms.liveEdges(target).length === 0;
          return { signature, depth, loops: false, together: true, ends };
        }
        shared = t;
      }
      if (shared === target) return { signature, depth: LONGEST_RUN, loops: false, together: true, ends: false };
      target = shared;
      depth++;
    }
    // Alive for so long, but what comes then was not seen, and longer tokens count as long as LONGEST_RUN.
    return { signature, depth: LONGEST_RUN - 1, loops: false, together: true, ends: false };
  }

  /** Per group the live term that all its characters lead to, or -1. In strings, characters that must be escaped have none. */
  private groupTargets(term: number, string: boolean): Int32Array {
    const key = term * 2 + (string ? 1 : 0);
    const known = this.targets.get(key);
    if (known !== undefined) return known;
    const out = new Int32Array(GROUP_PARTIAL).fill(-2);
    const edges = this.pool.terms.liveEdges(term);
    let i = 0;
    for (let c = 0; c < 128; c++) {
      while (i < edges.length && edges[i + 1]! < c) i += 3;
      let t = i < edges.length && edges[i]! <= c ? edges[i + 2]! : -1;
      if (string && (c < 0x20 || c === 0x22 || c === 0x5c)) t = -1;
      const g = ASCII_GROUP[c]!;
      if (out[g] === -2) out[g] = t;
      else if (out[g] !== t) out[g] = -1;
    }
    out[GROUP_NON_ASCII] = sharedTarget(edges, OTHER_NON_ASCII);
    out[GROUP_NON_ASCII_SPACE] = sharedTarget(edges, NON_ASCII_SPACES);
    this.targets.set(key, out);
    return out;
  }

  /** Whether every token below a trie node keeps the lexeme in its state. */
  takesAll(q: number, node: number): boolean {
    let loop = this.loops[q];
    if (loop === undefined) {
      loop = this.findLoop(q);
      this.loops[q] = loop;
    }
    const { nodes, letters } = this.trie;
    return (
      loop.signature !== 0 &&
      (nodes[node * 4 + 3]! & ~loop.signature) === 0 &&
      (letters[node * 2]! & ~loop.small) === 0 &&
      (letters[node * 2 + 1]! & ~loop.capital) === 0
    );
  }

  /** The characters that lead from a state between characters back to it. */
  private findLoop(q: number): Loop {
    const { pool } = this;
    const string = pool.isStringContent(q);
    if (!string && (!pool.isTextContent(q) || pool.accepts(q))) return NO_LOOP;
    const term = pool.termOf(q);
    const targets = this.groupTargets(term, string);
    // Letters are told apart one by one, so their groups are left to them.
    let signature = LETTER_GROUPS;
    for (let g = 0; g < GROUP_PARTIAL; g++) if (targets[g] === term) signature |= 1 << g;
    let small = 0;
    let capital = 0;
    for (let i = 0; i < 26; i++) {
      if (pool.step(q, 0x61 + i) === q) small |= 1 << i;
      if (pool.step(q, 0x41 + i) === q) capital |= 1 << i;
    }
    if (signature === LETTER_GROUPS && small === 0 && capital === 0) return NO_LOOP;
    return { signature, small, capital };
  }
}

/** The targets that an edge list has on the code points of the ranges; undefined where some have none. */
export function targetsOn(edges: Int32Array, ranges: readonly number[]): ReadonlySet<number> | undefined {
  const targets = new Set<number>();
  let i = 0;
  for (let r = 0; r < ranges.length; r += 2) {
    let at = ranges[r]!;
    const hi = ranges[r + 1]!;
    while (i < edges.length && edges[i + 1]! < at) i += 3;
    while (at <= hi) {
      if (i >= edges.length || edges[i]! > at) return undefined;
      targets.add(edges[i + 2]!);
      at = edges[i + 1]! + 1;
      if (at <= hi) i += 3;
    }
  }
  return targets;
}

/** The target that an edge list has on all code points of the ranges, or -1. */
function sharedTarget(edges: Int32Array, ranges: readonly number[]): number {
  const [first = -1, ...others] = targetsOn(edges, ranges) ?? [];
  return others.length === 0 ? first : -1;
}

/** Some ASCII byte of a signature, or -1. */
export function firstByteOf(signature: number): number {
  for (let b = 0; b < 128; b++) if (((signature >>> ASCII_GROUP[b]!) & 1) === 1) return b;
  return -1;
}

export function popcount(x: number): number {
  let v = x - ((x >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
