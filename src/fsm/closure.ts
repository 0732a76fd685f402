/**
 * What follows without reading a byte: entering expressions, and resuming the frames below what is complete.
 *
 * Lexemes, names and structure end in `complete`; completing an item may enter the next expression, which may be complete at
 * once, and so on. Entries of one step are joined per expression (step.ts), and a stack is resumed once, so this ends soon.
 */
import type { ExprId, Grammar } from '../grammar/ir.js';
import { DEAD, FRAME, LEX, PHASE, TOKEN } from './layout.js';
import type { LexemePool } from './lexeme.js';
import type { Step } from './step.js';
import { type Completion, Structures } from './structure.js';
import type { Tables } from './tables.js';
import { UniqueItems } from './unique-items.js';

const UNMADE = -2;
/** Numbers of a stack (two an edge) from which on its edges are likely those of others. */
const LARGE = 16;

export class Closure implements Completion {
  readonly structures: Structures;
  readonly unique: UniqueItems;
  /** Start state of each leaf, once made. */
  private readonly leaves: Int32Array;
  private readonly hasUnique: boolean;
  /** Stacks below repeats that may end here, still to be resumed: a list and no recursion, since they may lie thousands deep. */
  private readonly ended: number[] = [];

  constructor(
    private readonly grammar: Grammar,
    private readonly pool: LexemePool,
    private readonly tables: Tables,
    private readonly step: Step,
  ) {
    this.leaves = new Int32Array(grammar.exprs.length).fill(UNMADE);
    this.structures = new Structures(grammar, pool, tables, step, this);
    this.unique = new UniqueItems(grammar, pool, tables, step, this.structures);
    this.hasUnique = this.unique.exist;
  }

  /** Processes what is pending, then interns the set of configs. */
  finish(): number {
    const { step } = this;
    while (step.next()) this.enter(step.pendingExpr, step.pendingStack);
    step.settle();
    return step.finish(step.capture >= 0 && this.unique.settleCapture());
  }

  /** A lexeme of a plain leaf reached state q: it goes on, ends, or both. */
  lexeme(q: number, stack: number): void {
    if (this.pool.accepts(q)) {
      this.complete(stack);
      if (this.pool.isFinal(q)) return;
    }
    this.step.add(LEX, q, 0, stack);
  }

  private enter(id: ExprId, stack: number): void {
    const expr = this.grammar.exprs[id]!;
    switch (expr.op) {
      case 'empty':
        this.complete(stack);
        return;
      case 'never':
        return;
      case 'text':
      case 'string': {
        let q = this.leaves[id]!;
        if (q === UNMADE) {
          q = expr.op === 'text' ? this.pool.text(expr.re) : this.pool.string(expr.re);
          this.leaves[id] = q;
        }
        if (q === DEAD) return;
        const rest = this.hasUnique ? this.unique.enterScalar(q, stack) : stack;
        if (rest >= 0) this.lexeme(q, rest);
        return;
      }
      case 'token':
        this.step.add(TOKEN, id, 0, stack);
        return;
      case 'seq':
        this.seqFrom(id, expr.items, 0, stack);
        return;
      case 'alt':
        for (const item of expr.items) this.step.pend(item, stack);
        return;
      case 'rule':
        this.step.pend(expr.body, stack);
        return;
      case 'repeat':
        this.repeatFrom(id, expr.item, expr.min, expr.max, 0, stack);
        this.resumeEnded();
        return;
      case 'object':
        this.structures.open(FRAME.object, id, this.hasUnique ? this.unique.markItem(stack) : stack);
        return;
      case 'array':
        this.structures.open(FRAME.array, id, this.hasUnique ? this.unique.markItem(stack) : stack);
        return;
    }
  }

  private seqFrom(id: ExprId, items: readonly ExprId[], index: number, stack: number): void {
    const { tables, step } = this;
    if (index === items.length) this.complete(stack);
    else if (index === items.length - 1) step.pend(items[index]!, stack);
    else step.pendEdge(items[index]!, tables.labels.intern([FRAME.seq, id, index + 1], 3), stack);
  }

  private repeatFrom(id: ExprId, item: ExprId, min: number, max: number, done: number, stack: number): void {
    const { tables, step } = this;
    if (done >= min) this.ended.push(stack);
    if (done < max) {
      const next = max === Number.POSITIVE_INFINITY ? Math.min(done + 1, min) : done + 1;
      if (next === max) step.pend(item, stack);
      else {
        const label = tables.labels.intern([FRAME.repeat, id, next], 3);
        if (max === Number.POSITIVE_INFINITY && next >= min) this.repeatOver(item, label, stack);
        else step.pendEdge(item, label, stack);
      }
    }
  }

  /**
   * Enters the item of a repeat that may go on and end as it likes, over a stack. Where the same repeat stands on top of it already the two are one,
   * (x* x* is x*): only the other edges are below the new frame. So `s ::= "a" s*` has one frame, not one for each letter.
   */
  private repeatOver(item: ExprId, label: number, stack: number): void {
    const { step } = this;
    const { stacks } = this.tables;
    const from = stacks.offsets[stack]!;
    const to = stacks.offsets[stack + 1]!;
    let same = from;
    while (same < to && stacks.data[same] !== label) same += 2;
    if (same === to) {
      step.pendEdge(item, label, stack);
      return;
    }
    const others: number[] = [];
    const again: number[] = [];
    for (let i = from; i < to; i += 2)
      (stacks.data[i] === label ? again : others).push(stacks.data[i]!, stacks.data[i + 1]!);
    if (others.length > 0) step.pendEdge(item, label, stacks.intern(others, others.length));
    for (let i = 0; i < again.length; i += 2) step.pendEdge(item, label, again[i + 1]!);
  }

  complete(stack: number): void {
    this.resume(stack);
    this.resumeEnded();
  }

  private resumeEnded(): void {
    const { ended, step } = this;
    const { offsets } = this.tables.stacks;
    while (ended.length > 0) {
      const stack = ended.pop()!;
      // Of a chain of single edges every one may have been a way in: n of them are walked once, not n times.
      const single = offsets[stack + 1]! - offsets[stack]! === 2;
      if (!single || step.isFirst(stack)) this.resume(stack);
    }
  }

  private resume(stack: number): void {
    const { tables, step, structures } = this;
    const { stacks, labels } = tables;
    const from = stacks.offsets[stack]!;
    const to = stacks.offsets[stack + 1]!;
    // Shared stacks lie below one another along many paths, 2^n of them in ambiguous grammars; and large ones share edges, n² of them.
    if (to - from > 2 && !step.isFirst(stack)) return;
    const large = to - from >= LARGE;
    for (let i = from; i < to; i += 2) {
      const label = stacks.data[i]!;
      const parent = stacks.data[i + 1]!;
      if (large && parent >= 0 && !step.isFirstEdge(label, parent)) continue;
      const l = labels.offsets[label]!;
      const id = labels.data[l + 1]!;
      switch (labels.data[l]) {
        case FRAME.end:
          step.addEnd();
          break;
        case FRAME.bottom:
          step.addBottom();
          break;
        case FRAME.seq: {
          const expr = this.grammar.exprs[id]!;
          if (expr.op === 'seq') this.seqFrom(id, expr.items, labels.data[l + 2]!, parent);
          break;
        }
        case FRAME.repeat: {
          const expr = this.grammar.exprs[id]!;
          if (expr.op === 'repeat') this.repeatFrom(id, expr.item, expr.min, expr.max, labels.data[l + 2]!, parent);
          break;
        }
        case FRAME.object:
          structures.enter(FRAME.object, id, PHASE.after, labels.data[l + 3]!, 0, parent);
          break;
        case FRAME.array: {
          const a = this.unique.endValue(id, labels.data[l + 3]!, labels.data[l + 4]!);
          if (a >= 0) structures.enter(FRAME.array, id, PHASE.after, a, 0, parent);
          break;
        }
      }
    }
  }
}
