/** What breaks off: a run whose answers cannot be kept, and requests whose process was lost. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OptionError } from '../../src/base/errors.js';
import { NO_OUTCOME } from '../../src/reliability/empty.js';
import { Journal } from '../../src/reliability/journal.js';
import type { Task } from '../../src/reliability/pool.js';
import { summarise } from '../../src/reliability/summary.js';
import type { BenchRequest, Line, RunLine } from '../../src/reliability/types.js';
import { build } from '../cli/command.js';
import { type RandomModel, randomModel } from '../engine/models.js';

let model: RandomModel;
let folder: string;
beforeAll(async () => {
  await build();
  model = await randomModel();
  folder = mkdtempSync(path.join(tmpdir(), 'tokenloom-lost-'));
}, 180_000);
afterAll(async () => {
  await model.remove();
  rmSync(folder, { recursive: true, force: true });
});

const request = (id: string): BenchRequest => ({
  id,
  source: 'own',
  group: 'own',
  messages: [{ role: 'user', content: 'x' }],
  schema: { type: 'boolean' },
});

it('a run whose answers cannot be kept ends all its processes', async () => {
  const { runPool } = (await import(
    '../../dist/reliability/pool.js' as string
  )) as typeof import('../../src/reliability/pool.js');
  const tasks = Array.from({ length: 200 }, (_, i): Task => ({ type: 'request', request: request(String(i)) }));
  const options = { model: model.folder, seed: 1, methods: ['fast'] as const, maxTokens: 16, speed: 0 };
  let calls = 0;
  const running = runPool(tasks, {
    start: { options, threads: 1 },
    workers: 2,
    watchdogMs: 60_000,
    signal: new AbortController().signal,
    onLines: () => {
      if (++calls === 1) throw new Error('no space');
    },
  });
  await expect(running).rejects.toThrow('no space');
  const before = calls;
  await new Promise((resolve) => setTimeout(resolve, 3000));
  expect(calls).toBe(before);
}, 120_000);

it('times of lost requests are not counted as 0', async () => {
  const times = { promptTokens: 9, prefillMs: 5, coldMs: 7, cachedMs: 1, shortest: 1 };
  const none = { promptTokens: 0, prefillMs: 0, coldMs: 0, cachedMs: 0, shortest: 0 };
  const file = path.join(folder, 'run.jsonl');
  const lines = [
    { type: 'run', requests: 2 },
    { type: 'request', request: request('a'), ...times },
    { type: 'request', request: request('b'), ...none },
  ];
  writeFileSync(file, lines.map((l) => `${JSON.stringify(l)}\n`).join(''));
  const { compile, prefill, requests } = await summarise(file);
  expect(requests).toBe(2);
  expect(compile.requests).toBe(1);
  expect([compile.cold.p5, prefill.p5]).toEqual([7, 5]);
});

it('a child that does not load in time ends the run with an error, and one that is not waited for ends', async () => {
  const { runPool } = (await import(
    '../../dist/reliability/pool.js' as string
  )) as typeof import('../../src/reliability/pool.js');
  const options = { model: model.folder, seed: 1, methods: ['fast'] as const, maxTokens: 16, speed: 0 };
  const run = (loadMs: number, signal: AbortSignal) =>
    runPool([{ type: 'request', request: request('a') }], {
      start: { options, threads: 1 },
      workers: 1,
      watchdogMs: 60_000,
      loadMs,
      signal,
      onLines: () => {},
    });
  await expect(run(5, new AbortController().signal)).rejects.toThrow('not loaded after 0.005 s');
  const began = performance.now();
  await run(60_000, AbortSignal.timeout(20));
  expect(performance.now() - began).toBeLessThan(10_000);
}, 60_000);

describe('the file of a run', () => {
  const run = {
    type: 'run',
    version: '1',
    options: { speed: 0 },
    model: { fingerprint: 'f' },
    set: 's',
    requests: 2,
  } as unknown as RunLine;
  const open = (content: string): { journal: Journal; file: string } => {
    const file = path.join(folder, 'journal.jsonl');
    writeFileSync(file, content);
    return { journal: Journal.open(file, run, false), file };
  };
  const first = `${JSON.stringify(run)}\n`;
  const line = `${JSON.stringify({ type: 'request', request: request('a') } satisfies Partial<Line>)}\n`;
  it.each(['', '{"ty', first.slice(0, -1), first.slice(0, 20)])(
    'begins anew where the first line was cut: %j',
    (cut) => {
      const { journal, file } = open(cut);
      expect(readFileSync(file, 'utf8')).toBe(first);
      expect(journal.done.size).toBe(0);
    },
  );
  it('goes on where the last line was cut', () => {
    const { journal, file } = open(`${first}${line}{"type":"answ`);
    expect([...journal.done]).toEqual(['a']);
    expect(readFileSync(file, 'utf8')).toBe(first + line);
  });
  it.each(['mine', 'mine\nmore', '{"a":1}\nrest', `${first}oops\n${line}`])(
    'leaves alone what it cannot read: %j',
    (other) => {
      expect(() => open(other)).toThrow(OptionError);
      expect(readFileSync(path.join(folder, 'journal.jsonl'), 'utf8')).toBe(other);
    },
  );
});

it('a failed request for a text in a grammar is no request for JSON', async () => {
  const times = { promptTokens: 9, prefillMs: 5, coldMs: 7, cachedMs: 1, shortest: 1 };
  const file = path.join(folder, 'run.jsonl');
  const answer = (id: string) => ({
    type: 'answer',
    id,
    source: 'own',
    group: 'own',
    method: 'fast',
    ...NO_OUTCOME,
    status: 'error',
  });
  const { schema: _, ...plain } = request('b');
  const lines = [
    { type: 'run', requests: 2 },
    { type: 'request', request: request('a'), ...times },
    { type: 'request', request: { ...plain, grammar: 'root ::= "x"' }, ...times },
    answer('a'),
    answer('b'),
  ];
  writeFileSync(file, lines.map((l) => `${JSON.stringify(l)}\n`).join(''));
  const { all, failureCount } = await summarise(file);
  expect([all[0]?.json.of, all[0]?.fits.of]).toEqual([1, 2]);
  expect(failureCount).toBe(2);
});
