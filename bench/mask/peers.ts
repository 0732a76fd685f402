/** Other engines on the same cases in the same run: one process each, JSON lines back, ratios over the schemas that both compile. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { MaskCase } from './cases.js';
import type { OursResult } from './ours.js';
import { Samples } from './stats.js';
import type { LoadedVocabulary } from './vocabulary.js';

const PEERS = ['llguidance', 'xgrammar', 'outlines-core', 'web-xgrammar', 'hf-structured-output'] as const;

const here = resolve(dirname(fileURLToPath(import.meta.url)), '../peers');

interface PeerLine {
  readonly id?: string;
  readonly engine?: string;
  readonly version?: string;
  readonly setupMs?: number;
  readonly compileUs?: number;
  readonly us?: readonly number[];
  readonly wrong?: number;
  readonly error?: string;
}

/** One engine over the cases of a part. Times are packed (stats.ts) and of the schemas that both compile. */
export interface PeerPart {
  readonly engine: string;
  readonly version: string;
  readonly setupMs: number;
  /** Schemas given, answered, compiled, without a wrong answer, and compiled by both. */
  readonly given: number;
  readonly reached: number;
  readonly compiled: number;
  readonly right: number;
  readonly both: number;
  readonly theirs: { readonly mask: string; readonly compile: string };
  readonly ours: { readonly mask: string; readonly compile: string };
}

function command(engine: string, vocab: string, cases: string): { file: string; args: string[] } | undefined {
  if (engine === 'web-xgrammar' || engine === 'hf-structured-output') {
    const name = engine === 'web-xgrammar' ? '@mlc-ai/web-xgrammar' : '@huggingface/transformers-structured-output';
    if (!existsSync(join(here, 'node_modules', name))) return undefined;
    return { file: process.execPath, args: [join(here, 'js.mjs'), engine, vocab, cases] };
  }
  const python = process.env.TOKENLOOM_PEERS_PYTHON ?? join(here, 'python/.venv/bin/python');
  if (!existsSync(python)) return undefined;
  return { file: python, args: [join(here, 'python/run.py'), '--engine', engine, '--vocab', vocab, '--cases', cases] };
}

/** The lines of one engine's process, ended after `seconds`. */
function collect(file: string, args: readonly string[], seconds: number): Promise<PeerLine[]> {
  return new Promise((done) => {
    const lines: PeerLine[] = [];
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), seconds * 1000);
    const reader = createInterface({ input: child.stdout });
    reader.on('line', (line) => {
      try {
        lines.push(JSON.parse(line) as PeerLine);
      } catch {
        // A line cut by the end of the process.
      }
    });
    child.on('error', () => done(lines));
    reader.on('close', () => {
      clearTimeout(timer);
      done(lines);
    });
  });
}

export async function comparePeers(
  names: readonly string[],
  cases: readonly MaskCase[],
  loaded: LoadedVocabulary,
  ours: OursResult,
  seconds: number,
): Promise<PeerPart[]> {
  const dir = mkdtempSync(join(tmpdir(), 'tokenloom-peers-'));
  const reports: PeerPart[] = [];
  try {
    const vocab = join(dir, 'vocab.json');
    const file = join(dir, 'cases.jsonl');
    const ranks = JSON.parse(
      readFileSync(createRequire(import.meta.url).resolve(`tiktoken/encoders/${loaded.name}_base.json`), 'utf8'),
    ) as { pat_str: string; special_tokens: Record<string, number> };
    const tokens = loaded.tokens.map((t) => (t === null ? null : Buffer.from(t).toString('base64')));
    writeFileSync(
      vocab,
      JSON.stringify({ tokens, eos: loaded.eos, pattern: ranks.pat_str, specials: ranks.special_tokens }),
    );
    const line = (c: MaskCase): string =>
      JSON.stringify({
        id: c.id,
        schema: c.schema,
        tests: c.tests.map((t) => ({ valid: t.valid, tokens: [...t.tokens] })),
      });
    writeFileSync(file, `${cases.map(line).join('\n')}\n`);
    for (const engine of names.includes('all') ? PEERS : names) {
      const run = command(engine, vocab, file);
      if (run === undefined) {
        console.log(`  ${engine}: not installed (bench/peers/README.md)`);
        continue;
      }
      const report = compare(await collect(run.file, run.args, seconds), engine, ours, cases.length);
      if (report === undefined) console.log(`  ${engine}: did not start (is it installed?)`);
      else reports.push(report);
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
  return reports;
}

function compare(lines: readonly PeerLine[], engine: string, ours: OursResult, given: number): PeerPart | undefined {
  const head = lines.find((l) => l.engine !== undefined);
  if (head === undefined) return undefined;
  const mine = new Map(ours.schemas.map((s) => [s.id, s]));
  const samples = { mask: new Samples(), compile: new Samples(), ourMask: new Samples(), ourCompile: new Samples() };
  const rows = lines.filter((l) => l.id !== undefined);
  let both = 0;
  for (const row of rows) {
    const own = mine.get(row.id ?? '');
    if (row.us === undefined || row.compileUs === undefined || own === undefined || own.refused !== undefined) continue;
    both++;
    for (const x of row.us) samples.mask.push(x);
    samples.compile.push(row.compileUs);
    const times = ours.times.get(own.id);
    if (times !== undefined) samples.ourMask.addAll(times);
    samples.ourCompile.push(own.compileUs);
  }
  return {
    engine,
    version: head.version ?? '?',
    setupMs: head.setupMs ?? 0,
    given,
    reached: rows.length,
    compiled: rows.filter((r) => r.us !== undefined).length,
    right: rows.filter((r) => r.us !== undefined && r.wrong === 0).length,
    both,
    theirs: { mask: samples.mask.pack(), compile: samples.compile.pack() },
    ours: { mask: samples.ourMask.pack(), compile: samples.ourCompile.pack() },
  };
}
