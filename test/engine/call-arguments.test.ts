/** Arguments that are not written as JSON, of random schemas: what the grammar lets through is read as arguments that fit, and what fits is let through. */
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { OptionError, UnsatisfiableError, UnsupportedSchemaError } from '../../src/base/errors.js';
import { createRandom, type Random } from '../../src/base/random.js';
import { compile, json, Matcher, Vocabulary } from '../../src/core.js';
import { callText, readCalls } from '../../src/engine/call-format.js';
import { ResultChecker } from '../../src/engine/check.js';
import { parameterKinds } from '../../src/engine/parameter-kinds.js';
import { targetOf } from '../../src/engine/target.js';
import { validateValue } from '../../src/engine/validate.js';
import { constraintGrammar } from '../../src/grammar/constraint/grammar.js';
import { validateGrammar } from '../../src/grammar/validate.js';
import { randomSchema, UNIVERSE } from '../grammar/schema/random-schema.js';
import { ELEMENTS, FORMS, NOTATIONS } from './sample-forms.js';

const BYTES = [...Array.from({ length: 256 }, (_, b) => Uint8Array.of(b)), null];
const vocabulary = Vocabulary.fromTokens(BYTES, { eos: [256] });
const SEEDS = Number(process.env.ARGUMENTS_SEEDS ?? 20);

function randomTool(random: Random, unique: boolean): object {
  const flavour = { unique, unevaluated: false };
  const names = ['a', 'b', 'ab', 'x1'].filter(() => random.float() < 0.7);
  return {
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, randomSchema(random, 2, flavour)])),
    ...(random.float() < 0.5 ? { required: names.filter(() => random.float() < 0.5) } : {}),
    ...(random.float() < 0.2 && names.length > 1 ? { dependentRequired: { [names[0]!]: [names[1]!] } } : {}),
    ...(random.float() < 0.2 ? { minProperties: 1 } : {}),
    ...(random.float() < 0.2 ? { additionalProperties: randomSchema(random, 1, flavour) } : {}),
    ...(random.float() < 0.2 ? { anyOf: [randomSchema(random, 2, flavour), randomSchema(random, 2, flavour)] } : {}),
  };
}

/** A text that the grammar lets through, byte by byte, with printable ones preferred. */
function walk(matcher: Matcher, random: Random): string {
  const mask = new Uint32Array(9);
  const bytes: number[] = [];
  for (;;) {
    matcher.fillMask(mask);
    const allowed = Array.from({ length: 257 }, (_, t) => t).filter((t) => ((mask[t >> 5]! >>> (t & 31)) & 1) === 1);
    if (allowed.length === 0) throw new Error(`a dead end behind ${JSON.stringify(Buffer.from(bytes).toString())}`);
    const plain = allowed.filter((t) => t < 128 && t >= 10);
    const token = plain.length > 0 ? plain[random.below(plain.length)]! : allowed[random.below(allowed.length)]!;
    if (allowed.includes(256)) return Buffer.from(bytes).toString();
    expect(matcher.accept(token)).toBe(true);
    bytes.push(token);
  }
}

describe.each([...ELEMENTS, ...NOTATIONS])('random arguments: %s', (name) => {
  const form = FORMS[name]!;
  it(`${SEEDS} tools`, async () => {
    const checker = new ResultChecker();
    let told = 0;
    let letIn = 0;
    for (let seed = 0; seed < SEEDS; seed++) {
      const random = createRandom(seed);
      // Most notations cannot tell what is unique.
      const schema = randomTool(random, form.notation === undefined);
      const given = json(schema, random.float() < 0.5 ? { propertyOrder: 'any' } : {});
      const target = targetOf(
        null,
        { tools: [{ name: 'f', parameters: given }], toolChoice: 'auto', parallelToolCalls: false },
        form,
      );
      let grammar: ReturnType<typeof compile>;
      try {
        grammar = compile(target.constraint!);
      } catch (error) {
        if (
          error instanceof OptionError ||
          error instanceof UnsupportedSchemaError ||
          error instanceof UnsatisfiableError
        )
          continue;
        throw error;
      }
      expect(validateGrammar(constraintGrammar(target.constraint!).grammar), String(seed)).toEqual([]);
      const begin = new TextEncoder().encode(form.begin);
      for (let round = 0; round < 6; round++) {
        const matcher = new Matcher(grammar, vocabulary, { maxTokens: 400 });
        if (!matcher.acceptBytes(begin)) break;
        const text = form.begin + walk(matcher, random);
        const read = (await target.finish(text, checker, () => {})) as { calls: { arguments: unknown }[] };
        expect(read.calls, text).toHaveLength(1);
        told++;
      }
      if (given.options.propertyOrder !== 'any') continue;
      for (const value of UNIVERSE) {
        if (typeof value !== 'object' || value === null || Array.isArray(value)) continue;
        const text = callText(form, [{ name: 'f', arguments: JSON.stringify(value) }]);
        const matcher = new Matcher(grammar, vocabulary);
        const taken = matcher.acceptBytes(new TextEncoder().encode(text)) && matcher.isAccepting;
        // Within objects too, where those are not JSON: they are left out here.
        const named =
          Object.keys(value).every((key) => Object.hasOwn((schema as { properties: object }).properties, key)) &&
          (form.notation === undefined || !/:\{"|\[\{"/.test(JSON.stringify(value)));
        const fits = validateValue(schema, value).valid;
        if (taken) {
          const read = (await target.finish(text, checker, () => {})) as { calls: { arguments: unknown }[] };
          expect(validateValue(schema, read.calls[0]!.arguments).valid, `${seed} ${text}`).toBe(true);
        }
        // Strings that are read as other values are left out.
        const again = readCalls(form, [{ name: 'f', kinds: parameterKinds(schema) }], text)!.calls[0]!;
        if (fits && named && isDeepStrictEqual(JSON.parse(again.json), value)) {
          expect(taken, `${seed} ${JSON.stringify(schema)} ${text}`).toBe(true);
          letIn++;
        }
      }
    }
    expect(told).toBeGreaterThan(SEEDS);
    expect(letIn).toBeGreaterThan(SEEDS / (form.notation === undefined ? 4 : 10));
  });
});
