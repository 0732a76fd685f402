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
import {
  ALL_LETTERS,
  type CharSet,
  charSet,
  common,
  either,
  isEmptySet,
  isHeavy,
  isHeavyBesideLetters,
  less,
  NO_CHARS,
} from './char-set.js';
import type { LexemePool } from './lexeme.js';
import { LONGEST_RUN, popcount, targetsOn } from './run.js';
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
  /** Empty where there is no zone. */
  readonly chars: CharSet;
  /** Code points after which the lexeme is alive for sure. */
  readonly depth: number;
  /** Terms that may be reached within the zone. */
  readonly terms: readonly number[];
  /** Characters of which none is alive anywhere in the zone. */
  readonly dead: CharSet;
}

/** What a term does on one character. */
interface Moves {
  /** Letters that live, and other groups of which no character is dead. */
  readonly alive: CharSet;
  /** Characters that no text of a string goes on with; where something may follow the lexeme without a quote, none. */
  readonly dead: CharSet;
  readonly targets: readonly Move[];
}

interface Move {
  readonly to: number;
  /** Living letters, and groups with a character, that lead there. */
  readonly on: CharSet;
}

const NO_ZONE: Zone = { chars: NO_CHARS, depth: 0, terms: [], dead: NO_CHARS };
/** Most terms of a zone with an end. Looking further costs more than the walk: a term takes 20 to 100 us. */
const MOST_TERMS = 48;
/** Most terms that are looked at for a zone without end, which all its terms then share. */
const MOST_ENDLESS = 256;
/** Most small letters, and most capitals, that a zone leaves out: without more of them it has too few tokens. */
const MOST_LETTERS_OUT = 6;
/** Groups of the quote and the backslash, which are not read as characters of a string. */
const ENDS = (1 << ASCII_GROUP[0x22]!) | (1 << ASCII_GROUP[0x5c]!);
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
    const { nodes, deepest, from, to, letters } = this.trie;
    let zone = this.zones[q];
    if (zone === undefined) {
      const walked = (this.walked[q] ?? 0) + to[node]! - from[node]!;
      this.walked[q] = walked;
      if (walked < FIND_AFTER) return undefined;
      zone = this.of(q);
    }
    const { chars } = zone;
    return (nodes[node * 4 + 3]! & ~chars.groups) === 0 &&
      (letters[node * 2]! & ~chars.small) === 0 &&
      (letters[node * 2 + 1]! & ~chars.capital) === 0 &&
      deepest[node]! <= zone.depth
      ? zone
      : undefined;
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

  /** The zone of a term among so many terms, with as many characters as live. */
  private search(term: number, string: boolean, most: number): Zone {
    const { alive } = this.movesOf(term, string);
    let chars = alive;
    for (;;) {
      if (!isHeavy(chars)) return NO_ZONE;
      const found = this.follow(term, string, chars, most, alive);
      if ('depth' in found) return found.depth < MIN_DEPTH ? NO_ZONE : found;
      chars = less(chars, found);
    }
  }

  /** The zone of given characters, or the characters that are better left out. */
  private follow(term: number, string: boolean, chars: CharSet, most: number, all: CharSet): Zone | CharSet {
    const seen = new Map<number, CharSet>([[term, NO_CHARS]]);
    let layer = [term];
    for (let depth = 0; depth < LONGEST_RUN; depth++) {
      const next: number[] = [];
      for (const t of layer) {
        if (!string && this.store.nullable(t)) return this.zone(chars, depth - 1, seen, string);
        const { alive, targets } = this.movesOf(t, string);
        const dead = less(chars, alive);
        if (!isEmptySet(dead)) {
          const way = common(seen.get(t)!, chars);
          if (!isEmptySet(way) && mayGo(way, chars, all)) return way;
          if (mayGo(dead, chars, all)) return dead;
          return this.zone(chars, depth, seen, string);
        }
        for (const { to, on } of targets) {
          const by = common(on, chars);
          if (isEmptySet(by)) continue;
          const known = seen.get(to);
          if (known === undefined) next.push(to);
          seen.set(to, known === undefined ? by : either(known, by));
        }
      }
      if (next.length === 0) return this.zone(chars, LONGEST_RUN, seen, string);
      if (seen.size > most) return this.zone(chars, Math.min(depth + 1, LONGEST_RUN - 1), seen, string);
      layer = next;
    }
    // Alive for so long, but what the last terms come to was not seen.
    return this.zone(chars, LONGEST_RUN - 1, seen, string);
  }

  private zone(chars: CharSet, depth: number, seen: ReadonlyMap<number, CharSet>, string: boolean): Zone {
    const terms = [...seen.keys()];
    if (depth < LONGEST_RUN) return { chars, depth, terms, dead: this.deadAt(this.store.all, string) };
    return { chars, depth, terms, dead: terms.map((t) => this.deadAt(t, string)).reduce(common) };
  }

  /** Characters of a string that are dead at a term. */
  deadAt(term: number, string: boolean): CharSet {
    return this.movesOf(term, string).dead;
  }

  private movesOf(term: number, string: boolean): Moves {
    const key = term * 2 + (string ? 1 : 0);
    const known = this.moves.get(key);
    if (known !== undefined) return known;
    const made = this.findMoves(term, string);
    this.moves.set(key, made);
    this.bytes += 160 + made.targets.length * 80;
    return made;
  }

  private findMoves(term: number, string: boolean): Moves {
    const edges = this.store.liveEdges(term);
    const ways = new Map<number, Way>();
    let alive = (1 << GROUP_PARTIAL) - 1;
    let dead = string ? alive & ~ENDS : 0;
    let small = 0;
    let capital = 0;
    let i = 0;
    for (let c = 0; c < 128; c++) {
      while (i < edges.length && edges[i + 1]! < c) i += 3;
      const g = 1 << ASCII_GROUP[c]!;
      const lives = i < edges.length && edges[i]! <= c && !(string && (c < 0x20 || c === 0x22 || c === 0x5c));
      if (c >= 0x61 && c <= 0x7a) {
        if (!lives) continue;
        small |= 1 << (c - 0x61);
        wayTo(ways, edges[i + 2]!).small |= 1 << (c - 0x61);
      } else if (c >= 0x41 && c <= 0x5a) {
        if (!lives) continue;
        capital |= 1 << (c - 0x41);
        wayTo(ways, edges[i + 2]!).capital |= 1 << (c - 0x41);
      } else if (lives) {
        wayTo(ways, edges[i + 2]!).groups |= g;
        dead &= ~g;
      } else alive &= ~g;
    }
    for (const [ranges, g] of [
      [OTHER_NON_ASCII, GROUP_NON_ASCII],
      [NON_ASCII_SPACES, GROUP_NON_ASCII_SPACE],
    ] as const) {
      const targets = targetsOn(edges, ranges);
      for (const t of targets ?? []) wayTo(ways, t).groups |= 1 << g;
      if (targets === undefined) alive &= ~(1 << g);
      if (edges.length > 0 && edges[edges.length - 2]! >= 0x80) dead &= ~(1 << g);
    }
    const living = charSet(alive, small, capital);
    const targets: Move[] = [];
    for (const [to, w] of ways) {
      const on = common(charSet(w.groups, w.small, w.capital), living);
      if (!isEmptySet(on)) targets.push({ to, on });
    }
    const none = string ? ALL_LETTERS : 0;
    return { alive: living, dead: charSet(dead, none & ~small, none & ~capital), targets };
  }
}

/** Whether a zone may do without some of its characters, of all that were alive at its start. */
function mayGo(out: CharSet, chars: CharSet, all: CharSet): boolean {
  return (
    !isHeavyBesideLetters(out) &&
    popcount(all.small & (~chars.small | out.small)) <= MOST_LETTERS_OUT &&
    popcount(all.capital & (~chars.capital | out.capital)) <= MOST_LETTERS_OUT
  );
}

/** The way to a target. */
function wayTo(ways: Map<number, Way>, to: number): Way {
  let way = ways.get(to);
  if (way === undefined) {
    way = { groups: 0, small: 0, capital: 0 };
    ways.set(to, way);
  }
  return way;
}

/** A set in the making. */
interface Way {
  groups: number;
  small: number;
  capital: number;
}
