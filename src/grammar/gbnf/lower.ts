/**
 * GBNF to IR.
 *
 *     file -> rules by number (mid.ts) -> without unproductive parts (analyze.ts) -> without left recursion (left-recursion.ts)
 *          -> regular parts joined into leaves -> Grammar
 *
 * A leaf per string and class would be right but slow: the recognizer would be asked at every character. So neighbouring
 * regular parts become one leaf, and rules that are regular and small become leaves where they are used. Leaves stay below
 * {@link MAX_LEAF} nodes and counted repeats are not nested inside one, so that lexeme automata stay small. Bounds are never changed.
 */
import { UnsatisfiableError } from '../../base/errors.js';
import type { Regex } from '../../regular/regex.js';
import type { Expr, ExprId, Grammar, Span } from '../ir.js';
import { altAll, catAll, rep } from '../regex/build.js';
import { components, pruned, references } from './analyze.js';
import type { GbnfFile } from './ast.js';
import { withoutLeftRecursion } from './left-recursion.js';
import { type Mid, type MidGrammar, type MidRule, toMid } from './mid.js';
import { type GbnfOptions, parseGbnf } from './parser.js';

/** Most nodes of one regular leaf; a list of literals counts as one. */
const MAX_LEAF = 200;
/**
 * Most characters of a literal, literals of a list and numbers of a set that are joined with their neighbours where they come from another
 * rule: rules that double one another would make literals of 2^n characters, and a chain of n rules n² in all.
 */
const MAX_JOINED = 512;

/**
 * Reads a GBNF grammar into the IR.
 * @throws GrammarError with every fault of the text; UnsatisfiableError where no text fits; LimitError for sizes
 */
export function gbnfToGrammar(source: string, options: GbnfOptions = {}): Grammar {
  return fileToGrammar(parseGbnf(source, options));
}

export interface LowerOptions {
  /** Rules stay rules even where they are small and regular, so that a reader finds them again. */
  readonly keepRules?: boolean;
}

/** As {@link gbnfToGrammar} for a file that was read without faults. */
export function fileToGrammar(file: GbnfFile, options: LowerOptions = {}): Grammar {
  const first = pruned(toMid(file));
  if (first === undefined) {
    throw new UnsatisfiableError(`no text fits rule '${file.root}' (every alternative needs itself or an empty class)`);
  }
  const flat = pruned(withoutLeftRecursion(first));
  if (flat === undefined) throw new UnsatisfiableError(`no text fits rule '${file.root}'`);
  return new Emitter(flat, file.source, options.keepRules === true).run();
}

interface Leaf {
  readonly re: Regex;
  readonly weight: number;
  /** Holds a repeat, so that a counted repeat around it stays outside. */
  readonly repeats: boolean;
  readonly span: Span | undefined;
}
type Out = Leaf | { readonly id: ExprId };

class Emitter {
  private readonly exprs: Expr[] = [];
  private readonly spans: (Span | undefined)[] = [];
  private readonly leaves: (Leaf | undefined)[];
  private readonly ruleIds: ExprId[];
  private readonly shared = new Map<string, ExprId>();

  constructor(
    private readonly grammar: MidGrammar,
    private readonly source: string,
    private readonly keepRules: boolean,
  ) {
    this.leaves = new Array<Leaf | undefined>(grammar.rules.length).fill(undefined);
    this.ruleIds = new Array<ExprId>(grammar.rules.length).fill(-1);
  }

  run(): Grammar {
    const { start } = this.grammar;
    // Components come before those that use them, so a reference finds its rule's leaf.
    for (const { members, loops } of components(references(this.grammar), start)) {
      for (const member of members) if (loops) this.reserve(member);
      for (const member of members) this.emitRule(member, loops);
    }
    const id = this.idOf({ op: 'ref', rule: start });
    return { exprs: this.exprs, start: id, whitespace: 'compact', spans: this.spans, source: this.source };
  }

  private emitRule(r: number, loops: boolean): void {
    const rule = this.grammar.rules[r] as MidRule;
    const out = this.emit(rule.body);
    if (!loops && !this.keepRules && !('id' in out)) {
      this.leaves[r] = out;
      return;
    }
    const id = loops ? (this.ruleIds[r] as ExprId) : this.reserve(r);
    this.exprs[id] = { op: 'rule', name: rule.name, body: this.asExpr(out) };
  }

  private reserve(r: number): ExprId {
    const rule = this.grammar.rules[r] as MidRule;
    const id = this.push({ op: 'never' }, rule.span);
    this.ruleIds[r] = id;
    return id;
  }

  private push(expr: Expr, span: Span | undefined): ExprId {
    this.spans.push(span);
    return this.exprs.push(expr) - 1;
  }

  private asExpr(out: Out): ExprId {
    if ('id' in out) return out.id;
    return this.push(out.re.t === 'empty' ? { op: 'empty' } : { op: 'text', re: out.re }, out.span);
  }

  /** Rule `r` as an expression of its own even where it is a leaf: the start keeps its name. */
  private idOf(node: Mid & { op: 'ref' }): ExprId {
    const leaf = this.leaves[node.rule];
    if (leaf === undefined) return this.ruleIds[node.rule] as ExprId;
    const { name, span } = this.grammar.rules[node.rule] as MidRule;
    return this.push({ op: 'rule', name, body: this.asExpr(leaf) }, span);
  }

  private emit(node: Mid): Out {
    switch (node.op) {
      case 'leaf':
        return { re: node.re, weight: 1, repeats: false, span: node.span };
      case 'ref':
        return this.leaves[node.rule] ?? { id: this.ruleIds[node.rule] as ExprId };
      case 'token': {
        const { ids, texts, negate } = node;
        return {
          id: this.once(`t${ids}|${JSON.stringify(texts)}|${negate}`, { op: 'token', ids, texts, negate }, node.span),
        };
      }
      case 'seq':
        return this.emitSeq(node);
      case 'alt':
        return this.emitAlt(node);
      case 'repeat':
        return this.emitRepeat(node);
    }
  }

  private once(key: string, expr: Expr, span: Span | undefined): ExprId {
    let id = this.shared.get(key);
    if (id === undefined) {
      id = this.push(expr, span);
      this.shared.set(key, id);
    }
    return id;
  }

  private emitSeq(node: Mid & { op: 'seq' }): Out {
    const parts: Out[] = [];
    let run: Leaf[] = [];
    let weight = 1;
    let before: Mid = node;
    const flush = (): void => {
      if (run.length > 0) parts.push(joined(run, catAll, weight));
      run = [];
      weight = 1;
    };
    for (const item of node.items) {
      const out = this.emit(item);
      if ('id' in out) {
        flush();
        parts.push(out);
        continue;
      }
      if (out.re.t === 'empty') continue;
      const last = run[run.length - 1]?.re;
      const both = out.re.t === 'lit' && last?.t === 'lit';
      if (both ? isLarge(before, last) || isLarge(item, out.re) : weight + out.weight > MAX_LEAF) flush();
      before = item;
      run.push(out);
      weight += both ? 0 : out.weight;
    }
    flush();
    if (parts.length === 0) return { re: { t: 'empty' }, weight: 1, repeats: false, span: node.span };
    if (parts.length === 1) return parts[0] as Out;
    return { id: this.push({ op: 'seq', items: parts.map((part) => this.asExpr(part)) }, node.span) };
  }

  private emitAlt(node: Mid & { op: 'alt' }): Out {
    const parts: Out[] = [];
    let run: Leaf[] = [];
    let weight = 1;
    const flush = (): void => {
      if (run.length > 0) parts.push(joined(run, altAll, weight));
      run = [];
      weight = 1;
    };
    let ids: Set<ExprId> | undefined;
    for (const item of node.items) {
      const out = this.emit(item);
      if ('id' in out) {
        ids ??= new Set();
        if (!ids.has(out.id)) parts.push(out);
        ids.add(out.id);
        continue;
      }
      // Literals and sets merge into one node each, whatever their number.
      const merges = out.re.t === 'lit' || out.re.t === 'lits' || out.re.t === 'set' || out.re.t === 'empty';
      const cost = !merges ? out.weight : isLarge(item, out.re) ? MAX_LEAF : 0;
      if (weight + cost > MAX_LEAF) flush();
      run.push(out);
      weight += cost;
    }
    flush();
    if (parts.length === 1) return parts[0] as Out;
    return { id: this.push({ op: 'alt', items: parts.map((part) => this.asExpr(part)) }, node.span) };
  }

  private emitRepeat(node: Mid & { op: 'repeat' }): Out {
    const { min, max, span } = node;
    const item = this.emit(node.item);
    if (min === 1 && max === 1) return item;
    if (!('id' in item)) {
      const counted = min > 8 || (max > 8 && max !== Number.POSITIVE_INFINITY);
      if (!counted || !item.repeats)
        return { re: rep(item.re, min, max), weight: item.weight + 1, repeats: true, span };
    }
    const id = this.asExpr(item);
    const repeat: Expr = { op: 'repeat', item: id, min, max };
    // Only what has a name can be repeated in two places.
    const shared = node.item.op === 'ref' || node.item.op === 'token';
    return { id: shared ? this.once(`r${id}|${min}|${max}`, repeat, span) : this.push(repeat, span) };
  }
}

/** Whether a leaf comes from another rule and is too large to be written again where that is used. */
function isLarge(node: Mid, re: Regex): boolean {
  if (node.op !== 'ref') return false;
  const size = re.t === 'lit' ? re.text : re.t === 'lits' ? re.texts : re.t === 'set' ? re.ranges : [];
  return size.length > MAX_JOINED;
}

function joined(run: readonly Leaf[], join: (parts: readonly Regex[]) => Regex, weight: number): Leaf {
  if (run.length === 1) return run[0] as Leaf;
  const first = run[0]?.span;
  const last = run[run.length - 1]?.span;
  const span =
    first !== undefined && last !== undefined && first.start <= last.end
      ? { start: first.start, end: last.end }
      : undefined;
  return { re: join(run.map((leaf) => leaf.re)), weight, repeats: run.some((leaf) => leaf.repeats), span };
}
