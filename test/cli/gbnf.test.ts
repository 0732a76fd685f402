import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { build, run } from './command.js';

let folder: string;
const file = (name: string, text: string): string => {
  const at = path.join(folder, name);
  writeFileSync(at, text);
  return at;
};
const JSON_GRAMMAR = `root ::= object
value ::= object | "[" (value ("," value)*)? "]" | string | [0-9]+ | "true"
object ::= "{" (string ":" value ("," string ":" value)*)? "}"
string ::= "\\"" [a-z]* "\\""
`;
let grammar: string;

beforeAll(async () => {
  await build();
  folder = mkdtempSync(path.join(tmpdir(), 'tokenloom-gbnf-'));
  grammar = file('json.gbnf', JSON_GRAMMAR);
}, 180_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('gbnf check', () => {
  it('is quiet about a clean file', async () => {
    const ran = await run(`gbnf check ${grammar}`);
    expect(ran).toMatchObject({ code: 0, stdout: '' });
    expect(ran.stderr).toContain('0 errors, 0 warnings');
  });

  it('shows every fault with place, frame and hint, and fails', async () => {
    const bad = file('bad.gbnf', 'root ::= ( "a" b\nc ::= \'d\' {2,1}\n');
    const ran = await run(`gbnf check ${bad} ${grammar}`);
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain(`${bad}:1:16: error: rule 'b' is not defined [syntax]`);
    expect(ran.stdout).toContain("2:1: error: expected ')' before 'c'");
    expect(ran.stdout).toContain('hint: replace the single quotes');
    expect(ran.stdout).toContain('^');
    expect(ran.stderr).not.toContain('    at ');
  });

  it('speaks JSON and GitHub', async () => {
    const warned = file('warned.gbnf', 'root ::= "a"\nx ::= "b"\n');
    const asJson = await run(`gbnf check --json ${warned}`);
    expect(asJson.code).toBe(0);
    expect(JSON.parse(asJson.stdout)).toMatchObject([{ line: 2, column: 1, severity: 'warning', rule: 'unused' }]);
    const github = await run(`gbnf check --format github --strict ${warned}`);
    expect(github.code).toBe(1);
    expect(github.stdout).toMatch(
      /^::warning file=.*,line=2,endLine=2,col=1,endColumn=2,title=unused::rule 'x' is never used/,
    );
  });

  it('repairs with --fix', async () => {
    const broken = file('broken.gbnf', "root = 'a' my_rule // c\nmy_rule := [0-9] | [0-9];\n");
    expect((await run(`gbnf check --fix ${broken}`)).code).toBe(0);
    expect(readFileSync(broken, 'utf8')).toBe('root ::= "a" my-rule # c\nmy-rule ::= [0-9]\n');
    expect((await run('gbnf check --fix --no-notes -', { input: 'root::="x"' })).stdout).toBe('root ::= "x"\n');
  });

  it('exits with 2 for a file that is not there', async () => {
    const ran = await run('gbnf check nowhere.gbnf');
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('nowhere.gbnf: no such file');
  });
});

describe('gbnf match', () => {
  it('accepts texts, files and standard input', async () => {
    expect(await run(`gbnf match ${grammar} '{"a":[1,true]}'`)).toMatchObject({ code: 0, stdout: 'matches\n' });
    expect((await run(`gbnf match ${grammar} ${file('a.txt', '{}')} -q`)).code).toBe(0);
    expect((await run(`gbnf match ${grammar}`, { input: '{"x":"y"}' })).code).toBe(0);
  });

  it('says where a text fails and what was expected', async () => {
    const ran = await run(`gbnf match ${grammar} -`, { input: '{"a":\n1}' });
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain('no match at line 1, column 6 (byte 5): unexpected line end');
    expect(ran.stdout).toContain('in root > object > value');
    const short = await run(`gbnf match ${grammar} '{"a":1' --json`);
    const answer = JSON.parse(short.stdout);
    expect(answer).toMatchObject({ matches: false, line: 1, column: 7, byte: 6, atEnd: true });
    expect(answer.expected).toContainEqual({ characters: "',', '}'", rules: ['root', 'object'] });
    const wide = await run(`gbnf match ${file('é.gbnf', 'root ::= "é" [à-ç]')} 'éé'`);
    expect(wide.stdout).toContain("line 1, column 2 (byte 2): unexpected 'é'");
    expect(wide.stdout).toContain("expected 'à' to 'ç'");
  });

  it('tells the place in CRLF, invalid UTF-8, empty, long and sparse texts', async () => {
    const places = async (input: string): Promise<string> =>
      (await run(`$TL gbnf match ${grammar} - < <(${input})`)).stdout;
    expect(await places("printf '{\\r\\n1}'")).toContain('column 2 (byte 1): unexpected carriage return');
    expect(await places('printf \'{"a":"\\xff"}\'')).toContain('column 7 (byte 6): no UTF-8: byte 0xFF');
    expect(await places("printf ''")).toContain('column 1 (byte 0): the text ends too early');
    const list = file('list.gbnf', 'root ::= ("line" [0-9]+ "\\r\\n")*\n');
    const long = file('long.txt', `${Array.from({ length: 200_000 }, (_, i) => `line${i}\r\n`).join('')}linex`);
    const far = await run(`gbnf match ${list} ${long}`);
    expect(far.stdout).toContain('no match at line 200001, column 5 (byte');
    expect(far.stdout).toContain("200001 | linex\n             ^\nexpected '0' to '9'");
    const sparse = path.join(folder, 'sparse');
    expect((await run(`truncate -s 1G ${sparse}; $TL gbnf match ${grammar} ${sparse}`)).stdout).toContain(
      'unexpected U+0000',
    );
    const refused = await run(`gbnf check ${sparse}`);
    expect(refused).toMatchObject({ code: 2, stderr: `tokenloom: ${sparse}: larger than 64 MiB\n` });
    rmSync(sparse);
  }, 60_000);

  it('matches JSON Schemas and token terminals as well', async () => {
    const schema = file('s.json', '{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}');
    expect((await run(`gbnf match ${schema} '{"a":1}'`)).code).toBe(0);
    expect((await run(`gbnf match ${schema} '{"b":1}'`)).code).toBe(1);
    const think = file('think.gbnf', 'root ::= <think> (!</think>)* </think> "ok"');
    expect((await run(`gbnf match ${think} '<think>hm</think>ok'`)).code).toBe(0);
  });

  it('exits with 2 for a broken grammar', async () => {
    const ran = await run(`gbnf match ${file('b.gbnf', 'root ::= (')} x`);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain("b.gbnf: GBNF: line 1, column 11: expected ')'");
  });
});

describe('gbnf convert', () => {
  const schema = { type: 'object', properties: { a: { type: 'integer', minimum: 0, maximum: 9 } }, required: ['a'] };

  it('turns a JSON Schema into GBNF and reports what is lost', async () => {
    const ran = await run(`gbnf convert ${file('c.json', JSON.stringify(schema))} --whitespace compact`);
    expect(ran.code).toBe(0);
    expect(ran.stderr).toContain('values: additional keys may repeat');
    const converted = file('c.gbnf', ran.stdout);
    expect((await run(`gbnf match ${converted} '{"a":3,"b":[null]}'`)).code).toBe(0);
    expect((await run(`gbnf match ${converted} '{"a":10}'`)).code).toBe(1);
    expect((await run(`gbnf convert ${path.join(folder, 'c.json')} --strict -q`)).code).toBe(1);
  });

  it('reads standard input, patterns and zod modules', async () => {
    expect((await run('gbnf convert --from json-schema - -q', { input: '{"const":"x"}' })).stdout).toBe(
      'root ::= "\\"x\\""\n',
    );
    expect((await run("gbnf convert --from regex '^[a-f]{2,3}$'")).stdout).toBe('root ::= [a-f]{2,3}\n');
    const folderHere = path.resolve('node_modules/.cache/tokenloom-test');
    mkdirSync(folderHere, { recursive: true });
    const module = path.join(folderHere, 'person.mjs');
    writeFileSync(module, "import { z } from 'zod';\nexport default z.object({ a: z.enum(['x', 'y']) });\n");
    const ran = await run(`gbnf convert ${module} --whitespace compact -q`);
    expect(ran.stdout).toBe('root ::= "{\\"a\\":\\"" ("x" | "y") "\\"}"\n');
    rmSync(module);
  });

  it('formats GBNF and writes the IR as JSON', async () => {
    const once = await run('gbnf convert -', { input: 'root::=("a")|b # c\nb::="x"{2,}' });
    expect(once.stdout).toBe('root ::= "a" | b # c\nb ::= "x"{2,}\n');
    expect((await run('gbnf convert -', { input: once.stdout })).stdout).toBe(once.stdout);
    const ir = JSON.parse((await run(`gbnf convert ${grammar} --to json`)).stdout);
    expect(ir.exprs[ir.start]).toMatchObject({ op: 'rule', name: 'root' });
  });

  it('gives typed messages for schemas that cannot be', async () => {
    const ran = await run('gbnf convert --from json-schema -', { input: '{"type":"string",}' });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('line 1, column 18');
    expect((await run('gbnf convert --from json-schema -', { input: 'false' })).code).toBe(2);
    expect((await run("gbnf convert --from regex '(a'")).stderr).toContain('column 3');
  });
});

describe('gbnf sample, next, graph', () => {
  it('samples texts that match', async () => {
    const ran = await run(`gbnf sample ${grammar} -n 6 --seed 3 --json`);
    const texts = ran.stdout
      .trim()
      .split('\n')
      .map((l) => JSON.parse(l) as string);
    expect(texts).toHaveLength(6);
    for (const text of texts) expect((await run(`gbnf match ${grammar}`, { input: text })).code, text).toBe(0);
    expect((await run(`gbnf sample ${grammar} -n 6 --seed 3 --json`)).stdout).toBe(ran.stdout);
    expect((await run(`gbnf sample ${grammar} --shortest`)).stdout).toBe('{}\n');
  }, 60_000);

  it('shows what may come next, with rules', async () => {
    const ran = await run(`gbnf next ${grammar} '{"a":1'`);
    expect(ran.stdout).toContain("root > object > value:  '0' to '9'");
    expect(ran.stdout).toContain("root > object:  ',', '}'");
    expect((await run(`gbnf next ${grammar} '{}'`)).stdout).toContain('the text may end here');
    const failed = await run(`gbnf next ${grammar} '{1'`);
    expect(failed).toMatchObject({ code: 1 });
    expect(failed.stdout).toContain('line 1, column 2');
  });

  it('explains JSON Schemas by paths, and regular expressions by characters', async () => {
    const schema = file(
      'n.json',
      '{"properties":{"ab":{"type":"array","items":{"type":"integer"}}},"required":["ab"],"additionalProperties":false}',
    );
    expect((await run(`gbnf next ${schema} '{"a'`)).stdout).toBe("$ > (name):  'b'\n");
    const inside = await run(`gbnf next ${schema} '{"ab":[1,2' --json`);
    const { characters } = JSON.parse(inside.stdout) as { characters: { ranges: number[]; rules: string[] }[] };
    expect(characters.map((c) => c.rules)).toEqual([
      ['$', 'ab', '[1]'],
      ['$', 'ab'],
    ]);
    expect(characters[1]?.ranges).toEqual([0x2c, 0x2c, 0x5d, 0x5d]);
    expect((await run("gbnf next --from regex '(ab|ac)+d' aba")).stdout).toBe("'b', 'c'\n");
    expect((await run("gbnf next --from regex --regex-flags iv '[\\p{Lu}--[A-C]]' ''")).stdout).toContain(
      "'D' to 'Z', 'd' to 'z'",
    );
    const tokens = await run(`gbnf next ${grammar} '{"a":1' --tokenizer models/embedded`);
    expect(tokens.stdout).toMatch(/tokens: \d+ of \d+\n.*in (object|value)/);
    expect((await run(`gbnf match --from regex --regex-flags i 'cafe' CAFE`)).code).toBe(0);
    expect((await run(`gbnf sample --from regex 'x[12]' -n 3`)).stdout).toMatch(/^(x[12]\n){3}$/);
    expect(await run(`gbnf match ${schema} --root x '{}'`)).toMatchObject({ code: 2 });
  }, 60_000);

  it('draws', async () => {
    const html = (await run(`gbnf graph ${grammar}`)).stdout;
    expect(html).toContain('<svg');
    expect(html).toContain('id="rule-object"');
    expect(html).not.toMatch(/src=|href="http/);
    const dot = (await run(`gbnf graph ${grammar} --format dot`)).stdout;
    expect(dot).toContain('"object" -> "string";');
    expect((await run(`gbnf graph ${grammar} --format mermaid`)).stdout).toContain('flowchart LR');
    expect(JSON.parse((await run(`gbnf graph ${grammar} --format json`)).stdout).rules).toHaveLength(4);
    const svg = file('rule.svg', (await run(`gbnf graph ${grammar} --format svg --rule value`)).stdout);
    // Well-formed by an XML parser where one is at hand.
    try {
      execFileSync('python3', ['-c', `import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])`, svg]);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }, 60_000);

  it('suggests the nearest command and explains each', async () => {
    const ran = await run('gbnf chekc');
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('Did you mean check?');
    for (const name of ['check', 'match', 'convert', 'sample', 'next', 'graph']) {
      const help = await run(`gbnf ${name} --help`);
      expect(help.code).toBe(0);
      expect(help.stdout).toContain('Examples:');
    }
  }, 60_000);
});
