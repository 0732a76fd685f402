/**
 * Random walks over arrays with unique items, with tokens that end one item and begin the next: each mask bit is what `accept` says, and no
 * walk comes to an end that is none.
 */
import { TokenloomError } from '../../src/base/errors.js';
import { compile, json, Matcher, Vocabulary } from '../../src/core.js';
import { type Draw, oneOf } from '../oracle/random-grammar.js';
import { allowedOf } from './allowed.js';

const ENDS = [']', '}', '"', '1', ' ', '', 'true', '"x"', '1.0', ']]'];
const STARTS = ['[', '{', '{"', '[[', '"', '1', ' [', '{"a', '{"b"', '[1', ']', '}'];

function tokensOf(draw: Draw): (Uint8Array | null)[] {
  const words = new Set<string>();
  for (let i = 0; i < 40; i++)
    words.add(oneOf(draw, ENDS)! + (draw.below(5) === 0 ? ' ,' : ',') + oneOf(draw, STARTS)!);
  for (const word of ['"a":', '"b":1', ',"b":', ':[', ':{', ' ,', '],', '},', '"}']) words.add(word);
  // Where bytes are missing masks are made another way (spelling.ts).
  const length = draw.below(2) === 0 ? 128 : 256;
  return [...Array.from({ length }, (_, b) => Uint8Array.of(b)), ...[...words].map((w) => Buffer.from(w)), null];
}

/** One walk; a string says what is wrong. */
export function walk(draw: Draw, schema: object): string | undefined {
  const tokens = tokensOf(draw);
  const vocabulary = Vocabulary.fromTokens(tokens, { eos: [tokens.length - 1] });
  const options = {
    whitespace: oneOf(draw, ['compact', 'flexible'] as const)!,
    propertyOrder: oneOf(draw, ['any', 'schema'] as const)!,
  };
  let matcher: Matcher;
  try {
    matcher = new Matcher(compile(json(schema, options)), vocabulary);
  } catch (e) {
    // No value at all, or too many alternatives: the front end says so.
    if (!(e instanceof TokenloomError)) throw e;
    return undefined;
  }
  const ids = [...tokens.keys()].filter(
    (id) => id < tokens.length - 1 && !(tokens[id]!.length === 1 && tokens[id]![0]! >= 0x80),
  );
  const mask = new Uint32Array(Math.ceil(tokens.length / 32));
  let text = '';
  for (let step = 0; step < 60; step++) {
    const found = allowedOf(matcher, mask, ids, tokens);
    if (typeof found === 'string') return `${text}: ${found}; ${JSON.stringify(schema)}`;
    // Blanks are allowed nearly everywhere and lead nowhere.
    const allowed = found.filter((id) => id > 0x20 || draw.below(20) === 0);
    if (allowed.length === 0)
      return matcher.isAccepting ? undefined : `${text}: nothing may follow; ${JSON.stringify(schema)}`;
    const id = oneOf(draw, allowed)!;
    matcher.accept(id);
    text += Buffer.from(tokens[id]!).toString();
  }
  return undefined;
}
