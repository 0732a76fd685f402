const SCALAR = /"(?:[^"\\]|\\.)*"|-?[\d.eE+-]+|true|false|null/y;

/** Where the JSON value ends that begins at a place; -1 where it does not. */
export function jsonEnd(text: string, from: number): number {
  SCALAR.lastIndex = from;
  if (SCALAR.test(text)) return SCALAR.lastIndex;
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const char = text[at];
    if (char === '"') {
      for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === '\\') at++;
    } else if (char === '{' || char === '[') depth++;
    else if ((char === '}' || char === ']') && --depth === 0) return at + 1;
  }
  return -1;
}
