/**
 * How a template writes arguments as elements, learned like the rest of a call (call-form.ts): `<parameter=city>` and a line, `<arg_key>` beside
 * `<arg_value>`, `<parameter name="city" string="true">`. Calls with no, one and two parameters tell what stands around each, calls with values
 * of each kind how those are written.
 */
import { type ArgumentKind, type CallForm, ID_SLOT, type ParameterForm } from '../base/call-form.js';

export const KEY = 'tokenloom_key';
export const VALUE = 'tokenloom-value';
const OTHER = 'tokenloom_other';
/** A mark that closes an element. */
const CLOSING = /<\/[^<>\s]+>/u;

/** What a template writes behind the name of a call with these arguments, up to the end of the turn; '' where it raises an error. */
export type Rendered = (given: object) => string;

interface Around {
  readonly middle: string;
  readonly open: string;
  readonly close: string;
  readonly between: string;
  readonly end: string;
}

/** `formOf`: the form of calls whose arguments are written as one of these texts. */
export function withElements(
  formOf: (texts: readonly string[]) => CallForm | undefined,
  rendered: Rendered,
): CallForm | undefined {
  const one = rendered({ [KEY]: VALUE });
  const key = one.indexOf(KEY);
  const value = one.indexOf(VALUE, key);
  if (key < 0 || value < 0) return undefined;
  const colon = one.slice(key + KEY.length, value);
  const form = formOf([KEY + colon + VALUE]);
  if (form === undefined || form.middle.includes(ID_SLOT)) return undefined;
  const two = rendered({ [KEY]: VALUE, [OTHER]: VALUE });
  const first = two.indexOf(VALUE) + VALUE.length;
  const next = two.indexOf(OTHER, first);
  if (first < VALUE.length || next < 0) return undefined;
  const around = split(form.middle, rendered({}), form.end, two.slice(first, next));
  if (around === undefined) return undefined;
  const { middle, open, close, between, end } = around;
  const mark = CLOSING.exec(close)?.[0];
  const kinds = kindsOf(rendered, colon, close + between + open + OTHER);
  if (mark === undefined || kinds === undefined) return undefined;
  const { between: calls, ...rest } = form;
  return {
    ...rest,
    middle,
    end,
    parameters: { open, close, mark, between, ...kinds },
    ...(calls?.startsWith(close) ? { between: calls.slice(close.length) } : {}),
  };
}

/**
 * What stands around elements: `one` is before the first name and `end` behind the last value, `none` behind the name of a call without arguments,
 * `next` from a value to the name after it. So one = middle + open, none = middle + end', end = close + end', next = close + between + open.
 */
function split(one: string, none: string, end: string, next: string): Around | undefined {
  let most = 0;
  while (most < one.length && one[most] === none[most]) most++;
  const inMark = one.lastIndexOf('<', most - 1);
  const whole = inMark >= 0 && !one.slice(inMark, most).includes('>') ? [inMark] : [];
  for (const at of [...whole, ...Array.from({ length: most + 1 }, (_, i) => most - i)]) {
    const open = one.slice(at);
    const behind = none.slice(at);
    if (!end.endsWith(behind)) continue;
    const close = end.slice(0, end.length - behind.length);
    if (close === '' || !next.startsWith(close) || !next.slice(close.length).endsWith(open)) continue;
    const between = next.slice(close.length, next.length - open.length);
    return { middle: one.slice(0, at), open, close, between, end: behind };
  }
  return undefined;
}

/** What some templates would escape. */
const MARKED = `<a href="x"> & 'b'\nc\\d`;
const INSIDE = { tokenloom_inner: [1, 'x'] };
/** Values of the kinds and how they may be written. */
const SAMPLES: readonly (readonly [ArgumentKind, unknown, readonly string[]])[] = [
  ['string', MARKED, [MARKED]],
  ['number', 123454321, ['123454321']],
  ['boolean', true, ['true', 'True']],
  ['null', null, ['null', 'None']],
  ['object', INSIDE, jsonTexts(INSIDE)],
  ['array', [INSIDE], jsonTexts([INSIDE])],
];

/** As JavaScript and as Python write JSON. */
function jsonTexts(value: unknown): readonly string[] {
  const text = JSON.stringify(value);
  return [text, text.replaceAll(':', ': ').replaceAll(',', ', ')];
}

/** `next`: from a value to the end of the name after it. Undefined where values of some kind are not written as JSON. */
function kindsOf(rendered: Rendered, colon: string, next: string): Pick<ParameterForm, 'colons' | 'words'> | undefined {
  const colons: Record<ArgumentKind, string> = {
    string: colon,
    number: '',
    boolean: '',
    null: '',
    object: '',
    array: '',
  };
  const words = { true: 'true', false: 'false', null: 'null' };
  for (const [kind, value, texts] of SAMPLES) {
    const text = rendered({ [KEY]: value, [OTHER]: VALUE });
    const from = text.indexOf(KEY) + KEY.length;
    const to = text.indexOf(next, from);
    const written = from < KEY.length || to < 0 ? '' : text.slice(from, to);
    const found = texts.find((t) => written.endsWith(t));
    if (found !== undefined) colons[kind] = written.slice(0, written.length - found.length);
    // Some leave parameters out that are null.
    else if (kind === 'null') colons.null = colons.number;
    else return undefined;
    if (found === 'None') words.null = found;
    if (found === 'True') Object.assign(words, { true: 'True', false: 'False' });
  }
  return { colons, words };
}
