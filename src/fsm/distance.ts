/**
 * How far a state is from complete, in bytes, with a rule that never leads astray.
 *
 * Exact shortest completions are hard in general (witnesses, implications), and are not needed: a budget needs a number W with
 * W = 0 exactly at complete states and, for every other state, some byte after which W is smaller. Here W adds up over the
 * frames: what the lexeme still needs, then what each frame needs by a fixed policy (an object closes as soon as it may, else
 * takes its first missing property; an array the nearest counters). Distances of expressions are a least fixpoint over the
 * grammar (least-values.ts).
 */
import type { ArrayExpr, ExprId, Grammar, ObjectExpr } from '../grammar/ir.js';
import { CAPTURE, DYN, END, FRAME, ITEM, LEX, NAME, PHASE, STRUCT, TOKEN } from './layout.js';
import { lowerAll } from './least-values.js';
import type { LexemePool } from './lexeme.js';
import { keyBytes, type Moves, type ObjectPolicy } from './object-policy.js';
import type { Recognizer } from './recognizer.js';

const FAR = Number.POSITIVE_INFINITY;

export class Distances {
  private readonly exprs: Float64Array;
  private readonly stacks: (number | undefined)[] = [];
  private readonly states: (number | undefined)[] = [];
  private readonly objects = new Map<number, number>();
  private readonly arrays = new Map<number, number>();
  private readonly needed = new Map<number, number>();
  private readonly grammar: Grammar;
  private readonly pool: LexemePool;
  private readonly ofValue = (id: ExprId): number => this.exprs[id]!;

  constructor(private readonly recognizer: Recognizer) {
    this.grammar = recognizer.grammar;
    this.pool = recognizer.pool;
    this.exprs = new Float64Array(this.grammar.exprs.length).fill(FAR);
    this.solve();
  }

  /** Bytes (token terminals count as one) by the policy until the text is complete. */
  of(state: number): number {
    const known = this.states[state];
    if (known !== undefined) return known;
    const { states } = this.recognizer;
    let best = FAR;
    for (let i = states.offsets[state]!, end = states.offsets[state + 1]!; i < end; i++)
      best = Math.min(best, this.config(states.data[i]!));
    this.states[state] = best;
    return best;
  }

  private config(config: number): number {
    const { configs, stacks, labels } = this.recognizer;
    const o = configs.offsets[config]!;
    const kind = configs.data[o]!;
    const a = configs.data[o + 1]!;
    const stack = configs.data[o + 3]!;
    if (kind === END) return 0;
    if (kind === CAPTURE) return FAR;
    if (kind === LEX || kind === ITEM) return this.pool.distance(a) + this.stack(stack);
    if (kind === TOKEN) return 1 + this.stack(stack);
    let best = FAR;
    for (let i = stacks.offsets[stack]!, end = stacks.offsets[stack + 1]!; i < end; i += 2) {
      const parent = stacks.data[i + 1]!;
      const l = labels.offsets[stacks.data[i]!]!;
      const id = labels.data[l + 1]!;
      const dyn = labels.data[l + 3]!;
      const last = labels.data[l + 4]!;
      let d = FAR;
      if (kind === NAME) d = this.name(id, dyn, a);
      else if (kind === DYN) {
        const c = -1 - last;
        d =
          this.pool.distance(a) +
          1 +
          this.exprs[this.objectExpr(id).dynamic[c]!.value]! +
          this.afterDynamic(id, dyn, c);
      } else if (kind === STRUCT)
        d =
          labels.data[l] === FRAME.object
            ? this.objectPhase(id, labels.data[l + 2]!, dyn, last)
            : this.arrayPhase(id, labels.data[l + 2]!, dyn);
      best = Math.min(best, d + this.stack(parent));
    }
    return best;
  }

  /** What a stack needs once its top is complete. Iterative along single-edge chains, which may be deep. */
  private stack(stack: number): number {
    const known = this.stacks[stack];
    if (known !== undefined) return known;
    const { stacks } = this.recognizer;
    const chain: number[] = [];
    let at = stack;
    while (this.stacks[at] === undefined && stacks.offsets[at + 1]! - stacks.offsets[at]! === 2) {
      const parent = stacks.data[stacks.offsets[at]! + 1]!;
      if (parent < 0) break;
      chain.push(at);
      at = parent;
    }
    let d = this.stacks[at];
    if (d === undefined) {
      d = FAR;
      for (let i = stacks.offsets[at]!, end = stacks.offsets[at + 1]!; i < end; i += 2) {
        const parent = stacks.data[i + 1]!;
        d = Math.min(d, this.label(stacks.data[i]!) + (parent < 0 ? 0 : this.stack(parent)));
      }
      this.stacks[at] = d;
    }
    for (let i = chain.length - 1; i >= 0; i--) {
      const s = chain[i]!;
      d += this.label(stacks.data[stacks.offsets[s]!]!);
      this.stacks[s] = d;
    }
    return d;
  }

  private label(label: number): number {
    const { labels } = this.recognizer;
    const l = labels.offsets[label]!;
    const id = labels.data[l + 1]!;
    switch (labels.data[l]) {
      case FRAME.end:
        return 0;
      case FRAME.seq: {
        const expr = this.grammar.exprs[id]!;
        let d = 0;
        if (expr.op === 'seq')
          for (let i = labels.data[l + 2]!; i < expr.items.length; i++) d += this.exprs[expr.items[i]!]!;
        return d;
      }
      case FRAME.repeat: {
        const expr = this.grammar.exprs[id]!;
        if (expr.op !== 'repeat') return FAR;
        const left = Math.max(0, expr.min - labels.data[l + 2]!);
        return left === 0 ? 0 : left * this.exprs[expr.item]!;
      }
      case FRAME.object:
        return this.objectPhase(id, PHASE.after, labels.data[l + 3]!, 0);
      case FRAME.array:
        return this.arrayPhase(id, PHASE.after, labels.data[l + 3]!);
      default:
        return FAR;
    }
  }

  /** Key of an object's or array's state. */
  private key(state: number, id: ExprId): number {
    return state * this.grammar.exprs.length + id;
  }

  // ---- objects ------------------------------------------------------------------------------------------------------

  private objectExpr(id: ExprId): ObjectExpr {
    return this.grammar.exprs[id] as ObjectExpr;
  }

  private objectPhase(id: ExprId, phase: number, o: number, value: ExprId): number {
    switch (phase) {
      case PHASE.open:
        return 1 + this.objectFrom(id, o, true);
      case PHASE.first:
        return this.objectFrom(id, o, true);
      case PHASE.next:
        return this.objectFrom(id, o, false);
      case PHASE.colon:
        return 1 + this.exprs[value]! + this.afterMember(id, o);
      case PHASE.value:
        return this.exprs[value]! + this.afterMember(id, o);
      default:
        return this.afterMember(id, o);
    }
  }

  /** After a member: close, or a comma and the rest. */
  private afterMember(id: ExprId, o: number): number {
    return this.recognizer.objectStates(id).canClose(o) ? 1 : 1 + this.objectFrom(id, o, false);
  }

  /** Where a key must come (or, at the start, may not): by the policy, memoised over (object, state). */
  private objectFrom(id: ExprId, o: number, first: boolean): number {
    const states = this.recognizer.objectStates(id);
    if (first && states.canClose(o)) return 1;
    // Follow the policy with a loop, then note the sums backwards: objects may have thousands of properties.
    const chain: { readonly key: number; readonly cost: number }[] = [];
    let at = o;
    let d: number;
    for (;;) {
      const key = this.key(at, id);
      const known = this.objects.get(key);
      if (known !== undefined) {
        d = known;
        break;
      }
      const move = this.moves(states.policy, at);
      if (move === undefined) {
        d = FAR;
        break;
      }
      at = move.after;
      const closes = states.canClose(at);
      chain.push({ key, cost: move.bytes + (closes ? 0 : 1) });
      if (closes) {
        d = 1;
        break;
      }
    }
    for (let i = chain.length - 1; i >= 0; i--) {
      d += chain[i]!.cost;
      this.objects.set(chain[i]!.key, d);
    }
    return d;
  }

  /** The members that the policy adds next, as many as are known at once. */
  private moves(policy: ObjectPolicy, o: number): Moves | undefined {
    const needed = policy.needed(o, this.ofValue);
    if (needed !== undefined) return needed;
    const move = policy.next(o, this.ofValue);
    return move && { after: move.after, bytes: move.bytes + 1 + this.exprs[move.value]! };
  }

  private afterDynamic(id: ExprId, o: number, c: number): number {
    return this.afterMember(id, this.recognizer.objectStates(id).afterDynamic(o, c, undefined, true));
  }

  /**
   * Inside a declared name: the cheapest allowed name that begins so, with what follows it. Where properties are still needed, the one that the policy wants
   * if it begins so, else the allowed one with the shortest rest and value: to weigh what comes after each of n names for each of n members would
   * make n² states. (Optional members are always weighed: the first one may hold the object itself, and so on without end.)
   */
  private name(id: ExprId, o: number, q: number): number {
    const states = this.recognizer.objectStates(id);
    const { properties } = this.objectExpr(id);
    const { names } = this.pool.terms;
    const wanted = this.neededName(id, o);
    let least = FAR;
    let pick = -1;
    const consider = (term: number, spent: number): void => {
      const node = this.pool.terms.asNameNode(term);
      if (node < 0) return;
      for (let place = names.rangeStart(node), end = names.rangeEnd(node); place < end; place++) {
        const p = states.names.at(place);
        if (pick >= 0 && pick === wanted) return;
        if (p !== wanted && !(states.allows(o, p) && states.policy.canBeEnded(p, this.ofValue))) continue;
        let d = spent + keyBytes(properties[p]!.name, names.depthOf(node)) + 1 + this.exprs[properties[p]!.value]!;
        if (wanted < 0) d += this.afterMember(id, states.afterDeclared(o, p));
        if (p !== wanted && d >= least) continue;
        least = d;
        pick = p;
      }
    };
    this.pool.eachTarget(q, consider);
    if (pick < 0 || wanted < 0) return least;
    return least + this.afterMember(id, states.afterDeclared(o, pick));
  }

  /** The property that the policy adds next because it is needed, or -1. */
  private neededName(id: ExprId, o: number): number {
    const key = this.key(o, id);
    let needed = this.needed.get(key);
    if (needed === undefined) {
      const states = this.recognizer.objectStates(id);
      const p = states.policy.next(o, this.ofValue)?.property ?? -1;
      needed = p >= 0 && states.needs(o, p) ? p : -1;
      this.needed.set(key, needed);
    }
    return needed;
  }

  // ---- arrays -------------------------------------------------------------------------------------------------------

  private arrayPhase(id: ExprId, phase: number, a: number): number {
    const states = this.recognizer.arrayStates(id);
    switch (phase) {
      case PHASE.open:
        return 2 + this.items(id, a);
      case PHASE.first:
        return 1 + this.items(id, a);
      case PHASE.next:
        return this.oneItem(id, a);
      default:
        return states.canClose(a) ? 1 : 1 + this.oneItem(id, a);
    }
  }

  private items(id: ExprId, a: number): number {
    return this.recognizer.arrayStates(id).canClose(a) ? 0 : this.oneItem(id, a) - 1;
  }

  /** An item and all that must follow it, the closing bracket included. */
  private oneItem(id: ExprId, a: number): number {
    const known = this.arrays.get(this.key(a, id));
    if (known !== undefined) return known;
    const states = this.recognizer.arrayStates(id);
    // Cheapest way to a state that may close: Dijkstra over the (small, clamped) states.
    const best = new Map<number, number>([[a, 0]]);
    const from = new Map<number, number>();
    const open: [number, number][] = [[0, a]];
    let answer = FAR;
    let last = a;
    while (open.length > 0) {
      let m = 0;
      for (let i = 1; i < open.length; i++) if (open[i]![0] < open[m]![0]) m = i;
      const [d, s] = open.splice(m, 1)[0]!;
      if (d >= answer) break;
      if (best.get(s)! < d) continue;
      for (const v of states.next(s)) {
        const t = states.after(s, v);
        if (t < 0) continue;
        const cost = d + this.exprs[v.value]!;
        if (states.canClose(t)) {
          if (cost + 1 >= answer) continue;
          answer = cost + 1;
          last = s;
        } else if (cost + 1 < (best.get(t) ?? FAR)) {
          best.set(t, cost + 1);
          from.set(t, s);
          open.push([cost + 1, t]);
        }
      }
    }
    // Every state on the cheapest way learns its own: arrays of thousands of items are walked one by one.
    if (answer !== FAR)
      for (let s: number | undefined = last; s !== undefined; s = from.get(s))
        this.arrays.set(this.key(s, id), answer - best.get(s)!);
    return answer;
  }

  // ---- expressions --------------------------------------------------------------------------------------------------

  private solve(): void {
    lowerAll(this.grammar, this.exprs, (id) => {
      // What was found with other distances of values is no longer so.
      this.objects.clear();
      this.arrays.clear();
      return this.expr(id);
    });
    this.objects.clear();
    this.arrays.clear();
  }

  private expr(id: ExprId): number {
    const expr = this.grammar.exprs[id]!;
    switch (expr.op) {
      case 'empty':
        return 0;
      case 'never':
        return FAR;
      case 'text': {
        const q = this.pool.text(expr.re);
        return q < 0 ? FAR : this.pool.distance(q);
      }
      case 'string': {
        const q = this.pool.string(expr.re);
        return q < 0 ? FAR : this.pool.distance(q);
      }
      case 'token':
        return 1;
      case 'seq': {
        let d = 0;
        for (const item of expr.items) d += this.exprs[item]!;
        return d;
      }
      case 'alt': {
        let d = FAR;
        for (const item of expr.items) d = Math.min(d, this.exprs[item]!);
        return d;
      }
      case 'rule':
        return this.exprs[expr.body]!;
      case 'repeat':
        return expr.min === 0 ? 0 : expr.min * this.exprs[expr.item]!;
      case 'object':
        return this.quick(expr) ?? this.objectPhase(id, PHASE.open, this.recognizer.objectStates(id).start, 0);
      case 'array':
        return this.quickArray(expr) ?? this.arrayPhase(id, PHASE.open, this.recognizer.arrayStates(id).start);
    }
  }

  /** Objects that may be empty need no states. */
  private quick(expr: ObjectExpr): number | undefined {
    if (expr.minProperties > 0 || expr.witnesses > 0) return undefined;
    for (const p of expr.properties) if (p.required) return undefined;
    return 2;
  }

  private quickArray(expr: ArrayExpr): number | undefined {
    return expr.minItems === 0 && expr.counters.every((c) => c.min === 0) ? 2 : undefined;
  }
}
