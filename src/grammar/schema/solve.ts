/**
 * Emptiness: which formulas have a value at all, as a least fixpoint computed on demand.
 *
 * A recursive schema is non-empty if some finite value satisfies it, so a formula that is asked for while it is being decided
 * counts as empty, and a negative answer that leaned on such an assumption is not remembered (it is decided again when asked
 * again). Positive answers always stand. Objects and arrays look only at what must be present, so the question
 * rarely goes deep.
 */

import { hasClosedSet, ringsOf } from '../../base/closed-sets.js';
import { anyString, type Regex } from '../../regular/regex.js';
import { Counting } from './counting.js';
import { FALSE, type Formula, TRUE } from './formula.js';
import type { KeySet } from './keys.js';
import { ANY_ARRAYS, ANY_OBJECTS } from './normal.js';
import type { Normaliser } from './normalise.js';
import { and, lits, not, plainlyNonEmpty } from './re.js';
import { type ArrayShape, keyMap, type ObjectShape } from './shapes.js';
import { stringsEmpty } from './strings.js';

/** A class of keys without a name of their own, and what their values are. */
export interface KeyClass {
  readonly keys: Regex;
  readonly value: Formula;
  /** Which of the sets asked about contain the class. */
  readonly within: ReadonlySet<KeySet>;
}

/** One property that supplies all witnesses of a group. */
export interface Group {
  readonly keys: readonly KeySet[];
  readonly value: Formula;
}

/** An object shape whose witnesses are either required properties by now or groups of dynamic ones. */
export interface Concrete {
  readonly shape: ObjectShape;
  readonly groups: readonly Group[];
}

export interface Variant {
  readonly value: Formula;
  readonly counts: number;
}

/** Patterns that overlap in all ways cut names into exponentially many classes. */
const MAX_CLASSES = 128;
const MAX_OVERLAP = 10;

const YES = 1;
const NO = 2;

export class Solver {
  private readonly state: number[] = [NO, YES];
  private readonly open = new Map<Formula, number>();
  private low = Number.POSITIVE_INFINITY;
  /** What each name implies directly, by the list of implications. */
  private readonly implied = new WeakMap<ObjectShape['implications'], Map<string, readonly string[]>>();
  readonly counting: Counting;

  constructor(private readonly n: Normaliser) {
    this.counting = new Counting(n, this);
    this.state[TRUE] = YES;
    this.state[FALSE] = NO;
  }

  /** Whether some value satisfies the formula. */
  nonEmpty(f: Formula): boolean {
    const known = this.state[f];
    if (known === YES) return true;
    if (known === NO) return false;
    const at = this.open.get(f);
    if (at !== undefined) {
      if (at < this.low) this.low = at;
      return false;
    }
    const { context } = this.n;
    context.tick();
    const depth = this.open.size;
    context.limit('nesting of required values', depth, context.settings.limits.depth);
    const outer = this.low;
    this.low = Number.POSITIVE_INFINITY;
    this.open.set(f, depth);
    let answer: boolean;
    try {
      answer = this.decide(f);
    } finally {
      this.open.delete(f);
    }
    if (answer) {
      this.state[f] = YES;
      this.low = outer;
    } else {
      // Final if it leaned on nothing that is still open.
      if (this.low >= depth) {
        this.state[f] = NO;
        this.low = outer;
      } else this.low = Math.min(this.low, outer);
    }
    return answer;
  }

  /** Runs a question asked in the midst of others: a no that leans on a formula still open is no answer. */
  independently(question: () => boolean): boolean | undefined {
    const outer = this.low;
    this.low = Number.POSITIVE_INFINITY;
    try {
      const answer = question();
      return !answer && this.low !== Number.POSITIVE_INFINITY ? undefined : answer;
    } finally {
      this.low = outer;
    }
  }

  /** Runs a question asked in the midst of others; `isFinal` where it leans on no formula still open. */
  settled<T>(question: () => T): { readonly answer: T; readonly isFinal: boolean } {
    const outer = this.low;
    this.low = Number.POSITIVE_INFINITY;
    try {
      const answer = question();
      return { answer, isFinal: this.low === Number.POSITIVE_INFINITY };
    } finally {
      this.low = Math.min(this.low, outer);
    }
  }

  private decide(f: Formula): boolean {
    const x = this.n.normal(f);
    if (x.basic !== 0 || x.arrays === ANY_ARRAYS || x.objects === ANY_OBJECTS) return true;
    if (this.n.numberTexts.some(x.numbers)) return true;
    if (!stringsEmpty(x.strings, this.n)) return true;
    return x.arrays.some((s) => this.arrayProductive(s)) || x.objects.some((s) => this.objectProductive(s));
  }

  // ---- objects --------------------------------------------------------------------------------------------------------

  /** All names that an object of the shape speaks of, declared ones first and in order. */
  names(shape: ObjectShape): readonly string[] {
    if (shape.maps.length === 1 && shape.implications.length === 0) {
      const { props } = shape.maps[0]!;
      let all = true;
      for (const r of shape.required) all &&= props.has(r);
      if (all) return [...props.keys()];
    }
    const out = new Set<string>();
    for (const map of shape.maps) for (const name of map.props.keys()) out.add(name);
    for (const name of shape.required) out.add(name);
    for (const i of shape.implications) {
      out.add(i.when);
      for (const name of i.then) out.add(name);
    }
    return [...out];
  }

  /** Names that must be present: the required ones and what they imply. */
  mandatory(shape: ObjectShape): ReadonlySet<string> {
    return this.withImplied(shape, shape.required);
  }

  /** Names and all that they imply. */
  private withImplied({ implications }: ObjectShape, names: readonly string[]): ReadonlySet<string> {
    const out = new Set(names);
    if (implications.length === 0) return out;
    let implied = this.implied.get(implications);
    if (implied === undefined) {
      implied = new Map();
      for (const { when, then } of implications) implied.set(when, [...(implied.get(when) ?? []), ...then]);
      this.implied.set(implications, implied);
    }
    // A set is walked through what is added on the way, too.
    for (const name of out) for (const x of implied.get(name) ?? []) out.add(x);
    return out;
  }

  objectProductive(shape: ObjectShape): boolean {
    if (shape.min > shape.max || shape.required.length > shape.max) return false;
    const required = this.mandatory(shape);
    if (required.size > shape.max) return false;
    for (const name of required) if (!this.nonEmpty(this.n.valueAt(shape, name))) return false;
    if (shape.witnesses.length > 0) return this.concretes(shape).some((c) => this.concreteProductive(c));
    return shape.min <= required.size || this.concreteProductive({ shape, groups: [] });
  }

  concreteProductive({ shape, groups }: Concrete): boolean {
    const required = this.mandatory(shape);
    if (required.size + groups.length > shape.max) return false;
    for (const name of required) if (!this.nonEmpty(this.n.valueAt(shape, name))) return false;
    let have = required.size + groups.length;
    if (groups.length === 0 && have >= shape.min) return true;
    const names = this.names(shape);
    const classes = this.classes(
      shape,
      names,
      groups.flatMap((g) => g.keys),
    ).filter((c) => this.nonEmpty(c.value));
    for (const g of groups) {
      const fits = classes.some(
        (c) => g.keys.every((k) => c.within.has(k)) && this.nonEmpty(this.n.and(c.value, g.value)),
      );
      if (!fits) return false;
    }
    if (have >= shape.min) return true;
    if (shape.implications.length > 0) return this.countsFit(shape, required, names, classes, groups.length);
    for (const name of names) {
      if (required.has(name) || !this.possible(shape, name)) continue;
      if (++have >= shape.min) return true;
    }
    // Groups take keys of the same classes.
    have -= groups.length;
    for (const c of classes) {
      have += this.n.context.keys.count(c.keys, shape.min - have);
      if (have >= shape.min) return true;
    }
    return false;
  }

  /** Whether some of the names, with all that they imply, and some keys of the classes, among them one for each group, make an allowed count. */
  private countsFit(
    shape: ObjectShape,
    required: ReadonlySet<string>,
    names: readonly string[],
    classes: readonly KeyClass[],
    groups: number,
  ): boolean {
    const open = names.filter((name) => required.has(name) || this.possible(shape, name));
    let keys = 0;
    for (const c of classes) if (keys < shape.min) keys += this.n.context.keys.count(c.keys, shape.min - keys);
    const least = shape.min - keys;
    const most = shape.max - groups;
    if (open.length <= most) return open.length >= least;
    const index = new Map(open.map((name, i) => [name, i]));
    const implied = open.map((name) =>
      [...this.withImplied(shape, [name])].filter((x) => x !== name).map((x) => index.get(x)!),
    );
    const needed = new Set([...required].map((name) => index.get(name)!));
    return hasClosedSet(implied, ringsOf(implied), [...index.values()], needed, least, most);
  }

  /** Whether a property can be present: its value and those of all that it implies are non-empty. */
  possible(shape: ObjectShape, name: string): boolean {
    if (shape.implications.length === 0) return this.nonEmpty(this.n.valueAt(shape, name));
    for (const x of this.withImplied(shape, [name])) {
      if (!this.nonEmpty(this.n.valueAt(shape, x))) return false;
    }
    return true;
  }

  /** Cuts all names but `names` into disjoint classes with one value each; classes without values are left out. */
  classes(shape: ObjectShape, names: readonly string[], asked: readonly KeySet[]): readonly KeyClass[] {
    const { n } = this;
    const { keys } = n.context;
    const sets: KeySet[] = [];
    for (const map of shape.maps) for (const r of map.rules) if (!sets.includes(r.keys)) sets.push(r.keys);
    for (const k of asked) if (!sets.includes(k)) sets.push(k);
    if (sets.length === 0) {
      let value: Formula = TRUE;
      for (const map of shape.maps) value = n.and(value, map.rest);
      if (value === FALSE) return [];
      return [{ keys: names.length === 0 ? anyString : not(lits(names)), value, within: new Set() }];
    }
    const out: KeyClass[] = [];
    const cut = (at: number, inside: readonly KeySet[], outside: readonly KeySet[]): void => {
      n.context.tick();
      const k = sets[at];
      if (k === undefined) {
        const c = this.keyClass(shape, names, inside, outside);
        if (c !== undefined) out.push(c);
        n.context.limit(
          'classes of property names',
          out.length,
          Math.min(MAX_CLASSES, n.context.settings.limits.alternatives),
        );
        return;
      }
      const meets =
        inside.every((p) => !keys.disjoint(p, k)) &&
        (inside.length < 2 || !n.isEmpty(and(...inside.map((p) => p.regex()), k.regex())));
      if (meets) n.context.limit('patterns that match one property name', inside.length + 1, MAX_OVERLAP);
      if (meets) cut(at + 1, [...inside, k], outside);
      cut(at + 1, inside, [...outside, k]);
    };
    cut(0, [], []);
    return out;
  }

  private keyClass(
    shape: ObjectShape,
    names: readonly string[],
    inside: readonly KeySet[],
    outside: readonly KeySet[],
  ): KeyClass | undefined {
    const { n } = this;
    const { keys } = n.context;
    let value: Formula = TRUE;
    for (const map of shape.maps) {
      let covered = false;
      for (const r of map.rules) {
        if (!inside.includes(r.keys)) continue;
        covered = true;
        value = n.and(value, r.value);
      }
      if (!covered) value = n.and(value, map.rest);
      if (value === FALSE) return undefined;
    }
    const apart = outside.filter((k) => !inside.some((p) => keys.disjoint(p, k)));
    const taken = names.filter((x) => inside.every((k) => keys.has(k, x)) && !outside.some((k) => keys.has(k, x)));
    const parts = [...inside.map((k) => k.regex()), ...apart.map((k) => not(k.regex()))];
    if (taken.length > 0) parts.push(not(lits(taken)));
    const re = and(...parts);
    if (re.t === 'never') return undefined;
    const plain = plainlyNonEmpty(re) || (re.t === 'not' && (re.item.t === 'lit' || re.item.t === 'lits'));
    if (!plain && n.isEmpty(re)) return undefined;
    return { keys: re, value, within: new Set(inside) };
  }

  /** Settles who supplies the witnesses of a shape: a declared property each, or groups of dynamic ones. */
  concretes(shape: ObjectShape): readonly Concrete[] {
    const { n } = this;
    if (shape.witnesses.length === 0) return [{ shape, groups: [] }];
    const { keys, settings } = n.context;
    const names = this.names(shape);
    const bare: ObjectShape = { ...shape, witnesses: [] };
    let list: readonly Concrete[] = [{ shape: bare, groups: [] }];
    for (const w of shape.witnesses) {
      const next: Concrete[] = [];
      for (const c of list) {
        for (const name of names) {
          if (!keys.has(w.keys, name)) continue;
          const value = n.and(n.valueAt(c.shape, name), w.value);
          if (value === FALSE || !this.nonEmpty(value)) continue;
          const required = c.shape.required.includes(name) ? c.shape.required : [...c.shape.required, name];
          const maps = [...c.shape.maps, keyMap(new Map([[name, w.value]]))];
          next.push({ shape: { ...c.shape, maps, required }, groups: c.groups });
        }
        next.push({ shape: c.shape, groups: [...c.groups, { keys: [w.keys], value: w.value }] });
        c.groups.forEach((g, i) => {
          const value = n.and(g.value, w.value);
          if (value === FALSE) return;
          const merged = { keys: g.keys.includes(w.keys) ? g.keys : [...g.keys, w.keys], value };
          next.push({ shape: c.shape, groups: c.groups.map((x, k) => (k === i ? merged : x)) });
        });
      }
      n.context.tick(next.length);
      n.context.limit('alternatives', next.length, settings.limits.alternatives);
      list = next.length > 8 ? next.filter((c) => this.concreteProductive(c)) : next;
    }
    return list;
  }

  // ---- arrays ---------------------------------------------------------------------------------------------------------

  /** Number of positions that differ from the rest. */
  positions(s: ArrayShape): number {
    let n = s.prefix.length;
    for (const c of s.contains) n = Math.max(n, c.from);
    return n;
  }

  /** The non-empty readings of item i. Counters with an upper bound are exact: items not counted are not in their formula. */
  variants(s: ArrayShape, i: number): readonly Variant[] {
    const { n } = this;
    let list: readonly Variant[] = [{ value: s.prefix[i] ?? s.rest, counts: 0 }];
    s.contains.forEach((c, k) => {
      if (i < c.from) return;
      const next: Variant[] = [];
      for (const v of list) {
        next.push({ value: n.and(v.value, c.item), counts: v.counts | (1 << k) });
        next.push(c.max === Number.POSITIVE_INFINITY ? v : { value: n.and(v.value, n.not(c.item)), counts: v.counts });
      }
      n.context.tick(next.length);
      n.context.limit('readings of an array item', next.length, 256);
      list = next;
    });
    return list.filter((v) => v.value !== FALSE && this.nonEmpty(v.value));
  }

  arrayProductive(s: ArrayShape): boolean {
    if (s.min > s.max) return false;
    if (s.contains.length > 0) {
      if (!this.countsReachable(s)) return false;
    } else {
      for (let i = 0; i < s.prefix.length && i < s.min; i++) if (!this.nonEmpty(s.prefix[i]!)) return false;
      if (s.min > s.prefix.length && !this.nonEmpty(s.rest)) return false;
    }
    return !s.unique || this.counting.fits(s);
  }

  /** Whether some number of items meets all counters: breadth-first over clamped counts. */
  private countsReachable(s: ArrayShape): boolean {
    const { context } = this.n;
    context.limit('counters of an array', s.contains.length, 30);
    const caps = s.contains.map((c) => (c.max === Number.POSITIVE_INFINITY ? c.min : c.max + 1));
    const done = (counts: readonly number[]): boolean =>
      s.contains.every((c, k) => counts[k]! >= c.min && counts[k]! <= c.max);
    const positions = this.positions(s);
    let states = new Map<string, readonly number[]>([['', s.contains.map(() => 0)]]);
    const restVariants = this.variants(s, positions);
    for (let i = 0; ; i++) {
      if (i >= s.min && [...states.values()].some(done)) return true;
      if (i >= s.max) return false;
      const next = new Map<string, readonly number[]>();
      for (const v of i < positions ? this.variants(s, i) : restVariants) {
        for (const counts of states.values()) {
          const after = counts.map((c, k) => Math.min(caps[k]!, c + ((v.counts >> k) & 1)));
          if (after.every((c, k) => c <= s.contains[k]!.max)) next.set(after.join(), after);
        }
      }
      context.tick(next.size + 1);
      if (next.size === 0) return false;
      if (i >= positions && i >= s.min) {
        const same = next.size === states.size && [...next.keys()].every((k) => states.has(k));
        if (same) return false;
      }
      states = next;
    }
  }
}
