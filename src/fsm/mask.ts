/**
 * Which tokens a state allows: the union over its configs, assembled from shared parts.
 *
 * Wide configs (inside strings, patterns, numbers) take the mask of their lexeme state (lexeme-mask.ts) and ask the recognizer only
 * about what follows the lexeme, once per distinct remainder (crossing.ts). Names are looked up in the token trie (name-mask.ts).
 * Narrow configs (punctuation, literals, escapes) are walked jointly through the token trie. A mask record keeps references to the
 * shared parts, so making one allocates little and writing it is a copy and a few bits.
 *
 * Source of truth: recognizer.step. Every shortcut is compared with trying each token (test/fsm).
 */
import { Bottomless } from './bottomless.js';
import { Crossings } from './crossing.js';
import { BOTTOM, CAPTURE, DEAD, DYN, END, ITEM, LEX, NAME } from './layout.js';
import { ids, MaskParts, type MaskRecord, makeRecord, NONE, recordBytes, writeRecord } from './mask-record.js';
import type { MaskShare } from './mask-share.js';
import { NameMasks } from './name-mask.js';
import type { Recognizer } from './recognizer.js';
import { Traps } from './traps.js';
import type { Vocabulary } from './vocabulary.js';

const BLANKS = [0x20, 0x09, 0x0a, 0x0d];
/** So many doubtful tokens are tried one by one rather than asking again with a deeper cut. */
const FEW_DOUBTS = 64;

export class Masks {
  private readonly records: (MaskRecord | undefined)[] = [];
  /** By state without texts: records of which only what texts decide is in doubt. */
  private readonly textless: (MaskRecord | undefined)[] = [];
  private readonly bottomless: Bottomless;
  private readonly names: NameMasks;
  private readonly crossings: Crossings;
  private readonly traps: Traps;
  private readonly words: number;
  private heldBytes = 0;
  /** A mask while traps are taken out of it. */
  private scratch: Uint32Array | undefined;

  constructor(
    private readonly recognizer: Recognizer,
    private readonly share: MaskShare,
    private readonly vocabulary: Vocabulary,
  ) {
    this.words = (vocabulary.size + 31) >> 5;
    this.bottomless = new Bottomless(recognizer);
    this.names = new NameMasks(recognizer, share.lexemes, share.trie);
    this.crossings = new Crossings(recognizer, share, this.names);
    this.traps = new Traps(recognizer, share.trie, vocabulary);
  }

  get bytes(): number {
    return this.heldBytes + this.names.bytes + this.crossings.bytes;
  }

  /** Record of the tokens (by bytes; no token terminals, no end of sequence) that a state allows. Cached. */
  of(state: number): MaskRecord {
    let record = this.records[state];
    if (record === undefined) {
      record = this.find(state);
      if (this.traps.possible()) record = this.withoutTraps(state, record);
      this.records[state] = record;
      this.heldBytes += 8;
    }
    return record;
  }

  private withoutTraps(state: number, record: MaskRecord): MaskRecord {
    this.scratch ??= new Uint32Array(this.words);
    this.heldBytes += writeRecord(record, this.scratch, this.words);
    if (!this.traps.remove(state, this.scratch)) return record;
    this.heldBytes += this.scratch.byteLength;
    return this.keep(makeRecord([this.scratch.slice()], [], NONE, [], NONE, NONE));
  }

  /** Writes a record into a mask of `words` words or more; spare words are zeroed. */
  fill(record: MaskRecord, mask: Uint32Array): void {
    this.heldBytes += writeRecord(record, mask, this.words);
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

  /** Decides the doubtful tokens of a cut state's record: by a state without texts, which many share, and the rest by the state itself. */
  private settle(state: number, record: MaskRecord): MaskRecord {
    const shared = this.bottomless.withoutText(state);
    if (shared === state) return this.decide(state, record);
    let known = this.textless[shared];
    if (known === undefined) {
      known = this.decide(shared, record);
      this.textless[shared] = known;
      this.heldBytes += 8;
    }
    return known.doubt.length === 0 ? known : this.decide(state, known);
  }

  /** Tries each doubtful token from a state; in doubt remain those that come to what it does not tell. */
  private decide(state: number, record: MaskRecord): MaskRecord {
    const { recognizer, vocabulary } = this;
    const { bytes, offsets } = vocabulary;
    const passed: number[] = [];
    const doubt: number[] = [];
    for (const t of record.doubt) {
      let s = state;
      for (let i = offsets[t]!, end = offsets[t + 1]!; i < end && s !== DEAD && !recognizer.reachedBottom(s); i++)
        s = recognizer.step(s, bytes[i]!);
      if (s !== DEAD) (recognizer.reachedBottom(s) ? doubt : passed).push(t);
    }
    let { added } = record;
    if (passed.length > 0) {
      added = new Int32Array(record.added.length + passed.length);
      added.set(record.added);
      added.set(passed, record.added.length);
    }
    return this.keep(makeRecord(record.bases, record.within, record.removed, record.lists, added, ids(doubt)));
  }

  private keep(record: MaskRecord): MaskRecord {
    this.heldBytes += recordBytes(record);
    return record;
  }

  /** The record of a state, which may be cut; tokens that reach what was cut off or forgotten are in doubt. */
  private build(state: number): MaskRecord {
    const { recognizer, share } = this;
    const { configs, states } = recognizer;
    const parts = new MaskParts();
    if (this.loopsOnBlanks(state)) {
      const { tokens, rest } = share.lexemes.residuals.afterBlanks;
      parts.lists.push(tokens);
      this.crossings.split(rest, state, parts);
      return this.keep(parts.record());
    }
    const wide: number[] = [];
    const narrow: number[] = [];
    // Where the same text ends names of several objects, what follows is asked of all of them at once.
    const ends = new Map<number, number[]>();
    let captured = -1;
    const from = states.offsets[state]!;
    const to = states.offsets[state + 1]!;
    for (let i = from; i < to; i++) {
      const config = states.data[i]!;
      const o = configs.offsets[config]!;
      const kind = configs.data[o]!;
      const q = configs.data[o + 1]!;
      if (kind === BOTTOM || kind === END) continue;
      if (kind === CAPTURE) captured = config;
      else if (kind === NAME) {
        const node = this.names.nodeOf(q);
        if (node >= 0) this.names.addNames(parts, node, configs.data[o + 3]!, ends);
        else narrow.push(config);
      } else if ((kind === LEX || kind === DYN || kind === ITEM) && share.lexemes.isWide(q)) wide.push(config);
      else narrow.push(config);
    }
    for (const [node, names] of ends)
      this.crossings.addTo(parts, share.lexemes.residuals.at(node), recognizer.afterNames(names));
    for (const config of wide) this.addWide(parts, config, wide.length === 1);
    if (narrow.length > 0) {
      if (captured >= 0) {
        narrow.push(captured);
        narrow.sort((a, b) => a - b);
      }
      const rest = narrow.length === to - from ? state : recognizer.stateOf(narrow);
      this.crossings.walk(share.lexemes.residuals.root, rest, parts);
    }
    return this.keep(parts.record());
  }

  /**
   * A wide config. Alone, the tokens that spell an excluded key are taken out when the mask is written; beside another one, which
   * may allow them, they are left out here.
   */
  private addWide(parts: MaskParts, config: number, alone: boolean): void {
    const { recognizer, share } = this;
    const { configs } = recognizer;
    const o = configs.offsets[config]!;
    const q = configs.data[o + 1]!;
    const follow = recognizer.afterLexeme(configs.data[o]!, configs.data[o + 3]!);
    const split = share.lexemes.splitLiterals(q);
    const mask = share.lexemes.get(split === undefined ? q : split.rest);
    const crossing = this.crossings.of(mask.residual, follow);
    let gone = split === undefined ? NONE : this.names.spelledFrom(split, q);
    if (mask.without.length > 0) gone = gone.length === 0 ? mask.without : ids([...gone, ...mask.without]);
    parts.addDoubt(crossing.doubt);
    if (gone.length === 0 || alone) {
      if (mask.base !== undefined) parts.addBase(mask.base);
      if (mask.extra.length > 0) parts.within.push(mask.extra);
      for (const list of crossing.lists) parts.within.push(list);
      if (gone.length > 0) parts.removed = gone;
      return;
    }
    if (mask.base !== undefined) {
      const less = mask.base.slice();
      for (const t of gone) less[t >> 5]! &= ~(1 << (t & 31));
      parts.bases.push(less);
      this.heldBytes += less.byteLength;
    }
    const drop = new Set(gone);
    for (const list of [mask.extra, ...crossing.lists]) for (const t of list) if (!drop.has(t)) parts.found.push(t);
  }

  /** Whether every blank leads back to the state. */
  private loopsOnBlanks(state: number): boolean {
    const { recognizer } = this;
    if (recognizer.grammar.whitespace !== 'flexible') return false;
    const bits = recognizer.nextBytes(state);
    if ((bits[1]! & 1) === 0 || ((bits[0]! >>> 10) & 1) === 0) return false;
    for (const b of BLANKS) if (recognizer.step(state, b) !== state) return false;
    return true;
  }
}
