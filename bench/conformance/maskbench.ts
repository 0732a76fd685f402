/** The MaskBench part: per schema, does it compile, is every valid instance taken and every invalid one refused? */
import { Validator } from '../../src/engine/validate.js';
import { byteVocabulary, takes, tryCompile } from './check.js';
import type { MaskBenchCase } from './data.js';
import { ARBITRATED } from './labels.js';

export interface WrongAnswer {
  readonly test: number;
  readonly kind: 'valid refused' | 'invalid accepted' | 'crash';
  readonly description: string;
  /** What ajv says of the instance: helps to arbitrate. */
  readonly ajv: string;
}

export interface SchemaVerdict {
  readonly id: string;
  readonly source: string;
  readonly compile: 'ok' | 'crash' | string;
  readonly message?: string;
  readonly compileMs: number;
  /** All of the schema: compile and instances. */
  readonly ms: number;
  readonly wrong: readonly WrongAnswer[];
}

export function judgeSchema(c: MaskBenchCase, propertyOrder: 'any' | 'schema'): SchemaVerdict {
  const from = performance.now();
  const compiled = tryCompile(c.schema, { propertyOrder, whitespace: 'flexible' });
  const base = { id: c.id, source: c.source, compileMs: compiled.ms };
  if (compiled.kind !== 'ok') {
    const compile = compiled.kind === 'crash' ? 'crash' : compiled.code;
    return { ...base, compile, message: compiled.message, ms: performance.now() - from, wrong: [] };
  }
  const vocabulary = byteVocabulary();
  const wrong: WrongAnswer[] = [];
  const validator = new Validator();
  const opinion = (data: unknown): string => {
    const v = validator.validate(c.schema, data);
    if (v.uncompilable !== undefined) return `cannot compile: ${v.uncompilable.slice(0, 80)}`;
    return v.valid ? 'valid' : `invalid: ${v.errors[0] ?? ''}`;
  };
  let ms = performance.now() - from;
  c.tests.forEach((test, i) => {
    if (ARBITRATED.some((a) => a.id === c.id && a.test === i)) return;
    const began = performance.now();
    let kind: WrongAnswer['kind'] | undefined;
    let description = test.description ?? '';
    try {
      const taken = takes(compiled.grammar, vocabulary, test.text ?? JSON.stringify(test.data));
      if (taken !== test.valid) kind = test.valid ? 'valid refused' : 'invalid accepted';
    } catch (error) {
      kind = 'crash';
      description =
        error instanceof Error ? (error.stack ?? error.message).split('\n').slice(0, 3).join(' <') : String(error);
    }
    ms += performance.now() - began;
    if (kind !== undefined) wrong.push({ test: i, kind, description, ajv: opinion(test.data) });
  });
  return { ...base, compile: 'ok', ms, wrong };
}

/** Passes: compiles, and every label is met. */
export const passes = (v: SchemaVerdict): boolean => v.compile === 'ok' && v.wrong.length === 0;
