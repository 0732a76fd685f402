/** What breaks off: a run whose answers cannot be kept, and requests whose process was lost. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Task } from '../../src/reliability/pool.js';
import { summarise } from '../../src/reliability/summary.js';
import type { BenchRequest } from '../../src/reliability/types.js';
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
