import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.js';
import { compile, gbnf, Matcher } from '../../src/core.js';
import { Validator } from '../../src/engine/validate.js';
import { textFits } from '../../src/reliability/languages.js';
import { ownRequests } from '../../src/reliability/requests/files.js';
import { GRAMMAR_KINDS, grammarRequests } from '../../src/reliability/requests/grammars.js';
import { requestSet, setHash } from '../../src/reliability/requests/index.js';
import { KEYWORD_FAMILIES, keywordRequests } from '../../src/reliability/requests/keywords.js';
import { toolRequests } from '../../src/reliability/requests/tools.js';
import { requestTarget } from '../../src/reliability/session.js';
import { testVocabulary } from '../decoder/fakes.js';

const base = { seed: 1, maskbenchLimit: 0, compared: 1000 };

describe('the set of requests', () => {
  it('is fixed by seed and size', () => {
    const a = requestSet({ ...base, count: 100 });
    expect(setHash(a)).toBe(setHash(requestSet({ ...base, count: 100 })));
    expect(setHash(a)).not.toBe(setHash(requestSet({ ...base, count: 100, seed: 2 })));
    expect(a).toHaveLength(100);
    expect(new Set(a.map((r) => r.source))).toEqual(
      new Set(['extraction', 'extraction-seen', 'keywords', 'tools', 'grammars']),
    );
  });
  it('has 10,000 requests with ids of their own, an even thousand of them compared', () => {
    const all = requestSet({ ...base, count: 10_000 });
    expect(all).toHaveLength(10_000);
    expect(new Set(all.map((r) => r.id)).size).toBe(10_000);
    const compared = all.filter((r) => r.compared === true);
    expect(Math.abs(compared.length - 1000)).toBeLessThanOrEqual(5);
    const share = (source: string): number =>
      compared.filter((r) => r.source === source).length / all.filter((r) => r.source === source).length;
    for (const source of ['extraction', 'keywords', 'tools', 'grammars']) expect(share(source)).toBeCloseTo(0.1, 2);
  });
});

describe('schemas of all keyword families', () => {
  const made = keywordRequests(KEYWORD_FAMILIES.length * 12, 1);
  it('use every keyword that docs/json-schema.md lists', () => {
    const table = readFileSync('docs/json-schema.md', 'utf8').split(/<!-- \/?keywords -->/)[1] ?? '';
    const listed = [...table.matchAll(/^\| `([^`]+)` \|/gm)].map((m) => m[1] ?? '');
    expect(listed.length).toBeGreaterThan(40);
    const text = JSON.stringify(made.map((r) => r.schema));
    expect(listed.filter((k) => !text.includes(`"${k}":`))).toEqual([]);
  });
  it('compile, and ajv can judge them', () => {
    const validator = new Validator({}, 4);
    for (const r of made) {
      const { constraint } = requestTarget(r);
      expect(() => compile(constraint!), r.id).not.toThrow();
      expect(validator.whyUncompilable(r.schema), r.id).toBeUndefined();
    }
  });
});

describe('tool calls', () => {
  it('have a right answer that fits', () => {
    const validator = new Validator({}, 4);
    for (const r of toolRequests(60, 1)) {
      const { constraint } = requestTarget(r);
      if (constraint?.kind !== 'json') throw new Error('no schema');
      expect(validator.validate(constraint.schema, r.expected), r.id).toEqual({ valid: true, errors: [] });
    }
  });
});

describe('grammars and their judges', () => {
  const vocabulary = testVocabulary();
  const made = grammarRequests(GRAMMAR_KINDS.length * 4, 1);
  /** A random text of the grammar, at most about `most` bytes; and whether it is complete. */
  const draw = (source: string, root: string | undefined, seed: number): string => {
    const random = createRandom(seed);
    const matcher = new Matcher(compile(gbnf(source, { root })), vocabulary, { maxTokens: 120 });
    const mask = new Uint32Array((vocabulary.size + 31) >>> 5);
    const bytes: number[] = [];
    for (;;) {
      matcher.fillMask(mask);
      const allowed: number[] = [];
      for (let t = 0; t < vocabulary.size; t++) if (((mask[t >> 5]! >>> (t & 31)) & 1) === 1) allowed.push(t);
      const token = allowed[random.below(allowed.length)]!;
      matcher.accept(token);
      if (matcher.isFinished) return new TextDecoder().decode(Uint8Array.from(bytes));
      bytes.push(token);
    }
  };
  it('agree on random texts of the grammars', () => {
    for (const r of made) {
      for (let seed = 0; seed < 5; seed++) {
        const text = draw(r.grammar!, r.root, seed);
        expect(textFits(r.check!, text), `${r.id}: ${JSON.stringify(text)}`).toBe(true);
      }
    }
  });
  it('agree on texts with one byte changed', () => {
    const random = createRandom(9);
    for (const r of made) {
      const grammar = compile(gbnf(r.grammar!, { root: r.root }));
      for (let seed = 0; seed < 8; seed++) {
        const text = draw(r.grammar!, r.root, seed);
        const at = random.below(text.length + 1);
        const other = text.slice(0, at) + '(,9a-\n"*/'[random.below(9)] + text.slice(at + random.below(2));
        const matcher = new Matcher(grammar, vocabulary);
        const taken = matcher.acceptBytes(new TextEncoder().encode(other)) && matcher.isAccepting;
        expect(textFits(r.check!, other), `${r.id}: ${JSON.stringify(other)}`).toBe(taken);
      }
    }
  });
});

describe("a user's own requests", () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'tokenloom-own-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (lines: string): string => {
    const at = path.join(folder, 'own.jsonl');
    writeFileSync(at, lines);
    return at;
  };
  it('are schemas, schema texts, grammars or tools, with messages or a prompt', () => {
    const read = ownRequests(
      file(
        [
          '{"schema":{"type":"integer"},"prompt":"how many?","expected":3}',
          '{"id":"g","grammar":"root ::= \\"a\\"","messages":[{"role":"user","content":"x"}]}',
          '',
          '{"schema":"{\\"type\\":\\"string\\"}","prompt":"p"}',
          '{"tools":[{"name":"f","parameters":{"type":"object"}}],"prompt":"p"}',
        ].join('\n'),
      ),
    );
    expect(read.map((r) => r.id)).toEqual(['own/1', 'g', 'own/4', 'own/5']);
    expect(read[0]).toMatchObject({ source: 'own', expected: 3, schema: { type: 'integer' } });
    expect(read[2]?.schema).toEqual({ type: 'string' });
  });
  it.each([
    ['{"prompt":"x"}', /line 1.*'schema'/],
    ['{"schema":{},"grammar":"x","prompt":"x"}', /line 1/],
    ['{"schema":{}}', /line 1.*'messages'/],
    ['{"schema":{},"prompt":"x"}\n{oops', /line 2.*JSON/],
    ['{"schema":"{","prompt":"x"}', /line 1.*JSON/],
    ['{"id":"a","schema":{},"prompt":"x"}\n{"id":"a","schema":{},"prompt":"x"}', /'a' twice/],
    ['', /at least one request/],
  ])('says what is wrong with %s', (lines, message) => {
    expect(() => ownRequests(file(lines))).toThrow(message);
  });
});
