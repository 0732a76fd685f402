/**
 * The exact text of JSON instances. JSON.parse rounds numbers such as 9223372036854776001, whose label may turn on the last digit;
 * so the text that is fed comes from the file, less whitespace between tokens.
 */

/** Strings, numbers and words, or single punctuation marks. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gy;

/** Compact texts of `key` of every object in the top-level array `list` of a JSON object text, in order. */
export function rawItems(text: string, list: string, key: string): string[] {
  const out: string[] = [];
  let depth = 0;
  let inList = false;
  let name = '';
  let last = '';
  let taking: string[] | undefined;
  const tokens = new RegExp(TOKEN.source, 'y');
  const blank = /\s*/y;
  for (let at = 0; at < text.length; ) {
    blank.lastIndex = at;
    blank.exec(text);
    tokens.lastIndex = blank.lastIndex;
    const token = tokens.exec(text)?.[0];
    if (token === undefined) break;
    at = tokens.lastIndex;
    const closes = token === '}' || token === ']';
    if (closes) depth--;
    if (taking !== undefined) {
      // The value ends before the comma or brace of its own object (depth 3 inside the list).
      if (depth < 3 || (depth === 3 && token === ',')) {
        out.push(taking.join(''));
        taking = undefined;
      } else taking.push(token);
    }
    if (taking === undefined && token === ':') {
      name = last.slice(1, -1);
      if (depth === 1) inList = name === list;
      if (inList && depth === 3 && name === key) taking = [];
    }
    if (token === '{' || token === '[') depth++;
    last = token;
  }
  return out;
}

/** Python's spelling (", " and ": " between tokens) of a compact JSON text. */
export function spaced(compact: string): string {
  let out = '';
  for (const [token] of compact.matchAll(new RegExp(TOKEN.source, 'g')))
    out += token === ',' || token === ':' ? `${token} ` : token;
  return out;
}
