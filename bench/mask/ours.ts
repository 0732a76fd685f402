/**
 * Our engine over MaskBench cases: the time of a token is fillMask plus accept, the time of a schema is compile, Matcher and first
 * mask. Correctness goes along: a valid instance's tokens are allowed by the mask, accepted, and accepting at the end; an invalid one is
 * refused somewhere or does not end accepting; mask bit and accept agree on every token.
 */
import { compile, json, Matcher, TokenloomError, type Vocabulary } from '../../src/core.js';
import type { CompiledGrammar } from '../../src/fsm/index.js';
import type { MaskCase } from './cases.js';
import { Samples, Stopwatch } from './stats.js';

export interface OursOptions {
  readonly propertyOrder: 'any' | 'schema';
  readonly whitespace: 'flexible' | 'bounded' | 'compact';
}

export interface SchemaTimes {
  readonly id: string;
  readonly source: string;
  /** Where it does not compile: the error's code. */
  readonly refused?: string;
  /** Compile to first mask, microseconds. */
  readonly compileUs: number;
  readonly tokens: number;
  readonly wrong: readonly string[];
  /** Slowest token: instance, position, microseconds. */
  readonly worst: { readonly test: number; readonly at: number; readonly us: number };
}

/** A slow token: schema, instance, position, microseconds. */
export interface Worst {
  readonly us: number;
  readonly id: string;
  readonly test: number;
  readonly at: number;
}

export interface OursResult {
  readonly schemas: readonly SchemaTimes[];
  readonly mask: Map<string, Samples>;
  readonly compile: Map<string, Samples>;
  /** Token times by schema. */
  readonly times: Map<string, Samples>;
}

/** A schema that took this long is given up after the instance at hand (and counted as wrong). */
const GIVE_UP_US = 5e6;

const into = (map: Map<string, Samples>, key: string): Samples => {
  let s = map.get(key);
  if (s === undefined) {
    s = new Samples();
    map.set(key, s);
  }
  return s;
};

/** One schema's instances; calls `each` with (instance, position, microseconds). */
export function replay(
  grammar: CompiledGrammar,
  c: MaskCase,
  vocabulary: Vocabulary,
  mask: Uint32Array,
  each: (test: number, at: number, us: number) => void,
): string[] {
  const wrong: string[] = [];
  const watch = new Stopwatch();
  let total = 0;
  for (const [i, test] of c.tests.entries()) {
    if (total > GIVE_UP_US) {
      wrong.push(
        `tests ${i} to ${c.tests.length - 1} left out: ${(total / 1e6).toFixed(0)} s spent on the schema already`,
      );
      break;
    }
    const matcher = new Matcher(grammar, vocabulary);
    let refusedAt = -1;
    const { tokens } = test;
    for (let at = 0; at < tokens.length; at++) {
      const token = tokens[at]!;
      watch.start();
      matcher.fillMask(mask);
      const accepted = matcher.accept(token);
      const spent = watch.stop();
      each(i, at, spent);
      total += spent;
      if (total > 2 * GIVE_UP_US) break;
      if ((((mask[token >> 5]! >>> (token & 31)) & 1) === 1) !== accepted)
        wrong.push(`test ${i}: mask and accept differ at ${at}`);
      if (!accepted) {
        refusedAt = at;
        break;
      }
    }
    if (total > 2 * GIVE_UP_US) continue;
    const taken = refusedAt < 0 && matcher.isAccepting;
    if (taken !== test.valid)
      wrong.push(`test ${i}: ${test.valid ? `valid refused at ${refusedAt} of ${tokens.length}` : 'invalid accepted'}`);
  }
  return wrong;
}

/** Compile to the first mask; the error's code where it is refused. */
export function firstMask(
  c: MaskCase,
  vocabulary: Vocabulary,
  mask: Uint32Array,
  options: OursOptions,
): { us: number; grammar?: CompiledGrammar; refused?: string } {
  const watch = new Stopwatch();
  watch.start();
  try {
    const grammar = compile(json(c.schema as object, options));
    new Matcher(grammar, vocabulary).fillMask(mask);
    return { us: watch.stop(), grammar };
  } catch (error) {
    const us = watch.stop();
    return { us, refused: error instanceof TokenloomError ? error.code : `crash: ${String(error)}` };
  }
}

export function runOurs(cases: readonly MaskCase[], vocabulary: Vocabulary, options: OursOptions): OursResult {
  const mask = new Uint32Array(Math.ceil(vocabulary.size / 32));
  const result: OursResult = { schemas: [], mask: new Map(), compile: new Map(), times: new Map() };
  const schemas = result.schemas as SchemaTimes[];
  for (const c of cases) {
    const first = firstMask(c, vocabulary, mask, options);
    const base = { id: c.id, source: c.source, compileUs: first.us };
    const none = { test: -1, at: -1, us: 0 };
    if (first.grammar === undefined) {
      schemas.push({ ...base, refused: first.refused ?? '', tokens: 0, wrong: [], worst: none });
      continue;
    }
    into(result.compile, c.source).push(first.us);
    const samples = into(result.mask, c.source);
    const own = into(result.times, c.id);
    let tokens = 0;
    let worst = none;
    let wrong: string[];
    try {
      wrong = replay(first.grammar, c, vocabulary, mask, (test, at, us) => {
        tokens++;
        samples.push(us);
        own.push(us);
        if (us > worst.us) worst = { test, at, us };
      });
    } catch (error) {
      wrong = [
        `crash: ${error instanceof Error ? (error.stack ?? '').split('\n').slice(0, 3).join(' <') : String(error)}`,
      ];
    }
    schemas.push({ ...base, tokens, wrong, worst });
  }
  return result;
}

/** Position by position the least of two runs (each from cold caches), for machines that do other things too. */
export function leastOfRuns(a: OursResult, b: OursResult): OursResult {
  for (const part of ['mask', 'compile', 'times'] as const) {
    for (const [key, samples] of a[part]) samples.leastOf(b[part].get(key) ?? samples);
  }
  const others = new Map(b.schemas.map((s) => [s.id, s]));
  const schemas = a.schemas.map((s) => {
    const o = others.get(s.id);
    return o === undefined ? s : { ...s, compileUs: Math.min(s.compileUs, o.compileUs) };
  });
  return { ...a, schemas };
}

/**
 * The worst position's minimum: the schemas with the slowest tokens are run three more times, each time with a new grammar and a new
 * vocabulary (all caches cold); a position counts with the least of its times, which leaves out what the machine did meanwhile.
 */
export function worstOfThree(
  cases: readonly MaskCase[],
  result: OursResult,
  fresh: () => Vocabulary,
  options: OursOptions,
  most: number,
): Worst[] {
  const slow = result.schemas
    .filter((s) => s.worst.us > 1000)
    .sort((a, b) => b.worst.us - a.worst.us)
    .slice(0, most);
  const out: Worst[] = [];
  for (const s of slow) {
    const c = cases.find((x) => x.id === s.id);
    if (c === undefined) continue;
    const least = new Map<string, number>();
    for (let k = 0; k < 3; k++) {
      const vocabulary = fresh();
      const mask = new Uint32Array(Math.ceil(vocabulary.size / 32));
      const { grammar } = firstMask(c, vocabulary, mask, options);
      if (grammar === undefined) continue;
      replay(grammar, c, vocabulary, mask, (test, at, us) => {
        const key = `${test},${at}`;
        least.set(key, Math.min(us, least.get(key) ?? Number.POSITIVE_INFINITY));
      });
    }
    let worst = { us: 0, id: s.id, test: -1, at: -1 };
    for (const [key, us] of least) {
      const [test, at] = key.split(',').map(Number);
      if (us > worst.us) worst = { us, id: s.id, test: test ?? -1, at: at ?? -1 };
    }
    // The run itself is a replay too: a position cannot be slower than it was there.
    if (worst.test === s.worst.test && worst.at === s.worst.at) worst.us = Math.min(worst.us, s.worst.us);
    out.push(worst);
  }
  return out.sort((a, b) => b.us - a.us);
}
