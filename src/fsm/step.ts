/**
 * The set of configs that one step is building: what was added, and which expressions are still to be entered.
 *
 * Equal configs are joined by the union of their stacks, and an expression entered from several places is entered once with the union
 * of theirs; that keeps ambiguous grammars polynomial. Scratch only: nothing here outlives the step but what `Tables` interned.
 */
import type { ExprId } from '../grammar/ir.js';
import { BOTTOM, CAPTURE, DEAD, END } from './layout.js';
import type { Tables } from './tables.js';

export class Step {
  /** Text since the outermost unique array began, or -1 where nothing is compared. */
  capture = -1;
  /** Whether an object or array item of a unique array ended as a new one. */
  endedAnew = false;
  /** Whether keys that begin in this step need not be remembered (states cut for masks). */
  forgetful = false;
  /** Four numbers a config. */
  readonly out: number[] = [];
  private readonly pending: number[] = [];
  /** Offset in `pending` of the entry being processed. */
  private processing = -2;
  private generation = 0;
  private readonly entered: Int32Array;
  private readonly enteredStack: Int32Array;
  private readonly config = [0, 0, 0, 0];
  private readonly ids: number[] = [];

  constructor(
    private readonly tables: Tables,
    expressions: number,
  ) {
    this.entered = new Int32Array(expressions);
    this.enteredStack = new Int32Array(expressions);
  }

  begin(): void {
    this.generation++;
    this.processing = -2;
    this.capture = -1;
    this.out.length = 0;
    this.pending.length = 0;
  }

  /** Adds a config, joining stacks with an equal one. */
  add(kind: number, a: number, capture: number, stack: number): void {
    const { out } = this;
    for (let i = 0; i < out.length; i += 4) {
      if (out[i] === kind && out[i + 1] === a && out[i + 2] === capture) {
        if (out[i + 3] !== stack) out[i + 3] = this.tables.union(out[i + 3]!, stack);
        return;
      }
    }
    out.push(kind, a, capture, stack);
  }

  /** The text is complete. */
  addEnd(): void {
    this.add(END, 0, 0, 0);
  }

  /** What comes now depends on what was cut off or forgotten. */
  addBottom(): void {
    this.add(BOTTOM, 0, 0, 0);
  }

  /** Notes that an expression is entered. */
  pend(expr: ExprId, stack: number): void {
    if (this.entered[expr] === this.generation) {
      const known = this.enteredStack[expr]!;
      const all = this.tables.union(known, stack);
      if (all === known) return;
      this.enteredStack[expr] = all;
      const { pending } = this;
      // Still waiting: widen it. Already processed: process again with the wider stack (monotone, so this ends).
      for (let i = pending.length - 2; i > this.processing; i -= 2) {
        if (pending[i] === expr) {
          pending[i + 1] = all;
          return;
        }
      }
      pending.push(expr, all);
      return;
    }
    this.entered[expr] = this.generation;
    this.enteredStack[expr] = stack;
    this.pending.push(expr, stack);
  }

  /** Goes on to the next pending expression; false where none is left. */
  next(): boolean {
    this.processing += 2;
    return this.processing < this.pending.length;
  }

  /** The expression at hand and the stack it was entered with. */
  get pendingExpr(): ExprId {
    return this.pending[this.processing]!;
  }

  get pendingStack(): number {
    return this.pending[this.processing + 1]!;
  }

  /** Interns the set of configs, with what is captured beside it where `captured`; DEAD where it is empty. */
  finish(captured: boolean): number {
    const { out, config, ids } = this;
    if (captured) out.push(CAPTURE, this.capture, 0, 0);
    const n = out.length;
    if (n === 0) return DEAD;
    const { configs } = this.tables;
    ids.length = 0;
    for (let i = 0; i < n; i += 4) {
      config[0] = out[i]!;
      config[1] = out[i + 1]!;
      config[2] = out[i + 2]!;
      config[3] = out[i + 3]!;
      ids.push(configs.intern(config, 4));
    }
    if (ids.length > 1) ids.sort(ascending);
    return this.tables.stateOf(ids);
  }
}

function ascending(a: number, b: number): number {
  return a - b;
}
