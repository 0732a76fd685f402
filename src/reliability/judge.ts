/**
 * The verdict on a finished text, the same for every method: is it JSON, does it fit, how many fields are right.
 *
 * Schemas are judged by ajv (src/engine/validate.ts), which shares no automata with the masks but for `pattern`. A value that only ajv's narrower
 * idea of a format refuses counts as fitting and is marked. Grammars of the suite carry a judge of their own (languages.ts); those of users
 * are judged by the engine's recognizer, byte by byte and without masks.
 */
import { ResultChecker } from '../engine/check.js';
import { type CompiledGrammar, Matcher, Vocabulary } from '../fsm/index.js';
import { scoreFields } from './fields.js';
import { textFits } from './languages.js';
import type { AnswerLine, BenchRequest } from './types.js';

export type Verdict = Pick<AnswerLine, 'json' | 'fits' | 'disputed' | 'why' | 'fields' | 'right'>;

export class Judge {
  readonly #checker = new ResultChecker();
  readonly #bytes = Vocabulary.fromTokens([...Array.from({ length: 256 }, (_, b) => Uint8Array.of(b)), null], {
    eos: [256],
  });

  /** `schema`: what the value must fit (of tools: the union of their calls). */
  json(request: BenchRequest, schema: unknown, text: string): Verdict {
    const { expected } = request;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      const none = expected === undefined ? {} : { fields: scoreFields(expected, undefined).fields, right: 0 };
      return { json: false, fits: false, why: error instanceof Error ? short(error.message) : 'not JSON', ...none };
    }
    const score = expected === undefined ? {} : scoreFields(expected, value);
    const { valid, errors, uncompilable, disputed } = this.#checker.check(schema, value, {});
    if (uncompilable !== undefined) return { json: true, fits: null, why: short(`ajv: ${uncompilable}`), ...score };
    if (!valid) return { json: true, fits: false, why: short(errors[0] ?? 'does not fit'), ...score };
    return {
      json: true,
      fits: true,
      ...(disputed === undefined ? {} : { disputed: short(disputed.join('; ')) }),
      ...score,
    };
  }

  grammar(request: BenchRequest, grammar: CompiledGrammar, text: string): Verdict {
    const fits = request.check === undefined ? this.#recognises(grammar, text) : textFits(request.check, text);
    const { expected } = request;
    return {
      json: null,
      fits,
      ...(fits ? {} : { why: 'not a text of the grammar' }),
      ...(expected === undefined ? {} : { fields: 1, right: expected === text ? 1 : 0 }),
    };
  }

  #recognises(grammar: CompiledGrammar, text: string): boolean {
    const matcher = new Matcher(grammar, this.#bytes);
    return matcher.acceptBytes(new TextEncoder().encode(text)) && matcher.isAccepting;
  }
}

function short(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 199)}…`;
}
