/**
 * JSON.parse, but for a fault of V8 12.8 to 14.6 (all of Node 24): where an object that was read before had a key that begins with a backslash, a
 * later key that is written with an escape (`"\n"`) may be taken for it (`"\\"`), so that names are wrong and members are lost
 * (github.com/nodejs/node/issues/63785). Texts with such keys are read by {@link PartialJson}, everywhere alike; the rest, nearly all, as ever.
 */
import { PartialJson } from './partial-json.js';

/** The value of a JSON text. Linear, without recursion. @throws SyntaxError as JSON.parse does */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (!hasEscapedKey(text)) return value;
  const reader = new PartialJson();
  reader.push(text);
  reader.end();
  return reader.value;
}

/** Whether a key of a JSON text (a valid one) is written with an escape. */
function hasEscapedKey(text: string): boolean {
  if (!text.includes('\\')) return false;
  for (let open = text.indexOf('"'); open >= 0; ) {
    let end = open + 1;
    let escaped = false;
    for (; text[end] !== '"'; end++)
      if (text[end] === '\\') {
        escaped = true;
        end++;
      }
    const next = text.indexOf('"', end + 1);
    // Before the next text there is nothing but punctuation, blanks, numbers and words.
    if (escaped && /^\s*:/.test(text.slice(end + 1, next < 0 ? undefined : next))) return true;
    open = next;
  }
  return false;
}
