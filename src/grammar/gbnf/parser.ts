/**
 * GBNF text to syntax tree, with every fault of the file in one run.
 *
 * Faults come from four places and are sorted by offset in one {@link GrammarError}: tokens that are never right (lexer), the
 * inside of strings and classes, the structure (Chevrotain with recovery: after a fault it goes on at the next rule head, bar or
 * parenthesis), and names (duplicate rules, undefined rules, no root). Nesting is counted on the token vector first, since
 * recursive descent would overflow the stack. Everything is linear in the length of the file.
 */
import { EmbeddedActionsParser, type IToken } from 'chevrotain';
import { GrammarError, type GrammarIssue, LimitError } from '../../base/errors.js';
import type { Span } from '../ir.js';
import type { GbnfFile, GbnfNode, GbnfRule } from './ast.js';
import {
  endOf,
  type Finding,
  type GbnfRef,
  MAX_GBNF_DEPTH,
  MAX_ISSUES,
  missingQuote,
  nameFaults,
  runawaysOf,
  shown,
  spanOf,
  structural,
  toIssues,
  tooDeep,
} from './faults.js';
import * as T from './lexer.js';
import { readClass, readLiteral, readQuantifier, readTerminal, type TextFault } from './text.js';

/** Most rules of a file. */
const MAX_GBNF_RULES = 1 << 17;

class GbnfParser extends EmbeddedActionsParser {
  findings: Finding[] = [];
  /** Uses of rules, in order. */
  refs: GbnfRef[] = [];

  constructor() {
    super(T.parserTokens, { recoveryEnabled: true, skipValidations: true, maxLookahead: 1 });
    this.performSelfAnalysis();
  }

  begin(tokens: readonly IToken[]): void {
    this.findings = [];
    this.refs = [];
    this.input = tokens as IToken[];
  }

  private faults<R>(t: IToken, read: (image: string, faults: TextFault[]) => R): R {
    const faults: TextFault[] = [];
    const value = read(t.image, faults);
    for (const f of faults) {
      this.findings.push({ start: t.startOffset + f.at, end: t.startOffset + f.end, message: f.message, hint: f.hint });
    }
    return value;
  }

  readonly file = this.RULE('file', (): GbnfRule[] => {
    const rules: GbnfRule[] = [];
    this.MANY(() => {
      const rule = this.SUBRULE(this.rule);
      if (!this.RECORDING_PHASE && rule !== undefined) rules.push(rule);
    });
    return rules;
  });

  private readonly rule = this.RULE('rule', (): GbnfRule | undefined => {
    const head = this.CONSUME(T.Head);
    this.CONSUME(T.Define);
    const body = this.SUBRULE(this.choice);
    if (this.RECORDING_PHASE || body === undefined) return undefined;
    const nameSpan = spanOf(head);
    return {
      name: head.image,
      nameSpan,
      body,
      span: { start: nameSpan.start, end: Math.max(nameSpan.end, body.span.end) },
    };
  });

  /**
   * Alternatives of sequences of repeated items, as one flat loop: a rule per level would cost most of the time on large
   * files. That a quantifier follows an item is checked in its action.
   */
  private readonly choice = this.RULE('choice', (): GbnfNode => {
    const work: Choice = { done: [], items: [], start: this.RECORDING_PHASE ? 0 : endOfLast(this.LA(0)) };
    const outer = this.open;
    this.open = work;
    this.MANY(this.part);
    this.open = outer;
    return this.RECORDING_PHASE ? NOTHING : closeChoice(work);
  });

  /** The choice being read; `choice` saves and restores it, so that the closures below are made once. */
  private open: Choice = { done: [], items: [], start: 0 };

  /** Quantifiers since the last item. */
  private chain = 0;

  private readonly alternatives = [
    { ALT: () => this.read(this.CONSUME(T.Leaf)) },
    {
      ALT: () => {
        const node = this.SUBRULE(this.group);
        if (!this.RECORDING_PHASE && node !== undefined) this.open.items.push(node);
        this.chain = 0;
      },
    },
    { ALT: () => this.repeat(this.CONSUME(T.Quantifier)) },
    { ALT: () => this.bar(this.CONSUME(T.Bar)) },
  ];

  private readonly part = (): void => {
    this.OR(this.alternatives);
  };

  private readonly group = this.RULE('group', (): GbnfNode | undefined => {
    const open = this.CONSUME(T.Open);
    const inner = this.SUBRULE(this.choice);
    const close = this.CONSUME(T.Close);
    if (this.RECORDING_PHASE || inner === undefined) return undefined;
    const end = Number.isNaN(close.startOffset) ? inner.span.end : endOf(close);
    return { ...inner, span: { start: open.startOffset, end } };
  });

  private bar(t: IToken): void {
    if (this.RECORDING_PHASE) return;
    closeSequence(this.open);
    this.open.start = endOf(t);
  }

  private repeat(t: IToken): void {
    if (this.RECORDING_PHASE) return;
    const { items } = this.open;
    const quantifier = this.faults(t, readQuantifier);
    if (++this.chain > MAX_GBNF_DEPTH) {
      if (this.chain === MAX_GBNF_DEPTH + 1) {
        const hint = 'one repeat says the same';
        this.findings.push({ ...spanOf(t), message: `more than ${MAX_GBNF_DEPTH} repeats of one item`, hint });
      }
      return;
    }
    const item = items.pop();
    if (item === undefined || (item.k === 'literal' && item.text === '' && item.span.end === item.span.start + 2)) {
      const hint = 'put it after a string, class, name or group';
      this.findings.push({ ...spanOf(t), message: `nothing to repeat before '${shown(t.image)}'`, hint });
    } else items.push({ k: 'repeat', item, ...quantifier, span: { start: item.span.start, end: endOf(t) } });
  }

  private read(t: IToken): void {
    if (this.RECORDING_PHASE) return;
    this.chain = 0;
    this.open.items.push(this.leaf(t));
  }

  private leaf(t: IToken): GbnfNode {
    const span = spanOf(t);
    switch (t.tokenType) {
      case T.Literal:
        return { k: 'literal', text: this.faults(t, readLiteral), span };
      case T.CharClass:
        return { k: 'class', ...this.faults(t, readClass), span };
      case T.TokenTerminal:
        return { k: 'token', ...this.faults(t, readTerminal), span };
      case T.Dot:
        return { k: 'any', span };
      default: {
        const node: GbnfRef = { k: 'ref', name: t.image, span };
        this.refs.push(node);
        return node;
      }
    }
  }
}

/**
 * Alternatives read so far, items of the one being read, and where that one begins. The lists grow, and lists that grew hold room for
 * more, so nodes get copies of the right size: large files are mostly such lists.
 */
interface Choice {
  readonly done: GbnfNode[];
  readonly items: GbnfNode[];
  start: number;
}

const NOTHING: GbnfNode = { k: 'seq', items: [], span: { start: 0, end: 0 } };

function endOfLast(t: IToken): number {
  return t.image === undefined || Number.isNaN(t.startOffset) ? 0 : endOf(t);
}

function closeSequence({ done, items, start }: Choice): void {
  if (items.length === 1) done.push(items[0] as GbnfNode);
  else done.push({ k: 'seq', items: items.slice(), span: items.length === 0 ? { start, end: start } : around(items) });
  items.length = 0;
}

function closeChoice(choice: Choice): GbnfNode {
  closeSequence(choice);
  const { done } = choice;
  return done.length === 1 ? (done[0] as GbnfNode) : { k: 'alt', items: done.slice(), span: around(done) };
}

function around(nodes: readonly GbnfNode[]): Span {
  return { start: nodes[0]?.span.start ?? 0, end: nodes[nodes.length - 1]?.span.end ?? 0 };
}

/** One parser for the process: it holds nothing between calls, and its construction costs milliseconds. */
const parser = new GbnfParser();

export interface GbnfOptions {
  /** Name of the start rule; 'root' by default. */
  readonly root?: string;
}

/**
 * Reads a GBNF file.
 * @throws GrammarError with every fault found, in order of place; LimitError past {@link T.MAX_MARKS} or {@link MAX_GBNF_RULES}
 */
export function parseGbnf(source: string, options: GbnfOptions = {}): GbnfFile {
  const { file, issues } = readGbnf(source, options);
  if (issues.length > 0) throw new GrammarError('GBNF', issues, source);
  return file;
}

/** What some editors put before the first rule; places count it. */
export const BYTE_ORDER_MARK = /^\uFEFF/;

/** As {@link parseGbnf}, but returns what could be read beside the faults. */
export function readGbnf(source: string, options: GbnfOptions = {}): { file: GbnfFile; issues: GrammarIssue[] } {
  const root = options.root ?? 'root';
  T.checkSize(source);
  const { rules, refs, comments, looseLines, findings, runaways } = readStretches(source.replace(BYTE_ORDER_MARK, ' '));
  const byName = new Map<string, number>();
  for (let i = 0; i < rules.length; i++) {
    const { name } = rules[i] as GbnfRule;
    if (!byName.has(name)) byName.set(name, i);
  }
  for (const finding of nameFaults(rules, byName, refs, root, source, findings.length > 0)) findings.push(finding);
  const quote = missingQuote(runaways, findings);
  if (quote !== undefined) findings.push(quote);
  const file = { source, rules, byName, comments, looseLines, root };
  return { file, issues: toIssues(findings, source) };
}

/** What a stretch of a file holds; offsets are those of the file. */
interface Stretch {
  readonly rules: GbnfRule[];
  readonly refs: GbnfRef[];
  readonly comments: Span[];
  readonly looseLines: number[];
  readonly findings: Finding[];
  /** See {@link runawaysOf}. */
  readonly runaways: Span[];
}

/** UTF-16 units that are read at once. */
const STRETCH = 1 << 16;
const RULE_START = /\n(?=[A-Za-z0-9_-]+[ \t]*::=)/g;

/**
 * Reads a file in stretches that end before a rule, so that a large one never has all its tokens in memory. What looks like the
 * start of a rule can stand inside a string or class: then the stretch ends in an open one, which is a fault. After any fault the
 * file is read once more as a whole, so findings never depend on where it was cut.
 */
function readStretches(source: string): Stretch {
  const all: Stretch = { rules: [], refs: [], comments: [], looseLines: [], findings: [], runaways: [] };
  for (let at = 0; at < source.length; ) {
    RULE_START.lastIndex = at + STRETCH;
    const cut = RULE_START.lastIndex < source.length ? RULE_START.exec(source) : null;
    const end = cut === null ? source.length : cut.index + 1;
    const stretch = readStretch(source, at, end);
    if (at === 0 && end === source.length) return stretch;
    for (const span of stretch.runaways) all.runaways.push(span);
    if (stretch.findings.length > 0) return readStretch(source, 0, source.length);
    for (const rule of stretch.rules) all.rules.push(rule);
    if (all.rules.length > MAX_GBNF_RULES) throw new LimitError('rules of a grammar', all.rules.length, MAX_GBNF_RULES);
    for (const ref of stretch.refs) all.refs.push(ref);
    for (const comment of stretch.comments) all.comments.push(comment);
    for (const line of stretch.looseLines) all.looseLines.push(line);
    at = end;
  }
  return all;
}

function readStretch(source: string, start: number, end: number): Stretch {
  const { tokens, comments, wrong } = T.tokenize(source.slice(start, end));
  for (const list of [tokens, comments, wrong]) for (const t of list) t.startOffset += start;
  const findings: Finding[] = wrong.map((t) => ({ ...spanOf(t), ...(T.wrongTokens.get(t.tokenType) as T.WrongToken) }));
  const looseLines = loose(tokens, source);
  const stretch = {
    rules: [],
    refs: [],
    comments: comments.map(spanOf),
    looseLines,
    findings,
    runaways: runawaysOf(tokens),
  };
  const deep = tooDeep(tokens);
  if (deep !== undefined) {
    findings.push(deep);
    return stretch;
  }
  parser.begin(tokens);
  const rules = parser.file() ?? [];
  for (const error of parser.errors.slice(0, MAX_ISSUES)) findings.push(structural(error, source));
  for (const finding of parser.findings) findings.push(finding);
  const { refs } = parser;
  // Lets go of the tokens.
  parser.begin([]);
  return { ...stretch, rules, refs };
}

/** Starts of lines that continue a rule outside parentheses, other than after '|' and '::=', and of rules that begin inside a line. */
function loose(tokens: readonly IToken[], source: string): number[] {
  const out: number[] = [];
  let depth = 0;
  /** The next line end after the token before; found once per line. */
  let nl = -1;
  for (let i = 0; i < tokens.length; i++) {
    const t = tokens[i] as IToken;
    const before = tokens[i - 1];
    const head = t.tokenType === T.Head;
    if (head) depth = 0;
    if (before !== undefined && depth === 0) {
      const from = endOf(before);
      if (nl < from) {
        nl = source.indexOf('\n', from);
        if (nl < 0) nl = Number.POSITIVE_INFINITY;
      }
      const inLine = nl > t.startOffset;
      if (head ? inLine : !inLine && before.tokenType !== T.Bar && before.tokenType !== T.Define)
        out.push(t.startOffset);
    }
    if (t.tokenType === T.Open) depth++;
    else if (t.tokenType === T.Close && depth > 0) depth--;
  }
  return out;
}
