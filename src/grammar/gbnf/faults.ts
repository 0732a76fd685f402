/** What is wrong with a GBNF file beside its single tokens: nesting, structure, names and missing quotes, as findings that become issues. */
import type { IRecognitionException, IToken } from 'chevrotain';
import type { GrammarIssue } from '../../base/errors.js';
import { nearest } from '../../base/nearest.js';
import type { Span } from '../ir.js';
import type { GbnfNode, GbnfRule } from './ast.js';
import * as T from './lexer.js';

/** Deepest nesting of parentheses. */
export const MAX_GBNF_DEPTH = 400;
/** Most faults that one run reports. */
export const MAX_ISSUES = 1_000;

/** The use of a rule. */
export type GbnfRef = GbnfNode & { readonly k: 'ref' };

export const endOf = (t: IToken): number => t.startOffset + t.image.length;
export const spanOf = (t: IToken): Span => ({ start: t.startOffset, end: endOf(t) });

/** A fault at offsets of the file. */
export interface Finding {
  readonly start: number;
  readonly end: number;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** A token's text for a message. */
export const shown = (image: string): string => (image.length > 30 ? `${image.slice(0, 30)}…` : image);

export function tooDeep(tokens: readonly IToken[]): Finding | undefined {
  let depth = 0;
  for (const t of tokens) {
    if (t.tokenType === T.Open) depth++;
    else if (t.tokenType === T.Close) depth--;
    else if (t.tokenType === T.Head) depth = 0;
    if (depth > MAX_GBNF_DEPTH) {
      const message = `parentheses nested deeper than ${MAX_GBNF_DEPTH}`;
      return { ...spanOf(t), message, hint: 'move inner parts to rules of their own' };
    }
  }
  return undefined;
}

/** The fault that Chevrotain met. */
export function structural(error: IRecognitionException, source: string): Finding {
  const t = error.token;
  const atEnd = t.image === '' || Number.isNaN(t.startOffset);
  const span = atEnd ? { start: source.length, end: source.length } : spanOf(t);
  const got = atEnd ? 'the end of the file' : `'${shown(t.image)}'`;
  const inGroup = error.context.ruleStack.includes('group');
  if (t.tokenType === T.Close) return { ...span, message: "')' without '('", hint: 'remove it' };
  if (inGroup) return { ...span, message: `expected ')' before ${got}`, hint: 'close the parenthesis' };
  if (t.tokenType === T.Define)
    return { ...span, message: "'::=' without a rule name before it", hint: "write 'name ::= …'" };
  if (error.context.ruleStack.length <= 1) {
    return {
      ...span,
      message: `expected a rule ('name ::= …') instead of ${got}`,
      hint: "a rule begins with its name and '::='",
    };
  }
  return { ...span, message: `unexpected ${got}` };
}

/** Rules that are defined twice or not at all; `blind` where other faults may have hidden rules. */
export function nameFaults(
  rules: readonly GbnfRule[],
  names: ReadonlyMap<string, number>,
  refs: readonly GbnfRef[],
  root: string,
  source: string,
  blind: boolean,
): Finding[] {
  const out: Finding[] = [];
  if (names.size < rules.length) {
    rules.forEach((rule, i) => {
      if (names.get(rule.name) === i || out.length >= MAX_ISSUES) return;
      const hint = 'remove one of the two, or join them with |';
      out.push({ ...rule.nameSpan, message: `rule '${rule.name}' is defined twice`, hint });
    });
  }
  const told = new Set<string>();
  for (const { name, span } of refs) {
    if (names.has(name) || told.has(name)) continue;
    told.add(name);
    if (out.length >= MAX_ISSUES) return out;
    const near = told.size > 20 || names.size > 5_000 ? undefined : nearest(name, names.keys());
    const hint = near === undefined ? `define it: ${name} ::= …` : `did you mean '${near}'?`;
    out.push({ ...span, message: `rule '${name}' is not defined`, hint });
  }
  if (!names.has(root) && !(blind && rules.length === 0)) {
    const first = rules[0];
    const near = nearest(root, names.keys());
    const hint =
      near !== undefined
        ? `did you mean '${near}'?`
        : first === undefined
          ? `write '${root} ::= …'`
          : `name the start rule '${root}', or give the option root`;
    out.push({
      start: 0,
      end: 0,
      message: source.trim() === '' ? 'the grammar is empty' : `there is no rule '${root}'`,
      hint,
    });
  }
  return out;
}

/** Strings that go on over what looks like the start of a rule: allowed, but where a fault follows, the closing quote is missing. */
export function runawaysOf(tokens: readonly IToken[]): Span[] {
  const out: Span[] = [];
  for (const t of tokens) {
    if (t.tokenType !== T.Literal || !t.image.includes('\n') || !/\n[A-Za-z0-9_-]+[ \t]*::=/.test(t.image)) continue;
    out.push({ start: t.startOffset, end: t.startOffset + t.image.search(/\r?\n/) });
  }
  return out;
}

/** The fault of a closing quote that is missing, told by the first other fault, which then lies behind the string. */
export function missingQuote(runaways: readonly Span[], findings: readonly Finding[]): Finding | undefined {
  let first = Number.POSITIVE_INFINITY;
  for (const f of findings) first = Math.min(first, f.start);
  const span = runaways.findLast((r) => r.start < first);
  if (span === undefined || first === Number.POSITIVE_INFINITY) return undefined;
  const message = 'this string goes on over the start of another rule';
  return { ...span, message, hint: "is its closing '\"' missing?" };
}

/** Findings to issues: sorted, without duplicates at one place, line and column counted in one pass. */
export function toIssues(findings: Finding[], source: string): GrammarIssue[] {
  findings.sort((a, b) => a.start - b.start);
  const out: GrammarIssue[] = [];
  let line = 1;
  let lineStart = 0;
  let last = -1;
  for (const f of findings) {
    if (out.length >= MAX_ISSUES) break;
    if (f.start === last) continue;
    last = f.start;
    for (let nl = source.indexOf('\n', lineStart); nl >= 0 && nl < f.start; nl = source.indexOf('\n', lineStart)) {
      line++;
      lineStart = nl + 1;
    }
    const issue = {
      message: f.message,
      line,
      column: f.start - lineStart + 1,
      offset: f.start,
      end: Math.max(f.end, f.start),
    };
    out.push(f.hint === undefined ? issue : { ...issue, hint: f.hint });
  }
  return out;
}
