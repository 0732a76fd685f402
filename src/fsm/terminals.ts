/** Tokens as steps of the recognizer: by their bytes, and by the token terminals that name them. */
import type { TokenExpr } from '../grammar/ir.js';
import { DEAD } from './layout.js';
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

/** The tokens that a terminal names, whether it takes them or all others. */
export function namedTokens({ ids, texts }: TokenExpr, vocabulary: Vocabulary): readonly number[] {
  return [...ids.filter((id) => id >= 0 && id < vocabulary.size), ...texts.flatMap((t) => vocabulary.find(t))];
}

/** Whether a token terminal takes a token. */
function takes(terminal: TokenExpr, token: number, vocabulary: Vocabulary): boolean {
  const named = terminal.ids.includes(token) || terminal.texts.some((t) => vocabulary.find(t).includes(token));
  return terminal.negate ? !named && !vocabulary.isNull(token) : named;
}
