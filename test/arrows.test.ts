/**
 * The arrows between folders (the table of docs/architecture.md): reads the import lines of src and fails on one that runs the
 * wrong way, on a package outside its folder, and on node built-ins in what must run in a browser.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** Folder -> what it may import besides itself. 'grammar/ir' names one file, 'fsm/vocabulary' files that begin so. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  regular: ['base'],
  grammar: ['base', 'regular'],
  fsm: ['base', 'regular', 'grammar/ir'],
  decoder: ['base', 'fsm'],
  runtime: ['base', 'fsm/vocabulary', 'decoder'],
  engine: ['base', 'regular', 'grammar', 'fsm', 'decoder', 'runtime', 'core.ts'],
  reliability: ['base', 'grammar', 'fsm', 'decoder', 'runtime', 'engine'],
  cli: ['base', 'regular', 'grammar', 'fsm', 'decoder', 'runtime', 'engine', 'reliability', 'core.ts', 'index.ts'],
  'core.ts': ['base', 'regular', 'grammar', 'fsm'],
  'index.ts': ['base', 'regular', 'grammar', 'fsm', 'decoder', 'runtime', 'engine', 'core.ts'],
};

/** Packages that only some folders may import. */
const PACKAGES: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^onnxruntime/, ['runtime']],
  [/^chevrotain/, ['grammar']],
  [/^ajv/, ['engine']],
  [/^commander/, ['cli']],
  [/^jsonrepair/, ['reliability']],
];

/** What './core' is made of: runs in a browser, so no node built-ins. */
const BROWSER = new Set(['base', 'regular', 'grammar', 'fsm', 'core.ts']);

interface Import {
  readonly file: string;
  readonly folder: string;
  readonly spec: string;
  readonly names: string;
}

function* sources(dir: string): Generator<string> {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) yield* sources(path);
    else if (entry.name.endsWith('.ts')) yield path;
  }
}

function importsOf(text: string): { spec: string; names: string }[] {
  const found: { spec: string; names: string }[] = [];
  const from = /^\s*(?:import|export)\s+([^'";]*?)\s*from\s*['"]([^'"]+)['"]/gm;
  for (const m of text.matchAll(from)) found.push({ spec: m[2] ?? '', names: m[1] ?? '' });
  const bare = /^\s*import\s*['"]([^'"]+)['"]|\b(?:import|require)\(\s*['"]([^'"]+)['"]/gm;
  for (const m of text.matchAll(bare)) found.push({ spec: m[1] ?? m[2] ?? '', names: '' });
  return found;
}

const all: Import[] = [];
for (const path of sources(join(root, 'src'))) {
  const file = relative(join(root, 'src'), path).split(sep).join('/');
  const folder = file.split('/')[0] ?? '';
  for (const { spec, names } of importsOf(readFileSync(path, 'utf8'))) all.push({ file, folder, spec, names });
}

/** Where a relative import leads, as a path under src without its suffix. */
const target = (i: Import): string =>
  posix.normalize(posix.join(posix.dirname(i.file), i.spec)).replace(/\.(js|ts)$/, '');

function allowed(i: Import): boolean {
  const to = target(i);
  const top = to.includes('/') ? (to.split('/')[0] ?? '') : `${to}.ts`;
  if (top === i.folder) return true;
  for (const arrow of ARROWS[i.folder] ?? []) {
    if (!arrow.includes('/')) {
      if (top === arrow) return true;
    } else if (arrow === to || (arrow === 'fsm/vocabulary' && to.startsWith(arrow))) return true;
    else if (arrow === 'fsm/vocabulary' && to === 'fsm/index') {
      const names = i.names.replace(/^type\b|[{}]/g, ' ').split(',');
      if (names.every((n) => /^\s*(type\s+)?\w*Vocabulary\w*(\s+as\s+\w+)?\s*$/.test(n) || n.trim() === ''))
        return true;
    }
  }
  return false;
}

describe('arrows between folders', () => {
  it('reads import lines at all', () => {
    expect(all.length).toBeGreaterThan(3);
    const sample = `import { a } from './a.js';\nimport type {\n  B,\n} from "../b.js";\nexport * from './c.js';\nimport 'd';\nawait import('e');`;
    expect(importsOf(sample).map((i) => i.spec)).toEqual(['./a.js', '../b.js', './c.js', 'd', 'e']);
  });
  it('every folder is in the table', () => {
    expect([...new Set(all.map((i) => i.folder))].filter((f) => !(f in ARROWS))).toEqual([]);
  });
  it('none runs the wrong way', () => {
    const wrong = all.filter((i) => i.spec.startsWith('.') && !allowed(i));
    expect(wrong.map((i) => `src/${i.file} imports ${i.spec}`)).toEqual([]);
  });
  it('packages stay in their folders', () => {
    const wrong = all.filter((i) => PACKAGES.some(([re, at]) => re.test(i.spec) && !at.includes(i.folder)));
    expect(wrong.map((i) => `src/${i.file} imports ${i.spec}`)).toEqual([]);
  });
  it('what runs in a browser imports no node built-in', () => {
    const wrong = all.filter((i) => BROWSER.has(i.folder) && i.spec.startsWith('node:'));
    expect(wrong.map((i) => `src/${i.file} imports ${i.spec}`)).toEqual([]);
  });
});
