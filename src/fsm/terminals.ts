/** Tokens as steps of the recognizer: by their bytes, and by the token terminals that name them. */
import type { TokenExpr } from '../grammar/ir.js';
import { DEAD, TOKEN } from './layout.js';
import type { Recognizer } from './recognizer.js';
import type { Vocabulary } from './vocabulary.js';

/** The state after a token, or DEAD. */
export function afterToken(recognizer: Recognizer, vocabulary: Vocabulary, state: number, token: number): number {
  const { bytes, offsets } = vocabulary;
  let next = DEAD;
  if (!vocabulary.isNull(token)) next = recognizer.stepAll(state, bytes, offsets[token]!, offsets[token + 1]!);
  if (recognizer.wantsToken(state) && token >= 0 && token < vocabulary.size)
    next = recognizer.unionStates(
      next,
      recognizer.stepToken(state, (id) => takes(recognizer.grammar.exprs[id] as TokenExpr, token, vocabulary)),
    );
  return next;
}

/** The tokens that a terminal names, whether it takes them or all others; the end of sequence ends the text and is none of it. */
export function namedTokens({ ids, texts }: TokenExpr, vocabulary: Vocabulary): readonly number[] {
  const known = ids.filter((id) => id >= 0 && id < vocabulary.size);
  return [...known, ...texts.flatMap((t) => vocabulary.find(t))].filter((id) => !vocabulary.isEos(id));
}

/**
 * Adds the tokens that the terminals of a state take to a mask that has those allowed by their bytes. Tokens that no terminal names are alike: the
 * negated ones take them all, so one state is asked for 100,000 tokens. `byBytes` has all tokens whose bytes the state takes, whatever
 * `affords` says of what follows, and `allows` answers for a token by itself.
 */
export function addTerminals(
  recognizer: Recognizer,
  vocabulary: Vocabulary,
  state: number,
  byBytes: Uint32Array,
  mask: Uint32Array,
  affords: (next: number) => boolean,
  allows: (token: number) => boolean,
): void {
  const { states, configs, grammar } = recognizer;
  const named = new Set<number>();
  const negated = new Set<number>();
  for (let i = states.offsets[state]!, end = states.offsets[state + 1]!; i < end; i++) {
    const o = configs.offsets[states.data[i]!]!;
    if (configs.data[o] !== TOKEN) continue;
    const id = configs.data[o + 1]!;
    const terminal = grammar.exprs[id] as TokenExpr;
    for (const t of namedTokens(terminal, vocabulary)) named.add(t);
    if (terminal.negate) negated.add(id);
  }
  if (negated.size > 0) {
    const all = affords(recognizer.stepToken(state, (id) => negated.has(id)));
    const spelled = spelledTokens(vocabulary);
    for (let w = 0; w < spelled.length; w++) {
      const missing = spelled[w]! & ~mask[w]!;
      if (all) mask[w]! |= missing & ~byBytes[w]!;
      // What the bytes make necessary as well decides.
      for (let rest = missing & byBytes[w]!; rest !== 0; rest &= rest - 1) {
        const t = w * 32 + (31 - Math.clz32(rest & -rest));
        if (!named.has(t) && allows(t)) mask[w]! |= 1 << (t & 31);
      }
    }
    for (const t of named) if (((byBytes[t >> 5]! >>> (t & 31)) & 1) === 0) mask[t >> 5]! &= ~(1 << (t & 31));
  }
  for (const t of named) if (((mask[t >> 5]! >>> (t & 31)) & 1) === 0 && allows(t)) mask[t >> 5]! |= 1 << (t & 31);
}

const SPELLED = Symbol('tokens with bytes');

/** Tokens that have bytes, but for the end of sequence; as a mask. */
function spelledTokens(vocabulary: Vocabulary): Uint32Array {
  return vocabulary.cache.get(SPELLED, () => {
    const set = new Uint32Array(Math.ceil(vocabulary.size / 32));
    for (let t = 0; t < vocabulary.size; t++)
      if (!vocabulary.isNull(t) && !vocabulary.isEos(t)) set[t >> 5]! |= 1 << (t & 31);
    return set;
  });
}

/** Whether a token terminal takes a token. */
function takes(terminal: TokenExpr, token: number, vocabulary: Vocabulary): boolean {
  const named = terminal.ids.includes(token) || terminal.texts.some((t) => vocabulary.find(t).includes(token));
  return terminal.negate ? !named && !vocabulary.isNull(token) : named;
}
