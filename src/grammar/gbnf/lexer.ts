/**
 * Tokens of GBNF. Newlines are skipped like blanks: a rule begins at a name before `::=`, which {@link markHeads} finds on the
 * token vector. That makes the grammar LL(1), gives error recovery a certain place to go on, and reads everything that
 * llama.cpp reads (and line breaks inside rules, which it does not: see the portability notes of `check`).
 *
 * Mistakes that people bring from other notations have tokens of their own, so that each is reported with a hint instead of
 * as an unknown character.
 *
 * No pattern may scan far and then fail over and over: an open quote takes the rest of the file (it fails only if no other
 * quote follows), classes over several lines are bounded, the others end with the line. So lexing is linear.
 */

import { createToken, type IToken, Lexer, type TokenType } from 'chevrotain';
import { LimitError } from '../../base/errors.js';

interface Extra {
  readonly group?: string;
  readonly line_breaks?: boolean;
  readonly categories?: TokenType;
}
const token = (name: string, pattern: RegExp, extra: Extra = {}): TokenType => createToken({ name, pattern, ...extra });

/** Category of everything that stands for itself in a sequence. */
export const Leaf = createToken({ name: 'Leaf', pattern: Lexer.NA });

const Blank = token('Blank', /[ \t\r\n]+/, { group: Lexer.SKIPPED, line_breaks: true });
export const Comment = token('Comment', /#[^\r\n]*/, { group: 'comments' });
export const Name = token('Name', /[A-Za-z0-9_-]+/, { categories: Leaf });
/** A name in front of `::=`; made by {@link markHeads}, never by the lexer. */
export const Head = createToken({ name: 'Head', pattern: Lexer.NA });
export const Define = token('Define', /::=/);
export const Literal = token('Literal', /"(?:\\[\s\S]|[^"\\])*"/, { line_breaks: true, categories: Leaf });
export const CharClass = token('CharClass', /\[(?:(?:\\[^\r\n]|[^\]\\\r\n])*\]|(?:\\[\s\S]|(?!::=)[^\]\\]){0,64}\])/, {
  line_breaks: true,
  categories: Leaf,
});
export const TokenTerminal = token('TokenTerminal', /!?<(?:\[[^\]>\r\n]*\]|[^>\r\n]*)>/, { categories: Leaf });
export const Dot = token('Dot', /\./, { categories: Leaf });
export const Bar = token('Bar', /\|/);
export const Open = token('Open', /\(/);
export const Close = token('Close', /\)/);
export const Quantifier = token('Quantifier', /[*+?]|\{[^{}"]*\}/, { line_breaks: true });

const WRONG: readonly (readonly [string, RegExp, string, string])[] = [
  ['OpenLiteral', /"[\s\S]*/, 'string without closing quote', "end it with '\"'"],
  ['OpenClass', /\[[^\r\n]*/, "character class without ']'", "end it with ']'"],
  ['OpenTerminal', /!?<[^\r\n]*/, "token terminal without '>'", "write '<[id]>' or '<text>'"],
  ['OpenQuantifier', /\{[^\r\n]*/, "repeat count without '}'", "write '{m}', '{m,}' or '{m,n}'"],
  ['SingleQuoted', /'(?:\\.|[^'\\\r\n]){0,200}'/, 'strings are written in double quotes', 'replace the single quotes'],
  ['SlashComment', /\/\/[^\r\n]*/, "comments begin with '#'", "replace '//' by '#'"],
  ['WrongDefine', /:=|=>|->|=|:/, "a rule is written 'name ::= …'", "write '::='"],
  ['Separator', /[;,]/, 'rules and items are separated by blanks and line ends', 'remove it'],
  [
    'Other',
    /(?:[^\sA-Za-z0-9_\-"'[\]<(){}|.*+?:=;,#/!]|!(?!<))+|\S/,
    'unexpected character',
    'characters stand in quotes: "…"',
  ],
];

export interface WrongToken {
  readonly message: string;
  readonly hint: string;
}
const wrongTypes = WRONG.map(([name, pattern]) => token(name, pattern, { line_breaks: name === 'OpenLiteral' }));
const wrongType = (name: string): TokenType => wrongTypes.find((t) => t.name === name) as TokenType;
const SingleQuoted = wrongType('SingleQuoted');
const WrongDefine = wrongType('WrongDefine');
/** What to say about tokens that are never right. */
export const wrongTokens: ReadonlyMap<TokenType, WrongToken> = new Map(
  WRONG.map(([, , message, hint], i) => [wrongTypes[i] as TokenType, { message, hint }]),
);

const lexerTokens: readonly TokenType[] = [
  Blank,
  Comment,
  Define,
  Name,
  Literal,
  CharClass,
  TokenTerminal,
  Dot,
  Bar,
  Open,
  Close,
  Quantifier,
  ...wrongTypes,
];
/** Tokens that the parser knows. */
export const parserTokens: TokenType[] = [
  Leaf,
  Name,
  Head,
  Define,
  Literal,
  CharClass,
  TokenTerminal,
  Dot,
  Bar,
  Open,
  Close,
  Quantifier,
];

const lexer = new Lexer([...lexerTokens], { positionTracking: 'onlyOffset', skipValidations: true });

/** Most wrong tokens that are kept. */
const MAX_WRONG = 1_000;
/** Most characters of a grammar that may be tokens on their own; text and time are linear in it. */
export const MAX_MARKS = 1_250_000;

/** @throws LimitError where a file has too many marks to be read in reasonable time */
export function checkSize(source: string): void {
  let marks = 0;
  for (let i = 0; i < source.length; i++) {
    const c = source.charCodeAt(i);
    // ! ' ( ) * + , . / : ; < = > ? [ ] { | }
    if (
      c < 0x40 ? c > 0x26 && !(c >= 0x30 && c < 0x3a) && c !== 0x2d : c === 0x5b || c === 0x5d || (c > 0x7a && c < 0x7e)
    )
      marks++;
    else if (c === 0x21) marks++;
  }
  if (marks > MAX_MARKS) throw new LimitError('punctuation marks of a grammar', marks, MAX_MARKS);
}

export interface Tokens {
  readonly tokens: readonly IToken[];
  readonly comments: readonly IToken[];
  /** Tokens of the wrong kinds, in order; not among `tokens`. */
  readonly wrong: readonly IToken[];
}

/** Tokens of a file, or of a part of it that ends where a token ends; callers bound its size ({@link checkSize}). */
export function tokenize(source: string): Tokens {
  const { tokens, groups, errors } = lexer.tokenize(source);
  const comments = groups.comments ?? [];
  const wrong: IToken[] = [];
  if (errors.length === 0 && !tokens.some((t) => wrongTokens.has(t.tokenType))) {
    markHeads(tokens);
    return { tokens, comments, wrong };
  }
  const kept: IToken[] = [];
  for (const t of tokens) {
    const stand = standIn(t, kept[kept.length - 1], source);
    if (stand !== undefined) kept.push(stand);
    if (wrongTokens.has(t.tokenType)) {
      if (wrong.length < MAX_WRONG) wrong.push(t);
    } else kept.push(t);
  }
  // Only lone surrogates and the like reach the lexer's own errors.
  for (const e of errors) {
    const image = source.slice(e.offset, e.offset + e.length);
    const other = wrongTypes[wrongTypes.length - 1] as TokenType;
    wrong.push({ image, startOffset: e.offset, tokenType: other, tokenTypeIdx: other.tokenTypeIdx ?? 0 });
  }
  markHeads(kept);
  return { tokens: kept, comments, wrong };
}

/** The right token for a wrong one whose meaning is plain, so that one mistake is one finding. */
function standIn(t: IToken, before: IToken | undefined, source: string): IToken | undefined {
  if (t.tokenType === SingleQuoted) return { ...t, tokenType: Literal, tokenTypeIdx: Literal.tokenTypeIdx as number };
  if (t.tokenType !== WrongDefine || before?.tokenType !== Name) return undefined;
  const lineStart = source.lastIndexOf('\n', before.startOffset) + 1;
  if (before.startOffset - lineStart > 100 || source.slice(lineStart, before.startOffset).trim() !== '')
    return undefined;
  return { ...t, tokenType: Define, tokenTypeIdx: Define.tokenTypeIdx as number };
}

function markHeads(tokens: IToken[]): void {
  for (let i = 1; i < tokens.length; i++) {
    const before = tokens[i - 1] as IToken;
    if ((tokens[i] as IToken).tokenType !== Define || before.tokenType !== Name) continue;
    before.tokenType = Head;
    before.tokenTypeIdx = Head.tokenTypeIdx as number;
  }
}
