/**
 * One-level expansion of formulas into normal forms, memoised.
 *
 * The value of `and`, `or`, `not`, `one` follows from the normal forms of the operands; a schema location is read by keywords.ts.
 * Only in-place applicators (allOf, anyOf, $ref and so on) are followed, children stay formulas. A formula met again while it
 * is being expanded is a reference cycle without progress and an error, unless it was met inside an emptiness question
 * (are these branches disjoint?): then the question has no answer yet, {@link Undecided} unwinds to who asked, and
 * the careful construction is used, which is right either way.
 */

import { UnsupportedSchemaError } from '../../base/errors.js';
import type { Regex } from '../../regular/regex.js';
import type { Context } from './context.js';
import { FALSE, type Formula, TRUE } from './formula.js';
import type { KeySet } from './keys.js';
import { applyLocation, gainsFromContext } from './keywords.js';
import {
  ANY_ARRAYS,
  ANY_OBJECTS,
  andNormal,
  EVERYTHING,
  minusNormal,
  NO_ARRAYS,
  NO_OBJECTS,
  NOTHING,
  type Normal,
  orNormal,
  type ShapeAlgebra,
} from './normal.js';
import { NumberTexts } from './number-cache.js';
import { oneOf } from './one-of.js';
import {
  type Algebra,
  type ArrayShape,
  andArray,
  andObject,
  type KeyMap,
  notArray,
  notObject,
  type ObjectShape,
  ranking,
} from './shapes.js';
import type { Solver } from './solve.js';
import { stringRegex } from './strings.js';
import { constantNormal } from './values.js';

/** An emptiness question met a formula whose expansion is still under way. Never leaves this folder. */
export class Undecided {
  readonly tag = 'undecided';
}

const UNDECIDED = new Undecided();

export class Normaliser implements ShapeAlgebra, Algebra {
  private readonly memo: (Normal | undefined)[] = [EVERYTHING, NOTHING];
  /** Question depth at which an expansion began, while it runs. */
  private readonly running = new Map<Formula, number>();
  private question = 0;
  private depth = 0;
  /** Set once by whoever builds the trio of normaliser, solver and emitter. */
  solver: Solver | undefined;
  readonly numberTexts = new NumberTexts(this);

  constructor(readonly context: Context) {}

  /** @throws UnsupportedSchemaError for a reference cycle without progress; LimitError */
  normal(f: Formula): Normal {
    const known = this.memo[f];
    if (known !== undefined) return known;
    const normal = this.guarded(f, () => this.expand(f));
    this.memo[f] = normal;
    return normal;
  }

  /** The values of `start` that satisfy the formula. */
  meet(start: Normal, f: Formula): Normal {
    if (f === TRUE) return start;
    if (start === EVERYTHING) return this.normal(f);
    if (f === FALSE || start === NOTHING) return NOTHING;
    const node = this.context.formulas.node(f);
    if (node.kind === 'and') {
      let out = start;
      for (const g of node.items) out = this.meet(out, g);
      return out;
    }
    if (node.kind === 'not') return minusNormal(start, this.normal(node.item), this);
    if (node.kind === 'schema' && gainsFromContext(node.at)) {
      return this.guarded(f, () => {
        this.context.tick();
        this.context.where = node.at.pointer;
        return applyLocation(this, node.at, start);
      });
    }
    return andNormal(start, this.normal(f), this);
  }

  /** Runs the expansion of a formula unless it is under way already. */
  private guarded(f: Formula, expand: () => Normal): Normal {
    const { context } = this;
    const began = this.running.get(f);
    if (began !== undefined) {
      if (began < this.question) throw UNDECIDED;
      const node = context.formulas.node(f);
      const pointer = node.kind === 'schema' ? node.at.pointer : context.where;
      throw new UnsupportedSchemaError(pointer, '$ref', 'references itself without progress: no value is described');
    }
    context.limit('nesting of applicators', ++this.depth, context.settings.limits.depth);
    this.running.set(f, this.question);
    const { where } = context;
    try {
      return expand();
    } finally {
      context.where = where;
      this.depth--;
      this.running.delete(f);
    }
  }

  private expand(f: Formula): Normal {
    const { context } = this;
    const node = context.formulas.node(f);
    switch (node.kind) {
      case 'true':
        return EVERYTHING;
      case 'false':
        return NOTHING;
      case 'normal':
        return node.normal;
      case 'const':
        return constantNormal([node.value], context.formulas);
      case 'schema':
        context.where = node.at.pointer;
        return applyLocation(this, node.at, EVERYTHING);
      case 'and': {
        let out = EVERYTHING;
        for (const g of node.items) out = this.meet(out, g);
        return out;
      }
      case 'or': {
        let out = NOTHING;
        for (const g of node.items) out = orNormal(out, this.normal(g));
        context.limit('alternatives', out.objects.length + out.arrays.length, context.settings.limits.alternatives);
        return out;
      }
      case 'not':
        return minusNormal(EVERYTHING, this.normal(node.item), this);
      case 'one':
        context.where = node.pointer;
        return oneOf(node.items, EVERYTHING, this);
    }
  }

  /** Answers "is it non-empty?", or undefined where that cannot be answered yet. */
  ask(question: () => boolean): boolean | undefined {
    this.question++;
    try {
      return this.solver === undefined ? question() : this.solver.independently(question);
    } catch (e) {
      if (e instanceof Undecided) return undefined;
      throw e;
    } finally {
      this.question--;
    }
  }

  // ---- what shapes need -----------------------------------------------------------------------------------------------

  and(a: Formula, b: Formula): Formula {
    return this.context.formulas.and(a, b);
  }

  not(a: Formula): Formula {
    return this.context.formulas.not(a);
  }

  others(map: KeyMap): KeySet {
    return this.context.keys.others(map);
  }

  isEmpty(re: Regex): boolean {
    return this.context.isEmpty(re);
  }

  matches(re: Regex, text: string): boolean {
    return this.context.matches(re, text);
  }

  /** The strings of a formula, as a regular language. */
  strings(f: Formula): Regex {
    return stringRegex(this.normal(f).strings);
  }

  /** The formula of the value that an object of this shape has under `name`. */
  valueAt(shape: ObjectShape, name: string): Formula {
    let out: Formula = TRUE;
    for (const map of shape.maps) {
      const named = map.props.get(name);
      let covered = named !== undefined;
      if (named !== undefined) out = this.and(out, named);
      for (const rule of map.rules) {
        if (out === FALSE) return FALSE;
        if (this.context.keys.has(rule.keys, name)) {
          covered = true;
          out = this.and(out, rule.value);
        }
      }
      if (!covered) out = this.and(out, map.rest);
    }
    return out;
  }

  /** Whether a shape is empty for a reason on its surface. */
  private plainlyEmptyObject(s: ObjectShape): boolean {
    if (s.min > s.max || s.required.length > s.max) return true;
    return s.maps.length > 0 && s.required.some((name) => this.valueAt(s, name) === FALSE);
  }

  private plainlyEmptyArray(s: ArrayShape): boolean {
    if (s.min > s.max) return true;
    for (let i = 0; i < s.prefix.length && i < s.min; i++) if (s.prefix[i] === FALSE) return true;
    return s.min > s.prefix.length && s.rest === FALSE;
  }

  andObjects(a: readonly ObjectShape[], b: readonly ObjectShape[]): readonly ObjectShape[] {
    if (a === ANY_OBJECTS || a === b) return b;
    if (b === ANY_OBJECTS) return a;
    if (a.length === 0 || b.length === 0) return NO_OBJECTS;
    this.context.tick(a.length * b.length);
    const out: ObjectShape[] = [];
    for (const x of a) {
      for (const y of b) {
        const z = andObject(x, y);
        if (a.length * b.length > 1 && this.plainlyEmptyObject(z)) continue;
        out.push(z);
      }
    }
    const { context } = this;
    if (out.length > 8) return this.pruned(out);
    context.limit('alternatives', out.length, context.settings.limits.alternatives);
    return out;
  }

  /** Many alternatives: worth asking which of them are empty. */
  private pruned(shapes: readonly ObjectShape[]): readonly ObjectShape[] {
    const { context, solver } = this;
    const out =
      solver === undefined ? shapes : shapes.filter((s) => this.ask(() => solver.objectProductive(s)) !== false);
    context.limit('alternatives', out.length, context.settings.limits.alternatives);
    return out;
  }

  andArrays(a: readonly ArrayShape[], b: readonly ArrayShape[]): readonly ArrayShape[] {
    if (a === ANY_ARRAYS || a === b) return b;
    if (b === ANY_ARRAYS) return a;
    if (a.length === 0 || b.length === 0) return NO_ARRAYS;
    this.context.tick(a.length * b.length);
    const out: ArrayShape[] = [];
    for (const x of a) {
      for (const y of b) {
        const z = andArray(x, y, this);
        if (!this.plainlyEmptyArray(z)) out.push(z);
      }
    }
    const { context } = this;
    context.limit('alternatives', out.length, context.settings.limits.alternatives);
    return out;
  }

  /** `left` without the values of `t`: shapes disjoint from t stay as they are. */
  minusObject(
    left: readonly ObjectShape[],
    t: ObjectShape,
    rank?: ReadonlyMap<string, number>,
  ): readonly ObjectShape[] {
    const { context, solver } = this;
    const alive = (s: ObjectShape): boolean =>
      !this.plainlyEmptyObject(s) && this.ask(() => solver?.objectProductive(s) ?? true) !== false;
    if (left === ANY_OBJECTS) return notObject(t, this, rank);
    let wrong: readonly ObjectShape[] | undefined;
    const out: ObjectShape[] = [];
    for (const s of left) {
      context.tick();
      if (!alive(andObject(s, t))) out.push(s);
      else {
        wrong ??= notObject(t, this, rank);
        for (const w of wrong) {
          const rest = andObject(s, w);
          if (alive(rest)) out.push(rest);
        }
        context.limit('alternatives', out.length, context.settings.limits.alternatives);
      }
    }
    return out;
  }

  minusArray(left: readonly ArrayShape[], t: ArrayShape): readonly ArrayShape[] {
    const { context, solver } = this;
    const alive = (s: ArrayShape): boolean =>
      !this.plainlyEmptyArray(s) && this.ask(() => solver?.arrayProductive(s) ?? true) !== false;
    let wrong: readonly ArrayShape[] | undefined;
    const out: ArrayShape[] = [];
    for (const s of left) {
      context.tick();
      if (!alive(andArray(s, t, this))) out.push(s);
      else {
        // Items of s that are equal would be a violation without a shape, unless they cannot be.
        if (t.unique && !s.unique && s.max > 1) {
          context.unsupportedAt(
            context.where,
            'uniqueItems',
            'arrays with two equal items cannot be described',
            'avoid uniqueItems below not, if, or overlapping branches of oneOf',
          );
        }
        wrong ??= notArray(t, this);
        for (const w of wrong) {
          const rest = andArray(s, w, this);
          if (alive(rest)) out.push(rest);
        }
        context.limit('alternatives', out.length, context.settings.limits.alternatives);
      }
    }
    return out;
  }

  minusObjects(left: readonly ObjectShape[], shapes: readonly ObjectShape[]): readonly ObjectShape[] {
    let out = left;
    const rank = ranking(shapes);
    for (const t of shapes) out = this.minusObject(out, t, rank);
    return out;
  }

  minusArrays(left: readonly ArrayShape[], shapes: readonly ArrayShape[]): readonly ArrayShape[] {
    let out = left;
    for (const t of shapes) out = this.minusArray(out, t);
    return out;
  }
}
