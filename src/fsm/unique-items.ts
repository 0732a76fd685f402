/**
 * Arrays with unique items, while they are read: scalars are read as the item's language less the values used; objects and arrays
 * are captured as text from where the outermost such array began and compared when they end.
 */
import type { ArrayExpr, ExprId, Grammar } from '../grammar/ir.js';
import { BOTTOM, CAPTURE, DEAD, END, FRAME, ITEM, PHASE, UNLIKE_ITEM } from './layout.js';
import type { LexemePool } from './lexeme.js';
import { SomeFrame } from './stack-search.js';
import type { Step } from './step.js';
import type { Structures } from './structure.js';
import type { Tables } from './tables.js';
import { fewEndsLeft } from './unique-left.js';

export class UniqueItems {
  /** Whether the grammar has any. */
  readonly exist: boolean;
  /** Whether some frame of a stack is an array with unique items. */
  private readonly below: SomeFrame;
  /** Whether the text of some item in progress of such an array is remembered. */
  private readonly kept: SomeFrame;
  /** By stack: the same one without those texts. */
  private readonly unlike: (number | undefined)[] = [];
  /** Whether some top frame of a stack is such an array that has forgotten an item. */
  private readonly forgotten: (boolean | undefined)[] = [];
  /** By lexeme state: whether a forgotten value could be its only end. */
  private readonly few: (boolean | undefined)[] = [];

  constructor(
    private readonly grammar: Grammar,
    private readonly pool: LexemePool,
    private readonly tables: Tables,
    private readonly step: Step,
    private readonly structures: Structures,
  ) {
    this.exist = grammar.exprs.some((e) => e.op === 'array' && e.unique);
    this.below = new SomeFrame(tables, (l) => this.isFrame(l));
    this.kept = new SomeFrame(tables, (l) => this.isFrame(l) && tables.labels.data[l + 4] !== UNLIKE_ITEM);
  }

  /** Whether the label at offset l is a frame of such an array. */
  isFrame(l: number): boolean {
    const { labels } = this.tables;
    return labels.data[l] === FRAME.array && (this.grammar.exprs[labels.data[l + 1]!] as ArrayExpr).unique;
  }

  /** Whether some frame of a stack is an array with unique items. Cached. */
  isBelow(stack: number): boolean {
    return this.below.of(stack);
  }

  /**
   * Settles what the step captures: nothing unless some config lies inside an object or array that is an item of an array with unique items, and
   * that they differ where the texts of all of them are forgotten. Whether anything is captured.
   */
  settleCapture(): boolean {
    const { out } = this.step;
    const { stacks, captures } = this.tables;
    let inside = false;
    for (let i = 0; i < out.length; i += 4) {
      const kind = out[i]!;
      if (kind === END || kind === BOTTOM || kind === CAPTURE) continue;
      // The top frame is being read itself; items in progress are below it.
      const stack = out[i + 3]!;
      for (let j = stacks.offsets[stack]!; j < stacks.offsets[stack + 1]!; j += 2) {
        const parent = stacks.data[j + 1]!;
        if (parent < 0 || !this.isBelow(parent)) continue;
        if (this.kept.of(parent)) return true;
        inside = true;
      }
    }
    if (inside) this.step.capture = captures.unlike;
    return inside;
  }

  /** A stack without the texts of the items in progress below its top frame: all count as different from any other. Cached. */
  unlikeBelow(stack: number): number {
    if (!this.isBelow(stack)) return stack;
    const { stacks } = this.tables;
    const edges: number[] = [];
    for (let i = stacks.offsets[stack]!, end = stacks.offsets[stack + 1]!; i < end; i += 2) {
      const parent = stacks.data[i + 1]!;
      edges.push(stacks.data[i]!, parent < 0 ? parent : this.unlikeAll(parent));
    }
    return this.step.stackOf(edges);
  }

  private unlikeAll(root: number): number {
    const { unlike } = this;
    const { stacks } = this.tables;
    const open = [root];
    for (let stack = open.at(-1); stack !== undefined; stack = open.at(-1)) {
      const edges: number[] = [];
      let ready = true;
      const end = this.kept.of(stack) ? stacks.offsets[stack + 1]! : stacks.offsets[stack]!;
      for (let i = stacks.offsets[stack]!; i < end; i += 2) {
        const parent = stacks.data[i + 1]!;
        const made = parent < 0 ? parent : unlike[parent];
        if (made !== undefined) edges.push(this.unlikeLabel(stacks.data[i]!), made);
        else {
          open.push(parent);
          ready = false;
        }
      }
      if (!ready) continue;
      unlike[stack] ??= edges.length === 0 ? stack : this.step.stackOf(edges);
      open.pop();
    }
    return unlike[root]!;
  }

  private unlikeLabel(label: number): number {
    const { labels } = this.tables;
    const l = labels.offsets[label]!;
    if (!this.isFrame(l)) return label;
    return this.tables.label(FRAME.array, labels.data[l + 1]!, labels.data[l + 2]!, labels.data[l + 3]!, UNLIKE_ITEM);
  }

  /** Enters a scalar as item of unique arrays: its lexeme less the values used. Returns the stack's other edges, -1 if none. */
  enterScalar(q: number, stack: number): number {
    const { pool, tables } = this;
    const { stacks, labels } = tables;
    const others: number[] = [];
    const string = !pool.isTextContent(q);
    const term = pool.termOf(q);
    for (let i = stacks.offsets[stack]!, end = stacks.offsets[stack + 1]!; i < end; i += 2) {
      const label = stacks.data[i]!;
      const parent = stacks.data[i + 1]!;
      const l = labels.offsets[label]!;
      if (!this.isFrame(l)) {
        others.push(label, parent);
        continue;
      }
      const states = this.structures.arrayStates(labels.data[l + 1]!);
      const a = labels.data[l + 3]!;
      const less = string ? pool.stringOpen(states.stringTerm(a, term)) : pool.textAt(states.textTerm(a, term));
      if (less !== DEAD) this.step.addEdge(ITEM, less, tables.captures.empty, label, parent);
    }
    if (others.length === 0) return -1;
    return others.length === stacks.offsets[stack + 1]! - stacks.offsets[stack]!
      ? stack
      : stacks.intern(others, others.length);
  }

  /** Notes in the frames of unique arrays where an object or array item begins. */
  markItem(stack: number): number {
    const { tables, step } = this;
    const { stacks, labels, captures } = tables;
    let marked: number[] | undefined;
    const from = stacks.offsets[stack]!;
    for (let i = from, end = stacks.offsets[stack + 1]!; i < end; i += 2) {
      const l = labels.offsets[stacks.data[i]!]!;
      if (!this.isFrame(l)) continue;
      // Inside what was forgotten, items are compared with one another again.
      if (step.capture < 0 || step.capture === captures.unlike) step.capture = captures.empty;
      // What differs from the items of the arrays around tells nothing of those inside.
      if (
        step.capture === captures.apart &&
        this.structures.arrayStates(labels.data[l + 1]!).hasValues(labels.data[l + 3]!)
      )
        step.capture = captures.none;
      marked ??= Array.from(stacks.data.subarray(from, end));
      const start = captures.lengthOf(step.capture);
      marked[i - from] = tables.label(FRAME.array, labels.data[l + 1]!, PHASE.after, labels.data[l + 3]!, start);
    }
    return marked === undefined ? stack : step.stackOf(marked);
  }

  /** A scalar item reads a byte. */
  read(a: number, capture: number, stack: number, b: number): void {
    const { pool, step } = this;
    const { captures } = this.tables;
    const q = pool.step(a, b);
    if (q === DEAD) return;
    const text = captures.append(capture, b);
    if (pool.accepts(q)) this.endScalar(stack, captures.text(text), text === captures.unlike);
    if (pool.isFinal(q)) return;
    if (this.hasForgotten(stack) && this.hasFewEnds(q)) step.addBottom();
    else step.add(ITEM, q, text, stack);
  }

  /** Whether a value that was forgotten could be the only one that a scalar item in progress can become. Cached. */
  private hasFewEnds(q: number): boolean {
    this.few[q] ??= fewEndsLeft(this.pool, q);
    return this.few[q];
  }

  /** Whether the scalar item read on top of a stack may be one that its array has forgotten. Cached. */
  hasForgotten(stack: number): boolean {
    const known = this.forgotten[stack];
    if (known !== undefined) return known;
    const { stacks, labels } = this.tables;
    let found = false;
    for (let i = stacks.offsets[stack]!, end = stacks.offsets[stack + 1]!; i < end && !found; i += 2) {
      const l = labels.offsets[stacks.data[i]!]!;
      found = this.structures.arrayStates(labels.data[l + 1]!).hasForgotten(labels.data[l + 3]!);
    }
    this.forgotten[stack] = found;
    return found;
  }

  /** A scalar item of unique arrays has ended; `text` undefined where it was not captured, `unlike` where it may be taken for a new one. */
  endScalar(stack: number, text: string | undefined, unlike = false): void {
    const { stacks, labels } = this.tables;
    const from = stacks.offsets[stack]!;
    const to = stacks.offsets[stack + 1]!;
    for (let i = from; i < to; i += 2) {
      const parent = stacks.data[i + 1]!;
      const l = labels.offsets[stacks.data[i]!]!;
      const id = labels.data[l + 1]!;
      const a = labels.data[l + 3]!;
      const states = this.structures.arrayStates(id);
      if (states.hasForgotten(a) || (text === undefined && !unlike && states.mustRemember)) this.step.addBottom();
      else {
        const after = unlike ? a : text === undefined ? states.forget(a) : states.useScalar(a, text);
        this.structures.enter(FRAME.array, id, PHASE.after, after, 0, parent);
      }
    }
  }

  /** An object or array item, begun at byte `start` of the capture, has ended: the array's state with it, or -1 where it is a duplicate. */
  endValue(id: ExprId, a: number, start: number): number {
    const { step } = this;
    const { captures } = this.tables;
    const states = this.structures.arrayStates(id);
    if (!states.expr.unique || start === UNLIKE_ITEM) return a;
    const isKept = step.capture >= 0 && captures.isKept(step.capture) && captures.lengthOf(step.capture) >= start;
    if (isKept && !states.hasForgotten(a)) return states.useValue(a, step.capture, start);
    if (states.hasForgotten(a) || states.mustRemember || (states.hasValues(a) && step.capture !== captures.apart)) {
      step.addBottom();
      return -1;
    }
    return states.forget(a);
  }
}
