/**
 * Tokens below a place of the token trie that a state allows: those that begin there, or that cross the end of a lexeme and go on.
 *
 * Walked jointly with the recognizer as long as little is possible; where a wide lexeme begins and much lies below, what is known of
 * the lexeme there (lexeme-mask.ts) takes the place of the walk.
 */
import { DEAD, DYN, ITEM, LEX } from './layout.js';
import { ids, MaskParts, NONE } from './mask-record.js';
import type { MaskShare } from './mask-share.js';
import type { NameMasks } from './name-mask.js';
import type { Recognizer } from './recognizer.js';
import type { Residual } from './residual.js';

/** Tokens that a state allows below a residual node: shared lists, and those that a cut state cannot decide. */
export interface Crossing {
  readonly lists: readonly Int32Array[];
  readonly doubt: Int32Array;
}

/** Where at least so many trie edges lie below, wide lexemes are not walked again. */
const WIDE_FAN = 24;
const NOTHING: Crossing = { lists: [], doubt: NONE };

export class Crossings {
  /** By (residual node, state). */
  private readonly known = new Map<number, Crossing>();
  /** Bytes held. */
  bytes = 0;

  constructor(
    private readonly recognizer: Recognizer,
    private readonly share: MaskShare,
    private readonly names: NameMasks,
  ) {}

  /** Tokens below a residual node that a state allows. Cached. */
  of(residual: Residual, state: number): Crossing {
    if (state === DEAD || residual.fan === 0) return NOTHING;
    const key = residual.id * 0x2000000 + state;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const parts = new MaskParts();
    if (this.recognizer.reachedBottom(state)) this.collect(residual, parts.doubt);
    else this.walk(residual, state, parts);
    if (parts.found.length > 0) parts.lists.push(ids(parts.found));
    const made: Crossing = { lists: parts.lists, doubt: ids(parts.doubt) };
    this.known.set(key, made);
    this.bytes += 140 + (parts.found.length + parts.doubt.length) * 4 + parts.lists.length * 8;
    return made;
  }

  /** {@link of} into the parts of a mask. */
  addTo(parts: MaskParts, residual: Residual, state: number): void {
    const crossing = this.of(residual, state);
    for (const list of crossing.lists) parts.lists.push(list);
    parts.addDoubt(crossing.doubt);
  }

  /** The tokens below a residual node that a state allows; those that reach the cut of the state are in doubt. */
  walk(residual: Residual, state: number, parts: MaskParts): void {
    const { recognizer, share } = this;
    const bits = recognizer.nextBytes(state);
    const children = share.lexemes.residuals.childrenOf(residual);
    for (let i = 0; i < children.length; i++) {
      const edge = children[i]!;
      const { byte, tokens, to } = edge;
      if (((bits[byte >> 5]! >>> (byte & 31)) & 1) === 0) continue;
      const next = recognizer.step(state, byte);
      if (next === DEAD) continue;
      if (recognizer.reachedBottom(next)) {
        for (const t of tokens) parts.doubt.push(t);
        this.collect(to, parts.doubt);
        continue;
      }
      for (const t of tokens) parts.found.push(t);
      if (to.fan >= WIDE_FAN) this.split(to, next, parts);
      else if (to.fan > 0) this.walk(to, next, parts);
    }
  }

  /** {@link walk} where much lies below: wide lexemes take what is known of them there, the rest is walked. */
  split(at: Residual, state: number, parts: MaskParts): void {
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
      const stack = configs.data[o + 3]!;
      const without = share.lexemes.splitLiterals(q);
      const rest = without === undefined ? q : without.rest;
      // What is known of a lexeme does not tell where it has few ends left.
      if (recognizer.mayBeForgotten(kind, stack) && !recognizer.pool.isAnyText(rest)) {
        narrow?.push(states.data[i]!);
        continue;
      }
      narrow ??= Array.from(states.data.subarray(from, i));
      const part = share.lexemes.below(at, rest);
      const crossing = this.of(part.residual, recognizer.afterLexeme(kind, stack));
      const gone = without === undefined ? NONE : this.names.spelledBelow(at, without, q);
      if (gone.length === 0) {
        parts.addList(part.extra);
        for (const list of crossing.lists) parts.lists.push(list);
        parts.addDoubt(crossing.doubt);
      } else {
        const drop = new Set(gone);
        for (const list of [part.extra, ...crossing.lists]) for (const t of list) if (!drop.has(t)) parts.found.push(t);
        for (const t of crossing.doubt) if (!drop.has(t)) parts.doubt.push(t);
      }
    }
    if (narrow === undefined) this.walk(at, state, parts);
    else if (narrow.length > 0) this.walk(at, recognizer.stateOf(narrow), parts);
  }

  /** All tokens below a residual node. */
  private collect(residual: Residual, out: number[]): void {
    for (const edge of this.share.lexemes.residuals.childrenOf(residual)) {
      for (const t of edge.tokens) out.push(t);
      if (edge.to.nodes.length > 0) this.collect(edge.to, out);
    }
  }
}
