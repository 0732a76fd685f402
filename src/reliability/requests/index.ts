/**
 * The set of requests of a run: fixed by its seed and size. The full set has 10,000: 4,000 extraction records (3,000 held out), 3,500 schemas of all
 * keyword families, 1,200 tool calls and 1,300 grammars; a smaller set has the same shares. MaskBench comes on top, a user's own in place of it.
 */
import { createHash } from 'node:crypto';
import type { BenchRequest } from '../types.js';
import { extractionRequests, maskBenchRequests, ownRequests } from './files.js';
import { grammarRequests } from './grammars.js';
import { keywordRequests } from './keywords.js';
import { toolRequests } from './tools.js';

export interface SetOptions {
  /** Requests without MaskBench. */
  readonly count: number;
  readonly seed: number;
  /** A user's JSONL, in place of the set. */
  readonly requests?: string | undefined;
  /** Folder of MaskBench. */
  readonly maskbench?: string | undefined;
  /** Schemas of each of its sources. */
  readonly maskbenchLimit: number;
  /** Requests that methods 1 to 4 get. */
  readonly compared: number;
}

const FULL = 10_000;
const HELD_OUT = 3000;
const SEEN = 1000;
const KEYWORDS = 3500;
const TOOLS = 1200;

export function requestSet(options: SetOptions): BenchRequest[] {
  const { count, seed } = options;
  const base = options.requests === undefined ? builtIn(count, seed) : ownRequests(options.requests);
  const all = [
    ...base,
    ...(options.maskbench === undefined ? [] : maskBenchRequests(options.maskbench, options.maskbenchLimit)),
  ];
  return markCompared(all, options.compared);
}

/** Tells sets apart. */
export function setHash(requests: readonly BenchRequest[]): string {
  const hash = createHash('sha256');
  for (const r of requests) hash.update(`${JSON.stringify(r)}\n`);
  return hash.digest('hex').slice(0, 16);
}

function builtIn(count: number, seed: number): BenchRequest[] {
  const part = (n: number): number => Math.round((count * n) / FULL);
  const records = extractionRequests();
  const heldOut = records.filter((r) => r.source === 'extraction').slice(0, part(HELD_OUT));
  const seen = records.filter((r) => r.source === 'extraction-seen').slice(0, part(SEEN));
  // Records that the shipped file lacks are made up for by schemas, so that the number stays.
  const missing = part(HELD_OUT) + part(SEEN) - heldOut.length - seen.length;
  const tools = part(TOOLS);
  const keywords = part(KEYWORDS) + missing;
  const rest = count - heldOut.length - seen.length - tools - keywords;
  return [
    ...heldOut,
    ...seen,
    ...keywordRequests(keywords, seed),
    ...toolRequests(tools, seed),
    ...grammarRequests(rest, seed),
  ];
}

/** Marks an even choice of each source. */
function markCompared(requests: readonly BenchRequest[], most: number): BenchRequest[] {
  if (requests.length <= most) return requests.map((r) => ({ ...r, compared: true }));
  const share = most / requests.length;
  const taken = new Map<string, number>();
  return requests.map((r) => {
    const k = taken.get(r.source) ?? 0;
    taken.set(r.source, k + 1);
    return Math.floor((k + 1) * share + 1e-9) > Math.floor(k * share + 1e-9) ? { ...r, compared: true } : r;
  });
}
