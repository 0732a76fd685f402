/**
 * Whether a template writes arguments as an object in a notation of its own (`{city:<q>Paris<q>,at:[1,2]}`), learned like the rest of a call
 * (call-form.ts). A call with one string tells the marks of strings; calls with values of each kind, nested ones too, must then look just as
 * the notation has them, else it is none.
 */
import { type CallForm, ID_SLOT, type Notation } from '../base/call-form.js';
import { notationText } from '../base/notation-text.js';
import { KEY, type Rendered, VALUE } from './parameter-form.js';

/** What a template might escape, trim or take for something else. */
const TEXT = ` <a href="x"> & 'b'\n{c:[1,"d"]} \\e\\n\t `;
const NESTED = { Zeta: [{ y: TEXT, x: [] }, [2, 'z', false]], beta: { b: {}, A: '', a: -7 } };
/** Arguments whose names are in order, and in none. */
const SAMPLES: readonly object[] = [
  {},
  { [KEY]: TEXT },
  { [KEY]: [12, -1.5, 0, true, 'x'] },
  { beta: NESTED, Alpha: [NESTED], [KEY]: 123454321, [`${KEY}2`]: false },
];
const WORD = /^[A-Za-z]+$/;

/** `formOf`: the form of calls whose arguments are written as one of these texts. */
export function withNotation(
  formOf: (texts: readonly string[]) => CallForm | undefined,
  rendered: Rendered,
): CallForm | undefined {
  const one = rendered({ [KEY]: VALUE });
  const head = `{${KEY}:`;
  const at = one.indexOf(head);
  const value = one.indexOf(VALUE, at);
  const end = one.indexOf('}', value + VALUE.length);
  if (at < 0 || value < 0 || end < 0) return undefined;
  const open = one.slice(at + head.length, value);
  const close = one.slice(value + VALUE.length, end);
  if (!areMarks(open, close)) return undefined;
  const form = formOf([one.slice(at, end + 1)]);
  if (form === undefined || form.middle.includes(ID_SLOT)) return undefined;
  const [before, behind] = [one.slice(0, at), one.slice(end + 1)];
  /** Undefined where a constant is left out, or nothing stands in its place. */
  const word = (value: boolean | null): string | undefined => {
    const text = rendered({ [KEY]: value });
    if (!text.startsWith(before + head) || !text.endsWith(`}${behind}`)) return undefined;
    return WORD.exec(text.slice(before.length + head.length, text.length - behind.length - 1))?.[0];
  };
  const [yes, no] = [word(true), word(false)];
  if (yes === undefined || no === undefined) return undefined;
  const words = { true: yes, false: no, null: word(null) ?? 'null' };
  const notation = [false, true]
    .map((sorted): Notation => ({ open, close, words, sorted }))
    .find((tried) =>
      SAMPLES.every((given) => rendered(given) === before + notationText(tried, JSON.stringify(given)) + behind),
    );
  return notation === undefined ? undefined : { ...form, notation };
}

/**
 * Whether strings can be found by these marks: nothing else begins like one, and what closes one has no part of itself at both ends (a string might
 * end in it).
 */
function areMarks(open: string, close: string): boolean {
  if (open === '' || close === '' || /^[-\w\s{}[\],:]/.test(open)) return false;
  for (let length = 1; length < close.length; length++) {
    if (close.startsWith(close.slice(-length))) return false;
  }
  return true;
}
