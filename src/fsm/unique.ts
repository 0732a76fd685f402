/** JSON values compared as values: canonical texts, and all plain spellings of a number. */
import { anyChar, type Regex } from '../regular/regex.js';

const digit: Regex = { t: 'set', ranges: [0x30, 0x39] };

const digits = (max: number): Regex => ({ t: 'rep', item: digit, min: 1, max });
const point: Regex = { t: 'lit', text: '.' };

/** Significant digits that survive reading as a double: different numbers stay different. */
const EXACT = 15;

/** The numbers and words that may be items of arrays with unique items: no exponents, at most 15 significant digits. */
export const uniqueNumbers: Regex = {
  t: 'alt',
  items: [
    { t: 'lits', texts: ['null', 'true', 'false'] },
    {
      t: 'cat',
      items: [
        { t: 'rep', item: { t: 'lit', text: '-' }, min: 0, max: 1 },
        {
          t: 'alt',
          items: [
            digits(EXACT),
            {
              t: 'and',
              items: [
                { t: 'cat', items: [digits(EXACT), point, digits(EXACT)] },
                { t: 'rep', item: anyChar, min: 0, max: EXACT + 1 },
              ],
            },
            { t: 'cat', items: [{ t: 'lit', text: '0.' }, digits(EXACT)] },
          ],
        },
      ],
    },
  ],
};

const zeros = (min: number): Regex => ({
  t: 'rep',
  item: { t: 'lit', text: '0' },
  min,
  max: Number.POSITIVE_INFINITY,
});

/** All exponent-free spellings of the number in a JSON text; the text itself for true, false and null. */
export function numberSpellings(text: string): Regex {
  const m = /^(-?)(\d+)(?:\.(\d*))?$/.exec(text);
  if (m === null) return { t: 'lit', text };
  const whole = m[2]!.replace(/^0+(?=\d)/, '');
  const fraction = (m[3] ?? '').replace(/0+$/, '');
  const sign: Regex =
    whole === '0' && fraction === ''
      ? { t: 'rep', item: { t: 'lit', text: '-' }, min: 0, max: 1 }
      : { t: 'lit', text: m[1]! };
  const tail: Regex =
    fraction === ''
      ? { t: 'rep', item: { t: 'cat', items: [{ t: 'lit', text: '.' }, zeros(1)] }, min: 0, max: 1 }
      : { t: 'cat', items: [{ t: 'lit', text: `.${fraction}` }, zeros(0)] };
  return { t: 'cat', items: [sign, { t: 'lit', text: whole }, tail] };
}

/** A JSON value with sorted keys and numbers as JavaScript prints them: equal values have equal texts. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const record = value as Record<string, unknown>;
    const keys = Object.keys(record).sort();
    return `{${keys.map((k) => `${JSON.stringify(k)}:${canonicalJson(record[k])}`).join(',')}}`;
  }
  return JSON.stringify(Object.is(value, -0) ? 0 : value);
}
