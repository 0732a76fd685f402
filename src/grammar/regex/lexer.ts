/**
 * Tokens of ECMA-262 patterns. Four lexer modes: patterns and classes, each with and without the set notation of the `v` flag
 * (`[a--[b]]` is a set difference there and two dashes elsewhere).
 *
 * Every escape is one token of one of a few kinds, so that the parser needs no look inside; what an escape means is read by
 * `escapes.ts`.
 */
import { createToken, Lexer, type TokenType } from 'chevrotain';

const token = (name: string, pattern: RegExp, extra: { push_mode?: string; pop_mode?: boolean } = {}): TokenType =>
  createToken({ name, pattern, line_breaks: true, ...extra });

export const WordBoundary = token('WordBoundary', /\\[bB]/);
export const ClassEscape = token('ClassEscape', /\\[dDsSwW]/);
export const PropertyEscape = token('PropertyEscape', /\\[pP]\{[^}]*\}/);
export const NamedBackref = token('NamedBackref', /\\k<[^>]*>/);
export const NumberEscape = token('NumberEscape', /\\[0-9]+/);
export const StringsEscape = token('StringsEscape', /\\q\{(?:\\[\s\S]|[^}\\])*\}/);
/** Any other escape: one character, by number or by itself. */
export const CharEscape = token(
  'CharEscape',
  /\\(?:u\{[0-9a-fA-F]+\}|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|c[A-Za-z]|[\uD800-\uDBFF][\uDC00-\uDFFF]|[\s\S])/,
);
export const LookOpen = token('LookOpen', /\(\?<?[=!]/);
export const NamedOpen = token('NamedOpen', /\(\?<[^>=!][^>]*>/);
export const FlagsOpen = token('FlagsOpen', /\(\?(?:[a-z]+(?:-[a-z]*)?|-[a-z]*):/);
export const PlainOpen = token('PlainOpen', /\(\?:/);
export const Open = token('Open', /\((?!\?)/);
export const Close = token('Close', /\)/);
export const Bar = token('Bar', /\|/);
export const Dot = token('Dot', /\./);
export const Caret = token('Caret', /\^/);
export const Dollar = token('Dollar', /\$/);
export const Quantifier = token('Quantifier', /(?:[*+?]|\{[0-9]+(?:,[0-9]*)?\})\??/);
export const ClassOpen = token('ClassOpen', /\[\^?/, { push_mode: 'class' });
export const SetOpen = token('SetOpen', /\[\^?/, { push_mode: 'set' });
export const ClassClose = token('ClassClose', /\]/, { pop_mode: true });
export const Dash = token('Dash', /-/);
export const Minus = token('Minus', /--/);
export const Both = token('Both', /&&/);
/** One code point that means itself. In patterns the lexer offers it last, so it is never a metacharacter but `]`, `{` and `}`. */
export const Char = token('Char', /[\uD800-\uDBFF][\uDC00-\uDFFF]|[^()|.^$*+?[\\\uD800-\uDBFF]|[\uD800-\uDBFF]/);
export const ClassChar = token('ClassChar', /[\uD800-\uDBFF][\uDC00-\uDFFF]|[^\]\\]/);

const escapes = [WordBoundary, ClassEscape, PropertyEscape, NamedBackref, NumberEscape];
const groups = [LookOpen, NamedOpen, FlagsOpen, PlainOpen, Open, Close];
const marks = [Bar, Dot, Caret, Dollar, Quantifier];
const modes = {
  pattern: [...escapes, CharEscape, ...groups, ...marks, ClassOpen, Char],
  patternSets: [...escapes, CharEscape, ...groups, ...marks, SetOpen, Char],
  class: [...escapes, CharEscape, ClassClose, Dash, ClassChar],
  set: [...escapes, StringsEscape, CharEscape, SetOpen, ClassClose, Minus, Both, Dash, ClassChar],
};

export const allTokens: TokenType[] = [...new Set(Object.values(modes).flat())];

const options = { positionTracking: 'onlyOffset', skipValidations: true } as const;
/** Lexer without the `v` flag. */
export const plainLexer = new Lexer({ modes, defaultMode: 'pattern' }, options);
/** Lexer with the `v` flag. */
export const setsLexer = new Lexer({ modes, defaultMode: 'patternSets' }, options);
