import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RandomModel, randomModel } from '../engine/models.js';
import { build, COMMAND, run } from './command.js';

let model: RandomModel;
let folder: string;
const file = (name: string, text: string): string => {
  const at = path.join(folder, name);
  writeFileSync(at, text);
  return at;
};
const schema = JSON.stringify({
  type: 'object',
  properties: { a: { type: 'integer', minimum: 0, maximum: 9 } },
  required: ['a'],
  additionalProperties: false,
});

beforeAll(async () => {
  await build();
  model = await randomModel();
  folder = mkdtempSync(path.join(tmpdir(), 'tokenloom-cli-'));
}, 180_000);
afterAll(async () => {
  await model.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** No stack trace, whatever went wrong. */
const clean = (stderr: string): void => expect(stderr).not.toMatch(/^\s+at .*[(:]/m);

describe('generate', () => {
  it('stdout holds only the value', async () => {
    const r = await run(`generate --model ${model.folder} --schema ${file('s.json', schema)} --max-tokens 40 "give a"`);
    expect(r.code).toBe(0);
    expect(JSON.parse(r.stdout)).toMatchObject({ a: expect.any(Number) });
    expect(r.stderr).toMatch(/tokens.*forced/);
  });
  it('--quiet leaves stderr empty, --json prints the whole result', async () => {
    const r = await run(`generate --model ${model.folder} -q --json --choice yes no -- hi`);
    expect(r).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(r.stdout)).toMatchObject({ finishReason: 'stop', usage: { promptTokens: expect.any(Number) } });
  });
  it('the prompt from standard input, by - or alone', async () => {
    for (const line of ['generate -', 'generate']) {
      const r = await run(`${line} --model ${model.folder} -q --regex 'a{3}'`, { input: 'hello\n' });
      expect(r).toMatchObject({ code: 0, stdout: 'aaa\n' });
    }
    expect(await run(`generate --model ${model.folder} --regex a`)).toMatchObject({ code: 2 });
  });
  it('the schema from standard input', async () => {
    const r = await run(`generate --model ${model.folder} -q --schema - "x"`, { input: '{"const":5}' });
    expect(r).toMatchObject({ code: 0, stdout: '5\n' });
  });
  it('a grammar, also by gbnf generate', async () => {
    const g = file('g.gbnf', 'root ::= "x" [0-9]{2}\n');
    for (const line of [`generate --grammar ${g}`, `gbnf generate ${g}`]) {
      const r = await run(`${line} --model ${model.folder} -q -p hi`);
      expect(r.code).toBe(0);
      expect(r.stdout).toMatch(/^x\d\d\n$/);
    }
  });
  it('tools', async () => {
    const tools = file('tools.json', `[{"name":"go","parameters":${schema}}]`);
    const r = await run(`generate --model ${model.folder} -q --tools ${tools} "go"`);
    expect(JSON.parse(r.stdout)).toMatchObject({ name: 'go', arguments: { a: expect.any(Number) } });
  });
  it('a conversation', async () => {
    const chat = file(
      'chat.json',
      '[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"}]',
    );
    const bad = file('bad-chat.json', '[{"role":"user"}]');
    const base = `generate --model ${model.folder} -q --choice x`;
    const [good, piped, both, wrong] = await Promise.all([
      run(`${base} --messages ${chat}`),
      run(`$TL ${base} --messages - < ${chat}`),
      run(`${base} --messages ${chat} -p "d"`),
      run(`${base} --messages ${bad}`),
    ]);
    expect([good, piped].map((r) => [r!.code, r!.stdout])).toEqual([
      [0, 'x\n'],
      [0, 'x\n'],
    ]);
    expect([both, wrong].map((r) => r!.code)).toEqual([2, 2]);
    expect(both!.stderr).toContain('--messages or a prompt');
    expect(wrong!.stderr).toMatch(/bad-chat\.json: .*messages\[0\]/);
  });
  it('tools by choice', async () => {
    const tools = file('choice.json', `[{"name":"go","parameters":${schema}},{"name":"stay","parameters":${schema}}]`);
    const ask = (choice: string) =>
      run(`generate --model ${model.folder} -q --tools ${tools} --tool-choice ${choice} --json --max-tokens 80 "go"`);
    const named = await ask('stay');
    expect((JSON.parse(named.stdout) as { value: { name: string } }).value.name).toBe('stay');
    const free = await ask('auto');
    expect((JSON.parse(free.stdout) as { value: object }).value).toMatchObject({ calls: [] });
    const wrong = await ask('leave');
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('go, stay');
  });
  it('-n prints one output a line', async () => {
    const r = await run(`generate --model ${model.folder} -q --regex '[a-z]{4}' -n 3 --temperature 2 --seed 1 hi`);
    expect(r.stdout.trim().split('\n')).toHaveLength(3);
  });
  it('--trace writes a line per token', async () => {
    const out = path.join(folder, 'trace.jsonl');
    const r = await run(`generate --model ${model.folder} -q --schema ${file('s.json', schema)} --trace ${out} hi`);
    expect(r.code).toBe(0);
    const lines = readFileSync(out, 'utf8')
      .trim()
      .split('\n')
      .map((l) => JSON.parse(l) as Record<string, unknown>);
    expect(lines.length).toBeGreaterThan(0);
    for (const l of lines)
      expect(Object.keys(l)).toEqual(
        expect.arrayContaining(['output', 'position', 'allowed', 'maskMs', 'forced', 'logprob', 'top']),
      );
    for (const l of lines)
      expect(l).toMatchObject({ token: expect.any(Number), text: expect.any(String), forced: expect.any(Boolean) });
    expect(lines.some((l) => typeof l.allowed === 'number' && typeof l.maskMs === 'number' && l.top !== null)).toBe(
      true,
    );
  });
  it('a trace that cannot be written is a usage error', async () => {
    const r = await run(`generate --model ${model.folder} -q --trace /nonexistent/t.jsonl --choice a -- hi`);
    expect(r.code).toBe(2);
    clean(r.stderr);
  });
  it('a reader that goes away ends it quietly', async () => {
    const r = await run(`$TL generate --model ${model.folder} -q --max-tokens 500 hi | head -c 1`);
    expect(r.code).toBe(0);
    clean(r.stderr);
  });
});

describe('exit codes', () => {
  it.each([
    ['2: unknown command, with the nearest', 'generat', 2, /Did you mean generate/],
    ['2: unknown option, with the nearest', 'generate --schem x', 2, /Did you mean --schema/],
    ['2: bad number', 'generate --temperature hot hi', 2, /expected a number/],
    ['2: missing file', 'generate --schema nope.json hi', 2, /nope\.json: no such file/],
    ['2: a flag without its constraint', 'generate --root x --choice b -- hi', 2, /--root needs --grammar/],
    [
      '2: a start rule that is not there, with the nearest',
      'generate -g test/cases/gbnf/lint/uses.gbnf --root rooot hi',
      2,
      /did you mean 'root'/,
    ],
    ['2: two constraints', 'generate --regex a --choice b -- hi', 2, /one of --regex, --choice/],
    ['3: missing model', 'generate --model ./nope hi', 3, /nope/],
  ])('%s', async (_, line, code, message) => {
    const r = await run(line);
    expect(r.code).toBe(code);
    expect(r.stderr).toMatch(message);
    expect(r.stdout).toBe('');
    clean(r.stderr);
  });
  it.each([
    ['broken JSON', 'b.json', '{"type":', /line 1, column 9/],
    ['broken GBNF', 'b.gbnf', 'root ::= (', /line 1/],
    ['an unsatisfiable schema', 'u.json', '{"type":"string","minLength":3,"maxLength":1}', /unsatisfiable/],
    ['a malformed schema', 'm.json', '{"type":"nope"}', /#\/type/],
  ])('2: %s, with the place', async (_, name, text, message) => {
    const flag = name.endsWith('gbnf') ? '--grammar' : '--schema';
    const r = await run(`generate --model ${model.folder} ${flag} ${file(name, text)} hi`);
    expect(r.code).toBe(2);
    expect(r.stderr).toMatch(message);
    clean(r.stderr);
  });
  it('2: a prompt longer than the context', async () => {
    const r = await run(`generate --model ${model.folder} --choice a -`, { input: 'word '.repeat(5000) });
    expect(r.code).toBe(2);
    expect(r.stderr).toMatch(/prompt tokens/);
    clean(r.stderr);
  });
  it('3: a corrupt model', async () => {
    const bad = mkdtempSync(path.join(tmpdir(), 'tokenloom-bad-'));
    writeFileSync(path.join(bad, 'config.json'), '{');
    const r = await run(`generate --model ${bad} hi`);
    rmSync(bad, { recursive: true });
    expect(r.code).toBe(3);
    clean(r.stderr);
  });
  it('4: unconstrained output that is cut', async () => {
    const r = await run(`generate --model ${model.folder} -q --max-tokens 3 hi`);
    expect(r.code).toBe(4);
  });
  it('0: a value closed early by its budget', async () => {
    const r = await run(
      `generate --model ${model.folder} --schema ${file('l.json', '{"type":"string","minLength":10}')} --max-tokens 14 --temperature 1 --seed 1 hi`,
    );
    expect(r.code).toBe(0);
    expect(typeof JSON.parse(r.stdout)).toBe('string');
  });
  it('130: interrupted, what was written stays on its own line', async () => {
    const line = `timeout -s INT 3 $TL generate --model ${model.folder} -q --schema ${file('huge.json', '{"type":"string","minLength":1900}')} --max-tokens 2000 hi; echo "code $?" >&2`;
    const r = await run(line);
    expect(r.stderr).toMatch(/code (130|124|0)/);
    // On a loaded machine the signal may come before the first text.
    expect(r.stdout).toMatch(/\n$|^$/);
    clean(r.stderr);
  });
});

describe('help, version, completion', () => {
  it('--version is that of package.json', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(await run('--version')).toMatchObject({ code: 0, stdout: `${version}\n` });
  });
  it('every command has help with examples, 80 columns wide', async () => {
    const gbnf = ['check', 'match', 'convert', 'sample', 'next', 'graph', 'generate'].map((c) => `gbnf ${c}`);
    const bench = ['bench', 'bench reliability', 'bench replay'];
    for (const command of ['', 'generate', 'gbnf', ...gbnf, ...bench, 'devices', 'completion']) {
      const r = await run(`${command} --help`);
      expect(r).toMatchObject({ code: 0, stderr: '' });
      expect(r.stdout).toMatch(/Examples?:/);
      expect(r.stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    }
  }, 120_000);
  it('completion scripts are valid and know the commands', async () => {
    const bash = await run('$TL completion bash | bash -n');
    expect(bash).toMatchObject({ code: 0, stderr: '' });
    const complete = await run(
      `source <($TL completion bash); COMP_WORDS=(tokenloom generate --sch); COMP_CWORD=2; _tokenloom; echo "\${COMPREPLY[@]}"; COMP_WORDS=(tokenloom ge); COMP_CWORD=1; _tokenloom; echo "\${COMPREPLY[@]}"`,
    );
    expect(complete.stdout).toMatch(/--schema/);
    expect(complete.stdout).toMatch(/generate/);
    for (const shell of ['zsh', 'fish']) expect((await run(`completion ${shell}`)).stdout).toMatch(/generate/);
    // In the shells themselves where they are there: zsh reads the script, fish answers.
    const inShells = await run(
      `if command -v zsh > /dev/null; then $TL completion zsh > ${folder}/_tokenloom && zsh -n ${folder}/_tokenloom || exit 1; fi
       if command -v fish > /dev/null; then $TL completion fish > ${folder}/t.fish && for line in 'tokenloom completion ' 'tokenloom gbnf ch' 'tokenloom generate --sch'; do fish -c "source ${folder}/t.fish; complete -C '$line'"; done; else printf 'bash\\ncheck\\n--schema\\n'; fi`,
    );
    expect(inShells.code).toBe(0);
    expect(inShells.stdout).toMatch(/bash.*check.*--schema/s);
    expect((await run('completion tcsh')).code).toBe(2);
  });
});

const hasTmux = ((): boolean => {
  try {
    execFileSync('tmux', ['-V'], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
})();

describe.skipIf(!hasTmux)('in a terminal (skipped where tmux is absent)', () => {
  const session = `tokenloom-${process.pid}`;
  const tmux = (...args: string[]): string =>
    execFileSync('tmux', ['-L', session, ...args], { encoding: 'utf8', env: { ...process.env, TMUX: '' } });
  const screen = (): string => tmux('capture-pane', '-p', '-t', session);
  async function until(pattern: RegExp, ms = 30_000): Promise<string> {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(50)) if (pattern.test(screen())) return screen();
    throw new Error(`not on the screen: ${pattern}\n${screen()}`);
  }
  beforeAll(() => {
    tmux('new-session', '-d', '-s', session, '-x', '100', '-y', '24', 'bash --norc --noprofile');
    tmux('send-keys', '-t', session, "PS1='$ '", 'Enter');
  });
  afterAll(() => {
    tmux('kill-server');
  });
  it('shows progress and cleans up after Ctrl-C with exit code 130', async () => {
    const long = file('huge.json', '{"type":"string","minLength":1900}');
    tmux(
      'send-keys',
      '-t',
      session,
      `clear; ${COMMAND} generate --model ${model.folder} --schema ${long} --max-tokens 2000 --json hi; echo "code=$?"`,
      'Enter',
    );
    await until(/\d+ tokens/);
    tmux('send-keys', '-t', session, 'C-c');
    const after = await until(/code=130/);
    expect(after).toMatch(/interrupted/);
    tmux('send-keys', '-t', session, 'echo still "here"', 'Enter');
    await until(/^still here/m);
  });
  it('shows progress while the text goes to a file', async () => {
    const long = file('huge.json', '{"type":"string","minLength":1900}');
    const out = path.join(folder, 'out.txt');
    tmux(
      'send-keys',
      '-t',
      session,
      `clear; ${COMMAND} generate --model ${model.folder} --schema ${long} --max-tokens 2000 hi > ${out}; echo "code=$?"`,
      'Enter',
    );
    await until(/\d+ tokens · \d+ tokens\/s · \d+% forced · masks \d/);
    tmux('send-keys', '-t', session, 'C-c');
    await until(/code=130/);
    expect(readFileSync(out, 'utf8')).toMatch(/\n$/);
  });
  it('NO_COLOR leaves no escape codes', async () => {
    tmux(
      'send-keys',
      '-t',
      session,
      `clear; NO_COLOR=1 ${COMMAND} generate --model ${model.folder} --choice a -- hi 2>&1 | cat -v; echo "code=$?"`,
      'Enter',
    );
    expect(await until(/code=0/)).not.toMatch(/\^\[/);
  });
});
