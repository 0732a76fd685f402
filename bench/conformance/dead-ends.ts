/**
 * Never a dead end: generations driven by random logits (a token drawn evenly from the mask) under a token budget must finish,
 * and ajv must find every value valid.
 */
import { createRandom } from '../../src/base/random.js';
import { Matcher, UnsatisfiableError, type Vocabulary } from '../../src/core.js';
import { Validator } from '../../src/engine/validate.js';
import { tryCompile } from './check.js';
import type { MaskBenchCase } from './data.js';

export interface DeadEndVerdict {
  readonly id: string;
  readonly source: string;
  /** 'too long': the shortest value needs more tokens than the budget. */
  readonly kind: 'ok' | 'not compiled' | 'crash' | 'too long' | 'failed' | 'unchecked';
  readonly tokens: number;
  readonly ms: number;
  readonly failure?: string;
}

/** The n-th set bit's index. */
function nthBit(mask: Uint32Array, n: number): number {
  let left = n;
  for (let w = 0; w < mask.length; w++) {
    let x = mask[w] ?? 0;
    const count = popCount(x);
    if (left >= count) {
      left -= count;
      continue;
    }
    for (; left > 0; left--) x &= x - 1;
    return w * 32 + 31 - Math.clz32(x & -x);
  }
  return -1;
}

function popCount(x: number): number {
  let v = x - ((x >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

function countBits(mask: Uint32Array): number {
  let n = 0;
  for (let w = 0; w < mask.length; w++) n += popCount(mask[w] ?? 0);
  return n;
}

export function generate(
  matcher: Matcher,
  vocabulary: Vocabulary,
  seed: number,
  limit: number,
): { ids: number[]; end: string } {
  const random = createRandom(seed);
  const mask = new Uint32Array(Math.ceil(vocabulary.size / 32));
  const ids: number[] = [];
  for (;;) {
    matcher.fillMask(mask);
    const count = countBits(mask);
    if (count === 0) return { ids, end: 'empty mask' };
    const id = nthBit(mask, random.below(count));
    if (!matcher.accept(id)) return { ids, end: `token ${id} of the mask refused` };
    if (matcher.isFinished) return { ids, end: 'finished' };
    ids.push(id);
    if (ids.length > limit) return { ids, end: 'over the budget' };
  }
}

export function judgeDeadEnds(
  c: MaskBenchCase,
  vocabulary: Vocabulary,
  settings: { readonly seed: number; readonly generations: number; readonly maxTokens: number },
): DeadEndVerdict {
  const from = performance.now();
  const base = { id: c.id, source: c.source };
  let tokens = 0;
  const done = (kind: DeadEndVerdict['kind'], failure?: string): DeadEndVerdict => ({
    ...base,
    kind,
    tokens,
    ms: performance.now() - from,
    ...(failure === undefined ? {} : { failure }),
  });
  const compiled = tryCompile(c.schema, { whitespace: 'bounded' });
  if (compiled.kind === 'crash') return done('crash', compiled.message);
  if (compiled.kind !== 'ok') return done('not compiled');
  const validator = new Validator();
  const uncompilable = validator.whyUncompilable(c.schema);
  for (let k = 0; k < settings.generations; k++) {
    const seed = settings.seed + k;
    try {
      const matcher = new Matcher(compiled.grammar, vocabulary, { maxTokens: settings.maxTokens });
      const { ids, end } = generate(matcher, vocabulary, seed, settings.maxTokens);
      tokens += ids.length;
      const text = new TextDecoder().decode(vocabulary.decode(ids));
      if (end !== 'finished')
        return done('failed', `seed ${seed}: ${end} after ${ids.length} tokens: ${text.slice(-120)}`);
      const value: unknown = JSON.parse(text);
      if (uncompilable !== undefined) continue;
      const verdict = validator.validate(c.schema, value);
      if (!verdict.valid)
        return done(
          'failed',
          `seed ${seed}: ajv: ${verdict.errors[0] ?? verdict.uncompilable ?? ''}: ${text.slice(0, 400)}`,
        );
    } catch (error) {
      if (error instanceof UnsatisfiableError) return done('too long');
      return done(
        'failed',
        `seed ${seed}: ${error instanceof Error ? (error.stack ?? '').split('\n').slice(0, 3).join(' <') : String(error)}`,
      );
    }
  }
  return uncompilable === undefined ? done('ok') : done('unchecked', uncompilable);
}
