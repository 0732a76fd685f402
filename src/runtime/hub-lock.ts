/**
 * The right to write a blob's shared partial file, which a later run resumes. The loser downloads to a file of its own, so nobody waits; a lock that is
 * thought free while it is held lets two write one file, whose hash is then wrong.
 *
 * The naive way creates the file and then writes its owner: who reads in between finds none and takes it. And of two that find a dead owner the slower removes
 * the lock of the faster (moved aside and looked at again, it is missing for a moment, and a third takes its place). So a lock appears with its content (a
 * link to a file that is written), and one that is left behind is removed under a second lock, held for a moment, by one who finds it as it was.
 *
 * Owners are told by host, process and the time at which it began: containers that share a cache cannot see one another's processes, and a container that
 * starts again has the old number. Locks of other hosts count for a day by the clock of the file system, which wrote both times.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';

/** Milliseconds after which a lock of another host counts as left behind. */
const FOREIGN_MS = 24 * 3_600_000;
/** The same for one without content, and for the removal of another. */
const NOBODYS_MS = 60_000;
/** Seconds by which two readings of the time at which a process began may differ. */
const CLOCK_S = 5;

/** Gives the right back, where it is still this one's. */
export type Release = () => Promise<void>;

/** Undefined while another that may be alive has it. @throws what the file system does where it cannot be written */
export async function takeLock(lock: string): Promise<Release | undefined> {
  await mkdir(path.dirname(lock), { recursive: true });
  const own = `${process.pid} ${hostname()} ${began()} ${randomUUID()}`;
  const made = `${lock}.${randomUUID()}`;
  await writeFile(made, own, { flag: 'wx' });
  try {
    for (let attempt = 0; attempt < 3; attempt++) {
      if (await appears(made, lock, own)) return () => release(lock, own);
      const found = await contentOf(lock);
      if (found === undefined) continue;
      if (await mayBeHeld(found, lock, made)) return undefined;
      if (!(await removeLeft(lock, found, made))) return undefined;
    }
    return undefined;
  } finally {
    await rm(made, { force: true });
  }
}

/** Seconds since 1970 at which this process began; the same in all its threads. */
const began = (): number => Math.round(Date.now() / 1000 - process.uptime());

/** Whether the lock was made. */
async function appears(made: string, lock: string, own: string): Promise<boolean> {
  try {
    await link(made, lock);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    // No links here (some network and FAT volumes): the file is made empty and filled at once.
    try {
      await writeFile(lock, own, { flag: 'wx' });
      return true;
    } catch (second) {
      if (codeOf(second) === 'EEXIST') return false;
      throw second;
    }
  }
}

async function mayBeHeld(content: string, lock: string, made: string): Promise<boolean> {
  const [pid = '', host, start] = content.split(' ');
  const owner = Number(pid);
  // Nobody's is one that is about to be filled, or was cut.
  const nobody = !Number.isInteger(owner) || owner <= 0;
  if (nobody || (host !== undefined && host !== hostname())) {
    return (await ageOf(lock, made)) < (nobody ? NOBODYS_MS : FOREIGN_MS);
  }
  if (owner === process.pid) return start === undefined || Math.abs(Number(start) - began()) <= CLOCK_S;
  return isAlive(owner);
}

/** Removes a lock that was left behind with this content; whether nobody else was at it. */
async function removeLeft(lock: string, content: string, made: string): Promise<boolean> {
  const guard = `${lock}.removing`;
  const own = await readFile(made, 'utf8');
  if (!(await appears(made, guard, own))) {
    // One that a crash left stands in the way of later runs only so long.
    const age = await ageOf(guard, made);
    if (age > NOBODYS_MS && age !== Number.POSITIVE_INFINITY) await rm(guard, { force: true });
    return false;
  }
  try {
    if ((await contentOf(lock)) === content) await rm(lock, { force: true });
    return true;
  } finally {
    await rm(guard, { force: true });
  }
}

/** Milliseconds by which a file is older than another; endless where it is gone. */
const ageOf = (file: string, than: string): Promise<number> =>
  Promise.all([stat(file), stat(than)]).then(
    ([a, b]) => b.mtimeMs - a.mtimeMs,
    () => Number.POSITIVE_INFINITY,
  );

async function release(lock: string, own: string): Promise<void> {
  if ((await contentOf(lock)) === own) await rm(lock, { force: true });
}

const contentOf = (file: string): Promise<string | undefined> => readFile(file, 'utf8').catch(() => undefined);

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
