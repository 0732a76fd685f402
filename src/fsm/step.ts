/**
 * The set of configs that one step is building: what was added, and which expressions are still to be entered.
 *
 * Equal configs are joined by the union of their stacks, and an expression entered from several places is entered once with the union
 * of theirs; that keeps ambiguous grammars polynomial. What is joined is collected as edges and interned when it is asked for
 * (edge-lists.ts). Scratch only: nothing here outlives the step but what `Tables` interned.
 */
import type { ExprId } from '../grammar/ir.js';
import { EdgeLists } from './edge-lists.js';
import { BOTTOM, CAPTURE, DEAD, END } from './layout.js';
import type { Tables } from './tables.js';

export class Step {
  /** Text since the outermost unique array began, or -1 where nothing is compared. */
  capture = -1;
  /** Whether keys that begin in this step need not be remembered (states cut for masks). */
  forgetful = false;
  /** Four numbers a config; in place of a stack may stand -1 less the number of a list of edges until {@link settle}. */
  readonly out: number[] = [];
  /** Expression and stack (or list) of each entry. */
  private readonly pending: number[] = [];
  /** Offset in `pending` of the entry being processed. */
  private processing = -2;
  private generation = 0;
  private readonly entered: Int32Array;
  /** Offset in `pending` of the first and of the last entry of an expression. */
  private readonly firstAt: Int32Array;
  private readonly enteredAt: Int32Array;
  /** By expression that was entered again: the list of all edges that it was entered with. */
  private readonly again = new Map<ExprId, number>();
  /** Counts steps, and what is captured in one: what was resumed before it changed is resumed anew. */
  private epoch = 0;
  private epochCapture = -1;
  /** By stack: the epoch that resumed it last. */
  private resumed = new Int32Array(64);
  /** By stack: the epoch that last resumed an edge to it, and that edge's label. */
  private resumedTo = new Int32Array(64);
  private resumedLabel = new Int32Array(64);
  private readonly lists: EdgeLists;
  private readonly config = [0, 0, 0, 0];
  private readonly ids: number[] = [];

  constructor(
    private readonly tables: Tables,
    expressions: number,
  ) {
    this.entered = new Int32Array(expressions);
    this.firstAt = new Int32Array(expressions);
    this.enteredAt = new Int32Array(expressions);
    this.lists = new EdgeLists(tables.stacks);
  }

  begin(): void {
    this.generation++;
    this.epoch++;
    this.processing = -2;
    this.capture = -1;
    this.epochCapture = -1;
    this.out.length = 0;
    this.pending.length = 0;
    this.lists.clear();
    if (this.again.size > 0) this.again.clear();
  }

  /** Adds a config, joining stacks with an equal one. */
  add(kind: number, a: number, capture: number, stack: number): void {
    const i = this.find(kind, a, capture);
    if (i < 0) this.out.push(kind, a, capture, stack);
    else this.join(this.out, i + 3, stack);
  }

  /** Adds a config whose stack has a single edge. */
  addEdge(kind: number, a: number, capture: number, label: number, parent: number): void {
    const i = this.find(kind, a, capture);
    if (i < 0) this.out.push(kind, a, capture, this.tables.push(label, parent));
    else this.joinEdge(this.out, i + 3, label, parent);
  }

  /** Offset of a config that is there, or -1. */
  private find(kind: number, a: number, capture: number): number {
    const { out } = this;
    for (let i = 0; i < out.length; i += 4) if (out[i] === kind && out[i + 1] === a && out[i + 2] === capture) return i;
    return -1;
  }

  private join(at: number[], i: number, stack: number): void {
    const known = at[i]!;
    if (known === stack) return;
    if (known >= 0) at[i] = -1 - this.lists.open(known);
    this.lists.addAll(-1 - at[i]!, stack);
  }

  private joinEdge(at: number[], i: number, label: number, parent: number): void {
    const known = at[i]!;
    if (known >= 0) at[i] = -1 - this.lists.open(known);
    this.lists.add(-1 - at[i]!, label, parent);
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
    if (this.isWaiting(expr)) this.join(this.pending, this.enteredAt[expr]! + 1, stack);
    else if (this.entered[expr] !== this.generation) {
      this.firstAt[expr] = this.pending.length;
      this.wait(expr, stack);
    } else if (this.pending[this.enteredAt[expr]! + 1] !== stack) this.wait(expr, stack);
  }

  /** {@link pend} with a stack of a single edge. */
  pendEdge(expr: ExprId, label: number, parent: number): void {
    if (this.isWaiting(expr)) this.joinEdge(this.pending, this.enteredAt[expr]! + 1, label, parent);
    else this.pend(expr, this.tables.push(label, parent));
  }

  /** Whether the stack is resumed for the first time in this step, with what is captured now; that is noted. */
  isFirst(stack: number): boolean {
    this.beginEpoch();
    if (stack >= this.resumed.length) this.resumed = grown(this.resumed, stack);
    if (this.resumed[stack] === this.epoch) return false;
    this.resumed[stack] = this.epoch;
    return true;
  }

  /** The same of an edge. Of the labels that lead to a stack only the last one is known, so an edge may be called the first twice. */
  isFirstEdge(label: number, parent: number): boolean {
    this.beginEpoch();
    if (parent >= this.resumedTo.length) {
      this.resumedTo = grown(this.resumedTo, parent);
      this.resumedLabel = grown(this.resumedLabel, parent);
    }
    if (this.resumedTo[parent] === this.epoch && this.resumedLabel[parent] === label) return false;
    this.resumedTo[parent] = this.epoch;
    this.resumedLabel[parent] = label;
    return true;
  }

  /** What unique items capture may change within a step, and with it how their arrays go on. */
  private beginEpoch(): void {
    if (this.capture === this.epochCapture) return;
    this.epochCapture = this.capture;
    this.epoch++;
  }

  private isWaiting(expr: ExprId): boolean {
    return this.entered[expr] === this.generation && this.enteredAt[expr]! > this.processing;
  }

  private wait(expr: ExprId, stack: number): void {
    this.entered[expr] = this.generation;
    this.enteredAt[expr] = this.pending.length;
    this.pending.push(expr, stack);
  }

  /** The stack of edges in any order, which it puts in theirs. */
  stackOf(edges: number[]): number {
    return this.lists.stackOf(edges);
  }

  /** Goes on to the next pending expression; false where none is left. */
  next(): boolean {
    const { pending } = this;
    for (;;) {
      this.processing += 2;
      const at = this.processing;
      if (at >= pending.length) return false;
      this.intern(pending, at + 1);
      if (this.firstAt[pending[at]!] === at || this.isNew()) return true;
    }
  }

  /** Whether the entry at hand has edges that its expression was not entered with before; those are left. So this ends soon. */
  private isNew(): boolean {
    const { pending, processing, again } = this;
    const expr = pending[processing]!;
    let all = again.get(expr);
    if (all === undefined) {
      all = this.lists.open(pending[this.firstAt[expr]! + 1]!);
      again.set(expr, all);
    }
    const fresh: number[] = [];
    this.lists.merge(all, pending[processing + 1]!, fresh);
    if (fresh.length === 0) return false;
    pending[processing + 1] = this.tables.stacks.intern(fresh, fresh.length);
    return true;
  }

  private intern(at: number[], i: number): void {
    if (at[i]! < 0) at[i] = this.lists.stack(-1 - at[i]!);
  }

  /** Interns the stacks of what was added. */
  settle(): void {
    const { out } = this;
    for (let i = 3; i < out.length; i += 4) this.intern(out, i);
  }

  /** The expression at hand and the stack it was entered with. */
  get pendingExpr(): ExprId {
    return this.pending[this.processing]!;
  }

  get pendingStack(): number {
    return this.pending[this.processing + 1]!;
  }

  /** Interns the set of configs, which is settled, with what is captured beside it where `captured`; DEAD where it is empty. */
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

/** A longer copy of numbers by id, with room for one. */
function grown(numbers: Int32Array, id: number): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(Math.max(2 * numbers.length, id + 1));
  longer.set(numbers);
  return longer;
}
