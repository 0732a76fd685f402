/**
 * A recognizer for explanations: which characters may come next and under which rules. It keeps every stack with its rule names
 * (the engine's recognizer drops frames that have nothing left to do), so it is slow on ambiguous grammars and bounded.
 */
import { LimitError } from '../../base/errors.js';
import { TermStore } from '../../regular/terms.js';
import type { Expr, ExprId, Grammar } from '../ir.js';
import { normalize, type Ranges } from '../regex/ranges.js';

/** Most stacks at one place, and most frames in all of them (nesting). */
const MAX_CONFIGS = 100_000;
const MAX_FRAMES = 200_000;

/** Token terminals as the text that stands for them (`<[7]>`, `<think>`); "any token but" as any one character. */
export function spellTokens(grammar: Grammar): Grammar {
  if (!grammar.exprs.some((e) => e.op === 'token')) return grammar;
  const exprs = grammar.exprs.map((expr): Expr => {
    if (expr.op !== 'token') return expr;
    if (expr.negate) return { op: 'text', re: { t: 'set', ranges: [0, 0xd7ff, 0xe000, 0x10ffff] } };
    const texts = [...expr.texts, ...expr.ids.map((id) => `<[${id}]>`)];
    return { op: 'text', re: { t: 'lits', texts } };
  });
  return { ...grammar, exprs };
}

/** A frame: what goes on when something below it is complete. */
interface Frame {
  readonly expr: ExprId;
  /** Next item of a sequence, or repeats done. */
  readonly at: number;
  readonly parent: number;
}

interface Config {
  readonly term: number;
  readonly frame: number;
}

/** Characters that may come next under one stack of rules. */
export interface Expectation {
  readonly ranges: Ranges;
  /** Rule names from the start to the innermost. */
  readonly rules: readonly string[];
}

/** Works on grammars of text, sequences, alternatives, repeats and rules (what {@link spellTokens} of GBNF gives). */
export class Tracer {
  private readonly store = new TermStore();
  private readonly frames: Frame[] = [];
  private readonly frameIds = new Map<string, number>();
  private configs: Config[] = [];
  private seen = new Set<string>();
  /** Pairs: an expression to enter (-1: a frame that is complete), and the frame. */
  private readonly pending: number[] = [];
  /** Whether the text so far is complete. */
  accepting = false;

  constructor(private readonly grammar: Grammar) {
    this.enter(grammar.start, -1);
    this.drain();
  }

  /** Reads one code point; false (and nothing changes) where none may come. @throws LimitError past 100,000 stacks or 200,000 frames */
  step(cp: number): boolean {
    const before = { configs: this.configs, accepting: this.accepting };
    this.pending.length = 0;
    this.configs = [];
    this.seen = new Set();
    this.accepting = false;
    for (const { term, frame } of before.configs) {
      const next = this.store.step(term, cp);
      if (!this.store.isEmpty(next)) this.lexeme(next, frame);
    }
    this.drain();
    if (this.configs.length > 0 || this.accepting) return true;
    this.configs = before.configs;
    this.accepting = before.accepting;
    return false;
  }

  /** What may come next, by stack of rules. */
  expected(): Expectation[] {
    const byStack = new Map<string, { rules: string[]; pairs: number[] }>();
    for (const { term, frame } of this.configs) {
      const rules = this.rulesOf(frame);
      const key = rules.join('\0');
      const entry = byStack.get(key) ?? { rules, pairs: [] };
      byStack.set(key, entry);
      const edges = this.store.liveEdges(term);
      for (let e = 0; e < edges.length; e += 3) entry.pairs.push(edges[e] as number, edges[e + 1] as number);
    }
    return [...byStack.values()].map(({ rules, pairs }) => ({ rules, ranges: normalize(pairs) }));
  }

  private rulesOf(frame: number): string[] {
    const out: string[] = [];
    for (let at = frame; at >= 0; ) {
      const f = this.frames[at] as Frame;
      const expr = this.grammar.exprs[f.expr] as Expr;
      if (expr.op === 'rule' && out[out.length - 1] !== expr.name) out.push(expr.name);
      at = f.parent;
    }
    return out.reverse();
  }

  private push(expr: ExprId, at: number, parent: number): number {
    const key = `${expr},${at},${parent}`;
    let id = this.frameIds.get(key);
    if (id === undefined) {
      if (this.frames.length >= MAX_FRAMES) throw new LimitError('frames while explaining', MAX_FRAMES + 1, MAX_FRAMES);
      id = this.frames.push({ expr, at, parent }) - 1;
      this.frameIds.set(key, id);
    }
    return id;
  }

  private once(key: string): boolean {
    if (this.seen.has(key)) return false;
    this.seen.add(key);
    if (this.seen.size > MAX_CONFIGS)
      throw new LimitError('stacks of rules while explaining', this.seen.size, MAX_CONFIGS);
    return true;
  }

  private lexeme(term: number, frame: number): void {
    if (!this.once(`t${term},${frame}`)) return;
    if (this.store.edges(term).length > 0) this.configs.push({ term, frame });
    if (this.store.nullable(term)) this.complete(frame);
  }

  private enter(id: ExprId, frame: number): void {
    this.pending.push(id, frame);
  }

  private complete(frame: number): void {
    this.pending.push(-1, frame);
  }

  /** Follows what was entered and completed: a list and no recursion, since stacks grow with the text. */
  private drain(): void {
    while (this.pending.length > 0) {
      const frame = this.pending.pop() as number;
      const id = this.pending.pop() as number;
      if (id < 0) this.leave(frame);
      else this.follow(id, frame);
    }
  }

  private follow(id: ExprId, frame: number): void {
    if (!this.once(`e${id},${frame}`)) return;
    const expr = this.grammar.exprs[id] as Expr;
    switch (expr.op) {
      case 'empty':
        this.complete(frame);
        return;
      case 'text':
        this.lexeme(this.store.intern(expr.re), frame);
        return;
      case 'rule':
        this.enter(expr.body, this.push(id, 0, frame));
        return;
      case 'alt':
        for (const item of expr.items) this.enter(item, frame);
        return;
      case 'seq':
        this.sequence(id, expr.items, 0, frame);
        return;
      case 'repeat':
        this.repeat(id, 0, frame);
    }
  }

  private sequence(id: ExprId, items: readonly ExprId[], at: number, parent: number): void {
    const item = items[at];
    if (item === undefined) this.complete(parent);
    else this.enter(item, at === items.length - 1 ? parent : this.push(id, at + 1, parent));
  }

  private repeat(id: ExprId, done: number, parent: number): void {
    const expr = this.grammar.exprs[id] as Expr & { op: 'repeat' };
    if (done >= expr.min) this.complete(parent);
    const next = expr.max === Number.POSITIVE_INFINITY ? Math.min(done + 1, expr.min) : done + 1;
    if (done < expr.max) this.enter(expr.item, this.push(id, next, parent));
  }

  private leave(frame: number): void {
    if (!this.once(`c${frame}`)) return;
    const f = this.frames[frame];
    if (f === undefined) {
      this.accepting = true;
      return;
    }
    const expr = this.grammar.exprs[f.expr] as Expr;
    if (expr.op === 'rule') this.complete(f.parent);
    else if (expr.op === 'seq') this.sequence(f.expr, expr.items, f.at, f.parent);
    else this.repeat(f.expr, f.at, f.parent);
  }
}
