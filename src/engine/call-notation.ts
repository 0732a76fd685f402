/** Arguments of calls that are an object in a notation of its own, as a model wrote them: read without recursion, in time that grows with the text. */
import { BARE_NUMBER, type Notation, WORDS } from '../base/call-form.js';

const NUMBER = new RegExp(BARE_NUMBER.source.slice(1, -1), 'y');
const BLANKS = /[ \t\r\n]*/y;

/**
 * The object that begins at a place, as JSON text, and where it ends. Of two members with one name the last counts, as in JSON. Undefined where it is
 * not whole.
 */
export function readNotation(
  notation: Notation,
  text: string,
  from: number,
): { readonly json: string; readonly end: number } | undefined {
  if (text[from] !== '{') return undefined;
  const out: string[] = [];
  const open: ('{' | '[')[] = [];
  let at = from;
  // A value begins at `at`.
  for (;;) {
    const bracket = text.startsWith(notation.open, at) ? undefined : text[at];
    if (bracket === '{' || bracket === '[') {
      out.push(bracket);
      open.push(bracket);
      // Names may begin with blanks.
      at = bracket === '[' ? skipped(BLANKS, text, at + 1) : at + 1;
      if (text[at] !== closing(bracket)) {
        at = bracket === '[' ? at : named(out, text, at);
        if (at < 0) return undefined;
        continue;
      }
    } else {
      at = scalarAt(notation, out, text, at);
      if (at < 0) return undefined;
      at = skipped(BLANKS, text, at);
    }
    // A value is behind.
    for (let inside = open.at(-1)!; text[at] === closing(inside); inside = open.at(-1)!) {
      out.push(closing(inside));
      open.pop();
      at++;
      if (open.length === 0) return { json: out.join(''), end: at };
      at = skipped(BLANKS, text, at);
    }
    if (text[at] !== ',') return undefined;
    out.push(',');
    at = open.at(-1) === '[' ? skipped(BLANKS, text, at + 1) : named(out, text, at + 1);
    if (at < 0) return undefined;
  }
}

const closing = (bracket: '{' | '['): string => (bracket === '{' ? '}' : ']');

function skipped(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : -1;
}

/** Where the value of a member begins whose name does at `from`; -1 where none does. */
function named(out: string[], text: string, from: number): number {
  const colon = text.indexOf(':', from);
  if (colon < 0) return -1;
  out.push(`${JSON.stringify(text.slice(from, colon))}:`);
  return skipped(BLANKS, text, colon + 1);
}

/** Where a string, number or constant ends that begins at `from`; -1 where none does. */
function scalarAt({ open, close, words }: Notation, out: string[], text: string, from: number): number {
  if (text.startsWith(open, from)) {
    const begin = from + open.length;
    const end = text.indexOf(close, begin);
    if (end < 0) return -1;
    out.push(JSON.stringify(text.slice(begin, end)));
    return end + close.length;
  }
  for (const word of WORDS) {
    const found = [words[word], word].find((spelled) => text.startsWith(spelled, from));
    if (found === undefined) continue;
    out.push(word);
    return from + found.length;
  }
  const end = skipped(NUMBER, text, from);
  if (end >= 0) out.push(text.slice(from, end));
  return end;
}
