/**
 * Which tokens a state allows: the union over its configs, assembled from shared parts.
 *
 * Narrow configs (punctuation, literals, keys, escapes) are walked jointly through the token trie. Wide ones take the mask of
 * their lexeme state (lexeme-mask.ts) and ask the recognizer only about what follows the lexeme, once per distinct remainder.
 * A mask record keeps references to the shared parts, so building one allocates little and `fill` is a copy and a few bit writes.
 *
 * Source of truth: recognizer.step. Every shortcut is compared with trying each token (test/fsm).
 */
import { Bottomless } from './bottomless.js';
import { BOTTOM, DEAD, DYN, END, ITEM, LEX } from './layout.js';
import type { LexemePool } from './lexeme.js';
import { LexemeMasks, type Residual } from './lexeme-mask.js';
import type { Recognizer } from './recognizer.js';
import type { Slices } from './slices.js';
import { type TokenTrie, trieOf } from './trie.js';
import type { Vocabulary } from './vocabulary.js';

/** Allowed tokens = all bits of the bases, plus the lists; less `removed` before `added` is put in. */
export interface MaskRecord {
  readonly bases: readonly Uint32Array[];
  readonly lists: readonly Int32Array[];
  readonly removed: Int32Array | undefined;
  readonly added: Int32Array | undefined;
  /** Tokens that a cut state cannot decide; none in the record of a whole state. */
  readonly doubt: Int32Array;
  /** Single bits in lists. */
  readonly single: number;
  /** Merged form, made when a record of several bases or many bits is used again. */
  dense: Uint32Array | undefined;
  uses: number;
}

interface Crossing {
  readonly tokens: Int32Array;
  readonly doubt: Int32Array;
}

const NONE = new Int32Array(0);
/** Where at least so many trie edges lie below, wide lexemes are not walked again. */
const WIDE_FAN = 24;
const BLANKS = [0x20, 0x09, 0x0a, 0x0d];
const NOTHING: Crossing = { tokens: NONE, doubt: NONE };
/** So many doubtful tokens are tried one by one rather than asking again with a deeper cut. */
const FEW_DOUBTS = 64;
/** Records with more single bits than this are merged when used again. */
const MAX_SINGLE_BITS = 256;
/** Uses after which a record of several parts is merged into one mask. */
const PROMOTE_AFTER = 3;

/** What the masks of one vocabulary share over all grammars. */
export class MaskShare {
  readonly trie: TokenTrie;
  readonly slices: Slices;
  readonly lexemes: LexemeMasks;

  constructor(vocabulary: Vocabulary, pool: LexemePool, slices: Slices) {
    this.trie = trieOf(vocabulary);
    this.slices = slices;
    this.lexemes = new LexemeMasks(pool, this.trie, slices, vocabulary);
  }
}

export class Masks {
  private readonly records: (MaskRecord | undefined)[] = [];
  /** Tokens after a lexeme, by (what remains of them, state after it). */
  private readonly after = new Map<number, Crossing>();
  private readonly bottomless: Bottomless;
  private readonly words: number;
  private heldBytes = 0;

  constructor(
    private readonly recognizer: Recognizer,
    private readonly share: MaskShare,
    private readonly vocabulary: Vocabulary,
  ) {
    this.words = (vocabulary.size + 31) >> 5;
    this.bottomless = new Bottomless(recognizer);
  }

  get bytes(): number {
    return this.heldBytes;
  }

  /** Record of the tokens (by bytes; no token terminals, no end of sequence) that a state allows. Cached. */
  of(state: number): MaskRecord {
    const known = this.records[state];
    if (known !== undefined) return known;
    const record = this.find(state);
    this.records[state] = record;
    this.heldBytes += 8;
    return record;
  }

  /** Masks rarely depend on more than the top frames, so the state cut there is tried first, then deeper. */
  private find(state: number): MaskRecord {
    for (let depth = 2; ; depth *= 4) {
      const cut = depth > 40 ? state : this.bottomless.truncate(state, depth);
      let record = this.records[cut];
      if (record === undefined) {
        record = this.build(cut);
        if (cut !== state) this.records[cut] = record;
      }
      if (record.doubt.length === 0) return record;
      if (cut === state || record.doubt.length <= FEW_DOUBTS) return this.settle(state, record);
    }
  }

  /** Decides the doubtful tokens of a cut state's record by trying each from the state itself. */
  private settle(state: number, record: MaskRecord): MaskRecord {
    const { recognizer, vocabulary } = this;
    const { bytes, offsets } = vocabulary;
    const passed: number[] = [];
    for (const t of record.doubt)
      if (recognizer.stepAll(state, bytes, offsets[t]!, offsets[t + 1]!) !== DEAD) passed.push(t);
    const added = Int32Array.from([...(record.added ?? NONE), ...passed]);
    return this.record(record.bases, record.lists, record.removed, added, NONE);
  }

  /** Writes a record into a mask of `words` words or more; spare words are zeroed. */
  fill(record: MaskRecord, mask: Uint32Array): void {
    const { bases } = record;
    if (record.dense !== undefined) mask.set(record.dense);
    else if (bases.length === 0) mask.fill(0);
    else {
      mask.set(bases[0]!);
      for (let i = 1; i < bases.length; i++) {
        const base = bases[i]!;
        for (let w = 0; w < base.length; w++) mask[w]! |= base[w]!;
      }
    }
    if (mask.length > this.words) mask.fill(0, this.words);
    if (record.dense !== undefined) return;
    for (const list of record.lists) for (let i = 0; i < list.length; i++) mask[list[i]! >> 5]! |= 1 << (list[i]! & 31);
    const { removed, added } = record;
    if (removed !== undefined)
      for (let i = 0; i < removed.length; i++) mask[removed[i]! >> 5]! &= ~(1 << (removed[i]! & 31));
    if (added !== undefined) for (let i = 0; i < added.length; i++) mask[added[i]! >> 5]! |= 1 << (added[i]! & 31);
    if (record.single > MAX_SINGLE_BITS || bases.length > 1) {
      if (++record.uses > PROMOTE_AFTER) {
        record.dense = mask.slice(0, this.words);
        this.heldBytes += this.words * 4;
      }
    }
  }

  /** The record of a state, which may be cut; tokens that reach what was cut off or forgotten are in doubt. */
  private build(state: number): MaskRecord {
    const doubt: number[] = [];
    const { recognizer, share } = this;
    const { configs, states } = recognizer;
    const bases: Uint32Array[] = [];
    const lists: Int32Array[] = [];
    let removed: Int32Array | undefined;
    const narrow: number[] = [];
    const from = states.offsets[state]!;
    const to = states.offsets[state + 1]!;
    for (let i = from; i < to; i++) {
      const config = states.data[i]!;
      const o = configs.offsets[config]!;
      const kind = configs.data[o]!;
      const q = configs.data[o + 1]!;
      if (kind === BOTTOM || kind === END) continue;
      if ((kind !== LEX && kind !== DYN && kind !== ITEM) || !share.lexemes.isWide(q)) {
        narrow.push(config);
        continue;
      }
      const stack = configs.data[o + 3]!;
      const follow = recognizer.afterLexeme(kind, stack);
      const split = this.splitLiterals(q);
      const mask = share.lexemes.get(split === undefined ? q : split.rest);
      const crossing = this.crossing(mask.residual, follow);
      const rest = crossing.tokens;
      for (const t of crossing.doubt) doubt.push(t);
      let gone = split === undefined ? NONE : this.spelled(share.lexemes.root, split.literals);
      if (mask.without.length > 0)
        gone = gone.length === 0 ? mask.without : Int32Array.from([...gone, ...mask.without]);
      // Alone, the tokens that spell an excluded key are taken out when the mask is written; beside another wide config,
      // which may allow them, they are left out here.
      const alone = to - from === 1 + narrow.length && i === to - 1;
      if (gone.length > 0 && !alone) {
        const drop = new Set(gone);
        if (mask.base !== undefined) {
          const less = mask.base.slice();
          for (const t of gone) less[t >> 5]! &= ~(1 << (t & 31));
          bases.push(less);
          this.heldBytes += less.byteLength;
        }
        lists.push(
          mask.extra.filter((t) => !drop.has(t)),
          rest.filter((t) => !drop.has(t)),
        );
        continue;
      }
      if (mask.base !== undefined && !bases.includes(mask.base)) bases.push(mask.base);
      if (mask.extra.length > 0) lists.push(mask.extra);
      if (rest.length > 0) lists.push(rest);
      if (gone.length > 0) removed = gone;
    }
    let added: Int32Array | undefined;
    if (narrow.length > 0) {
      const part = narrow.length === to - from ? state : recognizer.stateOf(narrow);
      const found: number[] = [];
      if (this.loopsOnBlanks(part)) {
        const { tokens, rest } = share.lexemes.afterBlanks;
        lists.push(tokens);
        this.walk(rest, part, found, doubt);
      } else this.walk(share.lexemes.root, part, found, doubt);
      added = Int32Array.from(found);
    }
    return this.record(bases, lists, removed, added, doubt.length === 0 ? NONE : Int32Array.from(doubt));
  }

  private record(
    bases: readonly Uint32Array[],
    lists: readonly Int32Array[],
    removed: Int32Array | undefined,
    added: Int32Array | undefined,
    doubt: Int32Array,
  ): MaskRecord {
    this.heldBytes += 160 + doubt.length * 4 + (removed?.length ?? 0) * 4 + (added?.length ?? 0) * 4;
    let single = (removed?.length ?? 0) + (added?.length ?? 0);
    for (const list of lists) single += list.length;
    return { bases, lists, removed, added, doubt, single, dense: undefined, uses: 0 };
  }

  /** For a string less finitely many literals: the state of the string without the exception, and the exceptions. */
  private splitLiterals(q: number): { readonly rest: number; readonly literals: number } | undefined {
    const { pool } = this.recognizer;
    const split = pool.terms.splitFinite(pool.termOf(q));
    if (split === undefined) return undefined;
    const rest = pool.stringAt(split.rest);
    if (rest === DEAD || !this.share.lexemes.isWide(rest)) return undefined;
    if (this.share.lexemes.runOf(split.rest, true).depth < 255) return undefined;
    return { rest, literals: pool.stringAt(pool.terms.literalNode(split.literals)) };
  }

  private readonly spellings = new Map<number, Int32Array>();

  /** Tokens below a residual node that finish one of the strings of a literal state (and whatever follows it). Cached. */
  private spelled(at: Residual, q: number): Int32Array {
    if (q === DEAD) return NONE;
    const key = at.id * 0x2000000 + q;
    const known = this.spellings.get(key);
    if (known !== undefined) return known;
    const { pool } = this.recognizer;
    const out: number[] = [];
    const visit = (residual: Residual, s: number): void => {
      const bits = pool.firstBytes(s);
      for (const edge of this.share.lexemes.childrenOf(residual)) {
        if (((bits[edge.byte >> 5]! >>> (edge.byte & 31)) & 1) === 0) continue;
        const next = pool.step(s, edge.byte);
        if (next === DEAD) continue;
        if (pool.isFinal(next)) {
          for (const t of edge.tokens) out.push(t);
          this.collect(edge.to, out);
        } else if (edge.to.fan > 0) visit(edge.to, next);
      }
    };
    visit(at, q);
    const tokens = Int32Array.from(out);
    this.spellings.set(key, tokens);
    this.heldBytes += 60 + tokens.length * 4;
    return tokens;
  }

  /** Tokens that cross the end of a wide lexeme into `follow`. Cached. */
  private crossing(residual: Residual, follow: number): Crossing {
    if (follow === DEAD) return NOTHING;
    const key = residual.id * 0x2000000 + follow;
    const known = this.after.get(key);
    if (known !== undefined) return known;
    const tokens: number[] = [];
    const doubt: number[] = [];
    if (this.recognizer.reachedBottom(follow)) this.collect(residual, doubt);
    else this.walk(residual, follow, tokens, doubt);
    const made: Crossing = { tokens: Int32Array.from(tokens), doubt: Int32Array.from(doubt) };
    this.after.set(key, made);
    this.heldBytes += 100 + (tokens.length + doubt.length) * 4;
    return made;
  }

  /** Whether every blank leads back to the state. */
  private loopsOnBlanks(state: number): boolean {
    const { recognizer } = this;
    if (recognizer.grammar.whitespace !== 'flexible') return false;
    for (const b of BLANKS) if (recognizer.step(state, b) !== state) return false;
    return true;
  }

  /** The tokens below a residual node that a state allows; those that reach the cut of the state go to `doubt`. */
  private walk(residual: Residual, state: number, out: number[], doubt: number[]): void {
    const { recognizer, share } = this;
    const bits = recognizer.nextBytes(state);
    for (const edge of share.lexemes.childrenOf(residual)) {
      const { byte } = edge;
      if (((bits[byte >> 5]! >>> (byte & 31)) & 1) === 0) continue;
      const next = recognizer.step(state, byte);
      if (next === DEAD) continue;
      if (recognizer.reachedBottom(next)) {
        for (const t of edge.tokens) doubt.push(t);
        this.collect(edge.to, doubt);
        continue;
      }
      for (const t of edge.tokens) out.push(t);
      if (edge.to.fan >= WIDE_FAN) this.split(edge.to, next, out, doubt);
      else if (edge.to.fan > 0) this.walk(edge.to, next, out, doubt);
    }
  }

  /** {@link walk} where much lies below: wide lexemes take what is known of them there, the rest is walked. */
  private split(at: Residual, state: number, out: number[], doubt: number[]): void {
    const { recognizer, share } = this;
    const { configs, states } = recognizer;
    let narrow: number[] | undefined;
    const from = states.offsets[state]!;
    const to = states.offsets[state + 1]!;
    for (let i = from; i < to; i++) {
      const o = configs.offsets[states.data[i]!]!;
      const kind = configs.data[o]!;
      const q = configs.data[o + 1]!;
      if ((kind !== LEX && kind !== DYN && kind !== ITEM) || !share.lexemes.isWide(q)) {
        narrow?.push(states.data[i]!);
        continue;
      }
      narrow ??= Array.from(states.data.subarray(from, i));
      const known = this.splitLiterals(q);
      const part = share.lexemes.below(at, known === undefined ? q : known.rest);
      const crossing = this.crossing(part.residual, recognizer.afterLexeme(kind, configs.data[o + 3]!));
      const gone = known === undefined ? NONE : this.spelled(at, known.literals);
      if (gone.length === 0) {
        for (const t of part.extra) out.push(t);
        for (const t of crossing.tokens) out.push(t);
        for (const t of crossing.doubt) doubt.push(t);
      } else {
        const drop = new Set(gone);
        for (const t of part.extra) if (!drop.has(t)) out.push(t);
        for (const t of crossing.tokens) if (!drop.has(t)) out.push(t);
        for (const t of crossing.doubt) if (!drop.has(t)) doubt.push(t);
      }
    }
    if (narrow === undefined) this.walk(at, state, out, doubt);
    else if (narrow.length > 0) this.walk(at, recognizer.stateOf(narrow), out, doubt);
  }

  /** All tokens below a residual node. */
  private collect(residual: Residual, out: number[]): void {
    for (const edge of this.share.lexemes.childrenOf(residual)) {
      for (const t of edge.tokens) out.push(t);
      if (edge.to.nodes.length > 0) this.collect(edge.to, out);
    }
  }
}
