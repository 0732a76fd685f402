/** llama.cpp's verdicts about grammars, by the prebuilt binary of node-llama-cpp in bench/peers (absent: tests skip). */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const peer = new URL('../../../bench/peers/node-llama-cpp/', import.meta.url);
/** Folder of the grammars that node-llama-cpp ships. */
export const shipped = new URL('node_modules/node-llama-cpp/llama/grammars/', peer);
export const hasLlama = existsSync(shipped);
export const SKIPPED = 'skipped without bench/peers/node-llama-cpp/node_modules';

export interface LlamaCase {
  readonly grammar: string;
  readonly texts: readonly string[];
}

/** For each case: undefined where llama.cpp does not load the grammar, else whether each text matches. */
export function llamaMatches(cases: readonly LlamaCase[]): (readonly boolean[] | undefined)[] {
  const run = spawnSync(process.execPath, ['load.mjs'], {
    cwd: fileURLToPath(peer),
    input: JSON.stringify(cases),
    encoding: 'utf8',
    timeout: 240_000,
    maxBuffer: 1 << 28,
  });
  if (run.status !== 0)
    throw new Error(`node-llama-cpp ended with ${run.status ?? run.signal}: ${run.stderr.slice(-500)}`);
  return (JSON.parse(run.stdout) as (boolean[] | null)[]).map((answer) => answer ?? undefined);
}

export function llamaLoads(grammars: readonly string[]): boolean[] {
  return llamaMatches(grammars.map((grammar) => ({ grammar, texts: [] }))).map((answer) => answer !== undefined);
}
