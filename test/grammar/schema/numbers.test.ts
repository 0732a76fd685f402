import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LimitError } from '../../../src/base/errors.js';
import {
  compare,
  type Decimal,
  fromNumber,
  isMultiple,
  lcm,
  ONE,
  toText,
} from '../../../src/grammar/schema/decimal.js';
import { numberRegex } from '../../../src/grammar/schema/number-text.js';
import {
  ALL_NUMBERS,
  andNumbers,
  type Box,
  box,
  boxHas,
  countNumbers,
  INTEGERS,
  type NumberSet,
  notNumbers,
  orNumbers,
  point,
} from '../../../src/grammar/schema/numbers.js';
import { TermStore } from '../../../src/regular/terms.js';

const f = fromNumber;
const terms = new TermStore();

const bound = fc.option(fc.constantFrom(-100, -12.5, -1, -0.25, 0, 0.001, 0.5, 1, 7, 10, 12.5, 99, 100, 1000.5), {
  nil: undefined,
});
const boxes: fc.Arbitrary<Box> = fc
  .record({
    lo: bound,
    hi: bound,
    loOpen: fc.boolean(),
    hiOpen: fc.boolean(),
    step: fc.option(fc.constantFrom(1, 2, 3, 0.5, 0.25, 10, 0.1), { nil: undefined }),
  })
  .map(({ lo, hi, loOpen, hiOpen, step }) =>
    box(
      lo === undefined ? undefined : f(lo),
      loOpen && lo !== undefined,
      hi === undefined ? undefined : f(hi),
      hiOpen && hi !== undefined,
      step === undefined ? undefined : f(step),
    ),
  );
const SAMPLES = [
  -1000, -100, -99.5, -12.5, -1, -0.25, -0.1, 0, 0.001, 0.1, 0.25, 0.3, 0.5, 1, 1.5, 2, 3, 6, 7, 9, 10, 12, 12.5, 20,
  99, 99.9, 100, 1000, 1000.5, 12345,
];
const has = (set: NumberSet, v: Decimal): boolean => set.some((b) => boxHas(b, v));

describe('number sets', () => {
  it('compare, print and divide exactly', () => {
    expect(compare(f(0.29), f(0.3))).toBeLessThan(0);
    expect(compare(f(1e21), f(999999999999999900000))).toBeGreaterThan(0);
    expect(isMultiple(f(0.29), f(0.01))).toBe(true);
    expect(isMultiple(f(1e308), f(1e-300))).toBe(true);
    expect(toText(f(-1.5e-7))).toBe('-0.00000015');
    expect(toText(f(1e21))).toBe(`1${'0'.repeat(21)}`);
    expect(lcm(f(0.25), f(0.1))).toEqual(f(0.5));
    expect(lcm(f(0.5), ONE)).toBe(ONE);
  });

  it('form a boolean algebra', () => {
    fc.assert(
      fc.property(boxes, boxes, (a, b) => {
        const x = andNumbers([a], [a]);
        for (const s of SAMPLES) {
          const v = f(s);
          const inA = boxHas(a, v);
          const inB = boxHas(b, v);
          expect(has(x, v)).toBe(inA);
          expect(has(andNumbers([a], [b]), v)).toBe(inA && inB);
          expect(has(orNumbers([a], [b]), v)).toBe(inA || inB);
          expect(has(notNumbers([a]), v)).toBe(!inA);
          expect(has(andNumbers(notNumbers([a]), notNumbers([b])), v)).toBe(!inA && !inB);
        }
      }),
      { seed: 2, numRuns: 300 },
    );
  });

  it('have empty intersections exactly where nothing fits', () => {
    const open = (lo: number, hi: number, step?: number): Box =>
      box(f(lo), true, f(hi), true, step === undefined ? undefined : f(step));
    expect(andNumbers([open(0, 1)], INTEGERS)).toEqual([]);
    expect(andNumbers([open(0, 1)], ALL_NUMBERS)).toHaveLength(1);
    expect(andNumbers([open(0, 6, 4)], [open(0, 6, 3)])).toEqual([]);
    expect(andNumbers(notNumbers(INTEGERS), [point(f(3))])).toEqual([]);
    expect(countNumbers(andNumbers(INTEGERS, [open(0, 10)]), 100)).toBe(9);
  });

  it('are spelled as JSON numbers of exactly their values', () => {
    const spellings = (n: number): string[] => {
      const plain = toText(f(n));
      return [
        plain,
        String(n),
        plain.includes('.') ? `${plain}00` : `${plain}.0`,
        n.toExponential(),
        n.toExponential(6),
      ];
    };
    fc.assert(
      fc.property(boxes, fc.boolean(), (b, complement) => {
        const set = complement ? notNumbers([b]) : [b];
        const t = terms.intern(numberRegex(set, 'any', undefined));
        const canonical = terms.intern(numberRegex(set, 'canonical', undefined));
        for (const s of SAMPLES) {
          const expected = has(set, f(s));
          expect(terms.matches(t, toText(f(s))), `${s}`).toBe(expected);
          expect(terms.matches(canonical, toText(f(s))), `${s}`).toBe(expected);
          // Other spellings may be left out, but never denote a value outside.
          if (!expected) for (const text of spellings(s)) expect(terms.matches(t, text), text).toBe(false);
        }
        for (const text of ['', '-', '01', '1.', '.5', '+1', '1e', '--1', '00', '-01', '1.5.5'])
          expect(terms.matches(t, text)).toBe(false);
      }),
      { seed: 3, numRuns: 150 },
    );
  });

  it('admit what JavaScript and Python write', () => {
    const all = terms.intern(numberRegex(ALL_NUMBERS, 'any', undefined));
    const integers = terms.intern(numberRegex(INTEGERS, 'any', undefined));
    const positive = terms.intern(numberRegex([box(f(0), true, undefined, false, undefined)], 'any', undefined));
    for (const text of [
      '1e-7',
      '1e+21',
      '1.5e-07',
      '-2.5E3',
      '1.7976931348623157e+308',
      '5e-324',
      '123456789012345678901',
    ]) {
      if (text !== '5e-324' && text !== '1.7976931348623157e+308') expect(terms.matches(all, text), text).toBe(true);
      if (!text.startsWith('-') && text !== '5e-324' && text !== '1.7976931348623157e+308') {
        expect(terms.matches(positive, text), text).toBe(true);
      }
    }
    for (const text of ['1.0', '1e+21', '1.234e+22', '0', '-7', '1e308'])
      expect(terms.matches(integers, text), text).toBe(true);
    for (const text of ['1.5', '1e-7', '1.5e0', '1.25e1']) expect(terms.matches(integers, text), text).toBe(false);
    for (const text of ['1e309', '2e308', `1${'0'.repeat(250)}e99`]) expect(terms.matches(all, text), text).toBe(false);
  });

  it('never denote an infinite value', () => {
    const all = terms.intern(numberRegex(ALL_NUMBERS, 'any', undefined));
    fc.assert(
      fc.property(fc.nat(400), fc.integer({ min: -400, max: 400 }), fc.nat(30), (int, exp, frac) => {
        const text = `9${'9'.repeat(int)}${frac > 0 ? `.${'9'.repeat(frac)}` : ''}e${exp}`;
        if (terms.matches(all, text)) expect(Number.isFinite(Number(text))).toBe(true);
      }),
      { seed: 4 },
    );
  });

  it('cap digits on request and refuse automata that are too large', () => {
    const capped = terms.intern(numberRegex(ALL_NUMBERS, 'any', 3));
    expect(terms.matches(capped, '123.456')).toBe(true);
    expect(terms.matches(capped, '1234')).toBe(false);
    expect(terms.matches(capped, '1.2345')).toBe(false);
    expect(() => numberRegex([box(undefined, false, undefined, false, f(1234567))], 'any', undefined)).toThrow(
      LimitError,
    );
  });

  it('are spelled so that who reads a double gets a member', () => {
    const digits = (max: number): fc.Arbitrary<string> =>
      fc.array(fc.constantFrom(...'0099123456785'), { minLength: 1, maxLength: max }).map((d) => d.join(''));
    const near = fc
      .tuple(fc.constantFrom(-100, -12.5, -1, 0.001, 0.1, 0.5, 1, 7, 12.5, 99, 1000.5, 9007199254740992), digits(22))
      .chain(([n, d]) => {
        const text = String(n);
        const up = text.includes('.') ? `${text}${d}` : `${text}.${d}`;
        const down = text.includes('.') ? text.replace(/.$/, '') : String(n - 1);
        return fc.constantFrom(up, `${down.includes('.') ? down : `${down}.`}${'9'.repeat(d.length)}`);
      });
    const free = fc
      .tuple(fc.constantFrom('', '-'), digits(20), fc.option(digits(25), { nil: undefined }))
      .map(([sign, int, frac]) => {
        const whole = int.replace(/^0+(?=\d)/, '');
        return `${sign}${whole}${frac === undefined ? '' : `.${frac}`}`;
      });
    fc.assert(
      fc.property(
        boxes,
        fc.boolean(),
        fc.array(fc.oneof(near, free), { minLength: 20, maxLength: 20 }),
        (b, not, texts) => {
          const set = not ? notNumbers([b]) : [b];
          const term = terms.intern(numberRegex(set, 'any', undefined));
          for (const text of texts)
            if (terms.matches(term, text)) expect([text, has(set, f(Number(text)))]).toEqual([text, true]);
        },
      ),
      { seed: 4, numRuns: 300 },
    );
  });
});
