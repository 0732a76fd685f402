/** Bad input of every kind: one typed message on standard error, the right exit code, never a stack trace. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { build, run } from './command.js';

let folder: string;
const at = (name: string): string => path.join(folder, name);

beforeAll(async () => {
  await build();
  folder = mkdtempSync(path.join(tmpdir(), 'tokenloom-hostile-'));
  mkdirSync(at('folder'));
  writeFileSync(at('ok.gbnf'), 'root ::= "a" | b\nb ::= [b-d]+\n');
  writeFileSync(at('bom.gbnf'), '\ufeffroot ::= "a"\r\n');
  writeFileSync(at('binary'), Buffer.from([0x72, 0x6f, 0xff, 0xfe, 0x00, 0x80]));
  writeFileSync(at('half.gbnf'), Buffer.from([...Buffer.from('root ::= "'), 0xe2, 0x82]));
  writeFileSync(at('secret.gbnf'), 'root ::= "a"');
  chmodSync(at('secret.gbnf'), 0);
  writeFileSync(at('escape.gbnf'), 'root ::= \u001b[2Jx "\u0007"');
  writeFileSync(at('tools.json'), '{"name":1}');
  writeFileSync(at('none.json'), '[]');
  writeFileSync(at('badtool.json'), '[{"name":"find","parameters":{"type":"objekt"}}]');
  mkdirSync(at('model'));
  writeFileSync(at('model/config.json'), '\u001b[2J');
}, 180_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What is asked (F/ stands for the folder), the exit code, and what standard error says. */
const CASES: readonly (readonly [string, number, RegExp])[] = [
  ['gbnf check F/folder', 2, /folder: is a folder$/],
  ['gbnf check F/binary', 2, /binary: not UTF-8 text \(byte 2\)$/],
  ['gbnf check F/half.gbnf', 2, /half\.gbnf: not UTF-8 text \(byte 10\)$/],
  ['gbnf check /dev/zero', 2, /\/dev\/zero: larger than 64 MiB$/],
  ['gbnf check F/bom.gbnf', 0, /^1 file: 0 errors/],
  ['gbnf check F/nowhere F/folder', 2, /^tokenloom: .*nowhere: no such file\ntokenloom: .*folder: is a folder$/],
  ['gbnf check --json --format github F/ok.gbnf', 2, /cannot be used with/],
  ['gbnf check --format xml F/ok.gbnf', 2, /Allowed choices are text, github, json/],
  ['gbnf match F/folder x', 2, /folder: is a folder$/],
  ['gbnf match F/ok.gbnf -q --json a', 2, /cannot be used with/],
  ['gbnf match - -', 2, /standard input cannot be both/],
  ['gbnf match F/ok.gbnf --root rot a', 2, /there is no rule 'rot'[\s\S]*did you mean 'root'/],
  ['gbnf match --from regex --root x a a', 2, /--root is for GBNF/],
  ['gbnf match --from regex --regex-flags uv a a', 2, /flags of ECMA-262/],
  ['gbnf match --from regex "(" a', 2, /regex: line 1, column 2/],
  ['gbnf sample F/ok.gbnf -n -1', 2, /expected a whole number/],
  ['gbnf sample F/ok.gbnf -n 1e99', 2, /expected a whole number/],
  ['gbnf sample F/ok.gbnf --seed 99999999999999999999', 2, /expected a whole number/],
  ['gbnf sample F/ok.gbnf -n 0', 0, /^$/],
  ['gbnf sample F/ok.gbnf --max-length 0 -n 1', 0, /^$/],
  ['gbnf next F/ok.gbnf a --tokenizer F/binary', 2, /not UTF-8/],
  ['gbnf next F/ok.gbnf a --tokenizer F/folder', 2, /tokenizer\.json: no such file$/],
  ['gbnf convert F/ok.gbnf -o F/none/x', 2, /cannot be written: no such folder$/],
  ['gbnf convert F/ok.gbnf --from zod', 2, /cannot be imported/],
  ['gbnf graph F/ok.gbnf --format svg --rule rooot', 2, /did you mean 'root'/],
  ['generate --schema F/binary x', 2, /not UTF-8/],
  ['generate --grammar F/folder x', 2, /is a folder$/],
  ['generate --grammar F/ok.gbnf --root bb x', 2, /ok\.gbnf: GBNF: [\s\S]*did you mean 'b'/],
  ['generate --tools F/tools.json x', 2, /tools\.json: expected an array/],
  ['generate --tools F/none.json x', 2, /none\.json: holds no tools$/],
  ['generate --tools F/badtool.json x', 2, /badtool\.json: tool 'find': schema at '#\/type'/],
  ['generate --grammar F/none.json x', 2, /none\.json: --grammar reads GBNF; .* by --schema$/],
  ['generate --whitespace compact --choice a -- x', 2, /--whitespace needs --schema$/],
  ['generate --reasoning-budget 3 x', 2, /--reasoning-budget needs --reasoning-end$/],
  ['generate -p a b', 2, /two prompts: --prompt and "b"; give one$/],
  ['generate --trace F/none/t --choice a -- x', 2, /cannot be written: no such folder$/],
  ['generate --trace /dev/full -q --choice a -- x 1>&2', 2, /^a\ntokenloom: \/dev\/full: cannot be written: ENOSPC/],
  ['generate -q --choice a -- x > /dev/full', 2, /standard output: ENOSPC/],
  ['gbnf convert F/ok.gbnf > /dev/full', 2, /^tokenloom: standard output: ENOSPC/],
  ['gbnf convert F/ok.gbnf -o F/folder', 2, /folder: cannot be written: is a folder$/],
  ['gbnf check F/none.json', 2, /none\.json: expected GBNF by the file's name; convert it first/],
  ['gbnf graph F/none.json', 2, /none\.json: expected GBNF/],
  ['gbnf match -t F/ok.gbnf "- x y"', 2, /a text that begins with '-' comes after '--'/],
  ['generate --model F/model x', 3, /config\.json: expected JSON, got .*\u241b\[2J/],
  ['generate --regex-flags i x', 2, /--regex-flags needs --regex$/],
  ['generate -n 0 x', 2, /at least 1/],
  ['generate --max-tokens -5 x', 2, /at least 1/],
  ['generate --seed 1e400 x', 2, /expected a number/],
  ['generate --model F/folder x', 3, /expected config\.json/],
  ['generate --model F/binary x', 3, /expected a model folder/],
];

describe('bad input', () => {
  it.each(CASES)('%s: %i', async (line, code, message) => {
    const ran = await run(line.replaceAll('F/', `${folder}/`));
    expect(ran.stderr.trimEnd()).toMatch(message);
    expect(ran.stderr).not.toMatch(/^\s+at .*[(:]/m);
    if (code !== 0) expect(ran.stdout).toBe('');
    expect(ran.code).toBe(code);
  });

  it.skipIf(process.getuid?.() === 0)('unreadable files (skipped for root, who reads all)', async () => {
    const ran = await run(`gbnf check ${at('secret.gbnf')}`);
    expect(ran).toMatchObject({ code: 2, stderr: `tokenloom: ${at('secret.gbnf')}: not readable\n` });
  });

  it('control characters of a file never reach the terminal', async () => {
    const ran = await run(`gbnf check ${at('escape.gbnf')}`);
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain('\u241b[2J');
    expect(ran.stdout + ran.stderr).not.toMatch(/(?!\n)\p{Cc}/u);
  });

  it('a reader of the messages that goes away is no failure', async () => {
    const ran = await run('set -o pipefail; $TL gbnf convert examples/person.schema.json 2> >(true) | tail -n 1');
    expect(ran).toMatchObject({ code: 0, stderr: '' });
  });

  it('a file is not touched by --fix where nothing is to repair', async () => {
    await run(`gbnf check --fix ${at('ok.gbnf')}`);
    expect(readFileSync(at('ok.gbnf'), 'utf8')).toBe('root ::= "a" | b\nb ::= [b-d]+\n');
  });
});
