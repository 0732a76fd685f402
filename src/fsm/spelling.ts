/**
 * Vocabularies that cannot spell every byte: which states can be completed with whole tokens.
 *
 * Elsewhere liveness is a matter of bytes: a state is alive when some bytes complete it. Where every byte is a token that is the same
 * thing. WordPiece and Unigram vocabularies without byte fallback lack bytes, so a state can be alive in bytes and still have no
 * token: `{` without `}`. Here a state counts as alive only when a sequence of tokens that completes it was found, by a search
 * over states at token borders, nearest to complete first. What is found is written down for each state on the way: a state that needs n
 * tokens always has a successor that needs n - 1, so masks and `accept` agree, and a budget is kept as in budget.ts. A search that gives up
 * (only where the grammar nests without end and the vocabulary cannot close it) counts as dead, which narrows and never misleads.
 *
 * Where keys or unique items are remembered, each token in a string comes to a state of its own, and a search of each would not do. So a state is
 * asked without its texts (unlike.ts), unless one of them could become what the way on writes, or an item that is there. And a search
 * first looks for ways as if texts did not matter, or only those that budgets keep; a way that does lead from the state to the end is as good as
 * any. Only where none does, states are told apart by their texts.
 *
 * Price: masks come from a walk of the whole trie below the state, kept by state in a cache bounded in bytes.
 */
import type { Budget } from './budget.js';
import { Distances } from './distance.js';
import { DEAD } from './layout.js';
import { couldBecome, readPartial, wordsWithin } from './partial-value.js';
import type { Recognizer } from './recognizer.js';
import { afterToken } from './terminals.js';
import { textsInProgress } from './texts.js';
import type { TokenTrie } from './trie.js';
import { Unlike } from './unlike.js';
import type { Vocabulary } from './vocabulary.js';

const FAR = Number.POSITIVE_INFINITY;
/** Trie edges that one search may walk, and states that it may meet, before it gives up (about half a second). */
const MOST_EDGES = 2_000_000;
const MOST_STATES = 1 << 14;
/** How much of that where texts tell states apart. */
const SHARE_WITH_TEXTS = 1 / 4;
const MOST_CACHED_BYTES = 16 << 20;
/** States that differ in texts only, of which one search looks at so many. */
const ALIKE = 2;
/** Ways whose keys and values are remembered at a time. */
const KEPT = 256;

/** Whether every byte that UTF-8 text can contain is a token by itself. */
export function spellsEveryByte(trie: TokenTrie): boolean {
  for (let b = 0; b < 0xf5; b++) {
    if (b === 0xc0 || b === 0xc1) continue;
    const child = trie.rootChild[b]!;
    if (child < 0 || trie.nodes[child * 4 + 2]! < 0) return false;
  }
  return true;
}

/** Tokens to the end of the text. */
interface Way {
  readonly token: number;
  /** Whether it is taken by its bytes and by nothing else. */
  readonly bytes: boolean;
  readonly rest: Way | undefined;
}

/** What was found of states. */
class Found {
  /** Tokens that complete a state, as many as the found way has. */
  readonly known = new Map<number, number>();
  readonly ways = new Map<number, Way>();

  /** @param plain The state that stands for another. */
  constructor(readonly plain: (state: number) => number) {}
}

/** Tokens by the state they lead to, texts left out. */
interface Group {
  readonly tokens: Int32Array;
  /** The state after each token; only one where all lead to the same. */
  readonly states: Int32Array;
}

export class Spelling {
  private readonly distances: Distances;
  private readonly unlike: Unlike;
  private readonly found = new Found((state) => state);
  /** The same as if texts, or most of them, did not matter: fewer states, whose ways are tried first. */
  private readonly guesses: readonly Found[];
  private readonly words = new Map<number, readonly unknown[] | undefined>();
  private readonly plains: (number | undefined)[] = [];
  private readonly entered: (boolean | undefined)[] = [];
  private readonly cache = new Map<number, readonly Group[]>();
  private cachedBytes = 0;
  private edges = 0;
  /** Whether the grammar has keys or items that are remembered. */
  private readonly remembers: boolean;

  constructor(
    private readonly recognizer: Recognizer,
    private readonly trie: TokenTrie,
    budget: Budget,
    private readonly vocabulary: Vocabulary,
  ) {
    this.distances = new Distances(recognizer);
    this.unlike = new Unlike(recognizer);
    this.remembers = recognizer.grammar.exprs.some(
      (e) => (e.op === 'array' && e.unique) || (e.op === 'object' && e.dynamic.length > 0),
    );
    const guesses = [new Found((state) => this.unlike.all(state)), new Found((state) => budget.plain(state))];
    this.guesses = this.remembers ? guesses : [];
  }

  /** Tokens that complete a state (0 where it is complete), as many as the found way has; Infinity where none was found. */
  needed(state: number): number {
    const from = this.remembers ? this.plain(state) : state;
    return this.found.known.get(from) ?? this.search(from);
  }

  /** Writes the tokens after which at most `left` more are needed. */
  fill(state: number, left: number, mask: Uint32Array): void {
    mask.fill(0);
    this.enter(state);
    const set = (t: number): void => {
      mask[t >> 5]! |= 1 << (t & 31);
    };
    for (const { tokens, states } of this.successors(state)) {
      if (states.length === 1) {
        if (this.isWithin(states[0]!, left)) tokens.forEach(set);
      } else for (let i = 0; i < tokens.length; i++) if (this.isWithin(states[i]!, left)) set(tokens[i]!);
    }
  }

  private isWithin(state: number, left: number): boolean {
    const n = this.needed(state);
    return n !== FAR && n <= left;
  }

  /**
   * Before a state's tokens are asked after: its way is followed, and should it not lead to the end, another is looked for. After its first
   * token, which may come to a state with a longer way of its own, the rest of this one counts.
   */
  enter(state: number): void {
    if (!this.remembers || this.entered[state] === true) return;
    this.entered[state] = true;
    const n = this.needed(state);
    if (n === 0 || n === FAR) return;
    const { plains } = this;
    const { known, ways } = this.found;
    const way = ways.get(this.plain(state))!;
    if (!this.leads(state, way)) {
      plains[state] = state;
      this.search(state);
      return;
    }
    const first = afterToken(this.recognizer, this.vocabulary, state, way.token);
    if (this.needed(first) < n) return;
    plains[first] = first;
    known.set(first, n - 1);
    if (way.rest !== undefined) ways.set(first, way.rest);
    this.words.delete(first);
  }

  /** Whether a way leads from a state to the end. */
  private leads(state: number, way: Way | undefined): boolean {
    let at = state;
    for (let w = way; w !== undefined && at !== DEAD; w = w.rest)
      at = afterToken(this.recognizer, this.vocabulary, at, w.token);
    return at !== DEAD && this.recognizer.accepts(at);
  }

  /** The state that is asked in place of another: without its texts, where these cannot matter to what is written. */
  private plain(state: number): number {
    let made = this.plains[state];
    if (made === undefined) {
      made = this.findPlain(state);
      this.plains[state] = made;
    }
    return made;
  }

  private findPlain(state: number): number {
    const { recognizer } = this;
    const bare = this.unlike.all(state);
    if (bare === state || recognizer.couldRepeat(state)) return state;
    if ((this.found.known.get(bare) ?? this.search(bare)) === FAR) return bare;
    const words = this.wordsOf(bare);
    if (words === undefined) return state;
    if (words.length === 0) return bare;
    for (const text of textsInProgress(recognizer, state)) {
      if (text === undefined) continue;
      const part = readPartial(text);
      if (words.some((word) => couldBecome(part, word))) return state;
    }
    return bare;
  }

  /** The keys and values that the way of a state writes; undefined where that is not known. */
  private wordsOf(state: number): readonly unknown[] | undefined {
    const { words, vocabulary } = this;
    if (words.has(state)) return words.get(state);
    const bytes: number[] = [];
    let way = this.found.ways.get(state);
    for (; way?.bytes === true; way = way.rest) bytes.push(...vocabulary.tokenBytes(way.token));
    const found = way === undefined ? wordsWithin(Uint8Array.from(bytes)) : undefined;
    if (words.size >= KEPT) words.clear();
    words.set(state, found);
    return found;
  }

  /** Tokens of a way that is found now. */
  private search(start: number): number {
    const { found } = this;
    for (const guess of this.guesses) {
      const plain = guess.plain(start);
      const n = guess.known.get(plain) ?? this.find(plain, guess);
      const way = guess.ways.get(plain);
      // As if no text mattered more is allowed.
      const never = n === FAR && guess === this.guesses[0];
      if (never || (n !== FAR && this.leads(start, way))) {
        found.known.set(start, n);
        if (way !== undefined) found.ways.set(start, way);
        return n;
      }
    }
    return this.find(start, found);
  }

  /** Best first: by tokens so far and bytes still missing. */
  private find(start: number, { known, ways, plain }: Found): number {
    const { recognizer, distances, unlike } = this;
    const withTexts = this.remembers && known === this.found.known;
    const share = this.remembers && known !== this.guesses[0]!.known ? SHARE_WITH_TEXTS : 1;
    const parents = new Map<number, number>([[start, -1]]);
    const taken = new Map<number, number>();
    const depths = new Map<number, number>([[start, 0]]);
    const alike = new Map<number, number>();
    let all = true;
    const open = new Heap();
    open.push(distances.of(start), start);
    this.edges = 0;
    for (let at = open.pop(); at >= 0; at = open.pop()) {
      const done = recognizer.accepts(at) ? 0 : known.get(at);
      if (done === FAR) continue;
      if (done !== undefined) {
        let n = done;
        let way = ways.get(at);
        if (done === 0) way = undefined;
        known.set(at, n);
        for (let s = at, p = parents.get(s)!; p >= 0; s = p, p = parents.get(s)!) {
          way = { token: taken.get(s)!, bytes: !recognizer.wantsToken(p), rest: way };
          known.set(p, ++n);
          ways.set(p, way);
        }
        return n;
      }
      if (this.edges > MOST_EDGES * share || parents.size > MOST_STATES * share) {
        known.set(start, FAR);
        return FAR;
      }
      const depth = depths.get(at)! + 1;
      for (const { tokens, states } of this.successors(at)) {
        for (let i = 0; i < states.length; i++) {
          const next = plain(states[i]!);
          if (parents.has(next)) continue;
          if (withTexts) {
            const bare = unlike.all(next);
            const n = bare === next ? 0 : (alike.get(bare) ?? 0) + 1;
            if (n > ALIKE) {
              all = false;
              break;
            }
            alike.set(bare, n);
          }
          parents.set(next, at);
          taken.set(next, tokens[i]!);
          depths.set(next, depth);
          open.push(depth + distances.of(next), next);
        }
      }
    }
    // Everything that can be reached was seen, and nothing of it can end.
    if (all) for (const s of parents.keys()) known.set(s, FAR);
    else known.set(start, FAR);
    return FAR;
  }

  private successors(state: number): readonly Group[] {
    const cached = this.cache.get(state);
    if (cached !== undefined) return cached;
    const found = new Map<number, { readonly tokens: number[]; readonly states: number[] }>();
    const add = (next: number, token: number): void => {
      const bare = this.remembers ? this.unlike.all(next) : next;
      const group = found.get(bare);
      if (group === undefined) found.set(bare, { tokens: [token], states: [next] });
      else {
        group.tokens.push(token);
        group.states.push(next);
      }
    };
    if (this.recognizer.wantsToken(state)) this.scan(state, add);
    else this.walk(state, add);
    let bytes = 64;
    const made = Array.from(found.values(), ({ tokens, states }) => {
      const same = states.every((s) => s === states[0]);
      const group = { tokens: Int32Array.from(tokens), states: Int32Array.from(same ? [states[0]!] : states) };
      bytes += 120 + group.tokens.byteLength + group.states.byteLength;
      return group;
    });
    if (this.cachedBytes + bytes > MOST_CACHED_BYTES) {
      this.cache.clear();
      this.cachedBytes = 0;
    }
    this.cache.set(state, made);
    this.cachedBytes += bytes;
    return made;
  }

  /** Every token by itself: token terminals are not in the trie. */
  private scan(state: number, add: (next: number, token: number) => void): void {
    const { vocabulary } = this;
    this.edges += vocabulary.size;
    for (let t = 0; t < vocabulary.size; t++) {
      if (vocabulary.isEos(t)) continue;
      const next = afterToken(this.recognizer, vocabulary, state, t);
      if (next !== DEAD) add(next, t);
    }
  }

  private walk(start: number, add: (next: number, token: number) => void): void {
    const { recognizer } = this;
    const { nodes, same } = this.trie;
    const stack: number[] = [0, start];
    while (stack.length > 0) {
      const state = stack.pop()!;
      const node = stack.pop()!;
      const first = nodes[node * 4]!;
      const last = first + (nodes[node * 4 + 1]! >>> 8);
      const bits = recognizer.nextBytes(state);
      this.edges += last - first;
      for (let c = first; c < last; c++) {
        const byte = nodes[c * 4 + 1]! & 0xff;
        if (((bits[byte >> 5]! >>> (byte & 31)) & 1) === 0) continue;
        const next = recognizer.step(state, byte);
        if (next === DEAD) continue;
        for (let t = nodes[c * 4 + 2]!; t >= 0; t = same[t]!) add(next, t);
        if (nodes[c * 4 + 1]! >>> 8 !== 0) stack.push(c, next);
      }
    }
  }
}

/** A binary heap of (priority, value), least priority first; equal priorities in any order that repeats. */
class Heap {
  private readonly priorities: number[] = [];
  private readonly values: number[] = [];

  push(priority: number, value: number): void {
    const { priorities, values } = this;
    let i = values.length;
    values.push(value);
    priorities.push(priority);
    while (i > 0) {
      const up = (i - 1) >> 1;
      if (priorities[up]! <= priority) break;
      priorities[i] = priorities[up]!;
      values[i] = values[up]!;
      i = up;
    }
    priorities[i] = priority;
    values[i] = value;
  }

  /** The least value, or -1 where there is none. */
  pop(): number {
    const { priorities, values } = this;
    const top = values[0];
    if (top === undefined) return -1;
    const priority = priorities.pop()!;
    const value = values.pop()!;
    const n = values.length;
    if (n === 0) return top;
    let i = 0;
    for (;;) {
      let down = 2 * i + 1;
      if (down >= n) break;
      if (down + 1 < n && priorities[down + 1]! < priorities[down]!) down++;
      if (priorities[down]! >= priority) break;
      priorities[i] = priorities[down]!;
      values[i] = values[down]!;
      i = down;
    }
    priorities[i] = priority;
    values[i] = value;
    return top;
  }
}
