/**
 * The pushdown part: which bytes a grammar allows next, over canonical interned states.
 *
 * The naive way keeps a set of stacks per sequence (they multiply with ambiguity) or Earley sets per position (they grow with the
 * text). Here a state is a sorted set of configs (what is being read, its lexeme state, the stack below), everything hash-consed:
 * equal situations are equal integers wherever they occur in the text, so every cache keyed by a state serves the second
 * array element, the next row of a batch and the next request. Stacks are graph-structured (Tomita 1986; Scott and Johnstone
 * 2010): a stack is a set of (label, parent stack) edges, and expressions entered in one step from several places are
 * entered once with the union of their stacks, which keeps ambiguous grammars polynomial.
 *
 * Invariants: every config is live; a state is closed (what may follow a lexeme that may end is in the set); DEAD is no state.
 * Left recursion is the front end's to remove. Memory only grows; the owner replaces the whole recognizer past its limit.
 */
import { PairMap, TupleTable } from '../base/tuple-table.js';
import type { ArrayExpr, Expr, ExprId, Grammar, ObjectExpr } from '../grammar/ir.js';
import { ArrayStates } from './array-state.js';
import { Captures } from './captures.js';
import { DEAD, type LexemePool } from './lexeme.js';
import { ObjectStates } from './object-state.js';
import { whitespaceGoesOn, whitespaceStep } from './whitespace.js';

export { DEAD } from './lexeme.js';

/** Config kinds. A config is [kind, a, capture, stack]. */
export const LEX = 0;
export const STRUCT = 1;
export const TOKEN = 2;
export const END = 3;
export const BOTTOM = 4;
export const NAME = 5;
export const DYN = 6;
/** A scalar item of an array with unique items. */
export const ITEM = 7;
/** Not a reading but the text since the outermost unique array began, while objects or arrays must be compared. */
export const CAPTURE = 8;

/** States after which the search for a new ending is taken for successful. */
const SEARCH_STATES = 500;

/** Bytes that end things soonest, for searches. */
const LIKELY: readonly number[] = [...'"}],:{[0123456789tfnab'].map((c) => c.charCodeAt(0));

/** Frame labels: [kind, …]; see docs/tables.md. */
export const FRAME = { end: 0, bottom: 1, seq: 2, repeat: 3, object: 4, array: 5 } as const;

/** Phases of object and array labels. */
export const PHASE = { open: 0, first: 1, next: 2, key: 3, colon: 4, value: 5, after: 6 } as const;

export class Recognizer {
  readonly labels = new TupleTable(64);
  readonly stacks = new TupleTable(64);
  readonly configs = new TupleTable(128);
  readonly states = new TupleTable(128);
  readonly captures = new Captures();
  private readonly transitions = new PairMap(256);
  private readonly flags: number[] = [];
  private readonly afterStack: (number | undefined)[] = [];
  private readonly forced: (number | undefined)[] = [];
  private readonly nextSets: (Int32Array | undefined)[] = [];
  private readonly objects: (ObjectStates | undefined)[] = [];
  private readonly arrays: (ArrayStates | undefined)[] = [];
  private readonly leaves: Int32Array;
  private readonly entered: Int32Array;
  private readonly enteredStack: Int32Array;
  private generation = 0;
  private readonly hasUnique: boolean;
  /** Text since the outermost unique array began, or -1 where nothing is compared. */
  private capture = -1;
  /** Whether some frame of a stack is an array with unique items. */
  private readonly uniqueBelow: (boolean | undefined)[] = [];
  private readonly endsAnew: (boolean | undefined)[] = [];
  private endedAnew = false;
  /** Whether keys that begin in this step need not be remembered (states cut for masks). */
  private forgetful = false;
  // Scratch of one step.
  private readonly out: number[] = [];
  private readonly pending: number[] = [];
  private readonly tuple: number[] = [];
  /** Offset in `pending` of the entry being processed. */
  private processing = -1;
  readonly start: number;
  /** The stack whose only edge is the end of the grammar. */
  private readonly root: number;

  constructor(
    readonly grammar: Grammar,
    readonly pool: LexemePool,
  ) {
    const n = grammar.exprs.length;
    this.hasUnique = grammar.exprs.some((e) => e.op === 'array' && e.unique);
    this.leaves = new Int32Array(n).fill(-2);
    this.entered = new Int32Array(n);
    this.enteredStack = new Int32Array(n);
    this.root = this.push(this.labels.intern([FRAME.end], 1), -1);
    this.begin();
    this.pend(grammar.start, this.root);
    this.start = this.finish();
  }

  get bytes(): number {
    return (
      this.labels.bytes +
      this.stacks.bytes +
      this.configs.bytes +
      this.states.bytes +
      this.transitions.bytes +
      this.captures.bytes +
      this.flags.length * 24
    );
  }

  // ---- reading states -----------------------------------------------------------------------------------------------

  /** Whether the text may end in this state. */
  accepts(state: number): boolean {
    return (this.flags[state]! & 1) !== 0;
  }

  /** Whether the walk reached the cut of a truncated stack (see truncate.ts). */
  reachedBottom(state: number): boolean {
    return (this.flags[state]! & 2) !== 0;
  }

  /** Whether some config waits for a token terminal. */
  wantsToken(state: number): boolean {
    return (this.flags[state]! & 4) !== 0;
  }

  /** Successor by a byte, or DEAD. Cached. */
  step(state: number, byte: number): number {
    const known = this.transitions.get(state, byte);
    if (known >= 0) return known - 1;
    let next = this.compute(state, byte);
    if (this.hasUnique && next !== DEAD && this.couldRepeat(next, true) && this.captureOf(next) !== this.captures.none)
      if (!this.canEndAnew(next)) next = DEAD;
    this.transitions.set(state, byte, next + 1);
    return next;
  }

  /** Successor by a run of bytes, or DEAD. */
  stepAll(state: number, bytes: Uint8Array, from = 0, to = bytes.length): number {
    let s = state;
    for (let i = from; i < to && s !== DEAD; i++) s = this.step(s, bytes[i]!);
    return s;
  }

  /** Successor by a token terminal's token; `allows(expr, token)` says whether the terminal takes it. DEAD where none does. */
  stepToken(state: number, allows: (expr: ExprId) => boolean): number {
    this.begin();
    const { configs, states } = this;
    for (let i = states.offsets[state]!, end = states.offsets[state + 1]!; i < end; i++) {
      const o = configs.offsets[states.data[i]!]!;
      if (configs.data[o] === TOKEN && allows(configs.data[o + 1]!)) this.complete(configs.data[o + 3]!);
    }
    return this.finish();
  }

  /** A superset of the bytes that may come next, as eight words; exact up to names that are no longer allowed. Cached. */
  nextBytes(state: number): Int32Array {
    const known = this.nextSets[state];
    if (known !== undefined) return known;
    const out = new Int32Array(8);
    const { configs, states } = this;
    for (let i = states.offsets[state]!, end = states.offsets[state + 1]!; i < end; i++) {
      const o = configs.offsets[states.data[i]!]!;
      const kind = configs.data[o]!;
      if (kind === LEX || kind === NAME || kind === DYN || kind === ITEM) {
        const first = this.pool.firstBytes(configs.data[o + 1]!);
        for (let w = 0; w < 8; w++) out[w]! |= first[w]!;
      } else if (kind === STRUCT) this.structBytes(configs.data[o + 1]!, configs.data[o + 3]!, out);
    }
    this.nextSets[state] = out;
    return out;
  }

  /** The only byte that may come next, or -1 where there are several, none, or the text may end here. Cached. */
  forcedByte(state: number): number {
    const known = this.forced[state];
    if (known !== undefined) return known;
    let only = -1;
    if ((this.flags[state]! & 5) === 0) {
      const bits = this.nextBytes(state);
      for (let b = 0; b < 256; b++) {
        if (((bits[b >> 5]! >>> (b & 31)) & 1) === 0 || this.step(state, b) === DEAD) continue;
        if (only >= 0) {
          only = -1;
          break;
        }
        only = b;
      }
    }
    this.forced[state] = only;
    return only;
  }

  private structBytes(ws: number, stack: number, out: Int32Array): void {
    if (whitespaceGoesOn(this.grammar.whitespace, ws))
      for (const b of [0x20, 0x0a, 0x0d, 0x09])
        if (whitespaceStep(this.grammar.whitespace, ws, b) >= 0) out[b >> 5]! |= 1 << (b & 31);
    const { data, offsets } = this.stacks;
    const labels = this.labels;
    for (let i = offsets[stack]!, end = offsets[stack + 1]!; i < end; i += 2) {
      const l = labels.offsets[data[i]!]!;
      const object = labels.data[l] === FRAME.object;
      const phase = labels.data[l + 2]!;
      const set = (b: number): void => {
        out[b >> 5]! |= 1 << (b & 31);
      };
      if (phase === PHASE.open) set(object ? 0x7b : 0x5b);
      else if (phase === PHASE.colon) set(0x3a);
      else if (phase === PHASE.first || phase === PHASE.after) {
        set(object ? 0x7d : 0x5d);
        if (phase === PHASE.after) set(0x2c);
        else if (object) set(0x22);
      } else if (phase === PHASE.next && object) set(0x22);
    }
  }

  /** Whether the objects whose key is being read need no further members, so that its text cannot matter to how they end. */
  keysAreOptional(stack: number): boolean {
    const { stacks, labels } = this;
    for (let i = stacks.offsets[stack]!, end = stacks.offsets[stack + 1]!; i < end; i += 2) {
      const id = labels.data[labels.offsets[stacks.data[i]!]! + 1]!;
      const expr = this.grammar.exprs[id] as ObjectExpr;
      if (expr.minProperties > 1 || expr.witnesses > 0) return false;
      if (this.objectStates(id).beginningDependsOnKeys) return false;
    }
    return true;
  }

  // ---- one step -----------------------------------------------------------------------------------------------------

  private begin(): void {
    this.generation++;
    this.processing = -1;
    this.capture = -1;
    this.out.length = 0;
    this.pending.length = 0;
  }

  private compute(state: number, byte: number): number {
    this.begin();
    const { configs, states } = this;
    if (this.hasUnique) {
      const c = this.captureOf(state);
      if (c >= 0) this.capture = this.captures.append(c, byte);
    }
    for (let i = states.offsets[state]!, end = states.offsets[state + 1]!; i < end; i++) {
      const o = configs.offsets[states.data[i]!]!;
      const kind = configs.data[o]!;
      const a = configs.data[o + 1]!;
      const stack = configs.data[o + 3]!;
      if (kind === LEX) {
        const q = this.pool.step(a, byte);
        if (q !== DEAD) this.lexeme(q, stack);
      } else if (kind === STRUCT) this.structStep(a, configs.data[o + 2]!, stack, byte);
      else if (kind === ITEM) this.itemStep(a, configs.data[o + 2]!, stack, byte);
      else if (kind === NAME) this.nameStep(a, stack, byte);
      else if (kind === DYN) this.dynamicStep(a, configs.data[o + 2]!, stack, byte);
    }
    return this.finish();
  }

  /** Processes what is pending, then interns the set of configs. */
  private finish(): number {
    const { pending, out } = this;
    for (let i = 0; i < pending.length; i += 2) {
      this.processing = i;
      this.enter(pending[i]!, pending[i + 1]!);
    }
    if (this.capture >= 0 && this.mustCapture()) out.push(CAPTURE, this.capture, 0, 0);
    const n = out.length;
    if (n === 0) return DEAD;
    const tuple = this.tuple;
    let flags = 0;
    tuple.length = 0;
    for (let i = 0; i < n; i += 4) {
      const kind = out[i]!;
      if (kind === END) flags |= 1;
      else if (kind === BOTTOM) flags |= 2;
      else if (kind === TOKEN) flags |= 4;
    }
    if (n === 4) tuple.push(this.configs.intern(out, 4));
    else {
      const quad = [0, 0, 0, 0];
      for (let i = 0; i < n; i += 4) {
        quad[0] = out[i]!;
        quad[1] = out[i + 1]!;
        quad[2] = out[i + 2]!;
        quad[3] = out[i + 3]!;
        tuple.push(this.configs.intern(quad, 4));
      }
      tuple.sort(ascending);
    }
    const before = this.states.count;
    const id = this.states.intern(tuple, tuple.length);
    if (id === before) this.flags[id] = flags;
    return id;
  }

  /** The state that stands for either of two states. */
  unionStates(x: number, y: number): number {
    if (x === DEAD || x === y) return y;
    if (y === DEAD) return x;
    this.begin();
    const { configs, states } = this;
    for (const s of [x, y])
      for (let i = states.offsets[s]!, end = states.offsets[s + 1]!; i < end; i++) {
        const o = configs.offsets[states.data[i]!]!;
        this.add(configs.data[o]!, configs.data[o + 1]!, configs.data[o + 2]!, configs.data[o + 3]!);
      }
    return this.finish();
  }

  /** The state of a set of configs (ascending config ids). */
  stateOf(configIds: readonly number[]): number {
    let flags = 0;
    for (const c of configIds) {
      const kind = this.configs.data[this.configs.offsets[c]!]!;
      if (kind === END) flags |= 1;
      else if (kind === BOTTOM) flags |= 2;
      else if (kind === TOKEN) flags |= 4;
    }
    const before = this.states.count;
    const id = this.states.intern(configIds, configIds.length);
    if (id === before) this.flags[id] = flags;
    return id;
  }

  /** Adds a config, joining stacks with an equal one. */
  private add(kind: number, a: number, capture: number, stack: number): void {
    const { out } = this;
    for (let i = 0; i < out.length; i += 4) {
      if (out[i] === kind && out[i + 1] === a && out[i + 2] === capture) {
        if (out[i + 3] !== stack) out[i + 3] = this.union(out[i + 3]!, stack);
        return;
      }
    }
    out.push(kind, a, capture, stack);
  }

  /** A lexeme of a plain leaf reached state q: it goes on, ends, or both. */
  private lexeme(q: number, stack: number): void {
    if (this.pool.accepts(q)) {
      this.complete(stack);
      if (this.pool.isFinal(q)) return;
    }
    this.add(LEX, q, 0, stack);
  }

  // ---- stacks -------------------------------------------------------------------------------------------------------

  private push(label: number, parent: number): number {
    return this.stacks.intern([label, parent], 2);
  }

  /** Flat union of two edge sets. */
  private union(a: number, b: number): number {
    if (a === b) return a;
    const { data, offsets } = this.stacks;
    const pairs: number[] = [];
    let i = offsets[a]!;
    let j = offsets[b]!;
    const ie = offsets[a + 1]!;
    const je = offsets[b + 1]!;
    while (i < ie || j < je) {
      const order = i >= ie ? 1 : j >= je ? -1 : data[i]! - data[j]! || data[i + 1]! - data[j + 1]!;
      if (order <= 0) {
        pairs.push(data[i]!, data[i + 1]!);
        i += 2;
        if (order === 0) j += 2;
      } else {
        pairs.push(data[j]!, data[j + 1]!);
        j += 2;
      }
    }
    return this.stacks.intern(pairs, pairs.length);
  }

  // ---- closure ------------------------------------------------------------------------------------------------------

  /** Notes that an expression is entered; entries of one step are joined per expression. */
  private pend(expr: ExprId, stack: number): void {
    if (this.entered[expr] === this.generation) {
      const known = this.enteredStack[expr]!;
      const all = this.union(known, stack);
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

  private enter(id: ExprId, stack: number): void {
    const expr: Expr = this.grammar.exprs[id]!;
    switch (expr.op) {
      case 'empty':
        this.complete(stack);
        return;
      case 'never':
        return;
      case 'text': {
        let q = this.leaves[id]!;
        if (q === -2) q = this.leaves[id] = this.pool.text(expr.re);
        if (q !== DEAD) {
          const rest = this.hasUnique ? this.uniqueItems(q, stack) : stack;
          if (rest >= 0) this.lexeme(q, rest);
        }
        return;
      }
      case 'string': {
        let q = this.leaves[id]!;
        if (q === -2) q = this.leaves[id] = this.pool.string(expr.re);
        if (q !== DEAD) {
          const rest = this.hasUnique ? this.uniqueItems(q, stack) : stack;
          if (rest >= 0) this.add(LEX, q, 0, rest);
        }
        return;
      }
      case 'token':
        this.add(TOKEN, id, 0, stack);
        return;
      case 'seq':
        this.seqFrom(id, expr.items, 0, stack);
        return;
      case 'alt':
        for (const item of expr.items) this.pend(item, stack);
        return;
      case 'rule':
        this.pend(expr.body, stack);
        return;
      case 'repeat':
        this.repeatFrom(id, expr.item, expr.min, expr.max, 0, stack);
        return;
      case 'object': {
        const o = this.objectStates(id).start;
        const below = this.hasUnique ? this.markItem(stack) : stack;
        this.add(STRUCT, 0, 0, this.push(this.labels.intern([FRAME.object, id, PHASE.open, o, 0], 5), below));
        return;
      }
      case 'array': {
        const a = this.arrayStates(id).start;
        const below = this.hasUnique ? this.markItem(stack) : stack;
        this.add(STRUCT, 0, 0, this.push(this.labels.intern([FRAME.array, id, PHASE.open, a, 0], 5), below));
        return;
      }
    }
  }

  private seqFrom(id: ExprId, items: readonly ExprId[], index: number, stack: number): void {
    if (index === items.length) this.complete(stack);
    else if (index === items.length - 1) this.pend(items[index]!, stack);
    else this.pend(items[index]!, this.push(this.labels.intern([FRAME.seq, id, index + 1], 3), stack));
  }

  private repeatFrom(id: ExprId, item: ExprId, min: number, max: number, done: number, stack: number): void {
    if (done >= min) this.complete(stack);
    if (done < max) {
      const next = max === Number.POSITIVE_INFINITY ? Math.min(done + 1, min) : done + 1;
      if (next === max) this.pend(item, stack);
      else this.pend(item, this.push(this.labels.intern([FRAME.repeat, id, next], 3), stack));
    }
  }

  /** What was on top of this stack is complete: its frames go on. */
  private complete(stack: number): void {
    const { stacks, labels } = this;
    const from = stacks.offsets[stack]!;
    const to = stacks.offsets[stack + 1]!;
    for (let i = from; i < to; i += 2) {
      const l = labels.offsets[stacks.data[i]!]!;
      const parent = stacks.data[i + 1]!;
      switch (labels.data[l]) {
        case FRAME.end:
          this.add(END, 0, 0, 0);
          break;
        case FRAME.bottom:
          this.add(BOTTOM, 0, 0, 0);
          break;
        case FRAME.seq: {
          const id = labels.data[l + 1]!;
          const expr = this.grammar.exprs[id]!;
          if (expr.op === 'seq') this.seqFrom(id, expr.items, labels.data[l + 2]!, parent);
          break;
        }
        case FRAME.repeat: {
          const id = labels.data[l + 1]!;
          const expr = this.grammar.exprs[id]!;
          if (expr.op === 'repeat') this.repeatFrom(id, expr.item, expr.min, expr.max, labels.data[l + 2]!, parent);
          break;
        }
        case FRAME.object:
          this.structure(FRAME.object, labels.data[l + 1]!, PHASE.after, labels.data[l + 3]!, 0, parent);
          break;
        case FRAME.array: {
          const a = this.endValue(labels.data[l + 1]!, labels.data[l + 3]!, labels.data[l + 4]!);
          if (a >= 0) this.structure(FRAME.array, labels.data[l + 1]!, PHASE.after, a, 0, parent);
          break;
        }
      }
    }
  }

  // ---- objects and arrays -------------------------------------------------------------------------------------------

  objectStates(id: ExprId): ObjectStates {
    let o = this.objects[id];
    if (o === undefined) {
      o = new ObjectStates(this.grammar.exprs[id] as ObjectExpr, this.pool);
      this.objects[id] = o;
    }
    return o;
  }

  arrayStates(id: ExprId): ArrayStates {
    let a = this.arrays[id];
    if (a === undefined) {
      a = new ArrayStates(this.grammar.exprs[id] as ArrayExpr, this.pool);
      this.arrays[id] = a;
    }
    return a;
  }

  /** Adds the structural config of a phase with nothing of its whitespace read, and what it opens. */
  private structure(kind: number, id: ExprId, phase: number, dyn: number, prop: number, parent: number): void {
    const label =
      kind === FRAME.object
        ? this.labels.intern([FRAME.object, id, phase, dyn, prop], 5)
        : this.labels.intern([FRAME.array, id, phase, dyn, 0], 5);
    this.structAt(0, label, parent);
  }

  /** The structural config of a label after some whitespace; values and items that may start here are entered too. */
  private structAt(ws: number, label: number, parent: number): void {
    const { labels } = this;
    const l = labels.offsets[label]!;
    const object = labels.data[l] === FRAME.object;
    const id = labels.data[l + 1]!;
    const phase = labels.data[l + 2]!;
    const dyn = labels.data[l + 3]!;
    const prop = labels.data[l + 4]!;
    let own = true;
    if (object && phase === PHASE.value) {
      const expr = this.grammar.exprs[id] as ObjectExpr;
      const value = prop >= 0 ? expr.properties[prop]!.value : expr.dynamic[-1 - prop]!.value;
      this.pend(value, this.push(this.labels.intern([FRAME.object, id, PHASE.after, dyn, 0], 5), parent));
      own = false;
    } else if (!object && (phase === PHASE.first || phase === PHASE.next)) {
      const states = this.arrayStates(id);
      for (const v of states.next(dyn)) {
        const after = states.after(dyn, v);
        if (after >= 0)
          this.pend(v.value, this.push(this.labels.intern([FRAME.array, id, PHASE.after, after, 0], 5), parent));
      }
      own = phase === PHASE.first && states.canClose(dyn);
    }
    if (own || whitespaceGoesOn(this.grammar.whitespace, ws))
      this.add(STRUCT, ws, this.forgetful ? this.captures.empty : 0, this.push(label, parent));
  }

  private structStep(ws: number, capture: number, stack: number, b: number): void {
    this.forgetful = capture === this.captures.empty;
    this.structBelow(ws, stack, b);
    this.forgetful = false;
  }

  private structBelow(ws: number, stack: number, b: number): void {
    const { stacks, labels, grammar } = this;
    const from = stacks.offsets[stack]!;
    const to = stacks.offsets[stack + 1]!;
    for (let i = from; i < to; i += 2) {
      const label = stacks.data[i]!;
      const parent = stacks.data[i + 1]!;
      const l = labels.offsets[label]!;
      const object = labels.data[l] === FRAME.object;
      const phase = labels.data[l + 2]!;
      if (phase !== PHASE.open && (b === 0x20 || b === 0x0a || b === 0x0d || b === 0x09)) {
        const next = whitespaceStep(grammar.whitespace, ws, b);
        if (next >= 0) this.structAt(next, label, parent);
        continue;
      }
      const id = labels.data[l + 1]!;
      const dyn = labels.data[l + 3]!;
      if (object) this.objectStep(id, phase, dyn, labels.data[l + 4]!, parent, b);
      else this.arrayStep(id, phase, dyn, parent, b);
    }
  }

  private objectStep(id: ExprId, phase: number, o: number, prop: number, parent: number, b: number): void {
    switch (phase) {
      case PHASE.open:
        if (b === 0x7b) this.structure(FRAME.object, id, PHASE.first, o, 0, parent);
        return;
      case PHASE.first:
        if (b === 0x22) this.startKey(id, o, parent);
        else if (b === 0x7d && this.objectStates(id).canClose(o)) this.complete(parent);
        return;
      case PHASE.next:
        if (b === 0x22) this.startKey(id, o, parent);
        return;
      case PHASE.colon:
        if (b === 0x3a) this.structure(FRAME.object, id, PHASE.value, o, prop, parent);
        return;
      case PHASE.after:
        if (b === 0x2c) {
          const states = this.objectStates(id);
          if (states.hasForgotten(o) && states.beginningDependsOnKeys) this.add(BOTTOM, 0, 0, 0);
          else if (states.allowsAnyKey(o)) this.structure(FRAME.object, id, PHASE.next, o, 0, parent);
        } else if (b === 0x7d && this.objectStates(id).canClose(o)) this.complete(parent);
        return;
    }
  }

  private arrayStep(id: ExprId, phase: number, a: number, parent: number, b: number): void {
    switch (phase) {
      case PHASE.open:
        if (b === 0x5b) this.structure(FRAME.array, id, PHASE.first, a, 0, parent);
        return;
      case PHASE.first:
        if (b === 0x5d && this.arrayStates(id).canClose(a)) this.complete(parent);
        return;
      case PHASE.after:
        if (b === 0x2c) {
          const states = this.arrayStates(id);
          if (states.hasForgotten(a) && this.itemsAreFinite(id, a)) this.add(BOTTOM, 0, 0, 0);
          else if (states.canContinue(a) && this.hasItemLeft(id, a))
            this.structure(FRAME.array, id, PHASE.next, a, 0, parent);
        } else if (b === 0x5d && this.arrayStates(id).canClose(a)) this.complete(parent);
        return;
    }
  }

  /** After the opening quote of a key: declared names, and each dynamic class. */
  private startKey(id: ExprId, o: number, parent: number): void {
    const states = this.objectStates(id);
    if (states.hasForgotten(o) && states.beginningDependsOnKeys) {
      this.add(BOTTOM, 0, 0, 0);
      return;
    }
    if (states.allowsAnyDeclared(o)) {
      const q = this.pool.stringAt(this.pool.terms.nameNode(states.nameRoot));
      this.add(NAME, q, 0, this.push(this.labels.intern([FRAME.object, id, PHASE.key, o, 0], 5), parent));
    }
    const classes = states.expr.dynamic.length;
    for (let c = 0; c < classes; c++) {
      if (!states.allowsDynamic(o, c)) continue;
      const q = this.pool.stringAt(states.dynamicTerm(o, c));
      if (q !== DEAD)
        this.add(
          DYN,
          q,
          states.remembersKeys && !this.forgetful ? this.captures.empty : this.captures.none,
          this.push(this.labels.intern([FRAME.object, id, PHASE.key, o, -1 - c], 5), parent),
        );
    }
  }

  private nameStep(a: number, stack: number, b: number): void {
    const q = this.pool.step(a, b);
    if (q === DEAD) return;
    const { stacks, labels, pool } = this;
    const { names } = pool.terms;
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
        const p = names.nameAt(pool.terms.asNameNode(pool.termOf(q)));
        if (states.allows(o, p)) this.structure(FRAME.object, id, PHASE.colon, states.afterDeclared(o, p), p, parent);
      } else if (
        pool.someTarget(q, (t) => {
          const node = pool.terms.asNameNode(t);
          return node >= 0 && states.allowsBelow(o, node);
        })
      )
        this.add(NAME, q, 0, this.push(label, parent));
    }
  }

  private dynamicStep(a: number, capture: number, stack: number, b: number): void {
    const q = this.pool.step(a, b);
    if (q === DEAD) return;
    if (!this.pool.isFinal(q)) {
      this.add(DYN, q, this.captures.append(capture, b), stack);
      return;
    }
    this.endDynamic(stack, this.captures.key(capture), capture === this.captures.apart);
  }

  /** A dynamic key has ended; `key` undefined where it was not captured, `apart` where it may be taken for a new one. */
  private endDynamic(stack: number, key: string | undefined, apart = false): void {
    const { stacks, labels } = this;
    const from = stacks.offsets[stack]!;
    const to = stacks.offsets[stack + 1]!;
    for (let i = from; i < to; i += 2) {
      const parent = stacks.data[i + 1]!;
      const l = labels.offsets[stacks.data[i]!]!;
      const id = labels.data[l + 1]!;
      const c = -1 - labels.data[l + 4]!;
      const o = labels.data[l + 3]!;
      const states = this.objectStates(id);
      if (states.hasForgotten(o)) {
        this.add(BOTTOM, 0, 0, 0);
        continue;
      }
      const after = states.afterDynamic(o, c, key, apart);
      if (states.expr.witnesses > 0 && key !== undefined && !states.witnessesReachable(after)) continue;
      this.structure(FRAME.object, id, PHASE.colon, after, -1 - c, parent);
    }
  }

  // ---- unique items -------------------------------------------------------------------------------------------------

  private captureOf(state: number): number {
    const { configs, states } = this;
    for (let i = states.offsets[state]!, end = states.offsets[state + 1]!; i < end; i++) {
      const o = configs.offsets[states.data[i]!]!;
      if (configs.data[o] === CAPTURE) return configs.data[o + 1]!;
    }
    return -1;
  }

  /** Whether some config of the step lies inside an object or array that is an item of an array with unique items. */
  private mustCapture(): boolean {
    const { out, stacks } = this;
    for (let i = 0; i < out.length; i += 4) {
      const kind = out[i]!;
      if (kind === END || kind === BOTTOM || kind === CAPTURE) continue;
      // The top frame is being read itself; items in progress are below it.
      const stack = out[i + 3]!;
      for (let j = stacks.offsets[stack]!; j < stacks.offsets[stack + 1]!; j += 2) {
        const parent = stacks.data[j + 1]!;
        if (parent >= 0 && this.isUniqueBelow(parent)) return true;
      }
    }
    return false;
  }

  private isUniqueBelow(stack: number): boolean {
    const known = this.uniqueBelow[stack];
    if (known !== undefined) return known;
    const { stacks, labels } = this;
    let found = false;
    for (let i = stacks.offsets[stack]!, end = stacks.offsets[stack + 1]!; i < end && !found; i += 2) {
      const l = labels.offsets[stacks.data[i]!]!;
      const parent = stacks.data[i + 1]!;
      found = this.isUniqueArray(l) || (parent >= 0 && this.isUniqueBelow(parent));
    }
    this.uniqueBelow[stack] = found;
    return found;
  }

  private isUniqueArray(l: number): boolean {
    return this.labels.data[l] === FRAME.array && (this.grammar.exprs[this.labels.data[l + 1]!] as ArrayExpr).unique;
  }

  /** Enters a scalar as item of unique arrays: its lexeme less the values used. Returns the stack's other edges, -1 if none. */
  private uniqueItems(q: number, stack: number): number {
    const { stacks, labels, pool } = this;
    const others: number[] = [];
    const string = !pool.isTextContent(q);
    const term = pool.termOf(q);
    for (let i = stacks.offsets[stack]!, end = stacks.offsets[stack + 1]!; i < end; i += 2) {
      const label = stacks.data[i]!;
      const parent = stacks.data[i + 1]!;
      const l = labels.offsets[label]!;
      if (!this.isUniqueArray(l)) {
        others.push(label, parent);
        continue;
      }
      const states = this.arrayStates(labels.data[l + 1]!);
      const a = labels.data[l + 3]!;
      const less = string ? pool.stringOpen(states.stringTerm(a, term)) : pool.textAt(states.textTerm(a, term));
      if (less !== DEAD) this.add(ITEM, less, this.captures.empty, this.push(label, parent));
    }
    if (others.length === 0) return -1;
    return others.length === stacks.offsets[stack + 1]! - stacks.offsets[stack]!
      ? stack
      : stacks.intern(others, others.length);
  }

  /** Notes in the frames of unique arrays where an object or array item begins. */
  private markItem(stack: number): number {
    const { stacks, labels } = this;
    let marked: number[] | undefined;
    const from = stacks.offsets[stack]!;
    for (let i = from, end = stacks.offsets[stack + 1]!; i < end; i += 2) {
      const l = labels.offsets[stacks.data[i]!]!;
      if (!this.isUniqueArray(l)) continue;
      if (this.capture < 0) this.capture = this.captures.empty;
      marked ??= Array.from(stacks.data.subarray(from, end));
      marked[i - from] = labels.intern(
        [FRAME.array, labels.data[l + 1]!, PHASE.after, labels.data[l + 3]!, this.captures.lengthOf(this.capture)],
        5,
      );
    }
    if (marked === undefined) return stack;
    if (marked.length === 2) return stacks.intern(marked, 2);
    let all = -1;
    for (let i = 0; i < marked.length; i += 2) {
      const one = this.push(marked[i]!, marked[i + 1]!);
      all = all < 0 ? one : this.union(all, one);
    }
    return all;
  }

  private itemStep(a: number, capture: number, stack: number, b: number): void {
    const q = this.pool.step(a, b);
    if (q === DEAD) return;
    const text = this.captures.append(capture, b);
    if (this.pool.accepts(q)) this.endItem(stack, this.captures.text(text));
    if (!this.pool.isFinal(q)) this.add(ITEM, q, text, stack);
  }

  /** A scalar item of unique arrays has ended; `text` undefined where it was not captured. */
  private endItem(stack: number, text: string | undefined): void {
    const { stacks, labels } = this;
    const from = stacks.offsets[stack]!;
    const to = stacks.offsets[stack + 1]!;
    for (let i = from; i < to; i += 2) {
      const parent = stacks.data[i + 1]!;
      const l = labels.offsets[stacks.data[i]!]!;
      const id = labels.data[l + 1]!;
      const a = labels.data[l + 3]!;
      const states = this.arrayStates(id);
      if (states.hasForgotten(a)) this.add(BOTTOM, 0, 0, 0);
      else {
        const after = text === undefined ? states.forget(a) : states.useScalar(a, text);
        this.structure(FRAME.array, id, PHASE.after, after, 0, parent);
      }
    }
  }

  /** An object or array item has ended: the array's state with it, or -1 where it is a duplicate. */
  private endValue(id: ExprId, a: number, start: number): number {
    const states = this.arrayStates(id);
    if (!states.expr.unique) return a;
    const text = this.capture < 0 ? undefined : this.captures.text(this.capture, start);
    if (text !== undefined && !states.hasForgotten(a)) {
      const after = states.useValue(a, text);
      if (after >= 0) this.endedAnew = true;
      return after;
    }
    if (states.hasForgotten(a) || (states.hasValues(a) && this.capture !== this.captures.apart)) {
      this.add(BOTTOM, 0, 0, 0);
      return -1;
    }
    return states.forget(a);
  }

  /**
   * Whether an object or array item in progress could end as one that its array already has; with `onlyTraps`, only where it might
   * be unable to end otherwise.
   */
  couldRepeat(state: number, onlyTraps = false): boolean {
    if (!this.hasUnique) return false;
    const capture = this.captureOf(state);
    if (capture < 0 || capture === this.captures.apart) return false;
    if (capture === this.captures.none) return true;
    const { configs, states } = this;
    const seen = new Set<number>();
    for (let i = states.offsets[state]!, end = states.offsets[state + 1]!; i < end; i++) {
      const o = configs.offsets[states.data[i]!]!;
      const kind = configs.data[o]!;
      if (kind === END || kind === BOTTOM || kind === CAPTURE) continue;
      // The top frame is being read itself; items in progress are below it.
      const stack = configs.data[o + 3]!;
      for (let j = this.stacks.offsets[stack]!; j < this.stacks.offsets[stack + 1]!; j += 2) {
        const parent = this.stacks.data[j + 1]!;
        if (parent >= 0 && this.repeatsBelow(parent, onlyTraps ? this.stacks.data[j]! : -1, capture, seen)) return true;
      }
    }
    return false;
  }

  /** Whether an item (the frame right above its array's) can always be made different by one more member or element. */
  private staysOpen(label: number): boolean {
    const { labels } = this;
    const l = labels.offsets[label]!;
    const expr = this.grammar.exprs[labels.data[l + 1]!]!;
    if (labels.data[l] === FRAME.object && expr.op === 'object') {
      return (
        expr.maxProperties === Number.POSITIVE_INFINITY &&
        expr.dynamic.length > 0 &&
        !this.objectStates(labels.data[l + 1]!).beginningDependsOnKeys
      );
    }
    return (
      labels.data[l] === FRAME.array &&
      expr.op === 'array' &&
      !expr.unique &&
      expr.rest.length > 0 &&
      expr.maxItems === Number.POSITIVE_INFINITY &&
      expr.counters.every((c) => c.max === Number.POSITIVE_INFINITY)
    );
  }

  private repeatsBelow(stack: number, below: number, capture: number, seen: Set<number>): boolean {
    if (seen.has(stack) || !this.isUniqueBelow(stack)) return false;
    seen.add(stack);
    const { stacks, labels } = this;
    for (let i = stacks.offsets[stack]!, end = stacks.offsets[stack + 1]!; i < end; i += 2) {
      const l = labels.offsets[stacks.data[i]!]!;
      const parent = stacks.data[i + 1]!;
      if (this.isUniqueArray(l)) {
        const states = this.arrayStates(labels.data[l + 1]!);
        const a = labels.data[l + 3]!;
        const open = !states.hasValues(a) || (below >= 0 && this.staysOpen(below));
        if (!open && states.couldRepeat(a, this.captures.text(capture, labels.data[l + 4]!) ?? '')) return true;
      }
      if (parent >= 0 && this.repeatsBelow(parent, below < 0 ? -1 : stacks.data[i]!, capture, seen)) return true;
    }
    return false;
  }

  /**
   * Whether the item in progress can still end as a new one: a search for some end, most likely bytes first. Gives up as "yes" after
   * many states: an item with so many ways on has a new one among them.
   */
  private canEndAnew(state: number): boolean {
    if (this.endsAnew[state] === true) return true;
    const path: { readonly state: number; readonly bytes: readonly number[]; next: number }[] = [];
    const seen = new Set<number>([state]);
    path.push({ state, bytes: this.likelyBytes(state), next: 0 });
    let budget = SEARCH_STATES;
    while (path.length > 0) {
      const top = path[path.length - 1]!;
      if (top.next >= top.bytes.length) {
        path.pop();
        continue;
      }
      this.endedAnew = false;
      const next = this.compute(top.state, top.bytes[top.next++]!);
      if (next === DEAD) continue;
      if (this.endedAnew || this.endsAnew[next] === true || --budget === 0) {
        for (const p of path) this.endsAnew[p.state] = true;
        return true;
      }
      if (seen.has(next)) continue;
      seen.add(next);
      path.push({ state: next, bytes: this.likelyBytes(next), next: 0 });
    }
    return false;
  }

  private likelyBytes(state: number): readonly number[] {
    const bits = this.nextBytes(state);
    const has = (b: number): boolean => ((bits[b >> 5]! >>> (b & 31)) & 1) === 1;
    const out = LIKELY.filter(has);
    for (let b = 0x21; b < 256; b++) if (has(b) && !LIKELY.includes(b)) out.push(b);
    if (has(0x20) && !out.includes(0x20)) out.push(0x20);
    return out;
  }

  /** Whether some value that was not used could be the next item. */
  private hasItemLeft(id: ExprId, a: number): boolean {
    const states = this.arrayStates(id);
    if (!states.expr.unique) return true;
    for (const v of states.next(a)) if (this.hasValueLeft(v.value, states, a)) return true;
    return false;
  }

  private hasValueLeft(value: ExprId, states: ArrayStates, a: number): boolean {
    const { terms } = this.pool;
    const expr = this.grammar.exprs[value]!;
    switch (expr.op) {
      case 'string':
        return !terms.isEmpty(states.stringTerm(a, terms.intern(expr.re)));
      case 'text':
        return !terms.isEmpty(states.textTerm(a, terms.intern(expr.re)));
      case 'rule':
        return this.hasValueLeft(expr.body, states, a);
      case 'alt':
        return expr.items.some((item) => this.hasValueLeft(item, states, a));
      default:
        return true;
    }
  }

  /** Whether the values of the next item are so few that one that was forgotten could matter. */
  private itemsAreFinite(id: ExprId, a: number): boolean {
    const states = this.arrayStates(id);
    const few = (value: ExprId): boolean => {
      const { terms } = this.pool;
      const expr = this.grammar.exprs[value]!;
      if (expr.op === 'string' || expr.op === 'text') return terms.countUpTo(terms.intern(expr.re), 4096) < 4096;
      if (expr.op === 'rule') return few(expr.body);
      if (expr.op === 'alt') return expr.items.every(few);
      return false;
    };
    return states.next(a).every((v) => few(v.value));
  }

  /**
   * State after the lexeme on top of a stack has ended, for a plain lexeme (LEX), or for a dynamic key (DYN) or unique item (ITEM)
   * that is not remembered; DEAD where the kind is another. Walks from a forgotten key report `reachedBottom` where the key would have mattered.
   */
  afterLexeme(kind: number, stack: number): number {
    const known = this.afterStack[stack];
    if (known !== undefined) return known;
    this.begin();
    if (this.hasUnique && this.isUniqueBelow(stack)) this.capture = this.captures.none;
    if (kind === LEX) this.complete(stack);
    else if (kind === DYN) this.endDynamic(stack, undefined);
    else if (kind === ITEM) this.endItem(stack, undefined);
    const state = this.finish();
    this.afterStack[stack] = state;
    return state;
  }
}

function ascending(a: number, b: number): number {
  return a - b;
}
