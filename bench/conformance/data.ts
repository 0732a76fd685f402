/** Where the data lies and how it is read: MaskBench (one JSONL file a source) and JSON-Schema-Test-Suite. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { rawItems } from './raw.js';

export interface Instance {
  readonly valid: boolean;
  readonly data: unknown;
  /** The instance as it stands in the file (numbers in all digits), compact. */
  readonly text?: string;
  readonly description?: string;
}

export interface MaskBenchCase {
  readonly source: string;
  readonly id: string;
  readonly schema: unknown;
  readonly tests: readonly Instance[];
}

export interface Selection {
  /** Names of sources; all where empty. */
  readonly sources: readonly string[];
  /** Schemas per source, spread evenly over the file. */
  readonly limit: number;
}

/** Sources present in a MaskBench folder. */
const maskBenchSources = (dir: string): string[] =>
  readdirSync(dir)
    .filter((f) => f.endsWith('.jsonl'))
    .map((f) => f.slice(0, -6))
    .sort();

export function loadMaskBench(dir: string, select: Selection): MaskBenchCase[] {
  const out: MaskBenchCase[] = [];
  for (const source of maskBenchSources(dir)) {
    if (select.sources.length > 0 && !select.sources.includes(source)) continue;
    const lines = readFileSync(join(dir, `${source}.jsonl`), 'utf8')
      .split('\n')
      .filter((l) => l !== '');
    const step = Math.max(1, lines.length / select.limit);
    for (let at = 0; Math.floor(at) < lines.length; at += step) {
      const line = lines[Math.floor(at)] ?? 'null';
      const row = JSON.parse(line) as Omit<MaskBenchCase, 'source'>;
      // Only a number of 16 digits or more can lose anything.
      const raw = /\d{16}/.test(line) ? rawItems(line, 'tests', 'data') : [];
      const tests = row.tests.map((t, i) => ({ ...t, text: raw[i] ?? JSON.stringify(t.data) }));
      out.push({ source, id: row.id, schema: row.schema, tests });
    }
  }
  return out;
}

export const DRAFTS = ['draft4', 'draft6', 'draft7', 'draft2019-09', 'draft2020-12'] as const;

export interface SuiteGroup {
  readonly draft: string;
  /** 'required', 'format' (optional/format) or 'optional'. */
  readonly part: 'required' | 'format' | 'optional';
  readonly file: string;
  readonly description: string;
  readonly schema: unknown;
  readonly tests: readonly Instance[];
}

function* jsonFiles(dir: string): Generator<string> {
  for (const name of readdirSync(dir).sort()) {
    const path = join(dir, name);
    if (statSync(path).isDirectory()) yield* jsonFiles(path);
    else if (name.endsWith('.json')) yield path;
  }
}

export function loadSuite(dir: string): SuiteGroup[] {
  const out: SuiteGroup[] = [];
  for (const draft of DRAFTS) {
    const folder = join(dir, 'tests', draft);
    if (!existsSync(folder)) continue;
    for (const path of jsonFiles(folder)) {
      const file = relative(folder, path).split(sep).join('/');
      const part = file.startsWith('optional/format/')
        ? 'format'
        : file.startsWith('optional/')
          ? 'optional'
          : 'required';
      for (const group of JSON.parse(readFileSync(path, 'utf8')) as Omit<SuiteGroup, 'draft' | 'part' | 'file'>[]) {
        out.push({ draft, part, file, description: group.description, schema: group.schema, tests: group.tests });
      }
    }
  }
  return out;
}

/** The schemas that the suite's references name, by URI: those of all drafts, since some cross them. */
export function loadRemotes(dir: string): Record<string, unknown> {
  const root = join(dir, 'remotes');
  const out: Record<string, unknown> = {};
  for (const path of jsonFiles(root)) {
    const name = relative(root, path).split(sep).join('/');
    if (name.startsWith('v1/') || name.startsWith('draft3/')) continue;
    out[`http://localhost:1234/${name}`] = JSON.parse(readFileSync(path, 'utf8'));
  }
  return out;
}
