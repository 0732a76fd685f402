/**
 * How a hurried writer ends an object: which member comes next where it may not close yet, and which keys in progress could change
 * that. Budgets count on this policy (budget.ts).
 */
import type { ExprId, ObjectExpr } from '../grammar/ir.js';
import { spelledBytes } from '../regular/distance.js';
import { FirstWords } from './first-words.js';
import type { LexemePool } from './lexeme.js';
import type { ObjectStates } from './object-state.js';

/** Object states whose kept prefixes are remembered at a time. */
const KEPT = 256;

/** The next member: its property (-1 where the key is dynamic), its value, the state after it and the bytes of its key. */
export interface Move {
  readonly property: number;
  readonly value: ExprId;
  readonly after: number;
  readonly bytes: number;
}

/** Members one after another: the state after them and their bytes, with the commas between them. */
export interface Moves {
  readonly after: number;
  readonly bytes: number;
}

export class ObjectPolicy {
  /** Bytes of each property's name with its quotes. */
  private readonly keys: readonly number[];
  private readonly firstKeys: (FirstWords | undefined)[] = [];
  private readonly kept = new Map<number, ReadonlySet<string>>();
  /** Per class, by object state: how many of the first words are known to be excluded in it. */
  private readonly spent: (number | undefined)[][] = [];

  constructor(
    private readonly states: ObjectStates,
    private readonly expr: ObjectExpr,
    private readonly pool: LexemePool,
    private readonly classTerms: readonly number[],
  ) {
    this.keys = expr.properties.map((p) => 1 + keyBytes(p.name, 0));
  }

  /**
   * The member that a hurried writer adds where the object may not close yet: the first allowed property that is needed; else, where a
   * witness is owed, the cheapest key that supplies one; else the first allowed property, else the cheapest dynamic key; undefined where
   * none is allowed. `distance` says what a value takes: members that could never be ended (a value that holds itself) are left out.
   * `bytes` counts the key after its opening quote place: quotes included.
   */
  next(o: number, distance: (value: ExprId) => number): Move | undefined {
    const { states } = this;
    const { properties } = this.expr;
    let pick = -1;
    let missing = false;
    for (let p = states.firstDeclared(o); p < properties.length && !missing; p++) {
      if (!states.allows(o, p)) continue;
      missing = states.needs(o, p);
      if (missing || (pick < 0 && this.canBeEnded(p, distance))) pick = p;
    }
    if (!missing && (states.owed(o) > 0 || pick < 0)) {
      const c = this.cheapestDynamic(o, distance);
      if (c >= 0) {
        return {
          property: -1,
          value: this.expr.dynamic[c]!.value,
          after: this.afterFirst(o, c),
          bytes: 1 + this.pool.distance(this.pool.stringAt(this.states.dynamicTerm(o, c))),
        };
      }
    }
    if (pick < 0) return undefined;
    return {
      property: pick,
      value: properties[pick]!.value,
      after: states.afterDeclared(o, pick),
      bytes: this.keys[pick]!,
    };
  }

  /**
   * What {@link next} adds one after another, as far as it is known without the states between: in order 'any' all members that are needed. Followed one by
   * one they would be n states of n bits for each of the n ways to begin. undefined where that is nothing.
   */
  needed(o: number, distance: (value: ExprId) => number): Moves | undefined {
    const { states } = this;
    if (!states.isUnordered || states.missing(o) === 0) return undefined;
    let bytes = -1;
    states.eachMissing(o, (p) => {
      bytes += this.keys[p]! + 2 + distance(this.expr.properties[p]!.value);
    });
    return { bytes, after: states.afterMissing(o) };
  }

  /** Whether property p and all that it implies have values of finite distance. */
  canBeEnded(p: number, distance: (value: ExprId) => number): boolean {
    const finite = (q: number): boolean => distance(this.expr.properties[q]!.value) < Number.POSITIVE_INFINITY;
    return finite(p) && this.states.impliedBy(p).every(finite);
  }

  /** The dynamic class whose next key and value are the shortest, of those that supply a witness where one is owed; -1 for none. */
  private cheapestDynamic(o: number, distance: (value: ExprId) => number): number {
    const { terms } = this.pool;
    let best = -1;
    let least = Number.POSITIVE_INFINITY;
    for (let c = 0; c < this.classTerms.length; c++) {
      const { value, witness } = this.expr.dynamic[c]!;
      if (!this.states.allowsDynamic(o, c) || (witness === undefined && this.states.owed(o) > 0)) continue;
      const after = distance(value);
      if (after >= least) continue;
      const term = this.states.dynamicTerm(o, c);
      if (terms.isEmpty(term)) continue;
      const d = after + this.pool.distance(this.pool.stringAt(term));
      if (d >= least) continue;
      least = d;
      best = c;
    }
    return best;
  }

  /** State after the dynamic key that {@link next} takes, kept out of what may follow. */
  private afterFirst(o: number, c: number): number {
    const { states } = this;
    if (!states.remembersKeys) return states.afterDynamic(o, c, undefined);
    const i = this.nextFree(o, c, this.spentOf(o, c));
    const after = states.afterDynamic(o, c, this.words(c).at(i));
    // Else each of n keys would be looked for among all those before it.
    this.spent[c]![after] = Math.max(this.spentOf(after, c), i);
    return after;
  }

  /** The first keys of class c that are not excluded, in the order of the policy. */
  private freeKeys(o: number, c: number, count: number): readonly string[] {
    const words = this.words(c);
    const keys: string[] = [];
    for (let i = this.spentOf(o, c); keys.length < count; i++) {
      i = this.nextFree(o, c, i);
      const key = words.at(i);
      if (key === undefined) break;
      keys.push(key);
    }
    return keys;
  }

  /** Place of the first word of class c, from the i-th on, that is not excluded; of none where all are. */
  private nextFree(o: number, c: number, i: number): number {
    const { terms } = this.pool;
    const excluded = this.states.excludedKeys(o);
    const words = this.words(c);
    let at = i;
    for (let key = words.at(at); key !== undefined && terms.matches(excluded, key); key = words.at(at)) at++;
    return at;
  }

  private words(c: number): FirstWords {
    this.firstKeys[c] ??= new FirstWords(this.pool, this.pool.stringAt(this.classTerms[c]!), decodeKey);
    return this.firstKeys[c];
  }

  private spentOf(o: number, c: number): number {
    this.spent[c] ??= [];
    return this.spent[c][o] ?? 0;
  }

  /**
   * Whether the text of a dynamic key in progress (decoded as far as it is read; o: the state before it) can matter to how the policy
   * ends the object: only where it may become one of the keys that the policy would take.
   *
   * After this key the policy adds at most n dynamic keys (members up to the minimum, witnesses owed), always the first free ones of a
   * class. A key that is not among the first n of any class leaves all those choices as they are, whatever it is.
   */
  keyMatters(o: number, prefix: string): boolean {
    const n = Math.max(this.expr.minProperties - this.states.countOf(o) - 1, 0) + this.states.owed(o);
    if (n === 0) return false;
    let kept = this.kept.get(o);
    if (kept === undefined) {
      const all = new Set<string>();
      for (let c = 0; c < this.classTerms.length; c++)
        for (const key of this.freeKeys(o, c, n)) for (let i = 0; i <= key.length; i++) all.add(key.slice(0, i));
      if (this.kept.size >= KEPT) this.kept.clear();
      this.kept.set(o, all);
      kept = all;
    }
    return kept.has(prefix);
  }
}

const decodeKey = (text: string): string => JSON.parse(`"${text}`) as string;

/** Bytes of a key from a UTF-16 offset on, in its shortest JSON spelling, with the closing quote. */
export function keyBytes(name: string, from: number): number {
  let n = 1;
  for (let i = from; i < name.length; ) {
    const cp = name.codePointAt(i)!;
    n += spelledBytes('string', cp, cp);
    i += cp > 0xffff ? 2 : 1;
  }
  return n;
}
