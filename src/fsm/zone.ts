/**
 * Zones: where a lexeme cannot die for a while, whatever is read of certain characters.
 *
 * A mask asks which tokens a lexeme survives, not where they lead. A state that loops on a character group takes all tokens of that
 * group at once (run.ts), but most automata of patterns are a handful of states that take turns (after a dash, inside brackets, part of
 * a word that must not come): none of them loops, and a walk of 200,000 trie nodes finds that nothing died. A zone follows the terms
 * that a set of groups leads to, breadth first, until one of them lacks some character: every token of these groups up to that length
 * survives. Groups that lead to trouble and matter little (few tokens have them) are left out as they are found. Where no term leads
 * out, the zone has no end and is that of all its terms.
 */
import type { TermStore } from '../regular/terms.js';
import type { LexemePool } from './lexeme.js';
import { LONGEST_RUN, targetsOn } from './run.js';
import {
  ASCII_GROUP,
  GROUP_NON_ASCII,
  GROUP_NON_ASCII_SPACE,
  GROUP_PARTIAL,
  NON_ASCII_SPACES,
  OTHER_NON_ASCII,
  type TokenTrie,
} from './trie.js';

export interface Zone {
  /** Character groups; 0 where there is no zone. */
  readonly signature: number;
  /** Code points after which the lexeme is alive for sure. */
  readonly depth: number;
  /** Terms that may be reached within the zone. */
  readonly terms: readonly number[];
}

/** What a term does on one character. */
interface Moves {
  /** Groups of which no character is dead. */
  readonly alive: number;
  /** [target, groups with a character that leads there, …]. */
  readonly targets: readonly number[];
}

const NO_ZONE: Zone = { signature: 0, depth: 0, terms: [] };
/** Most terms of a zone with an end. Looking further costs more than the walk: a term takes 20 to 100 us. */
const MOST_TERMS = 48;
/** Most terms that are looked at for a zone without end, which all its terms then share. */
const MOST_ENDLESS = 256;
/** Letters, the space and characters beyond ASCII: what most tokens are made of. */
export const HEAVY_GROUPS = 0b111110 | (1 << GROUP_NON_ASCII);
/** Shorter zones are not worth having. */
const MIN_DEPTH = 2;
/** Tokens walked from a state before its zone is looked for. */
const FIND_AFTER = 1000;

export class Zones {
  /** By lexeme state. */
  private readonly zones: (Zone | undefined)[] = [];
  /** Zones without end, by each of their terms: none of them leaves it. */
  private readonly endless = new Map<number, Zone>();
  /** Tokens that were walked from a state for want of its zone. */
  private readonly walked: number[] = [];
  private readonly moves = new Map<number, Moves>();
  private readonly store: TermStore;
  /** Bytes held. */
  bytes = 0;

  constructor(
    private readonly pool: LexemePool,
    private readonly trie: TokenTrie,
  ) {
    this.store = pool.terms;
  }

  /** The zone of a state between characters. Cached. */
  of(q: number): Zone {
    const known = this.zones[q];
    if (known !== undefined) return known;
    const string = this.pool.isStringContent(q);
    const made = string || this.pool.isTextContent(q) ? this.find(this.pool.termOf(q), string) : NO_ZONE;
    this.zones[q] = made;
    this.bytes += 100 + made.terms.length * 8;
    return made;
  }

  /** The zone of a state that all tokens below a trie node lie in; undefined where there is none, or where it is not yet worth looking for. */
  around(q: number, node: number): Zone | undefined {
    const { nodes, deepest, from, to } = this.trie;
    let zone = this.zones[q];
    if (zone === undefined) {
      const walked = (this.walked[q] ?? 0) + to[node]! - from[node]!;
      this.walked[q] = walked;
      if (walked < FIND_AFTER) return undefined;
      zone = this.of(q);
    }
    return (nodes[node * 4 + 3]! & ~zone.signature) === 0 && deepest[node]! <= zone.depth ? zone : undefined;
  }

  private find(term: number, string: boolean): Zone {
    const key = term * 2 + (string ? 1 : 0);
    const known = this.endless.get(key);
    if (known !== undefined) return known;
    const wide = this.search(term, string, MOST_ENDLESS);
    if (wide.depth < LONGEST_RUN) return this.search(term, string, MOST_TERMS);
    this.share(wide, string);
    return wide;
  }

  /** Notes a zone without end as that of all its terms. */
  private share(zone: Zone, string: boolean): void {
    for (const t of zone.terms) {
      const key = t * 2 + (string ? 1 : 0);
      if (!this.endless.has(key)) this.endless.set(key, zone);
    }
    this.bytes += zone.terms.length * 40;
  }

  /** The zone of a term among so many terms, with as many groups as live. */
  private search(term: number, string: boolean, most: number): Zone {
    let signature = this.movesOf(term, string).alive;
    for (;;) {
      if ((signature & HEAVY_GROUPS) === 0) return NO_ZONE;
      const found = this.follow(term, string, signature, most);
      if (typeof found !== 'number') return found.depth < MIN_DEPTH ? NO_ZONE : found;
      signature &= ~found;
    }
  }

  /** The zone of given groups, or the groups that are better left out. */
  private follow(term: number, string: boolean, signature: number, most: number): Zone | number {
    const seen = new Map<number, number>([[term, 0]]);
    let layer = [term];
    for (let depth = 0; depth < LONGEST_RUN; depth++) {
      const next: number[] = [];
      for (const t of layer) {
        if (!string && this.store.nullable(t)) return { signature, depth: depth - 1, terms: [...seen.keys()] };
        const { alive, targets } = this.movesOf(t, string);
        const dead = signature & ~alive;
        if (dead !== 0) {
          const way = seen.get(t)! & signature;
          if ((way & HEAVY_GROUPS) === 0 && way !== 0) return way;
          if ((dead & HEAVY_GROUPS) === 0) return dead;
          return { signature, depth, terms: [...seen.keys()] };
        }
        for (let i = 0; i < targets.length; i += 2) {
          const groups = targets[i + 1]! & signature;
          if (groups === 0) continue;
          const u = targets[i]!;
          const known = seen.get(u);
          if (known === undefined) next.push(u);
          seen.set(u, (known ?? 0) | groups);
        }
      }
      if (next.length === 0) return { signature, depth: LONGEST_RUN, terms: [...seen.keys()] };
      if (seen.size > most) return { signature, depth: Math.min(depth + 1, LONGEST_RUN - 1), terms: [...seen.keys()] };
      layer = next;
    }
    // Alive for so long, but what the last terms come to was not seen.
    return { signature, depth: LONGEST_RUN - 1, terms: [...seen.keys()] };
  }

  private movesOf(term: number, string: boolean): Moves {
    const key = term * 2 + (string ? 1 : 0);
    const known = this.moves.get(key);
    if (known !== undefined) return known;
    const made = this.findMoves(term, string);
    this.moves.set(key, made);
    this.bytes += 120 + made.targets.length * 8;
    return made;
  }

  private findMoves(term: number, string: boolean): Moves {
    const edges = this.store.liveEdges(term);
    const groups = new Map<number, number>();
    let alive = (1 << GROUP_PARTIAL) - 1;
    let i = 0;
    for (let c = 0; c < 128; c++) {
      while (i < edges.length && edges[i + 1]! < c) i += 3;
      const g = 1 << ASCII_GROUP[c]!;
      const escaped = string && (c < 0x20 || c === 0x22 || c === 0x5c);
      if (escaped || i >= edges.length || edges[i]! > c) alive &= ~g;
      else groups.set(edges[i + 2]!, (groups.get(edges[i + 2]!) ?? 0) | g);
    }
    if (!addBeyond(edges, OTHER_NON_ASCII, 1 << GROUP_NON_ASCII, groups)) alive &= ~(1 << GROUP_NON_ASCII);
    if (!addBeyond(edges, NON_ASCII_SPACES, 1 << GROUP_NON_ASCII_SPACE, groups)) alive &= ~(1 << GROUP_NON_ASCII_SPACE);
    const targets: number[] = [];
    for (const [t, g] of groups) if ((g & alive) !== 0) targets.push(t, g & alive);
    return { alive, targets };
  }
}

/** Notes the targets on all code points of the ranges; false where some have none. */
function addBeyond(edges: Int32Array, ranges: readonly number[], group: number, groups: Map<number, number>): boolean {
  const targets = targetsOn(edges, ranges);
  for (const t of targets ?? []) groups.set(t, (groups.get(t) ?? 0) | group);
  return targets !== undefined;
}
