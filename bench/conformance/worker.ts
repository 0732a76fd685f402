/**
 * The child process that runs the jobs: one message before and one after each, so that the parent knows what a hang or a crash was
 * about, ends it, and goes on behind it in a fresh process.
 */
import { compile, json, TokenloomError } from '../../src/core.js';
import { loadVocabulary } from '../mask/vocabulary.js';
import { byteVocabulary, takes } from './check.js';
import { loadMaskBench, loadRemotes, loadSuite, type Selection } from './data.js';
import { judgeDeadEnds } from './dead-ends.js';
import { HOSTILE, type HostileCase } from './hostile.js';
import { judgeSchema } from './maskbench.js';
import { mutant } from './mutants.js';
import { judgeRandom } from './random.js';
import { judgeGroup } from './suite.js';

export type Part = 'any' | 'schema' | 'suite' | 'deadends' | 'hostile' | 'mutants' | 'random';

export interface Job {
  readonly part: Part;
  readonly maskbench: string;
  readonly suite: string;
  readonly select: Selection;
  readonly from: number;
  /** Names of tasks that are done already. */
  readonly done: readonly string[];
  readonly seed: number;
  readonly generations: number;
  readonly mutants: number;
  readonly random: number;
}

export type Report =
  /** The child listens: the job may be sent. */
  | { readonly ready: true }
  | { readonly at: number; readonly begin: string }
  | { readonly at: number; readonly verdict: unknown }
  | { readonly end: true };

function judgeHostile(c: HostileCase): { name: string; outcome: string; ok: boolean; ms: number } {
  const from = performance.now();
  const done = (outcome: string, ok: boolean) => ({ name: c.name, outcome, ok, ms: performance.now() - from });
  try {
    const grammar = compile(json(c.schema() as object, { propertyOrder: 'any' }));
    const vocabulary = byteVocabulary();
    for (const text of c.good ?? [])
      if (!takes(grammar, vocabulary, text)) return done(`refuses ${text.slice(0, 60)}`, false);
    for (const text of c.bad ?? [])
      if (takes(grammar, vocabulary, text)) return done(`accepts ${text.slice(0, 60)}`, false);
    if (c.refuse === true) return done('compiles, should be refused', false);
    return done('compiles', true);
  } catch (error) {
    if (error instanceof TokenloomError) {
      return done(`${error.code}: ${(error.message.split('\n')[0] ?? '').slice(0, 100)}`, (c.good ?? []).length === 0);
    }
    return done(
      `crash: ${error instanceof Error ? (error.stack ?? '').split('\n').slice(0, 3).join(' <') : String(error)}`,
      false,
    );
  }
}

/** What a job consists of: a name and a verdict per index. */
function tasks(job: Job): { name: string; run: () => unknown }[] {
  switch (job.part) {
    case 'any':
    case 'schema': {
      const order = job.part;
      return loadMaskBench(job.maskbench, job.select).map((c) => ({ name: c.id, run: () => judgeSchema(c, order) }));
    }
    case 'suite': {
      const remotes = loadRemotes(job.suite);
      return loadSuite(job.suite).map((g) => ({
        name: `${g.draft}/${g.file}: ${g.description}`,
        run: () => judgeGroup(g, remotes),
      }));
    }
    case 'deadends': {
      const { vocabulary } = loadVocabulary('cl100k');
      const settings = { seed: job.seed, generations: job.generations, maxTokens: 512 };
      return loadMaskBench(job.maskbench, job.select).map((c) => ({
        name: c.id,
        run: () => judgeDeadEnds(c, vocabulary, settings),
      }));
    }
    case 'mutants': {
      const { vocabulary } = loadVocabulary('cl100k');
      const settings = { seed: job.seed, generations: 1, maxTokens: 96 };
      const schemas = loadMaskBench(job.maskbench, job.select).map((c) => c.schema);
      return Array.from({ length: job.mutants }, (_, n) => ({
        name: `mutant ${n}`,
        run: () => {
          const schema = mutant(schemas, job.seed, n);
          const verdict = judgeDeadEnds({ id: `mutant ${n}`, source: '', schema, tests: [] }, vocabulary, settings);
          const bad = verdict.kind === 'failed' || verdict.kind === 'crash' || verdict.ms > 2000;
          return bad ? { ...verdict, schema: JSON.stringify(schema).slice(0, 20_000) } : verdict;
        },
      }));
    }
    case 'random': {
      const { vocabulary } = loadVocabulary('cl100k');
      const bytes = byteVocabulary();
      return Array.from({ length: job.random }, (_, n) => ({
        name: `random ${job.seed + n}`,
        run: () => judgeRandom(job.seed + n, vocabulary, bytes),
      }));
    }
    case 'hostile':
      return HOSTILE.map((c) => ({ name: c.name, run: () => judgeHostile(c) }));
  }
}

export function runJob(job: Job): void {
  const send = (report: Report): void => {
    process.send?.(report);
  };
  const done = new Set(job.done);
  const list = tasks(job);
  let at = job.from;
  const next = (): void => {
    while (at < list.length && done.has(list[at]!.name)) at++;
    const task = list[at];
    if (task === undefined) {
      send({ end: true });
      process.disconnect?.();
      return;
    }
    send({ at, begin: task.name });
    // The message must leave before a task that may never come back.
    setImmediate(() => {
      send({ at, verdict: task.run() });
      at++;
      setImmediate(next);
    });
  };
  next();
}
