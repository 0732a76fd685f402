/** The built command, run as a user would: through a shell, from the repository's root. Builds when sources are newer. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const COMMAND = 'node dist/cli/main.js';
const MAIN = 'dist/cli/main.js';
const LOCK = 'node_modules/.tokenloom-build.lock';

function newest(folder: string): number {
  let last = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    last = Math.max(last, entry.isDirectory() ? newest(file) : statSync(file).mtimeMs);
  }
  return last;
}

function fresh(): boolean {
  return existsSync(MAIN) && statSync(MAIN).mtimeMs >= newest('src');
}

/** Test files run in processes of their own: one builds, the others wait. */
export async function build(): Promise<void> {
  for (let tries = 0; !fresh() && tries < 600; tries++) {
    try {
      mkdirSync(LOCK);
    } catch {
      // A lock older than a build can take was left behind.
      if (existsSync(LOCK) && Date.now() - statSync(LOCK).mtimeMs > 120_000) rmdirSync(LOCK);
      await sleep(200);
      continue;
    }
    try {
      if (!fresh()) execFileSync(process.execPath, ['scripts/build.mjs'], { stdio: 'pipe' });
    } finally {
      rmdirSync(LOCK);
    }
    return;
  }
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `tokenloom ARGS` (a shell line); `$TL` in it stands for the command. */
export function run(
  line: string,
  options: { input?: string; env?: Record<string, string>; timeoutMs?: number } = {},
): Promise<Ran> {
  const script = line.includes('$TL') ? line.replaceAll('$TL', COMMAND) : `${COMMAND} ${line}`;
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-c', script], {
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 60_000);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (d: Buffer) => {
      stdout += d.toString();
    });
    child.stderr.on('data', (d: Buffer) => {
      stderr += d.toString();
    });
    child.on('error', reject);
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? -1, stdout, stderr });
    });
  });
}
