/**
 * Objects and arrays: how their frames move through phases on structural bytes and keys.
 *
 * A frame's label holds its expression, phase and dynamic state (object-state.ts, array-state.ts); what is between the brackets is
 * either read here byte by byte (punctuation, whitespace, keys) or entered as an expression (values, items).
 */
import type { ArrayExpr, ExprId, Grammar, ObjectExpr } from '../grammar/ir.js';
import { ArrayStates } from './array-state.js';
import { DEAD, DYN, FRAME, NAME, PHASE, STRUCT } from './layout.js';
import type { LexemePool } from './lexeme.js';
import { ObjectStates } from './object-state.js';
import type { Step } from './step.js';
import type { Tables } from './tables.js';
import { fewItemsLeft, hasItemLeft } from './unique-left.js';
import { isBlank, whitespaceGoesOn, whitespaceStep } from './whitespace.js';

/** What happens when a value is complete; the closure's part. */
export interface Completion {
  /** What was on top of this stack is complete: its frames go on. */
  complete(stack: number): void;
}

export class Structures {
  private readonly objects: (ObjectStates | undefined)[] = [];
  private readonly arrays: (ArrayStates | undefined)[] = [];
  /** Expressions with states. */
  private readonly made: ExprId[] = [];

  constructor(
    private readonly grammar: Grammar,
    private readonly pool: LexemePool,
    private readonly tables: Tables,
    private readonly step: Step,
    private readonly completion: Completion,
  ) {}

  /** Bytes held by the dynamic states of objects and arrays. */
  get bytes(): number {
    let bytes = 0;
    for (const id of this.made) bytes += (this.objects[id] ?? this.arrays[id])!.bytes;
    return bytes;
  }

  objectStates(id: ExprId): ObjectStates {
    let o = this.objects[id];
    if (o === undefined) {
      o = new ObjectStates(this.grammar.exprs[id] as ObjectExpr, this.pool);
      this.objects[id] = o;
      this.made.push(id);
    }
    return o;
  }

  arrayStates(id: ExprId): ArrayStates {
    let a = this.arrays[id];
    if (a === undefined) {
      a = new ArrayStates(this.grammar.exprs[id] as ArrayExpr, this.pool, this.tables.captures);
      this.arrays[id] = a;
      this.made.push(id);
    }
    return a;
  }

  // ---- phases -------------------------------------------------------------------------------------------------------

  /** Before the opening bracket of an object or array. */
  open(frame: number, id: ExprId, stack: number): void {
    const start = frame === FRAME.object ? this.objectStates(id).start : this.arrayStates(id).start;
    this.step.addEdge(STRUCT, 0, 0, this.tables.label(frame, id, PHASE.open, start, 0), stack);
  }

  /** Adds the structural config of a phase with nothing of its whitespace read, and what it opens. */
  enter(frame: number, id: ExprId, phase: number, dyn: number, last: number, parent: number): void {
    this.enterAfterBlanks(0, this.tables.label(frame, id, phase, dyn, last), parent);
  }

  /** The structural config of a label after some whitespace; values and items that may start here are entered too. */
  private enterAfterBlanks(ws: number, label: number, parent: number): void {
    const { tables, step } = this;
    const { labels } = tables;
    const l = labels.offsets[label]!;
    const object = labels.data[l] === FRAME.object;
    const id = labels.data[l + 1]!;
    const phase = labels.data[l + 2]!;
    const dyn = labels.data[l + 3]!;
    let own = true;
    if (object && phase === PHASE.value) {
      step.pendEdge(labels.data[l + 4]!, tables.label(FRAME.object, id, PHASE.after, dyn, 0), parent);
      own = false;
    } else if (!object && (phase === PHASE.first || phase === PHASE.next)) {
      const states = this.arrayStates(id);
      for (const v of states.next(dyn)) {
        const after = states.after(dyn, v);
        if (after >= 0) step.pendEdge(v.value, tables.label(FRAME.array, id, PHASE.after, after, 0), parent);
      }
      own = phase === PHASE.first && states.canClose(dyn);
    }
    if (own || whitespaceGoesOn(this.grammar.whitespace, ws))
      step.addEdge(STRUCT, ws, step.forgetful ? tables.captures.empty : 0, label, parent);
  }

  /** A structural config reads a byte. `capture` is `empty` where keys that begin here need not be remembered. */
  read(ws: number, capture: number, stack: number, b: number): void {
    this.step.forgetful = capture === this.tables.captures.empty;
    this.readEdges(ws, stack, b);
    this.step.forgetful = false;
  }

  private readEdges(ws: number, stack: number, b: number): void {
    const { stacks, labels } = this.tables;
    const from = stacks.offsets[stack]!;
    const to = stacks.offsets[stack + 1]!;
    for (let i = from; i < to; i += 2) {
      const label = stacks.data[i]!;
      const parent = stacks.data[i + 1]!;
      const l = labels.offsets[label]!;
      const phase = labels.data[l + 2]!;
      if (phase === PHASE.key) {
        this.step.addBottom();
        continue;
      }
      if (phase !== PHASE.open && isBlank(b)) {
        const next = whitespaceStep(this.grammar.whitespace, ws, b);
        if (next >= 0) this.enterAfterBlanks(next, label, parent);
        continue;
      }
      const id = labels.data[l + 1]!;
      const dyn = labels.data[l + 3]!;
      if (labels.data[l] === FRAME.object) this.readObject(id, phase, dyn, labels.data[l + 4]!, parent, b);
      else this.readArray(id, phase, dyn, parent, b);
    }
  }

  private readObject(id: ExprId, phase: number, o: number, value: ExprId, parent: number, b: number): void {
    switch (phase) {
      case PHASE.open:
        if (b === 0x7b) this.enter(FRAME.object, id, PHASE.first, o, 0, parent);
        return;
      case PHASE.first:
        if (b === 0x22) this.startKey(id, o, parent);
        else if (b === 0x7d && this.objectStates(id).canClose(o)) this.completion.complete(parent);
        return;
      case PHASE.next:
        if (b === 0x22) this.startKey(id, o, parent);
        return;
      case PHASE.colon:
        if (b === 0x3a) this.enter(FRAME.object, id, PHASE.value, o, value, parent);
        return;
      case PHASE.after:
        if (b === 0x2c) {
          const states = this.objectStates(id);
          if (states.isUnsure(o)) this.step.addBottom();
          else if (states.allowsAnyKey(o)) this.enter(FRAME.object, id, PHASE.next, o, 0, parent);
        } else if (b === 0x7d && this.objectStates(id).canClose(o)) this.completion.complete(parent);
        return;
    }
  }

  private readArray(id: ExprId, phase: number, a: number, parent: number, b: number): void {
    switch (phase) {
      case PHASE.open:
        if (b === 0x5b) this.enter(FRAME.array, id, PHASE.first, a, 0, parent);
        return;
      case PHASE.first:
        if (b === 0x5d && this.arrayStates(id).canClose(a)) this.completion.complete(parent);
        return;
      case PHASE.after:
        if (b === 0x2c) {
          const { grammar, pool } = this;
          const states = this.arrayStates(id);
          if (states.hasForgotten(a) && fewItemsLeft(grammar, pool, states, a)) this.step.addBottom();
          else if (states.canContinue(a) && hasItemLeft(grammar, pool, states, a))
            this.enter(FRAME.array, id, PHASE.next, a, 0, parent);
        } else if (b === 0x5d && this.arrayStates(id).canClose(a)) this.completion.complete(parent);
        return;
    }
  }

  /** After the declared name p of an object's frame, as masks see it: the object in outline. */
  afterName(label: number, parent: number, p: number): void {
    const { labels } = this.tables;
    const l = labels.offsets[label]!;
    const id = labels.data[l + 1]!;
    const states = this.objectStates(id);
    const after = states.outline(states.afterDeclared(labels.data[l + 3]!, p));
    this.enter(FRAME.object, id, PHASE.colon, after, states.expr.properties[p]!.value, parent);
  }

  // ---- keys ---------------------------------------------------------------------------------------------------------

  /** After the opening quote of a key: declared names, and each dynamic class. */
  private startKey(id: ExprId, o: number, parent: number): void {
    const { pool, tables, step } = this;
    const states = this.objectStates(id);
    if (states.isUnsure(o)) {
      step.addBottom();
      return;
    }
    if (states.isOutline(o)) {
      // Which key is not known: what comes next is in doubt.
      step.addEdge(STRUCT, 0, 0, tables.label(FRAME.object, id, PHASE.key, o, 0), parent);
      return;
    }
    if (states.allowsAnyDeclared(o)) {
      const q = pool.stringAt(pool.terms.nameNode(states.names.root));
      step.addEdge(NAME, q, 0, tables.label(FRAME.object, id, PHASE.key, o, 0), parent);
    }
    const { empty, none } = tables.captures;
    const capture = states.remembersKeys && !step.forgetful ? empty : none;
    for (let c = 0; c < states.expr.dynamic.length; c++) {
      if (!states.allowsDynamic(o, c)) continue;
      const q = pool.stringAt(states.dynamicTerm(o, c));
      if (q !== DEAD) step.addEdge(DYN, q, capture, tables.label(FRAME.object, id, PHASE.key, o, -1 - c), parent);
    }
  }

  /** A declared name reads a byte. */
  readName(a: number, stack: number, b: number): void {
    const { pool, tables } = this;
    const q = pool.step(a, b);
    if (q === DEAD) return;
    const { stacks, labels } = tables;
    const from = stacks.offsets[stack]!;
    const to = stacks.offsets[stack + 1]!;
    const final = pool.isFinal(q);
    for (let i = from; i < to; i += 2) {
      const label = stacks.data[i]!;
      const parent = stacks.data[i + 1]!;
      const l = labels.offsets[label]!;
      const id = labels.data[l + 1]!;
      const o = labels.data[l + 3]!;
      const states = this.objectStates(id);
      if (final) {
        const p = states.names.ending(pool.terms.asNameNode(pool.termOf(q)));
        if (states.allows(o, p))
          this.enter(
            FRAME.object,
            id,
            PHASE.colon,
            states.afterDeclared(o, p),
            states.expr.properties[p]!.value,
            parent,
          );
      } else if (
        pool.someTarget(q, (t) => {
          const node = pool.terms.asNameNode(t);
          return node >= 0 && states.allowsBelow(o, node);
        })
      )
        this.step.addEdge(NAME, q, 0, label, parent);
    }
  }

  /** A dynamic key reads a byte. */
  readDynamic(a: number, capture: number, stack: number, b: number): void {
    const { captures } = this.tables;
    const q = this.pool.step(a, b);
    if (q === DEAD) return;
    if (!this.pool.isFinal(q)) this.step.add(DYN, q, captures.append(capture, b), stack);
    else this.endDynamic(stack, captures.key(capture), capture === captures.unlike);
  }

  /** A dynamic key has ended; `key` undefined where it was not captured, `unlike` where it may be taken for a new one (budgets). */
  endDynamic(stack: number, key: string | undefined, unlike = false): void {
    const { stacks, labels } = this.tables;
    const from = stacks.offsets[stack]!;
    const to = stacks.offsets[stack + 1]!;
    for (let i = from; i < to; i += 2) {
      const parent = stacks.data[i + 1]!;
      const l = labels.offsets[stacks.data[i]!]!;
      const id = labels.data[l + 1]!;
      const c = -1 - labels.data[l + 4]!;
      const o = labels.data[l + 3]!;
      const states = this.objectStates(id);
      const { witnesses, dynamic } = states.expr;
      // A key may come twice, or leave none for a witness: that takes its text.
      const witnessAtStake = witnesses > 0 && states.remembersKeys && states.mayExhaustWitness(c);
      if (states.hasForgotten(o) || (witnessAtStake && key === undefined && !unlike)) {
        this.step.addBottom();
        continue;
      }
      const after = states.isOutline(o) ? o : states.afterDynamic(o, c, key, unlike);
      if (witnesses > 0 && key !== undefined && !states.witnessesReachable(after)) continue;
      this.enter(FRAME.object, id, PHASE.colon, after, dynamic[c]!.value, parent);
    }
  }
}
