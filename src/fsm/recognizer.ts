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
 * The parts: tables.ts (what is interned), step.ts (the set being built), closure.ts (expressions and frames), structure.ts (objects,
 * arrays, keys), unique-items.ts and unique-search.ts (arrays with unique items). Here a state is stepped, and steps are remembered.
 *
 * Invariants: every config is live; a state is closed (what may follow a lexeme that may end is in the set); DEAD is no state.
 * Left recursion is the front end's to remove. Memory only grows; the owner replaces the whole recognizer past its limit.
 */
import { PairMap, TupleTable } from '../base/tuple-table.js';
import type { ExprId, Grammar } from '../grammar/ir.js';
import type { ArrayStates } from './array-state.js';
import type { Captures } from './captures.js';
import { Closure } from './closure.js';
import { DEAD, DYN, FRAME, ITEM, LEX, NAME, STRUCT, TOKEN } from './layout.js';
import type { LexemePool } from './lexeme.js';
import { nextBytes } from './next-bytes.js';
import type { ObjectStates } from './object-state.js';
import { Step } from './step.js';
import { Tables } from './tables.js';
import { UniqueSearch } from './unique-search.js';
import { isBlank } from './whitespace.js';

export class Recognizer {
  readonly labels: TupleTable;
  readonly stacks: TupleTable;
  readonly configs: TupleTable;
  readonly states: TupleTable;
  readonly captures: Captures;
  readonly start: number;
  private readonly tables = new Tables();
  private readonly building: Step;
  private readonly closure: Closure;
  private readonly search: UniqueSearch;
  readonly hasUnique: boolean;
  private readonly transitions = new PairMap(256);
  private readonly afterStack: (number | undefined)[] = [];
  private readonly afterUnlikes: (number | undefined)[] = [];
  private readonly forced: (number | undefined)[] = [];
  private readonly nextSets: (Int32Array | undefined)[] = [];
  private readonly byteSetIds = new TupleTable(16);
  private readonly byteSets: Int32Array[] = [];
  private readonly nextSet = new Int32Array(8);

  constructor(
    readonly grammar: Grammar,
    readonly pool: LexemePool,
  ) {
    const { tables } = this;
    this.labels = tables.labels;
    this.stacks = tables.stacks;
    this.configs = tables.configs;
    this.states = tables.states;
    this.captures = tables.captures;
    this.building = new Step(tables, grammar.exprs.length);
    this.closure = new Closure(grammar, pool, tables, this.building);
    this.hasUnique = this.closure.unique.exist;
    this.search = new UniqueSearch(grammar, tables, this.closure.structures, this.closure.unique, {
      nextBytes: (state) => this.nextBytes(state),
      inLexeme: (state, byte) => this.inLexeme(state, byte),
      compute: (state, byte) => this.compute(state, byte),
    });
    this.building.begin();
    this.building.pend(grammar.start, tables.push(tables.labels.intern([FRAME.end], 1), -1));
    this.start = this.closure.finish();
  }

  get bytes(): number {
    return this.tables.bytes + this.transitions.bytes + this.closure.structures.bytes + this.states.count * 48;
  }

  // ---- reading states -----------------------------------------------------------------------------------------------

  /** Whether the text may end in this state. */
  accepts(state: number): boolean {
    return this.tables.accepts(state);
  }

  /** Whether the walk reached the cut of a truncated stack (see bottomless.ts). */
  reachedBottom(state: number): boolean {
    return this.tables.reachedBottom(state);
  }

  /** Whether some config waits for a token terminal. */
  wantsToken(state: number): boolean {
    return this.tables.wantsToken(state);
  }

  objectStates(id: ExprId): ObjectStates {
    return this.closure.structures.objectStates(id);
  }

  arrayStates(id: ExprId): ArrayStates {
    return this.closure.structures.arrayStates(id);
  }

  /** The state of a set of configs (ascending config ids). */
  stateOf(configIds: readonly number[]): number {
    return this.tables.stateOf(configIds);
  }

  /** A superset of the bytes that may come next, as eight words; exact up to names that are no longer allowed. Cached. */
  nextBytes(state: number): Int32Array {
    let known = this.nextSets[state];
    if (known === undefined) {
      const set = this.nextSet;
      nextBytes(this.tables, this.pool, this.grammar.whitespace, state, set);
      // Few different sets: one array each, not one a state.
      const id = this.byteSetIds.intern(set, 8);
      this.byteSets[id] ??= set.slice();
      known = this.byteSets[id];
      this.nextSets[state] = known;
    }
    return known;
  }

  /** The only byte that may come next, or -1 where there are several, none, or the text may end here. Cached. */
  forcedByte(state: number): number {
    let known = this.forced[state];
    if (known === undefined) {
      known = this.findForcedByte(state);
      this.forced[state] = known;
    }
    return known;
  }

  private findForcedByte(state: number): number {
    if (this.accepts(state) || this.wantsToken(state)) return -1;
    let only = -1;
    const bits = this.nextBytes(state);
    for (let b = 0; b < 256; b++) {
      if (((bits[b >> 5]! >>> (b & 31)) & 1) === 0 || this.step(state, b) === DEAD) continue;
      if (only >= 0) return -1;
      only = b;
    }
    return only;
  }

  /** Whether an object or array item in progress could end as one that its array already has. */
  couldRepeat(state: number): boolean {
    return this.hasUnique && this.search.couldRepeat(state);
  }

  /** Whether a config reads an item of an array with unique items that has forgotten one, which may be the same. */
  mayBeForgotten(kind: number, stack: number): boolean {
    return kind === ITEM && this.closure.unique.hasForgotten(stack);
  }

  /** Text that the state remembers of the items being read, or -1. */
  captureOf(state: number): number {
    return this.tables.captureOf(state);
  }

  /** Whether bytes that choose so many members could leave an item in progress unable to end otherwise than as one that its array already has. */
  leadsToTraps(state: number, members: number): boolean {
    return this.hasUnique && this.search.leadsToTraps(state, members);
  }

  // ---- steps --------------------------------------------------------------------------------------------------------

  /** Successor by a byte, or DEAD. Cached. */
  step(state: number, byte: number): number {
    const known = this.transitions.get(state, byte);
    if (known >= 0) return known - 1;
    let next = this.compute(state, byte);
    if (this.hasUnique && next !== DEAD && this.search.isTrap(next)) next = DEAD;
    this.transitions.set(state, byte, next + 1);
    return next;
  }

  /** Successor by a run of bytes, or DEAD. */
  stepAll(state: number, bytes: Uint8Array, from = 0, to = bytes.length): number {
    let s = state;
    for (let i = from; i < to && s !== DEAD; i++) s = this.step(s, bytes[i]!);
    return s;
  }

  /** Successor by a token terminal's token; `allows(expr)` says whether the terminal takes it. DEAD where none does. */
  stepToken(state: number, allows: (expr: ExprId) => boolean): number {
    this.building.begin();
    const { configs, states } = this;
    for (let i = states.offsets[state]!, end = states.offsets[state + 1]!; i < end; i++) {
      const o = configs.offsets[states.data[i]!]!;
      if (configs.data[o] === TOKEN && allows(configs.data[o + 1]!)) this.closure.complete(configs.data[o + 3]!);
    }
    return this.closure.finish();
  }

  /** Whether some lexeme in progress takes the byte, so that it is not whitespace between lexemes. */
  inLexeme(state: number, byte: number): boolean {
    const { configs, states, pool } = this;
    for (let i = states.offsets[state]!, end = states.offsets[state + 1]!; i < end; i++) {
      const o = configs.offsets[states.data[i]!]!;
      const kind = configs.data[o]!;
      const lexeme = kind === LEX || kind === NAME || kind === DYN || kind === ITEM;
      if (lexeme && pool.step(configs.data[o + 1]!, byte) !== DEAD) return true;
    }
    return false;
  }

  private compute(state: number, byte: number): number {
    const { building, closure, configs, states, pool } = this;
    const { structures, unique } = closure;
    building.begin();
    if (this.hasUnique) {
      const c = this.tables.captureOf(state);
      // Blanks between lexemes change no value; without them, texts that differ only there come to the same states.
      if (c >= 0) building.capture = isBlank(byte) && !this.inLexeme(state, byte) ? c : this.captures.append(c, byte);
    }
    for (let i = states.offsets[state]!, end = states.offsets[state + 1]!; i < end; i++) {
      const o = configs.offsets[states.data[i]!]!;
      const kind = configs.data[o]!;
      const a = configs.data[o + 1]!;
      const capture = configs.data[o + 2]!;
      const stack = configs.data[o + 3]!;
      if (kind === LEX) {
        const q = pool.step(a, byte);
        if (q !== DEAD) closure.lexeme(q, stack);
      } else if (kind === STRUCT) structures.read(a, capture, stack, byte);
      else if (kind === NAME) structures.readName(a, stack, byte);
      else if (kind === DYN) structures.readDynamic(a, capture, stack, byte);
      else if (kind === ITEM) unique.read(a, capture, stack, byte);
    }
    return closure.finish();
  }

  /** The state that stands for either of two states. */
  unionStates(x: number, y: number): number {
    if (x === DEAD || x === y) return y;
    if (y === DEAD) return x;
    const { building, configs, states } = this;
    building.begin();
    for (const s of [x, y])
      for (let i = states.offsets[s]!, end = states.offsets[s + 1]!; i < end; i++) {
        const o = configs.offsets[states.data[i]!]!;
        building.add(configs.data[o]!, configs.data[o + 1]!, configs.data[o + 2]!, configs.data[o + 3]!);
      }
    return this.closure.finish();
  }

  /**
   * State after the lexeme on top of a stack has ended, for a plain lexeme (LEX), or for a dynamic key (DYN) or unique item (ITEM)
   * that is not remembered; DEAD where the kind is another. Walks from a forgotten key report `reachedBottom` where the key would have mattered.
   */
  afterLexeme(kind: number, stack: number): number {
    const known = this.afterStack[stack];
    if (known !== undefined) return known;
    const { building, closure } = this;
    building.begin();
    if (this.hasUnique && closure.unique.isBelow(stack)) building.capture = this.captures.none;
    if (kind === LEX) closure.complete(stack);
    else if (kind === DYN) closure.structures.endDynamic(stack, undefined);
    else if (kind === ITEM) closure.unique.endScalar(stack, undefined);
    const state = closure.finish();
    this.afterStack[stack] = state;
    return state;
  }

  /** State after declared names of objects' frames ([label, parent, name, …]) have ended, any of them; the objects' states in outline. */
  afterNames(ends: readonly number[]): number {
    const { building, closure } = this;
    building.begin();
    for (let i = 0; i < ends.length; i += 3) {
      if (this.hasUnique && closure.unique.isBelow(ends[i + 1]!)) building.capture = this.captures.none;
      closure.structures.afterName(ends[i]!, ends[i + 1]!, ends[i + 2]!);
    }
    return closure.finish();
  }

  /** A stack without the texts of the items in progress below its top frame: they are taken to differ from all others (budgets). */
  unlikeStack(stack: number): number {
    return this.hasUnique ? this.closure.unique.unlikeBelow(stack) : stack;
  }

  /** The same as {@link afterLexeme} for budgets: keys and items that end are taken for new ones and not noted. */
  afterUnlike(kind: number, stack: number): number {
    const known = this.afterUnlikes[stack];
    if (known !== undefined) return known;
    const { building, closure } = this;
    building.begin();
    const below = this.unlikeStack(stack);
    if (this.hasUnique && closure.unique.isBelow(stack)) building.capture = this.captures.unlike;
    if (kind === LEX) closure.complete(below);
    else if (kind === DYN) closure.structures.endDynamic(below, undefined, true);
    else if (kind === ITEM) closure.unique.endScalar(below, undefined, true);
    const state = closure.finish();
    this.afterUnlikes[stack] = state;
    return state;
  }
}
