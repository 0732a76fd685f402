/** JSON texts that stop in the middle, compared with whole values: can the text still become this value? */
import { parseJson } from '../base/parse-json.js';
import { decodeUtf8 } from '../base/utf8.js';

/** Something whose end has not been read. */
const OPEN = Symbol('open');

interface Container {
  readonly closed: boolean;
  readonly members: Map<string, Partial> | undefined;
  readonly items: Partial[] | undefined;
  /** What has been read of a name that is cut off. */
  readonly name?: string | undefined;
  readonly nameCut?: boolean;
}

/** Values with a common beginning: what has been read of a string, the significant digits of a number, the letters of another word. */
type Cut =
  | { readonly string: string; readonly cut: boolean }
  | { readonly digits: string; readonly negative: boolean }
  | { readonly word: string };

export type Partial = typeof OPEN | Container | Cut | { readonly scalar: unknown };

/** Digits after which a number's text and its nearest double may part. */
const EXACT_DIGITS = 15;

/** What a prefix of a JSON text (well formed: a recognizer accepted it) tells of its value. */
export function readPartial(prefix: string): Partial {
  return new Reader(prefix).value();
}

/** Whether a text that has been read so far can be continued to a text of the value (a parsed JSON value). */
export function couldBecome(part: Partial, value: unknown): boolean {
  if (part === OPEN) return true;
  if (!('closed' in part)) return couldBeLeaf(part, value);
  // Not by recursion: values nest as deep as their text.
  const open: Pair[] = [];
  let next: Pair | undefined = { part, value };
  for (; next !== undefined; next = open.pop()) if (!couldBeContainer(next.part, next.value, open)) return false;
  return true;
}

/** An object or array that was read, and the value it is to become. */
interface Pair {
  readonly part: Container;
  readonly value: unknown;
}

/** {@link couldBecome} for what has no parts. */
function couldBeLeaf(part: Cut | { readonly scalar: unknown }, value: unknown): boolean {
  if ('scalar' in part) return Object.is(part.scalar, value) || (part.scalar === 0 && value === 0);
  if ('string' in part) return typeof value === 'string' && couldGoOn(part.string, part.cut, value);
  if ('word' in part) return String(value).startsWith(part.word);
  return typeof value === 'number' && couldBecomeNumber(part.digits, part.negative, value);
}

/** {@link couldBecome} but for the objects and arrays inside, which are put into a list. */
function couldBeContainer(part: Container, value: unknown, open: Pair[]): boolean {
  if (part.items !== undefined) {
    if (!Array.isArray(value)) return false;
    const { items } = part;
    if (part.closed ? value.length !== items.length : value.length < items.length) return false;
    for (let i = 0; i < items.length; i++) if (!couldBePart(items[i]!, value[i], open)) return false;
    return true;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const record = value as Record<string, unknown>;
  const { members, name, nameCut = false } = part as Container & { members: Map<string, Partial> };
  if (part.closed && Object.keys(record).length !== members.size) return false;
  for (const [key, item] of members) {
    if (!Object.hasOwn(record, key) || !couldBePart(item, record[key], open)) return false;
  }
  return name === undefined || Object.keys(record).some((key) => !members.has(key) && couldGoOn(name, nameCut, key));
}

function couldBePart(part: Partial, value: unknown, open: Pair[]): boolean {
  if (part === OPEN) return true;
  if (!('closed' in part)) return couldBeLeaf(part, value);
  open.push({ part, value });
  return true;
}

/** `cut`: a character above ASCII comes next, of which only the first bytes were read. */
function couldGoOn(read: string, cut: boolean, whole: string): boolean {
  return whole.startsWith(read) && (!cut || whole.charCodeAt(read.length) >= 0x80);
}

/** The exponent may still move the point, so digits alone decide. */
function couldBecomeNumber(digits: string, negative: boolean, value: number): boolean {
  if (value !== 0 && value < 0 !== negative) return false;
  const all = significant(String(value));
  return (
    digits.length > EXACT_DIGITS ||
    ((digits.length > all.length ? /^0*$/.test(digits.slice(all.length)) : true) &&
      digits.startsWith(all.slice(0, digits.length)))
  );
}

/** Digits of a number's text from the first that is not zero, without its exponent. */
function significant(text: string): string {
  return text
    .replace(/[eE].*/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+/, '');
}

/**
 * The objects and arrays that begin and end within the rest of a JSON text. Where the rest begins (between lexemes, within a string, behind
 * a backslash) is not known, so it is read each way: all that are there are found, and perhaps some that are not.
 */
export function valuesWithin(rest: Uint8Array): readonly unknown[] {
  const text = decodeUtf8(rest);
  const found = new Set<string>();
  for (const [from, inString] of [
    [0, false],
    [0, true],
    [1, true],
  ] as const) {
    const open: number[] = [];
    let quoted = inString;
    for (let at = from; at < text.length; at++) {
      const c = text[at]!;
      if (quoted) {
        if (c === '\\') at++;
        else if (c === '"') quoted = false;
      } else if (c === '"') quoted = true;
      else if (c === '{' || c === '[') open.push(at);
      else if (c === '}' || c === ']') {
        const begin = open.pop();
        if (begin !== undefined) found.add(text.slice(begin, at + 1));
      }
    }
  }
  return [...found].flatMap((part) => {
    try {
      return [parseJson(part)];
    } catch {
      // Read the wrong way.
      return [];
    }
  });
}

/** All keys and values that begin and end within the rest of a JSON text, which begins between lexemes; undefined where it is not all JSON. */
export function valuesFrom(rest: Uint8Array): readonly unknown[] | undefined {
  const text = decodeUtf8(rest);
  const found = new Set<string>();
  const open: number[] = [];
  const lexeme = /"(?:[^"\\]|\\.)*"|[^\s",:[\]{}]+|[[\]{}"]/gs;
  for (let m = lexeme.exec(text); m !== null; m = lexeme.exec(text)) {
    const c = m[0];
    if (c === '{' || c === '[') open.push(m.index);
    else if (c === '}' || c === ']') {
      const begin = open.pop();
      if (begin !== undefined) found.add(text.slice(begin, m.index + 1));
    } else found.add(c);
  }
  try {
    return [...found].map(parseJson);
  } catch {
    // Other text stands around the value.
    return undefined;
  }
}

/**
 * The keys and values that begin and end within the rest of a JSON text. Where the rest begins is not known, so it is read each way, as in
 * {@link valuesWithin}; undefined where it is no JSON in any.
 */
export function wordsWithin(rest: Uint8Array): readonly unknown[] | undefined {
  const text = decodeUtf8(rest);
  const found: unknown[] = [];
  let readings = 0;
  for (const head of [/^[^\s",:[\]{}]*/, /^(?:[^"\\]|\\.)*"?/s, /^.(?:[^"\\]|\\.)*"?/s]) {
    const more = valuesFrom(new TextEncoder().encode(text.replace(head, '')));
    if (more === undefined) continue;
    readings++;
    found.push(...more);
  }
  return readings === 0 ? undefined : found;
}

/**
 * A JSON text that stops in the middle, without what changes no value: blanks between lexemes, escapes that need not be, how numbers are
 * spelled. Prefixes with the same plain form that a lexeme's state does not tell apart can become the same values.
 */
export function plainPrefix(text: string): string {
  let out = '';
  for (let at = 0; at < text.length; ) {
    const c = text[at]!;
    if (c === '"') {
      let end = at + 1;
      while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
      const raw = text.slice(at + 1, end);
      // An escape that is cut off stays as it is.
      const whole = /^(?:[^\\]|\\u[0-9a-fA-F]{4}|\\[^u])*/.exec(raw)![0];
      out += JSON.stringify(JSON.parse(`"${whole}"`)).slice(0, -1) + raw.slice(whole.length);
      if (end < text.length) out += '"';
      at = end + 1;
    } else if (c === '-' || (c >= '0' && c <= '9')) {
      const number = /[-+.\deE]+/y;
      number.lastIndex = at;
      const raw = number.exec(text)![0];
      at += raw.length;
      out += at < text.length ? JSON.stringify(Number(raw)) : plainNumber(raw);
    } else {
      if (!' \t\r\n'.includes(c)) out += c;
      at++;
    }
  }
  return out;
}

/** A number that may go on: zeros after others in its fraction and before others in its exponent are left out, and what an exponent of zero says. */
function plainNumber(raw: string): string {
  const m = /^(-?\d*)(\.\d*)?([eE]\+?(-?)(0*)(\d*))?$/.exec(raw);
  if (m === null) return raw;
  const [, whole = '', fraction = '', exponent, minus = '', zeros = '', digits = ''] = m;
  if (exponent === undefined) return whole + fraction.replace(/0+$/, '0');
  const mantissa = whole + fraction.replace(/\.?0*$/, '');
  if (/^-?0$/.test(mantissa)) return `${mantissa}e`;
  return `${mantissa}e${minus}${digits === '' ? zeros.slice(0, 1) : digits}`;
}

/** An object or array that is being read. */
interface Reading {
  readonly members: Map<string, Partial> | undefined;
  readonly items: Partial[] | undefined;
  /** Of the member whose value comes. */
  key: string;
}

/** A reader of well-formed prefixes (the recognizer accepted them). Not by recursion: values nest as deep as their text. */
class Reader {
  private at = 0;
  /** What was read of the string that is cut off. */
  private rest = '';
  private cut = false;
  private readonly open: Reading[] = [];

  constructor(private readonly text: string) {}

  value(): Partial {
    for (let made = this.begin(); ; made = this.goOn()) {
      if (made === undefined) continue;
      const inside = this.open.at(-1);
      if (inside === undefined) return made;
      if (inside.items !== undefined) inside.items.push(made);
      else inside.members?.set(inside.key, made);
    }
  }

  /** A value that has no parts, or undefined where an object or array begins. */
  private begin(): Partial | undefined {
    this.blank();
    const c = this.text[this.at];
    if (c === undefined) return OPEN;
    if (c === '{' || c === '[') {
      this.at++;
      this.open.push(
        c === '{' ? { members: new Map(), items: undefined, key: '' } : { members: undefined, items: [], key: '' },
      );
      return undefined;
    }
    if (c === '"') {
      const s = this.string();
      return s === undefined ? { string: this.rest, cut: this.cut } : { scalar: s };
    }
    const m = /[^,\]}\s]*/y;
    m.lastIndex = this.at;
    const word = m.exec(this.text)![0];
    this.at += word.length;
    // A number at the end of the text may go on.
    if (this.at < this.text.length) return { scalar: JSON.parse(word) };
    if (c !== '-' && (c < '0' || c > '9')) return { word };
    return { digits: significant(word), negative: c === '-' };
  }

  /** Goes on in the innermost object or array: what {@link begin} has of its next value, or itself where it ends or the text does. */
  private goOn(): Partial | undefined {
    const { members, items } = this.open.at(-1)!;
    for (;;) {
      this.blank();
      const c = this.text[this.at];
      if (c === undefined) return this.leave({ closed: false, members, items });
      if (c === (items === undefined ? '}' : ']')) {
        this.at++;
        return this.leave({ closed: true, members, items });
      }
      if (c === ',') {
        this.at++;
        continue;
      }
      if (items === undefined) {
        const key = this.string();
        if (key === undefined) return this.leave({ closed: false, members, items, name: this.rest, nameCut: this.cut });
        this.blank();
        if (this.text[this.at] === ':') this.at++;
        this.open.at(-1)!.key = key;
      }
      return this.begin();
    }
  }

  private leave(made: Container): Container {
    this.open.pop();
    return made;
  }

  private blank(): void {
    while (this.at < this.text.length && ' \t\r\n'.includes(this.text[this.at]!)) this.at++;
  }

  private string(): string | undefined {
    for (let i = this.at + 1; i < this.text.length; i++) {
      if (this.text[i] === '\\') i++;
      else if (this.text[i] === '"') {
        const s = JSON.parse(this.text.slice(this.at, i + 1)) as string;
        this.at = i + 1;
        return s;
      }
    }
    // A character or an escape that is cut off is left out.
    const read = this.text.slice(this.at + 1);
    const raw = read.replace(/\uFFFD+$/, '');
    this.cut = raw.length < read.length;
    this.rest = JSON.parse(`"${/^(?:[^\\]|\\u[0-9a-fA-F]{4}|\\[^u])*/.exec(raw)![0]}"`) as string;
    this.at = this.text.length;
    return undefined;
  }
}
