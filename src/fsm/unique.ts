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

/** What may stand behind a whole number, and behind a fraction, in a plain spelling of the same number. */
export const afterWhole: Regex = { t: 'rep', item: { t: 'cat', items: [point, zeros(1)] }, min: 0, max: 1 };
export const afterFraction: Regex = zeros(0);

/**
 * The plain text of a number without needless zeros (zero has two, with and without a sign), or a word: `whole` tells which of the two
 * endings above make all spellings of it. For a word, zeros behind it make no text that is an item.
 */
export function plainForms(text: string): { readonly whole: boolean; readonly forms: readonly string[] } {
  const m = /^(-?)(\d+)(?:\.(\d*))?$/.exec(text);
  if (m === null) return { whole: false, forms: [text] };
  const digitsBefore = m[2]!.replace(/^0+(?=\d)/, '');
  const fraction = (m[3] ?? '').replace(/0+$/, '');
  if (fraction !== '') return { whole: false, forms: [`${m[1]}${digitsBefore}.${fraction}`] };
  return { whole: true, forms: digitsBefore === '0' ? ['0', '-0'] : [`${m[1]}${digitsBefore}`] };
}

/** All exponent-free spellings of the number in a JSON text; for a word itself, and with zeros that no item has. */
export function numberSpellings(text: string): Regex {
  const { whole, forms } = plainForms(text);
  return { t: 'cat', items: [{ t: 'lits', texts: forms }, whole ? afterWhole : afterFraction] };
}

/** A JSON value with sorted keys and numbers as JavaScript prints them: equal values have equal texts. */
export function canonicalJson(value: unknown): string {
  // Not by recursion: values nest as deep as their text. What is written after a value waits below it.
  const open: { readonly value?: unknown; readonly text?: string }[] = [{ value }];
  let out = '';
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, text } = next;
    if (text !== undefined) out += text;
    else if (Array.isArray(value)) {
      out += '[';
      open.push({ text: ']' });
      for (let i = value.length - 1; i >= 0; i--) {
        open.push({ value: value[i] as unknown });
        if (i > 0) open.push({ text: ',' });
      }
    } else if (typeof value === 'object' && value !== null) {
      const record = value as Record<string, unknown>;
      const keys = Object.keys(record).sort();
      out += '{';
      open.push({ text: '}' });
      for (let i = keys.length - 1; i >= 0; i--)
        open.push({ value: record[keys[i]!] }, { text: `${i > 0 ? ',' : ''}${JSON.stringify(keys[i])}:` });
    } else out += JSON.stringify(Object.is(value, -0) ? 0 : value);
  }
  return out;
}
