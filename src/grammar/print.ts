/**
 * IR to GBNF that llama.cpp reads, with a report of what GBNF cannot say.
 *
 * Every named expression becomes a rule; unnamed ones that are used more than once, and all JSON objects and arrays, get rules
 * of their own, so that the text stays linear in the size of the IR. The report never stays silent: whatever is accepted
 * differently is in `losses` (kind `values`: other values; kind `spelling`: the same values, other spellings).
 */
import { UnsatisfiableError } from '../base/errors.js';
import type { GbnfNode } from './gbnf/ast.js';
import { formatRule } from './gbnf/format.js';
import { arrayNode, objectNode, whitespaceNode } from './gbnf/from-json.js';
import { regexNode } from './gbnf/from-regex.js';
import { alt, anyChar, empty, type Loss, literal, ref, seq, Writer } from './gbnf/writer.js';
import { childrenOf, type Expr, type ExprId, type Grammar } from './ir.js';

export type { Loss } from './gbnf/writer.js';

export interface PrintedGrammar {
  readonly text: string;
  readonly losses: readonly Loss[];
}

/**
 * GBNF text of a grammar; the start rule is `root`.
 * @throws UnsatisfiableError where no text fits
 */
export function printGrammar(grammar: Grammar): PrintedGrammar {
  return new Printer(grammar).run();
}

class Printer {
  private readonly writer = new Writer();
  private readonly uses: number[];
  /** Rule names of expressions that have one. */
  private readonly named = new Map<ExprId, string>();
  private readonly queue: ExprId[] = [];
  private readonly ws: GbnfNode;
  /** Expressions found to be unsayable after they were referred to. */
  private readonly failed = new Set<ExprId>();

  constructor(private readonly grammar: Grammar) {
    this.writer.name('root');
    this.ws = empty;
    this.uses = grammar.exprs.map(() => 0);
    const seen = new Set([grammar.start]);
    const stack = [grammar.start];
    let json = false;
    for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
      const expr = grammar.exprs[id] as Expr;
      json ||= expr.op === 'object' || expr.op === 'array';
      for (const child of childrenOf(expr)) {
        this.uses[child] = (this.uses[child] as number) + 1;
        if (seen.has(child)) continue;
        seen.add(child);
        stack.push(child);
      }
    }
    if (json) this.ws = whitespaceNode(grammar.whitespace, this.writer);
  }

  run(): PrintedGrammar {
    const { writer, grammar } = this;
    const first = writer.rules.length;
    this.named.set(this.bodyOf(grammar.start), 'root');
    this.queue.push(this.bodyOf(grammar.start));
    for (let at = 0; at < this.queue.length; at++) {
      const id = this.queue[at] as ExprId;
      const name = this.named.get(id) as string;
      writer.where = name;
      const node = this.lower(id);
      if (node === undefined) {
        if (name === 'root') throw new UnsatisfiableError('no text that GBNF can say fits the grammar');
        this.failed.add(id);
        writer.lose('nothing of this rule can be said in GBNF');
      }
      writer.add(name, node ?? literal(''));
    }
    // Rules of the whitespace and of characters come last, root first.
    const rules = [...writer.rules.slice(first), ...writer.rules.slice(0, first)];
    const order = [...rules.filter((rule) => rule.name === 'root'), ...rules.filter((rule) => rule.name !== 'root')];
    return { text: `${order.map(formatRule).join('\n')}\n`, losses: writer.losses };
  }

  /** Through rules that only name another expression. */
  private bodyOf(id: ExprId): ExprId {
    let at = id;
    for (let expr = this.grammar.exprs[at] as Expr; expr.op === 'rule'; expr = this.grammar.exprs[at] as Expr)
      at = expr.body;
    return at;
  }

  private nameFor(id: ExprId, wish: string): GbnfNode {
    let name = this.named.get(id);
    if (name === undefined) {
      name = this.writer.name(wish);
      this.named.set(id, name);
      this.queue.push(id);
    }
    return ref(name);
  }

  /** A use of an expression: a reference where it has or deserves a rule, else the expression itself. */
  private readonly use = (id: ExprId): GbnfNode | undefined => {
    const body = this.bodyOf(id);
    const expr = this.grammar.exprs[body] as Expr;
    if (expr.op === 'never') return undefined;
    const rule = this.grammar.exprs[id] as Expr;
    if (this.named.has(body)) return ref(this.named.get(body) as string);
    if (rule.op === 'rule') return this.nameFor(body, rule.name);
    const large = expr.op === 'object' || expr.op === 'array' || expr.op === 'alt' || expr.op === 'seq' || isLong(expr);
    if (large && (expr.op === 'object' || expr.op === 'array' || (this.uses[id] as number) > 1)) {
      return this.nameFor(body, expr.op === 'text' || expr.op === 'string' ? 'value' : expr.op);
    }
    return this.lower(body);
  };

  private lower(id: ExprId): GbnfNode | undefined {
    const { writer, use } = this;
    const expr = this.grammar.exprs[id] as Expr;
    switch (expr.op) {
      case 'never':
        return undefined;
      case 'empty':
        return empty;
      case 'text':
        return regexNode(expr.re, 'text', writer);
      case 'string': {
        const content = regexNode(expr.re, 'string', writer);
        return content === undefined ? undefined : seq(literal('"'), content, literal('"'));
      }
      case 'token':
        return tokenNode(expr, writer);
      case 'seq': {
        const parts = expr.items.map(use);
        return parts.includes(undefined) ? undefined : seq(...(parts as GbnfNode[]));
      }
      case 'alt': {
        const parts = expr.items.map(use).filter((part) => part !== undefined);
        return parts.length === 0 ? undefined : alt(parts);
      }
      case 'repeat': {
        const item = use(expr.item);
        if (item === undefined) return expr.min === 0 ? empty : undefined;
        return writer.counted(item, expr.min, expr.max);
      }
      case 'rule':
        return use(expr.body);
      case 'object':
        return objectNode(expr, use, this.ws, writer);
      case 'array':
        return arrayNode(expr, use, this.ws, writer);
    }
  }
}

function isLong(expr: Expr): boolean {
  return (expr.op === 'text' || expr.op === 'string') && JSON.stringify(expr.re).length > 60;
}

function tokenNode(expr: Expr & { op: 'token' }, writer: Writer): GbnfNode {
  const span = { start: 0, end: 0 };
  const one = (id: number | undefined, text: string | undefined): GbnfNode =>
    text === undefined
      ? { k: 'token', id: id as number, negate: expr.negate, span }
      : { k: 'token', text, negate: expr.negate, span };
  const nodes = [...expr.ids.map((id) => one(id, undefined)), ...expr.texts.map((text) => one(undefined, text))];
  if (expr.negate && nodes.length > 1) {
    writer.lose('any token but several: only the first of them is excluded');
    return nodes[0] as GbnfNode;
  }
  if (nodes.length > 0) return alt(nodes);
  writer.lose('any token: any character is accepted in its place');
  return anyChar;
}
