import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { takeLock } from '../../src/runtime/hub-lock.js';

let folder: string;
let lock: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'tokenloom-lock-'));
  lock = path.join(folder, 'blobs', 'x.lock');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const DAY = 86_400;
const left = async (content: string, secondsAgo = 0): Promise<void> => {
  const first = await takeLock(lock);
  await first?.();
  await writeFile(lock, content);
  const then = Date.now() / 1000 - secondsAgo;
  await utimes(lock, then, then);
};
/** Twenty at once: how many got it; nothing stays behind. */
const takers = async (): Promise<number> => {
  const got = await Promise.all(Array.from({ length: 20 }, () => takeLock(lock)));
  const held = got.filter((release) => release !== undefined);
  for (const release of held) await release();
  if (held.length > 0) expect(await readdir(path.dirname(lock))).toEqual([]);
  return held.length;
};
/** The number of a process that is no more. */
const gone = (): number => spawnSync(process.execPath, ['-e', '']).pid;

it('one of many has it, and it appears with its owner', async () => {
  for (let round = 0; round < 10; round++) expect(await takers()).toBe(1);
  const release = await takeLock(lock);
  expect(await readFile(lock, 'utf8')).toMatch(new RegExp(`^${process.pid} `));
  expect(await takeLock(lock)).toBeUndefined();
  await release?.();
  expect(await takers()).toBe(1);
});

it('one that is left behind is taken by one of many', async () => {
  for (let round = 0; round < 10; round++) {
    await left(`${gone()} ${hostname()} 1 x`);
    expect(await takers()).toBe(1);
  }
  await left(String(gone()));
  expect(await takers()).toBe(1);
});

it.each([
  ['of a process that lives', () => `${process.ppid} ${hostname()} 1 x`, 0, 0],
  ['of a process that lives, as earlier versions write it', () => String(process.ppid), 0, 0],
  ['of another host, whose processes nobody sees', () => `${gone()} elsewhere 1 x`, 3_600, 0],
  ['of another host, days old', () => `${gone()} elsewhere 1 x`, 2 * DAY, 1],
  ['of a process with this number that began at another time', () => `${process.pid} ${hostname()} 1000 x`, 0, 1],
  ['that is about to be filled', () => '', 0, 0],
  ['that was never filled', () => '', 600, 1],
])('a lock %s', async (_, content, secondsAgo, got) => {
  await left(content(), secondsAgo);
  expect(await takers()).toBe(got);
  await rm(lock, { force: true });
});

it('only its own is given back', async () => {
  const release = await takeLock(lock);
  await writeFile(lock, 'another');
  await release?.();
  expect(await readFile(lock, 'utf8')).toBe('another');
});
