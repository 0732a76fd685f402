/** The public contract of `tokenloom/core`, statement by statement, as a program outside this repository would rely on it. */
import { describe, expect, it } from 'vitest';
import * as core from '../../src/core.js';
import { choice, compile, gbnf, json, Matcher, regex, Vocabulary } from '../../src/core.js';

const utf8 = new TextEncoder();
/** Every byte, then words; equal, null and empty tokens; two end ids. */
const WORDS = ['true', '{"', '":', '"}', 'name', '"', '12', 'é', '  '];
const TOKENS: (Uint8Array | null)[] = [
  ...Array.from({ length: 256 }, (_, b) => Uint8Array.of(b)),
  ...WORDS.map((w) => utf8.encode(w)),
  null,
  new Uint8Array(0),
  null,
  utf8.encode('</s>'),
];
const SIZE = TOKENS.length;
const EOS = [SIZE - 2, SIZE - 1];
const vocabulary = Vocabulary.fromTokens(TOKENS, { eos: EOS });

const maskOf = (m: Matcher): Uint32Array => {
  const mask = new Uint32Array(Math.ceil(SIZE / 32));
  m.fillMask(mask);
  return mask;
};
const has = (mask: Uint32Array, t: number): boolean => ((mask[t >> 5]! >>> (t & 31)) & 1) === 1;
const feed = (m: Matcher, text: string): boolean => m.acceptBytes(utf8.encode(text));
const takes = (m: Matcher, text: string): boolean => {
  const trial = m.fork();
  return feed(trial, text) && trial.isAccepting;
};

describe('exports', () => {
  it('has the fixed names', () => {
    const { checkSchema } = core;
    for (const named of [json, gbnf, regex, choice, checkSchema, compile, Vocabulary, Matcher])
      expect(typeof named).toBe('function');
    const { GrammarError, UnsupportedSchemaError, UnsatisfiableError, LimitError, ModelError } = core;
    for (const error of [GrammarError, UnsupportedSchemaError, UnsatisfiableError, LimitError, ModelError])
      expect(Object.getPrototypeOf(error.prototype)).toBe(core.TokenloomError.prototype);
  });
});

describe('Matcher', () => {
  const object = compile(
    json({ type: 'object', properties: { name: { type: 'string' } }, required: ['name'], additionalProperties: false }),
  );

  it('mask bit t <=> accept(t), and a refused token changes nothing', () => {
    const m = new Matcher(object, vocabulary);
    for (const part of ['', '{', ' ', '"name', '":', '"a\\', 'n"', '}']) {
      expect([part, feed(m, part)]).toEqual([part, true]);
      const mask = maskOf(m);
      for (let t = 0; t < SIZE; t++) {
        const took = m.accept(t);
        expect([part, t, took]).toEqual([part, t, has(mask, t)]);
        if (took) m.rollback(1);
        expect(maskOf(m)).toEqual(mask);
      }
    }
  });

  it('overwrites the whole mask, with spare bits 0, and wants ceil(size / 32) words', () => {
    const m = new Matcher(object, vocabulary);
    const wide = new Uint32Array(Math.ceil(SIZE / 32) + 3).fill(0xffffffff);
    m.fillMask(wide);
    expect(Array.from(wide.subarray(-3))).toEqual([0, 0, 0]);
    for (let t = SIZE; t < wide.length * 32; t++) expect(has(wide, t)).toBe(false);
    expect(() => m.fillMask(new Uint32Array(Math.ceil(SIZE / 32) - 1))).toThrow(RangeError);
  });

  it('allows every eos id exactly when accepting, and no eos matches bytes', () => {
    const m = new Matcher(compile(gbnf('root ::= "</s>" | "x"')), vocabulary);
    expect(EOS.map((t) => has(maskOf(m), t))).toEqual([false, false]);
    feed(m, 'x');
    expect(EOS.map((t) => has(maskOf(m), t))).toEqual([true, true]);
    expect(m.accept(EOS[1]!)).toBe(true);
    expect(m.isFinished).toBe(true);
    expect(maskOf(m).every((w) => w === 0)).toBe(true);
    m.rollback(1);
    expect(m.isFinished).toBe(false);
  });

  it('never allows null or zero-length tokens; allows all of equal bytes', () => {
    const mask = maskOf(new Matcher(compile(regex('[^]*')), vocabulary));
    const nameless = WORDS.length + 256;
    expect([has(mask, nameless), has(mask, nameless + 1)]).toEqual([false, false]);
    expect([has(mask, 0x22), has(mask, 256 + WORDS.indexOf('"'))]).toEqual([true, true]);
  });

  it('acceptBytes is all or nothing', () => {
    const m = new Matcher(object, vocabulary);
    const before = maskOf(m);
    expect(feed(m, '{"name"?')).toBe(false);
    expect(maskOf(m)).toEqual(before);
    expect(feed(m, '{"name":"é"}')).toBe(true);
    expect(m.isAccepting).toBe(true);
  });

  it('rollback undoes n accepts, the end included, and throws beyond the start', () => {
    const m = new Matcher(compile(choice(['12', '1'])), vocabulary);
    const masks = [maskOf(m)];
    for (const t of ['1'.charCodeAt(0), '2'.charCodeAt(0), EOS[0]!]) {
      expect(m.accept(t)).toBe(true);
      masks.push(maskOf(m));
    }
    for (const at of [2, 1, 0]) {
      m.rollback(1);
      expect(maskOf(m)).toEqual(masks[at]);
    }
    expect(() => m.rollback(1)).toThrow(RangeError);
    expect(() => m.rollback(-1)).toThrow(RangeError);
  });

  it('forks are independent; reset goes back to the start', () => {
    const m = new Matcher(object, vocabulary);
    feed(m, '{"name":');
    const copy = m.fork();
    feed(copy, '"x"}');
    expect([m.isAccepting, copy.isAccepting]).toEqual([false, true]);
    copy.reset();
    expect(maskOf(copy)).toEqual(maskOf(new Matcher(object, vocabulary)));
    expect(feed(m, '"y"}')).toBe(true);
  });

  it('forced bytes are what the grammar leaves no choice about; forced tokens spell a beginning of them', () => {
    const m = new Matcher(compile(json({ const: { name: [true, 'x'] } }, { whitespace: 'compact' })), vocabulary);
    const text = new TextDecoder().decode(m.forcedBytes());
    expect(text).toBe('{"name":[true,"x"]}');
    const tokens = m.forcedTokens();
    expect(text.startsWith(new TextDecoder().decode(vocabulary.decode(tokens)))).toBe(true);
    for (const t of tokens) expect(m.accept(t)).toBe(true);
  });

  it('counts every token but the end against maxTokens, and is complete when they are spent', () => {
    const compiled = compile(json({ type: 'array', items: { enum: [12] } }, { whitespace: 'compact' }));
    const m = new Matcher(compiled, vocabulary, { maxTokens: 4 });
    let spent = 0;
    for (; !m.isAccepting || spent === 0; spent++) {
      const mask = maskOf(m);
      let t = SIZE - 1;
      while (!has(mask, t) || EOS.includes(t)) t--;
      expect(m.accept(t)).toBe(true);
    }
    expect(spent).toBeLessThanOrEqual(4);
    expect(() => new Matcher(compiled, vocabulary, { maxTokens: 1 })).toThrow(core.UnsatisfiableError);
  });
});

describe('json', () => {
  it('whitespace: compact, bounded (default), flexible', () => {
    const schema = { type: 'array', items: { type: 'integer' } };
    const of = (whitespace?: 'compact' | 'bounded' | 'flexible') =>
      new Matcher(compile(json(schema, whitespace === undefined ? {} : { whitespace })), vocabulary);
    const texts = ['[1,2]', '[1, 2]', `[\n${' '.repeat(64)}1]`, '[  1]', `[\n${' '.repeat(65)}1]`, '[\t\r\n 1]'];
    expect(texts.map((t) => takes(of('compact'), t))).toEqual([true, false, false, false, false, false]);
    expect(texts.map((t) => takes(of(), t))).toEqual([true, true, true, false, false, false]);
    expect(texts.map((t) => takes(of('flexible'), t))).toEqual([true, true, true, true, true, true]);
  });

  it('propertyOrder: schema (default), any; keys stay unique and required in both', () => {
    const schema = { type: 'object', properties: { a: {}, b: {} }, required: ['a'], additionalProperties: false };
    const of = (propertyOrder?: 'schema' | 'any') =>
      new Matcher(compile(json(schema, propertyOrder === undefined ? {} : { propertyOrder })), vocabulary);
    const texts = ['{"a":1,"b":2}', '{"b":1,"a":2}', '{"a":1,"a":2}', '{"b":1}'];
    expect(texts.map((t) => takes(of(), t))).toEqual([true, false, false, false]);
    expect(texts.map((t) => takes(of('any'), t))).toEqual([true, true, false, false]);
  });

  it("unsupported: 'error' (default) names the place, 'warn' goes on", () => {
    const schema = { properties: { a: { type: 'string', pattern: '(a*)b\\1' } } };
    let error: unknown;
    try {
      compile(json(schema));
    } catch (e) {
      error = e;
    }
    expect(error).toBeInstanceOf(core.UnsupportedSchemaError);
    expect(error).toMatchObject({
      pointer: expect.stringContaining('/properties/a/pattern') as unknown,
      keyword: 'pattern',
    });
    expect(() => compile(json(schema, { unsupported: 'warn' }))).not.toThrow();
    const report = core.checkSchema(schema);
    expect(report.supported).toBe(false);
    expect(report.diagnostics[0]).toMatchObject({ keyword: 'pattern', severity: 'error' });
  });

  it('takes objects, booleans and text; reports text errors with line and column', () => {
    expect(takes(new Matcher(compile(json('{"type":"integer"}')), vocabulary), '12')).toBe(true);
    expect(takes(new Matcher(compile(json(true)), vocabulary), '[{}]')).toBe(true);
    expect(() => compile(json(false))).toThrow(core.UnsatisfiableError);
    expect(() => compile(json('{"type":\n integer}'))).toThrow(core.GrammarError);
    try {
      compile(json('{"type":\n integer}'));
    } catch (e) {
      expect(e).toMatchObject({ line: 2, column: 2 });
    }
  });
});
