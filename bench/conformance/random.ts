/**
 * Random schemas against ajv, both ways: what ajv says of a value the grammar must say of its text, and what the grammar generates under a
 * budget ajv must find valid. A schema without any value must take none of ajv's either. Where the two differ a
 * plain validator (the twin in the front end's tests) decides who is wrong.
 */
import { createRandom } from '../../src/base/random.js';
import { Matcher, UnsatisfiableError, type Vocabulary } from '../../src/core.js';
import { Validator } from '../../src/engine/validate.js';
import { validate } from '../../test/grammar/schema/naive-validator.js';
import { takes, tryCompile } from './check.js';
import { generate } from './dead-ends.js';
import { changed, type Json, randomSchema, randomValue } from './random-schemas.js';

export interface RandomVerdict {
  readonly seed: number;
  /** 'empty': no value satisfies the schema, and ajv found none valid either. */
  readonly kind: 'ok' | 'empty' | 'refused' | 'unchecked' | 'apart';
  /** Answers compared, values generated, values too long for the budget. */
  readonly answers: number;
  readonly generated: number;
  readonly tooLong: number;
  /** Answers of ajv that the plain reading of the specification contradicts. */
  readonly theirs: number;
  readonly ms: number;
  readonly why?: string;
  readonly schema?: string;
}

const VALUES = 30;
const MAX_TOKENS = 160;

/** Documented narrowings: numbers that do not survive reading, and exponents. */
const narrowed = (text: string): boolean => /\d\.?\d{15}|\d[eE][+-]?\d/.test(text.replaceAll('.', ''));

export function judgeRandom(seed: number, vocabulary: Vocabulary, bytes: Vocabulary): RandomVerdict {
  const from = performance.now();
  const random = createRandom(seed);
  const { schema } = randomSchema(random);
  const hasFormat = JSON.stringify(schema).includes('"format":');
  let theirs = 0;
  let answers = 0;
  let generated = 0;
  let tooLong = 0;
  const done = (kind: RandomVerdict['kind'], why?: string): RandomVerdict => ({
    ...{ seed, kind, answers, generated, tooLong, theirs, ms: performance.now() - from },
    ...(why === undefined ? {} : { why }),
    ...(kind === 'apart' ? { schema: JSON.stringify(schema) } : {}),
  });
  const validator = new Validator();
  const uncompilable = validator.whyUncompilable(schema);
  const any = tryCompile(schema, { propertyOrder: 'any', whitespace: 'compact' });
  if (any.kind === 'crash') return done('apart', `crash: ${any.message}`);
  const empty = any.kind === 'refused' && any.code === 'UNSATISFIABLE';
  if (any.kind === 'refused' && !empty) return done('refused', any.message);

  const values: Json[] = [];
  if (any.kind === 'ok') {
    const ordered = tryCompile(schema, { whitespace: 'bounded' });
    if (ordered.kind !== 'ok') return done('apart', `order 'schema': ${ordered.message}`);
    for (let k = 0; k < 3; k++) {
      const grammar = k === 2 ? any.grammar : ordered.grammar;
      try {
        const matcher = new Matcher(grammar, vocabulary, { maxTokens: MAX_TOKENS });
        const { ids, end } = generate(matcher, vocabulary, seed + k, MAX_TOKENS);
        const text = new TextDecoder().decode(vocabulary.decode(ids));
        if (end !== 'finished') return done('apart', `${end} after ${text.slice(-200)}`);
        const value = JSON.parse(text) as Json;
        generated++;
        values.push(value);
        if (uncompilable !== undefined) continue;
        const verdict = validator.validate(schema, value);
        if (!verdict.valid && verdict.uncompilable === undefined)
          return done('apart', `generated ${text.slice(0, 300)}: ${verdict.errors[0] ?? ''}`);
      } catch (error) {
        if (!(error instanceof UnsatisfiableError)) throw error;
        tooLong++;
      }
    }
  }
  if (uncompilable !== undefined) return done('unchecked', uncompilable);
  const drawn = values.length;
  for (let k = 0; k < VALUES; k++) {
    values.push(
      drawn > 0 && k % 2 === 0 ? changed(random, values[random.below(values.length)]!) : randomValue(random, 3),
    );
  }
  for (const value of values.slice(drawn)) {
    const verdict = validator.validate(schema, value);
    if (verdict.uncompilable !== undefined) continue;
    const text = JSON.stringify(value);
    answers++;
    const ours = any.kind === 'ok' && takes(any.grammar, bytes, text);
    if (ours === verdict.valid || (verdict.valid && narrowed(text))) continue;
    // The plain reading of the specification decides, where it has all that the schema uses (it knows no formats).
    if (!hasFormat && validate(schema, value) === ours) {
      theirs++;
      continue;
    }
    return done(
      'apart',
      `${ours ? 'accepts' : empty ? 'empty, so refuses' : 'refuses'} ${text}: ajv ${verdict.errors[0] ?? 'finds it valid'}`,
    );
  }
  return done(empty ? 'empty' : 'ok');
}
