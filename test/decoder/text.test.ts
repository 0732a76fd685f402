import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PartialJson, parsePartialJson } from '../../src/base/partial-json.js';
import { StopScanner, TextStream } from '../../src/decoder/text.js';

describe('TextStream', () => {
  it('holds characters back until they are whole', () => {
    const s = new TextStream();
    const bytes = new TextEncoder().encode('é😀');
    expect([...bytes].map((b) => s.push(Uint8Array.of(b)))).toEqual(['', 'é', '', '', '', '😀']);
    expect(s.flush()).toBe('');
  });
  it('any cut gives the same text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.array(fc.nat(5)), (text, cuts) => {
        const bytes = new TextEncoder().encode(text);
        const s = new TextStream();
        let out = '';
        let at = 0;
        for (const c of cuts) {
          out += s.push(bytes.subarray(at, at + c));
          at += c;
        }
        out += s.push(bytes.subarray(at)) + s.flush();
        expect(out).toBe(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
      }),
    );
  });
  it('an unfinished character at the end is U+FFFD', () => {
    const s = new TextStream();
    expect(s.push(Uint8Array.of(0xc3)) + s.flush()).toBe('\ufffd');
  });
});

describe('StopScanner', () => {
  it('finds a stop string across pieces, and shows only what is certain', () => {
    const s = new StopScanner(['END', 'ER']);
    expect(s.push('helloE')).toEqual({ text: 'hello', stopped: false, rest: '' });
    expect(s.push('NO')).toEqual({ text: 'ENO', stopped: false, rest: '' });
    expect(s.push(' EN')).toEqual({ text: ' ', stopped: false, rest: '' });
    expect(s.push('Dx')).toEqual({ text: '', stopped: true, rest: 'x' });
  });
  it('any cut gives the same text', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 12 });
    const stops = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 5 }), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(letters, stops, fc.array(fc.integer({ min: 1, max: 4 })), (text, wanted, cuts) => {
        const read = (pieces: readonly string[]) => {
          const s = new StopScanner(wanted);
          let out = '';
          for (const piece of pieces) {
            const found = s.push(piece);
            out += found.text;
            if (found.stopped) return { out, stopped: true };
          }
          return { out: out + s.flush(), stopped: false };
        };
        const pieces: string[] = [];
        let at = 0;
        for (const c of cuts) {
          pieces.push(text.slice(at, at + c));
          at += c;
        }
        expect(read([...pieces, text.slice(at)])).toEqual(read([...text]));
      }),
    );
  });
  it('of strings within each other takes the one that ends first', () => {
    expect(new StopScanner(['abcd', 'bc']).push('xabcde')).toEqual({ text: 'xa', stopped: true, rest: 'de' });
    expect(new StopScanner(['bc', 'abc']).push('xabcde')).toEqual({ text: 'x', stopped: true, rest: 'de' });
  });
  it('gives back what it held', () => {
    const s = new StopScanner(['END']);
    s.push('xEN');
    expect(s.flush()).toBe('EN');
  });
});

describe('PartialJson', () => {
  it.each([
    ['', undefined],
    ['{', {}],
    ['{"a', {}],
    ['{"a":', {}],
    ['{"a":"x', { a: 'x' }],
    ['{"a":"x\\', { a: 'x' }],
    ['{"a":"x\\u00', { a: 'x' }],
    ['{"a":"\\ud83d', { a: '' }],
    ['{"a":"\\ud83d\\ude00', { a: '😀' }],
    ['{"a":1', {}],
    ['{"a":1,', { a: 1 }],
    ['{"a":tru', {}],
    ['{"a":true}', { a: true }],
    ['[1,2', [1]],
    ['[1,2]', [1, 2]],
    ['[[],{"a":[', [[], { a: [] }]],
    ['"abc', 'abc'],
    [' { "a" : [ 1 , { } ] } ', { a: [1, {}] }],
  ])('%j', (text, value) => {
    expect(parsePartialJson(text)).toEqual(value);
  });
  it('a number at the top is whole once the text ends', () => {
    const p = new PartialJson();
    p.push('-12.5e1');
    expect(p.value).toBeUndefined();
    p.end();
    expect([p.value, p.isComplete]).toEqual([-125, true]);
  });
  it('snapshots do not change afterwards', () => {
    const p = new PartialJson();
    p.push('{"a":[1,{"b":"x');
    const before = p.value;
    p.push('y"},3]}');
    expect(before).toEqual({ a: [1, { b: 'x' }] });
    expect(p.value).toEqual({ a: [1, { b: 'xy' }, 3] });
  });
  it('reads any JSON in any pieces as JSON.parse does, and grows monotonically', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 4 }),
        fc.array(fc.integer({ min: 1, max: 7 })),
        fc.boolean(),
        (value, cuts, pretty) => {
          const text = JSON.stringify(value, null, pretty ? 1 : 0);
          const p = new PartialJson();
          let at = 0;
          for (const c of cuts) {
            const [version, before] = [p.version, JSON.stringify(p.value)];
            p.push(text.slice(at, at + c));
            at += c;
            expect(p.version === version).toBe(JSON.stringify(p.value) === before);
          }
          p.push(text.slice(at));
          p.end();
          expect(p.isComplete).toBe(true);
          expect(p.value).toEqual(JSON.parse(text));
        },
      ),
    );
  });
  it('__proto__ is a key', () => {
    expect(Object.keys(parsePartialJson('{"__proto__":1,') as object)).toEqual(['__proto__']);
  });
  it('what is not JSON keeps the last value', () => {
    expect(parsePartialJson('[1,2,x')).toEqual([1, 2]);
    expect(parsePartialJson('[1,2}')).toEqual([1, 2]);
  });
  it('depth has no limit but memory', () => {
    expect(Array.isArray(parsePartialJson('['.repeat(50_000)))).toBe(true);
  });
});
