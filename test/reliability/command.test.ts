/** The shipped command: a run over processes, its report, going on after an interruption, replay. On a small model with random weights. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AnswerLine, Line } from '../../src/reliability/types.js';
import { build, run } from '../cli/command.js';
import { type RandomModel, randomModel } from '../engine/models.js';

let model: RandomModel;
let folder: string;
const at = (name: string): string => path.join(folder, name);
const bench = (out: string, more = '', timeoutMs = 240_000) =>
  run(
    `bench reliability --model ${model.folder} --out ${at(out)} --requests ${at('own.jsonl')} --max-tokens 48 --speed 1 ${more}`,
    { timeoutMs },
  );
const linesOf = (out: string): Line[] =>
  readFileSync(path.join(at(out), 'run.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((l) => JSON.parse(l) as Line);
const answersOf = (out: string): AnswerLine[] =>
  linesOf(out)
    .filter((l): l is AnswerLine => l.type === 'answer')
    .sort((a, b) => (`${a.id} ${a.method}` < `${b.id} ${b.method}` ? -1 : 1));
/** What may not depend on time or on the number of processes. */
const same = (out: string): unknown[] =>
  answersOf(out).map(({ id, method, text, status, fits, finish, counts }) => ({
    id,
    method,
    text,
    status,
    fits,
    finish,
    counts,
  }));

const REQUESTS = [
  {
    id: 'person',
    schema: {
      type: 'object',
      properties: { name: { type: 'string', maxLength: 8 }, age: { type: 'integer' } },
      required: ['name'],
      additionalProperties: false,
    },
    prompt: 'Ana is 4',
    expected: { name: 'Ana', age: 4 },
  },
  {
    id: 'tags',
    schema: { type: 'array', items: { enum: ['red', 'green', 'blue'] }, uniqueItems: true, minItems: 1 },
    prompt: 'red',
  },
  { id: 'grammar', grammar: 'root ::= "yes" | "no" [.!]*', prompt: 'is it?' },
  {
    id: 'tool',
    tools: [{ name: 'f', parameters: { type: 'object', properties: { x: { type: 'boolean' } } } }],
    prompt: 'call <f> & "g"',
  },
  { id: 'refused', schema: { type: 'string', minLength: 3, maxLength: 2 }, prompt: 'x' },
  { id: 'too-long', schema: { type: 'null' }, prompt: 'word '.repeat(4000) },
];

beforeAll(async () => {
  await build();
  model = await randomModel();
  folder = mkdtempSync(path.join(tmpdir(), 'tokenloom-bench-'));
  writeFileSync(at('own.jsonl'), REQUESTS.map((r) => JSON.stringify(r)).join('\n'));
  const first = await bench('first', '--workers 2');
  expect(first.stderr).not.toMatch(/^\s+at /m);
  expect(first.code, first.stderr).toBe(0);
}, 300_000);
afterAll(async () => {
  await model.remove();
  rmSync(folder, { recursive: true, force: true });
});

describe('bench reliability', () => {
  it('writes a line for each request and method; constrained ones fit', () => {
    const answers = answersOf('first');
    const methods = (id: string): string[] => answers.filter((a) => a.id === id).map((a) => a.method);
    expect(methods('person')).toHaveLength(8);
    expect(methods('tool')).toHaveLength(8);
    // Not JSON: nothing to repair, and no JSON mode.
    expect(methods('grammar')).toEqual(['adversarial', 'constrained', 'fast', 'prompt', 'retry', 'tight']);
    // Unsatisfiable, and a prompt beyond the context: refused by name before anything is generated.
    expect(methods('refused')).toEqual([]);
    expect(methods('too-long')).toEqual([]);
    for (const a of answers.filter((x) => ['constrained', 'fast', 'tight', 'adversarial'].includes(x.method))) {
      expect(a, `${a.id} ${a.method}`).toMatchObject({ status: 'ok', fits: true, deadEnds: 0, cut: false });
    }
    const requests = linesOf('first').filter((l) => l.type === 'request');
    expect(requests).toHaveLength(REQUESTS.length);
    expect(requests.filter((l) => l.type === 'request' && l.refused !== undefined)).toHaveLength(2);
    // The shortest person is {"name":""}; method 7 may spend two tokens more.
    const tight = answers.find((a) => a.id === 'person' && a.method === 'tight');
    expect(tight?.counts.tokens).toBeLessThanOrEqual(tight?.maxTokens ?? 0);
  });
  it('counts methods 1 to 3 from one first answer', () => {
    const of = (method: string) => answersOf('first').find((a) => a.id === 'tags' && a.method === method)!;
    expect(of('repair').counts).toEqual(of('prompt').counts);
    expect(of('retry').counts.attempts).toBeGreaterThanOrEqual(1);
    expect(of('retry').counts.tokens).toBeGreaterThanOrEqual(of('prompt').counts.tokens);
  });
  it('answers the same with one process', async () => {
    const ran = await bench('one', '--workers 1');
    expect(ran.code, ran.stderr).toBe(0);
    expect(same('one')).toEqual(same('first'));
  });
  it('goes on where it was interrupted, also behind a line that was cut off', async () => {
    const whole = same('first');
    const lines = readFileSync(path.join(at('first'), 'run.jsonl'), 'utf8').split('\n');
    const keep = lines.findIndex((l, i) => i > 2 && l.includes('"type":"request"'));
    await bench('resumed', '--workers 1 --methods fast'); // makes the folder
    writeFileSync(path.join(at('resumed'), 'run.jsonl'), `${lines.slice(0, keep).join('\n')}\n{"type":"request","requ`);
    const ran = await bench('resumed', '--workers 2');
    expect(ran.code, ran.stderr).toBe(0);
    expect(same('resumed')).toEqual(whole);
  });
  it('stops on an interrupt and says how to go on', async () => {
    const line = `timeout -s INT 2 $TL bench reliability --model ${model.folder} --out ${at('cut')} --count 2000 --workers 1; echo "code $?" >&2`;
    const ran = await run(line, { timeoutMs: 120_000 });
    expect(ran.stderr).toMatch(/code (130|124)/);
    expect(ran.stderr).not.toMatch(/^\s+at /m);
  });
  it('gives up a request that takes too long, says so, and goes on', async () => {
    const slow = { id: 'slow', schema: { type: 'string', minLength: 1800 }, prompt: 'x' };
    writeFileSync(at('slow.jsonl'), `${JSON.stringify(slow)}\n${JSON.stringify(REQUESTS[2])}`);
    const ran = await run(
      `bench reliability --model ${model.folder} --out ${at('slow')} --requests ${at('slow.jsonl')} --speed 0 --workers 1 --timeout 0.3 --methods constrained fast adversarial`,
      { timeoutMs: 120_000 },
    );
    expect(ran.code, ran.stderr).toBe(1);
    const late = answersOf('slow').filter((a) => a.id === 'slow');
    expect(late.map((a) => a.status)).toEqual(['late', 'late', 'late']);
    expect(late[0]?.error?.message).toMatch(/no answer in 0.3 s/);
    expect(answersOf('slow').filter((a) => a.id === 'grammar')).toHaveLength(3);
    expect(ran.stdout).toMatch(/Exceptions.*missed/);
  });
  it('refuses the folder of another run, unless told to begin anew', async () => {
    const other = await bench('first', '--seed 5');
    expect(other.code).toBe(2);
    expect(other.stderr).toMatch(/another run/);
  });
  it.each([
    ['--requests /nowhere.jsonl', 2, /nowhere/],
    ['--count 0', 2, /at least 1/],
    ['--methods magic', 2, /choices/],
  ])('says what is wrong with %s', async (flags, code, message) => {
    const ran = await run(`bench reliability --model ${model.folder} --out ${at('wrong')} ${flags}`);
    expect(ran.code).toBe(code);
    expect(ran.stderr).toMatch(message);
    expect(ran.stderr).not.toMatch(/^\s+at /m);
  });
});

describe('bench replay', () => {
  it('shows tokens with what was allowed, and finds the recorded text again', async () => {
    for (const method of ['constrained', 'tight', 'adversarial', 'retry']) {
      const ran = await run(`bench replay ${at('first')}/run.jsonl --id tags --method ${method} --json`);
      expect(ran.code === 0 || method === 'retry', ran.stderr).toBe(true);
      const lines = ran.stdout
        .trim()
        .split('\n')
        .map((l) => JSON.parse(l) as Record<string, unknown>);
      expect(lines.at(-1)).toMatchObject({ id: 'tags', method, same: true });
      expect(lines.slice(0, -1).some((l) => l.forced === true || Number(l.allowed) > 0)).toBe(true);
    }
  });
  it('prints a table', async () => {
    const ran = await run(`bench replay ${at('first')}/run.jsonl --id person --method fast`);
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(/forced/);
    expect(ran.stdout).toMatch(/the same text as recorded/);
  });
  it.each([
    ['first/run.jsonl --id nobody', /an id of the run, such as \w+/],
    ['first/run.jsonl --id grammar --method repair', /one that the request had/],
    ['own.jsonl --id x', /run\.jsonl of a run/],
    ['missing.jsonl --id x', /does not exist/],
  ])('says what is wrong with %s', async (args, message) => {
    const ran = await run(`bench replay ${folder}/${args}`);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toMatch(message);
    expect(ran.stderr).not.toMatch(/^\s+at /m);
  });
});

describe('the report', () => {
  const page = (): string => readFileSync(path.join(at('first'), 'report.html'), 'utf8');
  it('needs nothing but itself', () => {
    expect(page()).not.toMatch(/<script|<link|<img|@import|url\(|src=|href=/i);
    expect(page()).toMatch(/prefers-color-scheme: dark/);
    expect(page()).toMatch(/@media print/);
  });
  it('writes what requests hold as text', () => {
    expect(page()).not.toMatch(/undefined|NaN|\[object/);
  });
  it('has the same figures as JSON and Markdown', () => {
    const json = JSON.parse(readFileSync(path.join(at('first'), 'report.json'), 'utf8')) as {
      all: { method: string; source: string; fits: { count: number; of: number } }[];
      refused: unknown[];
    };
    expect(json.refused).toHaveLength(2);
    const fast = json.all.find((f) => f.method === 'fast' && f.source === 'all');
    expect(fast?.fits).toMatchObject({ count: 4, of: 4 });
    expect(readFileSync(path.join(at('first'), 'report.md'), 'utf8')).toContain('100.00% (16 of 16 answers)');
  });
  const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((f) =>
    existsSync(f),
  );
  it.skipIf(chromium === undefined)(
    'renders in a browser, wide and narrow, without overflow (skipped without chromium)',
    () => {
      // A window of this browser is at least 500 pixels wide.
      for (const width of [1280, 500]) {
        // The page measures itself; its title brings the answer out. Only this copy has a script.
        const probe = `<script>addEventListener('load',()=>{const w=innerWidth;const wide=[...document.querySelectorAll('body *')].filter(e=>!e.closest('.scroll')&&e.getBoundingClientRect().right>w+1).map(e=>e.className||e.tagName);const flat=[...document.querySelectorAll('.track > *')].filter(e=>e.getBoundingClientRect().height<1).length;document.title=JSON.stringify({rows:document.querySelectorAll('.row').length,wide:wide.slice(0,5),flat,h1:document.querySelector('h1').getBoundingClientRect().height})})</script></body>`;
        const copy = at(`page-${width}.html`);
        writeFileSync(copy, page().replace('</body>', probe));
        const dom = execFileSync(
          chromium!,
          [
            '--headless',
            '--no-sandbox',
            '--disable-gpu',
            '--virtual-time-budget=3000',
            `--window-size=${width},900`,
            '--dump-dom',
            `file://${copy}`,
          ],
          { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 60_000, maxBuffer: 64 << 20 },
        );
        const title = /<title>(\{.*?\})<\/title>/.exec(dom)?.[1]?.replaceAll('&quot;', '"').replaceAll('&amp;', '&');
        expect(title, 'the page did not run').toBeDefined();
        expect(JSON.parse(title!)).toMatchObject({ wide: [], flat: 0 });
        expect((JSON.parse(title!) as { rows: number }).rows).toBeGreaterThan(20);
      }
    },
  );
});
