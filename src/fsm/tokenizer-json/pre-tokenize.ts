/**
 * The splits before the model: merges and segmentations never cross them, so canonical tokens need them. Patterns are those of the
 * Oniguruma and Rust engines; the ones in use translate to JavaScript (`(?i:…)` groups are expanded, since Node 20 lacks them). A
 * stage that is unknown here, or a pattern that does not translate, splits nothing: the encoding may then differ from the canonical
 * one, never from the text.
 */
import { type JsonObject, text } from './json.js';
import { CHAR_OF_BYTE, patternText } from './pieces.js';

/** Words to words. Byte-level stages also move to the byte alphabet. */
export type Split = (words: readonly string[]) => string[];

const GPT2 = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;
const PUNCTUATION = String.raw`\p{P}\u0021-\u002F\u003A-\u0040\u005B-\u0060\u007B-\u007E`;
const utf8 = new TextEncoder();

/** Builds one split per stage of the pre-tokenizer. */
export function splitsOf(stages: readonly JsonObject[]): readonly Split[] {
  return stages.map(splitOf);
}

function splitOf(stage: JsonObject): Split {
  switch (stage.type) {
    case 'ByteLevel': {
      const split = stage.use_regex === false ? undefined : isolate(new RegExp(translate(GPT2), 'gu'), false);
      return (words) => (split === undefined ? words : words.flatMap(split)).map(toByteChars);
    }
    case 'Split': {
      const pattern = compilePattern(stage.pattern);
      if (pattern === undefined) return same;
      return each(behave(pattern, text(stage.behavior) ?? 'Isolated', stage.invert === true));
    }
    case 'Digits':
      return each(behave(stage.individual_digits === true ? /\p{N}/gu : /\p{N}+/gu, 'Isolated', false));
    case 'Punctuation':
      return each(behave(new RegExp(`[${PUNCTUATION}]`, 'gu'), text(stage.behavior) ?? 'Isolated', false));
    case 'Whitespace':
      return each(behave(/[\p{L}\p{M}\p{N}\p{Pc}]+|[^\p{L}\p{M}\p{N}\p{Pc}\s]+/gu, 'Removed', true));
    case 'WhitespaceSplit':
      return each(behave(/\s+/gu, 'Removed', false));
    case 'BertPreTokenizer':
      return (words) =>
        words
          .flatMap(behave(/\s+/gu, 'Removed', false))
          .flatMap(behave(new RegExp(`[${PUNCTUATION}]`, 'gu'), 'Isolated', false));
    case 'Metaspace': {
      const mark = text(stage.replacement) ?? '▁';
      const split =
        stage.split === false ? undefined : behave(new RegExp(escapeRegex(mark), 'gu'), 'MergedWithNext', false);
      return (words) => {
        const marked = words.map((word) => word.replaceAll(' ', mark));
        return split === undefined ? marked : marked.flatMap(split);
      };
    }
    default:
      return same;
  }
}

const same: Split = (words) => [...words];

function each(split: (word: string) => string[]): Split {
  return (words) => words.flatMap(split);
}

/** The word's UTF-8 bytes in GPT-2's alphabet. */
function toByteChars(word: string): string {
  let out = '';
  for (const byte of utf8.encode(word)) out += CHAR_OF_BYTE[byte];
  return out;
}

function isolate(pattern: RegExp, invert: boolean): (word: string) => string[] {
  return behave(pattern, 'Isolated', invert);
}

/** Splits by the pattern's matches; `behavior` says where the matched text goes. */
function behave(pattern: RegExp, behavior: string, invert: boolean): (word: string) => string[] {
  return (word) => {
    const parts: { text: string; match: boolean }[] = [];
    let at = 0;
    for (const found of word.matchAll(pattern)) {
      if (found[0] === '') continue;
      if (found.index > at) parts.push({ text: word.slice(at, found.index), match: invert });
      parts.push({ text: found[0], match: !invert });
      at = found.index + found[0].length;
    }
    if (at < word.length) parts.push({ text: word.slice(at), match: invert });
    const out: string[] = [];
    let glue = false;
    for (const part of parts) {
      switch (behavior.toLowerCase()) {
        case 'removed':
          if (!part.match) out.push(part.text);
          break;
        case 'mergedwithprevious':
          if (part.match && out.length > 0 && !glue) out[out.length - 1] += part.text;
          else out.push(part.text);
          glue = part.match;
          break;
        case 'mergedwithnext':
          if (glue && !part.match) out[out.length - 1] += part.text;
          else out.push(part.text);
          glue = part.match;
          break;
        case 'contiguous':
          if (out.length > 0 && glue === part.match) out[out.length - 1] += part.text;
          else out.push(part.text);
          glue = part.match;
          break;
        default:
          out.push(part.text);
      }
    }
    return out;
  };
}

function compilePattern(pattern: unknown): RegExp | undefined {
  const literal = patternText(pattern);
  if (literal !== undefined) return new RegExp(escapeRegex(literal), 'gu');
  const source =
    typeof pattern === 'object' && pattern !== null && 'Regex' in pattern ? text(pattern.Regex) : undefined;
  if (source === undefined) return undefined;
  try {
    return new RegExp(translate(source), 'gu');
  } catch {
    return undefined;
  }
}

/** Rust or Oniguruma syntax to JavaScript's: case-insensitive groups, possessive quantifiers, `\A`, `\z`, escapes `u` refuses, Unicode's `\s`. */
function translate(source: string): string {
  return source
    .replace(/\(\?i:((?:[^()\\]|\\.)*)\)/g, (_, body: string) => `(?:${body.replace(/[A-Za-z]/g, bothCases)})`)
    .replace(ATOM, (atom: string, quantifier: string | undefined) => {
      if (quantifier !== undefined) return quantifier;
      return atom.startsWith('[') ? atom.replace(/\\./gsu, (pair) => escaped(pair, true)) : escaped(atom, false);
    });
}

/** An escape, a class (in which signs of quantifiers are characters), or a possessive quantifier, without its `+` in the group. */
const ATOM = /\\.|\[(?:\\.|[^\]\\])*\]|([*+?]|\{\d+(?:,\d*)?\})\+/gsu;
/** White_Space of Unicode: JavaScript's `\s` has U+FEFF and lacks U+0085. */
const SPACES = '\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';

function escaped(pair: string, inClass: boolean): string {
  switch (pair) {
    case '\\s':
      return inClass ? SPACES : `[${SPACES}]`;
    case '\\S':
      return inClass ? pair : `[^${SPACES}]`;
    case '\\A':
      return '^';
    case '\\z':
    case '\\Z':
      return '$';
    case '\\h':
      return inClass ? ' \\t' : '[ \\t]';
    default:
      return /['"#&%!,:;<=>@_`~]/.test(pair[1]!) ? pair[1]! : pair;
  }
}

function bothCases(letter: string): string {
  const lower = letter.toLowerCase();
  return lower === 's' ? '[sS\u017f]' : `[${lower}${letter.toUpperCase()}]`;
}

function escapeRegex(literal: string): string {
  return literal.replace(/[\\^$.*+?()[\]{}|/-]/g, (c) => (c === '-' ? '\\x2d' : `\\${c}`));
}
