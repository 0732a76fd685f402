/**
 * JSON text (RFC 8259) with places: a Chevrotain lexer and parser for schema files.
 *
 * JSON.parse would do for values, but it keeps the last of two equal keys without a word, and its messages name no line. This
 * reader reports every fault with line and column, duplicate keys included. Nesting is checked on the token vector before the
 * recursive parser runs, so that a hundred thousand brackets are an error and not a stack overflow. Keys such as `__proto__` become plain own properties.
 */
import { GrammarError, type GrammarIssue, placeOf } from '../../base/errors.js';
import { tokenize } from './lexer.js';
import { type JsonNode, parseTokens } from './parser.js';

export type { JsonNode } from './parser.js';

/** Deepest nesting that is read. */
const MAX_JSON_DEPTH = 500;

export type JsonData = null | boolean | number | string | JsonData[] | { [key: string]: JsonData };

/**
 * Reads a JSON text into a syntax tree.
 * @throws GrammarError (language 'JSON') with every fault found, in order of place
 */
export function readJson(source: string): JsonNode {
  const issues: GrammarIssue[] = [];
  const report = (offset: number, end: number, message: string, hint?: string): void => {
    issues.push({ ...placeOf(source, offset), end, message, ...(hint === undefined ? {} : { hint }) });
  };
  const start = source.charCodeAt(0) === 0xfeff ? 1 : 0;
  const tokens = tokenize(source.slice(start), start, report);
  let depth = 0;
  for (const t of tokens) {
    const c = t.image;
    if (c === '{' || c === '[') {
      if (++depth > MAX_JSON_DEPTH) {
        report(t.startOffset + start, t.startOffset + start + 1, `nested deeper than ${MAX_JSON_DEPTH} levels`);
        throw new GrammarError('JSON', issues, source);
      }
    } else if (c === '}' || c === ']') depth--;
  }
  const node = issues.length > 0 ? undefined : parseTokens(tokens, start, source.length, report);
  if (node === undefined || issues.length > 0) {
    throw new GrammarError(
      'JSON',
      issues.sort((a, b) => a.offset - b.offset),
      source,
    );
  }
  return node;
}

/** The value of a syntax tree, made of plain objects and arrays. */
function dataOf(node: JsonNode): JsonData {
  switch (node.kind) {
    case 'array':
      return node.items.map(dataOf);
    case 'object': {
      const out: { [key: string]: JsonData } = {};
      for (const { key, value } of node.members) {
        if (key === '__proto__') {
          Object.defineProperty(out, key, {
            value: dataOf(value),
            enumerable: true,
            writable: true,
            configurable: true,
          });
        } else out[key] = dataOf(value);
      }
      return out;
    }
    default:
      return node.value;
  }
}

/** Reads a JSON text into a value. @throws GrammarError */
export function parseJson(source: string): JsonData {
  return dataOf(readJson(source));
}
