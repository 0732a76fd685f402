/**
 * Patterns of ECMA-262 (2025, with modifiers and the `v` flag) to syntax trees.
 *
 * A Chevrotain parser with embedded actions over the tokens of `lexer.ts`. Nesting is counted on the token vector before
 * parsing, since recursive descent would overflow the stack between 1,000 and 2,000 levels.
 */
import { EmbeddedActionsParser, type IToken, type TokenType } from 'chevrotain';
import type { GrammarError } from '../../base/errors.js';
import type { ClassSet, Node, Pattern, Place } from './ast.js';
import { type ClassItem, classFromItems, type SetOperand, setFromOperands } from './class-items.js';
import { readCharEscape, readOctal, readProperty, regexError } from './escapes.js';
import * as T from './lexer.js';

/** Deepest nesting of groups and classes. */
const MAX_REGEX_DEPTH = 400;

const placeOfToken = (t: IToken): Place => ({ start: t.startOffset, end: t.startOffset + t.image.length });

class PatternParser extends EmbeddedActionsParser {
  source = '';
  strict = false;
  sets = false;
  groups = 0;
  groupCount = 0;
  names = new Map<string, number[]>();
  /** First fault found by an action; actions cannot throw through Chevrotain. */
  fault: GrammarError | undefined;

  constructor() {
    super(T.allTokens, { skipValidations: true, recoveryEnabled: false, maxLookahead: 1 });
    this.performSelfAnalysis();
  }

  begin(source: string, flags: string, tokens: IToken[]): void {
    this.source = source;
    this.sets = flags.includes('v');
    this.strict = this.sets || flags.includes('u');
    this.groups = 0;
    this.groupCount = tokens.filter((t) => t.tokenType === T.Open || t.tokenType === T.NamedOpen).length;
    this.names = new Map();
    this.fault = undefined;
    for (const t of tokens) {
      if (t.tokenType !== T.NamedOpen) continue;
      this.names.set(t.image.slice(3, -1), []);
    }
    this.input = tokens;
  }

  private guard<R>(otherwise: R, action: () => R): R {
    try {
      return action();
    } catch (error) {
      this.fault ??= error as GrammarError;
      return otherwise;
    }
  }

  readonly pattern = this.RULE('pattern', (): Node => this.SUBRULE(this.choice));

  private readonly choice = this.RULE('choice', (): Node => {
    const items: Node[] = [this.SUBRULE(this.sequence)];
    this.MANY(() => {
      this.CONSUME(T.Bar);
      items.push(this.SUBRULE2(this.sequence));
    });
    return this.ACTION(() => {
      if (items.length === 1) return items[0] as Node;
      const place = { start: items[0]?.place.start ?? 0, end: items.at(-1)?.place.end ?? 0 };
      return { k: 'alt', items, place };
    });
  });

  private readonly sequence = this.RULE('sequence', (): Node => {
    const items: Node[] = [];
    const at = this.ACTION(() => this.LA(1).startOffset || 0);
    this.MANY(() => {
      const nodes = this.SUBRULE(this.term);
      this.ACTION(() => items.push(...nodes));
    });
    return this.ACTION(() =>
      items.length === 1
        ? (items[0] as Node)
        : { k: 'seq', items, place: { start: items[0]?.place.start ?? at, end: items.at(-1)?.place.end ?? at } },
    );
  });

  private readonly term = this.RULE('term', (): Node[] => {
    const atoms = this.OR([
      { ALT: () => this.SUBRULE(this.group) },
      { ALT: () => this.SUBRULE(this.assertion) },
      { ALT: () => this.SUBRULE(this.atom) },
      { ALT: () => [this.SUBRULE(this.charClass)] },
      { ALT: () => [this.SUBRULE(this.setClass)] },
    ]);
    this.OPTION(() => {
      const q = this.CONSUME(T.Quantifier);
      this.ACTION(() => {
        const item = atoms.pop();
        if (item !== undefined) atoms.push(this.guard(item, () => this.quantified(item, q)));
      });
    });
    return atoms;
  });

  private quantified(item: Node, q: IToken): Node {
    const place = { start: item.place.start, end: placeOfToken(q).end };
    if (item.k === 'assert' || (item.k === 'look' && (this.strict || !item.ahead))) {
      throw regexError(this.source, placeOfToken(q), 'an assertion cannot be repeated', 'remove the quantifier');
    }
    const image = q.image.replace(/(.)\?$/, '$1');
    const inf = Number.POSITIVE_INFINITY;
    if (image === '*') return { k: 'repeat', item, min: 0, max: inf, place };
    if (image === '+') return { k: 'repeat', item, min: 1, max: inf, place };
    if (image === '?') return { k: 'repeat', item, min: 0, max: 1, place };
    const [low, high] = image.slice(1, -1).split(',') as [string, string | undefined];
    const min = Number(low);
    const max = high === undefined ? min : high === '' ? inf : Number(high);
    if (!Number.isSafeInteger(min) || (max !== inf && !Number.isSafeInteger(max))) {
      throw regexError(this.source, placeOfToken(q), 'repeat count beyond 2^53');
    }
    if (min > max)
      throw regexError(this.source, placeOfToken(q), `numbers out of order in '${image}'`, `write {${max},${min}}`);
    return { k: 'repeat', item, min, max, place };
  }

  private readonly group = this.RULE('group', (): Node[] => {
    const open = this.OR([
      { ALT: () => this.CONSUME(T.Open) },
      { ALT: () => this.CONSUME(T.NamedOpen) },
      { ALT: () => this.CONSUME(T.PlainOpen) },
      { ALT: () => this.CONSUME(T.FlagsOpen) },
      { ALT: () => this.CONSUME(T.LookOpen) },
    ]);
    const index = this.ACTION(() => {
      if (open.tokenType !== T.Open && open.tokenType !== T.NamedOpen) return 0;
      this.groups++;
      if (open.tokenType === T.NamedOpen) this.names.get(open.image.slice(3, -1))?.push(this.groups);
      return this.groups;
    });
    const item = this.SUBRULE(this.choice);
    const close = this.CONSUME(T.Close);
    return this.ACTION(() =>
      this.guard([item], () => [
        this.grouped(open, item, index, { start: open.startOffset, end: placeOfToken(close).end }),
      ]),
    );
  });

  private grouped(open: IToken, item: Node, index: number, place: Place): Node {
    if (open.tokenType === T.PlainOpen) return { k: 'seq', items: [item], place };
    if (open.tokenType === T.LookOpen) {
      return { k: 'look', ahead: !open.image.includes('<'), negate: open.image.endsWith('!'), item, place };
    }
    if (open.tokenType === T.FlagsOpen) {
      const [add = '', remove = ''] = open.image.slice(2, -1).split('-');
      const all = add + remove;
      if (/[^ims]/.test(all) || new Set(all).size !== all.length || all === '') {
        throw regexError(
          this.source,
          placeOfToken(open),
          `invalid modifiers '${open.image}'`,
          'only i, m and s, each once',
        );
      }
      return { k: 'flags', add, remove, item, place };
    }
    return { k: 'group', index, item, place };
  }

  private readonly assertion = this.RULE('assertion', (): Node[] => {
    const t = this.OR([
      { ALT: () => this.CONSUME(T.Caret) },
      { ALT: () => this.CONSUME(T.Dollar) },
      { ALT: () => this.CONSUME(T.WordBoundary) },
    ]);
    return this.ACTION(() => {
      const which = t.image === '^' ? 'start' : t.image === '$' ? 'end' : t.image === '\\b' ? 'boundary' : 'inside';
      return [{ k: 'assert', which, place: placeOfToken(t) }];
    });
  });

  private readonly atom = this.RULE('atom', (): Node[] => {
    const t = this.OR([
      { ALT: () => this.CONSUME(T.Char) },
      { ALT: () => this.CONSUME(T.Dot) },
      { ALT: () => this.CONSUME(T.ClassEscape) },
      { ALT: () => this.CONSUME(T.PropertyEscape) },
      { ALT: () => this.CONSUME(T.NumberEscape) },
      { ALT: () => this.CONSUME(T.NamedBackref) },
      { ALT: () => this.CONSUME(T.CharEscape) },
    ]);
    return this.ACTION(() => this.guard([], () => this.atomNodes(t)));
  });

  private atomNodes(t: IToken): Node[] {
    const place = placeOfToken(t);
    const mode = { source: this.source, strict: this.strict, inClass: false, sets: this.sets };
    const chars = (cps: readonly number[]): Node[] => cps.map((cp) => ({ k: 'char', cp, place }));
    switch (t.tokenType) {
      case T.Char:
        if (this.strict && ']{}'.includes(t.image)) {
          throw regexError(this.source, place, `lone '${t.image}'`, `write '\\${t.image}'`);
        }
        return chars([t.image.codePointAt(0) as number]);
      case T.Dot:
        return [{ k: 'dot', place }];
      case T.ClassEscape:
        return [{ k: 'set', set: { k: 'escape', which: t.image.charAt(1) as 'd' }, place }];
      case T.PropertyEscape:
        return [{ k: 'set', set: readProperty(t.image, place), place }];
      case T.NumberEscape: {
        const n = Number(t.image.slice(1));
        if (n > 0 && !t.image.startsWith('\\0') && (this.strict || n <= this.groupCount)) {
          if (n > this.groupCount) throw regexError(this.source, place, `there is no group ${n}`);
          return [{ k: 'backref', to: n, place }];
        }
        return chars(readOctal(t.image, place, mode));
      }
      case T.NamedBackref: {
        const name = t.image.slice(3, -1);
        if (this.names.has(name)) return [{ k: 'backref', to: name, place }];
        if (this.strict || this.names.size > 0)
          throw regexError(this.source, place, `there is no group named '${name}'`);
        return chars([...t.image.slice(1)].map((c) => c.codePointAt(0) as number));
      }
      default:
        return chars(readCharEscape(t.image, place, mode));
    }
  }

  private readonly charClass = this.RULE('charClass', (): Node => {
    const open = this.CONSUME(T.ClassOpen);
    const items: ClassItem[] = [];
    this.MANY(() => {
      const t = this.OR([
        { ALT: () => this.CONSUME(T.ClassChar) },
        { ALT: () => this.CONSUME(T.Dash) },
        { ALT: () => this.SUBRULE(this.classEscape) },
      ]);
      this.ACTION(() => this.guard(undefined, () => void items.push(...this.classItems(t))));
    });
    const close = this.CONSUME(T.ClassClose);
    return this.ACTION(() => {
      const place = { start: open.startOffset, end: placeOfToken(close).end };
      const none: ClassSet = { k: 'chars', ranges: [] };
      const set = this.guard(none, () => classFromItems(items, this.source, this.strict));
      return { k: 'set', set: open.image === '[^' ? { k: 'complement', item: set, place } : set, place };
    });
  });

  private readonly classEscape = this.RULE(
    'classEscape',
    (): IToken =>
      this.OR([
        { ALT: () => this.CONSUME(T.WordBoundary) },
        { ALT: () => this.CONSUME(T.ClassEscape) },
        { ALT: () => this.CONSUME(T.PropertyEscape) },
        { ALT: () => this.CONSUME(T.NumberEscape) },
        { ALT: () => this.CONSUME(T.NamedBackref) },
        { ALT: () => this.CONSUME(T.CharEscape) },
      ]),
  );

  private classItems(t: IToken): ClassItem[] {
    const place = placeOfToken(t);
    const mode = { source: this.source, strict: this.strict, inClass: true, sets: this.sets };
    const chars = (cps: readonly number[]): ClassItem[] => cps.map((cp) => ({ cp, dash: false, place }));
    switch (t.tokenType) {
      case T.Dash:
        return [{ cp: 0x2d, dash: true, place }];
      case T.ClassChar:
        return chars([t.image.codePointAt(0) as number]);
      case T.WordBoundary:
        if (t.image === '\\b') return chars([8]);
        if (this.strict) throw regexError(this.source, place, "'\\B' has no meaning in a class");
        return chars([0x42]);
      case T.ClassEscape:
        return [{ set: { k: 'escape', which: t.image.charAt(1) as 'd' }, place }];
      case T.PropertyEscape:
        return [{ set: readProperty(t.image, place), place }];
      case T.NumberEscape:
        return chars(readOctal(t.image, place, mode));
      case T.NamedBackref:
        if (this.strict) throw regexError(this.source, place, 'a reference has no meaning in a class');
        return chars([...t.image.slice(1)].map((c) => c.codePointAt(0) as number));
      default:
        return chars(readCharEscape(t.image, place, mode));
    }
  }

  private readonly setClass = this.RULE('setClass', (): Node => {
    const body = this.SUBRULE(this.setBody);
    return this.ACTION(() => ({ k: 'set', ...body }));
  });

  private readonly setBody = this.RULE('setBody', (): { set: ClassSet; place: Place } => {
    const open = this.CONSUME(T.SetOpen);
    const operands: SetOperand[] = [];
    this.MANY(() => {
      this.OR([
        {
          ALT: () => {
            const body = this.SUBRULE(this.setBody);
            operands.push(body);
          },
        },
        {
          ALT: () => {
            const t = this.OR2([{ ALT: () => this.CONSUME(T.Minus) }, { ALT: () => this.CONSUME(T.Both) }]);
            this.ACTION(() => operands.push({ operator: t.image, place: placeOfToken(t) }));
          },
        },
        {
          ALT: () => {
            const t = this.CONSUME(T.StringsEscape);
            this.ACTION(() => this.guard(undefined, () => void operands.push(this.stringsOf(t))));
          },
        },
        {
          ALT: () => {
            const t = this.OR3([
              { ALT: () => this.CONSUME(T.ClassChar) },
              { ALT: () => this.CONSUME(T.Dash) },
              { ALT: () => this.SUBRULE(this.classEscape) },
            ]);
            this.ACTION(() => this.guard(undefined, () => void operands.push(...this.classItems(t))));
          },
        },
      ]);
    });
    const close = this.CONSUME(T.ClassClose);
    return this.ACTION(() => {
      const place = { start: open.startOffset, end: placeOfToken(close).end };
      const none: ClassSet = { k: 'chars', ranges: [] };
      const set = this.guard(none, () => setFromOperands(operands, this.source));
      return { set: open.image === '[^' ? { k: 'complement', item: set, place } : set, place };
    });
  });

  /** `\q{abc|d}`: single characters join the set, other strings are kept apart. */
  private stringsOf(t: IToken): SetOperand {
    const mode = { source: this.source, strict: true, inClass: true, sets: true };
    const place = placeOfToken(t);
    const pairs: number[] = [];
    const texts: string[] = [];
    let cps: number[] = [];
    const flush = (): void => {
      if (cps.length === 1) pairs.push(cps[0] as number, cps[0] as number);
      else texts.push(String.fromCodePoint(...cps));
      cps = [];
    };
    const pieces = /\\u\{[\da-fA-F]+\}|\\u[\da-fA-F]{4}|\\x[\da-fA-F]{2}|\\[\s\S]|[\s\S]/gu;
    for (const [piece] of t.image.slice(3, -1).matchAll(pieces)) {
      if (piece === '|') flush();
      else if (piece.startsWith('\\')) cps.push(...readCharEscape(piece, place, mode));
      else cps.push(piece.codePointAt(0) as number);
    }
    flush();
    return {
      set: {
        k: 'union',
        items: [
          { k: 'chars', ranges: pairs },
          { k: 'strings', texts },
        ],
      },
      place,
    };
  }
}

/** One parser for the process: it holds nothing between calls, and its construction costs milliseconds. */
const parser = new PatternParser();

const OPENING: ReadonlySet<TokenType> = new Set([T.Open, T.NamedOpen, T.PlainOpen, T.FlagsOpen, T.LookOpen, T.SetOpen]);

function checkDepth(tokens: readonly IToken[], source: string): void {
  let depth = 0;
  let sets = 0;
  for (const t of tokens) {
    if (OPENING.has(t.tokenType)) depth++;
    if (t.tokenType === T.SetOpen) sets++;
    if (t.tokenType === T.Close) depth--;
    if (t.tokenType === T.ClassClose && sets > 0) {
      sets--;
      depth--;
    }
    if (depth > MAX_REGEX_DEPTH) {
      throw regexError(source, placeOfToken(t), `groups nested deeper than ${MAX_REGEX_DEPTH}`, 'flatten the pattern');
    }
  }
}

function lexicalHint(source: string, at: number): [string, string?] {
  const rest = source.slice(at, at + 8);
  if (rest === '\\') return ['backslash at the end of the pattern', "write '\\\\' for a backslash"];
  if (rest.startsWith('(?P<')) return ["'(?P<' is not part of ECMA-262", "write '(?<name>…)'"];
  if (rest.startsWith('(?P=')) return ["'(?P=' is not part of ECMA-262", "write '\\k<name>'"];
  if (/^\(\?[a-z-]+\)/.test(rest))
    return ['flags for the rest of a pattern are not part of ECMA-262', "write '(?i:…)'"];
  if (rest.startsWith('(?>')) return ['atomic groups are not part of ECMA-262', "write '(?:…)'"];
  if (rest.startsWith('(?#')) return ['comments are not part of ECMA-262', 'remove the comment'];
  if (rest.startsWith('(?')) return ["unknown kind of group '(?'", "write '(?:…)', or '\\(' for a parenthesis"];
  return [`unexpected '${String.fromCodePoint(rest.codePointAt(0) ?? 0)}'`];
}

/** Syntax tree of a pattern; GrammarError('regex') with the place of the first fault. */
export function parsePattern(source: string, flags: string): Pattern {
  const sets = flags.includes('v');
  const { tokens, errors } = (sets ? T.setsLexer : T.plainLexer).tokenize(source);
  const bad = errors[0];
  if (bad !== undefined) {
    const [message, hint] = lexicalHint(source, bad.offset);
    throw regexError(source, { start: bad.offset, end: bad.offset + 1 }, message, hint);
  }
  checkDepth(tokens, source);
  parser.begin(source, flags, tokens);
  const root = parser.pattern();
  const { fault, names, groups } = parser;
  const wrong = parser.errors[0];
  parser.input = [];
  if (fault !== undefined) throw fault;
  if (wrong !== undefined) throw syntaxError(source, wrong.token);
  return { root, groups, names };
}

function syntaxError(source: string, token: IToken): GrammarError {
  if (Number.isNaN(token.startOffset)) {
    const place = { start: source.length, end: source.length };
    return regexError(source, place, 'the pattern ends inside a group or class', "a ')' or ']' is missing");
  }
  const place = placeOfToken(token);
  if (token.tokenType === T.Quantifier) {
    return regexError(
      source,
      place,
      `nothing to repeat before '${token.image}'`,
      `write '\\${token.image}' for the character`,
    );
  }
  if (token.tokenType === T.Close) return regexError(source, place, "')' without '('", "write '\\)' for the character");
  return regexError(source, place, `unexpected '${token.image}'`);
}
