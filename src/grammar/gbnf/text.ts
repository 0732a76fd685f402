/** What the inside of strings, classes, token terminals and repeat counts of GBNF means. */

/** A fault at an offset relative to the token. */
export interface TextFault {
  readonly at: number;
  readonly end: number;
  readonly message: string;
  readonly hint?: string;
}

const PLAIN: Readonly<Record<string, number>> = {
  t: 9,
  r: 13,
  n: 10,
  '\\': 0x5c,
  '"': 0x22,
  '[': 0x5b,
  ']': 0x5d,
  '-': 0x2d,
};
const WIDTH: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

interface Char {
  readonly cp: number;
  readonly end: number;
}

/** One character at `at` of a token's image, escapes decoded; faults are appended and answered by U+FFFD. */
function readChar(image: string, at: number, faults: TextFault[]): Char {
  const cp = image.codePointAt(at) as number;
  if (cp !== 0x5c) return surrogateChecked(cp, at, at + (cp > 0xffff ? 2 : 1), faults);
  const kind = image.charAt(at + 1);
  const plain = PLAIN[kind];
  if (plain !== undefined) return { cp: plain, end: at + 2 };
  const width = WIDTH[kind];
  if (width === undefined) {
    const end = at + 1 + Math.max(1, kind.length);
    faults.push({
      at,
      end,
      message: `unknown escape '\\${kind}'`,
      hint: 'known are \\xHH \\uHHHH \\UHHHHHHHH \\t \\r \\n \\\\ \\" \\[ \\] \\-',
    });
    return { cp: 0xfffd, end };
  }
  const digits = /^[0-9a-fA-F]*/.exec(image.slice(at + 2, at + 2 + width))?.[0] as string;
  const end = at + 2 + digits.length;
  if (digits.length < width) {
    faults.push({
      at,
      end,
      message: `'\\${kind}' needs ${width} hexadecimal digits`,
      hint: 'fill up with zeros on the left',
    });
    return { cp: 0xfffd, end };
  }
  const value = Number.parseInt(digits, 16);
  if (value > 0x10ffff) {
    faults.push({ at, end, message: 'code point beyond 10FFFF' });
    return { cp: 0xfffd, end };
  }
  return surrogateChecked(value, at, end, faults);
}

function surrogateChecked(cp: number, at: number, end: number, faults: TextFault[]): Char {
  if (cp < 0xd800 || cp > 0xdfff) return { cp, end };
  const hint = 'write characters beyond FFFF as \\UHHHHHHHH';
  faults.push({ at, end, message: 'a surrogate is not a character and has no UTF-8 form', hint });
  return { cp: 0xfffd, end };
}

/** The text of `"…"` (quotes included in `image`). */
export function readLiteral(image: string, faults: TextFault[]): string {
  const body = image.slice(1, -1);
  if (!/[\\\ud800-\udfff]/.test(body)) return body;
  const parts: string[] = [];
  for (let at = 1; at < image.length - 1; ) {
    const { cp, end } = readChar(image, at, faults);
    parts.push(String.fromCodePoint(cp));
    at = end;
  }
  return parts.join('');
}

/** Ranges of `[…]` (brackets included in `image`), as written. */
export function readClass(image: string, faults: TextFault[]): { pairs: number[]; negate: boolean } {
  const negate = image.charAt(1) === '^';
  const last = image.length - 1;
  const pairs: number[] = [];
  let at = negate ? 2 : 1;
  if (at === last)
    faults.push({
      at: 0,
      end: image.length,
      message: 'empty character class',
      hint: negate ? "write '.' for any character" : 'name a character',
    });
  while (at < last) {
    const low = readRangeEnd(image, at, faults);
    let high = low;
    if (image.charAt(low.end) === '-' && low.end + 1 < last) {
      high = readRangeEnd(image, low.end + 1, faults);
      if (high.cp < low.cp) {
        faults.push({ at, end: high.end, message: 'range out of order', hint: 'swap its ends, or put the dash last' });
      }
    }
    pairs.push(Math.min(low.cp, high.cp), Math.max(low.cp, high.cp));
    at = high.end;
  }
  // A list that grew holds room for more; large files have many classes.
  return { pairs: pairs.slice(), negate };
}

/** As {@link readChar}, but a surrogate may bound a range, since ranges over all code points are common. */
function readRangeEnd(image: string, at: number, faults: TextFault[]): Char {
  if (image.charCodeAt(at) !== 0x5c) return readChar(image, at, faults);
  const match = /^\\(?:u|U0000)([dD][89a-fA-F][0-9a-fA-F]{2})/.exec(image.slice(at, at + 12));
  if (match !== null) return { cp: Number.parseInt(match[1] as string, 16), end: at + match[0].length };
  return readChar(image, at, faults);
}

/** `*`, `+`, `?`, `{m}`, `{m,}`, `{m,n}`. */
export function readQuantifier(image: string, faults: TextFault[]): { min: number; max: number } {
  const inf = Number.POSITIVE_INFINITY;
  if (image === '*') return { min: 0, max: inf };
  if (image === '+') return { min: 1, max: inf };
  if (image === '?') return { min: 0, max: 1 };
  const all = { at: 0, end: image.length };
  const match = /^\{\s*(\d+)\s*(?:(,)\s*(\d*)\s*)?\}$/.exec(image);
  if (match === null) {
    faults.push({ ...all, message: `unreadable repeat count '${image}'`, hint: "write '{m}', '{m,}' or '{m,n}'" });
    return { min: 1, max: 1 };
  }
  const min = Number(match[1]);
  const max = match[2] === undefined ? min : match[3] === '' ? inf : Number(match[3]);
  if (!Number.isSafeInteger(min) || (max !== inf && !Number.isSafeInteger(max))) {
    faults.push({ ...all, message: 'repeat count beyond 2^53' });
    return { min: 1, max: 1 };
  }
  if (max < min) {
    faults.push({ ...all, message: `repeat counts out of order in '${image}'`, hint: `write '{${max},${min}}'` });
    return { min: max, max: min };
  }
  return { min, max };
}

/** `<[id]>`, `<text>`, with `!` in front for "any token but this one". The angle brackets belong to the text. */
export function readTerminal(image: string, faults: TextFault[]): { negate: boolean; id?: number; text?: string } {
  const negate = image.startsWith('!');
  const body = negate ? image.slice(1) : image;
  if (!body.startsWith('<[')) {
    if (body === '<>')
      faults.push({ at: 0, end: image.length, message: 'empty token terminal', hint: "write '<[id]>' or '<text>'" });
    return { negate, text: body };
  }
  const digits = /^<\[(\d+)\]>$/.exec(body)?.[1];
  const id = Number(digits);
  if (digits === undefined || id > 0xffff_ffff) {
    const hint = 'ids are decimal numbers below 2^32';
    faults.push({ at: 0, end: image.length, message: `unreadable token id in '${image}'`, hint });
    return { negate, id: 0 };
  }
  return { negate, id };
}
