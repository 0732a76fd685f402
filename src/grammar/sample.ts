/**
 * Random texts of a grammar, and the shortest one.
 *
 * The naive way picks alternatives at random and may never end. Here every expression knows the length of its shortest text, the
 * sampler keeps what is left of the length above that minimum (the spare), and takes only choices that the spare pays for;
 * so it ends, and within the length wherever some text is that short. Each text is steered towards an expression that no
 * earlier text used, so that n texts cover what n texts can.
 *
 * Token terminals stand for themselves (`<[7]>`, `<think>`). Used to show grammars to people and to fuzz the matcher.
 */
import { LimitError } from '../base/errors.js';
import { createRandom, type Random } from '../base/random.js';
import { edgeTarget } from '../regular/edges.js';
import type { Regex } from '../regular/regex.js';
import { NEVER, TermStore } from '../regular/terms.js';
import {
  type ArrayExpr,
  childrenOf,
  type DynamicKeys,
  type Expr,
  type ExprId,
  type Grammar,
  type ObjectExpr,
} from './ir.js';

export interface SampleOptions {
  readonly seed?: number;
  /** Most characters where the grammar has texts that short; 200 by default. */
  readonly maxLength?: number;
}

/** Beyond this nesting only shortest texts are taken. */
const MAX_DEPTH = 400;
/** Beyond this nesting there are no texts at all. */
const MAX_NESTED = 1_500;
const ATTEMPTS = 60;

export class Sampler {
  private readonly store = new TermStore();
  private readonly least: Float64Array;
  private readonly random: Random;
  private readonly maxLength: number;
  private readonly distances = new Map<number, number>();
  private readonly covered = new Set<ExprId>();
  private readonly reachable: readonly ExprId[];
  private readonly cameFrom = new Map<ExprId, ExprId>();
  private spare = 0;
  private nested = 0;
  /** Expressions still to be passed on the way to the one aimed at. */
  private path: ExprId[] = [];

  constructor(
    private readonly grammar: Grammar,
    options: SampleOptions = {},
  ) {
    this.random = createRandom(options.seed ?? 1);
    this.maxLength = options.maxLength ?? 200;
    this.reachable = this.walk();
    this.least = leastLengths(grammar, this.store, this.reachable);
  }

  /** One text. */
  next(): string {
    const target = this.reachable.find((id) => !this.covered.has(id) && this.least[id] !== Number.POSITIVE_INFINITY);
    this.path = target === undefined ? [] : this.pathTo(target);
    const spare = Math.max(0, this.maxLength - (this.least[this.grammar.start] as number));
    // Not every text uses up its length.
    this.spare = Math.floor(spare * this.random.float() * (this.random.below(4) === 0 ? 1 : 0.4));
    this.nested = 0;
    return this.text(this.grammar.start, 0);
  }

  /** A shortest text (shortest in each choice, in characters). */
  shortest(): string {
    this.path = [];
    this.spare = 0;
    this.nested = 0;
    return this.text(this.grammar.start, 0);
  }

  /** Expressions that no text has used so far. */
  get uncovered(): readonly ExprId[] {
    return this.reachable.filter((id) => !this.covered.has(id));
  }

  private walk(): ExprId[] {
    const order = [this.grammar.start];
    const seen = new Set(order);
    for (let i = 0; i < order.length; i++) {
      for (const child of childrenOf(this.grammar.exprs[order[i] as ExprId] as Expr)) {
        if (seen.has(child)) continue;
        seen.add(child);
        this.cameFrom.set(child, order[i] as ExprId);
        order.push(child);
      }
    }
    return order;
  }

  private pathTo(target: ExprId): ExprId[] {
    const path: ExprId[] = [];
    for (let at: ExprId | undefined = target; at !== undefined; at = this.cameFrom.get(at)) path.push(at);
    return path;
  }

  private text(start: ExprId, level: number): string {
    let out = '';
    let depth = level;
    // What comes last in an expression goes on in the loop: right recursion takes no stack.
    for (let id = start; ; depth++) {
      this.covered.add(id);
      // The path is kept backwards; its last element is the next expression to pass.
      if (this.path[this.path.length - 1] === id) this.path.pop();
      if (depth > MAX_DEPTH) this.spare = 0;
      const expr = this.grammar.exprs[id] as Expr;
      if (expr.op === 'rule') id = expr.body;
      else if (expr.op === 'alt') id = this.choose(expr.items, id);
      else if (expr.op === 'seq' && expr.items.length > 0) {
        const last = expr.items.length - 1;
        for (let i = 0; i < last; i++) out += this.inner(expr.items[i]!, depth);
        id = expr.items[last]!;
      } else return out + this.leaf(expr, depth);
    }
  }

  /** The text of an expression within another. @throws LimitError where even the shortest text nests too deep */
  private inner(id: ExprId, depth: number): string {
    if (++this.nested > MAX_NESTED)
      throw new LimitError('nesting of a text', this.nested, MAX_NESTED, undefined, 'let rules nest less deep');
    const text = this.text(id, depth + 1);
    this.nested--;
    return text;
  }

  private leaf(expr: Expr, depth: number): string {
    switch (expr.op) {
      case 'text':
        return this.member(expr.re);
      case 'string':
        return JSON.stringify(this.member(expr.re));
      case 'token':
        return `${expr.negate ? '!' : ''}${expr.texts[0] ?? `<[${expr.ids[0] ?? 0}]>`}`;
      case 'repeat': {
        const count = this.count(expr.min, expr.max, this.least[expr.item] as number, expr.item);
        let out = '';
        for (let n = 0; n < count; n++) out += this.inner(expr.item, depth);
        return out;
      }
      case 'object':
        return this.object(expr, depth);
      case 'array':
        return this.array(expr, depth);
      default:
        return '';
    }
  }

  private aimed(id: ExprId): boolean {
    return this.path[this.path.length - 1] === id;
  }

  private choose(items: readonly ExprId[], from: ExprId): ExprId {
    const floor = this.least[from] as number;
    const aim = items.find((item) => this.aimed(item));
    const fits = items.filter((item) => (this.least[item] as number) - floor <= this.spare);
    const fresh = fits.filter((item) => !this.covered.has(item));
    const pool = fresh.length > 0 && this.random.below(2) === 0 ? fresh : fits;
    const least = items.find((item) => this.least[item] === floor) ?? (items[0] as ExprId);
    const pick = aim ?? (this.spare === 0 ? least : (pool[this.random.below(pool.length)] ?? least));
    this.spare = Math.max(0, this.spare - ((this.least[pick] as number) - floor));
    return pick;
  }

  /** How often to repeat an item of least length `cost`. */
  private count(min: number, max: number, cost: number, item: ExprId): number {
    const room = Math.min(max - min, Math.floor(this.spare / Math.max(1, cost)), 1 + this.random.below(6));
    let more = room <= 0 ? 0 : this.random.below(room + 1);
    if (min + more === 0 && max > 0 && this.aimed(item)) more = 1;
    this.spare = Math.max(0, this.spare - more * cost);
    return min + more;
  }

  /** A random member of a regular language, within the spare. */
  private member(re: Regex, tries = 0): string {
    const { store, random } = this;
    let state = store.intern(re);
    let left = this.distance(state) + Math.min(this.spare, tries > 0 ? 4 + tries : random.below(2) === 0 ? 4 : 24);
    const start = left;
    const floor = this.distance(state);
    const parts: string[] = [];
    for (;;) {
      const done = store.nullable(state);
      if (done && (left === 0 || this.spare === 0 || random.below(5) === 0)) break;
      const list = store.liveEdges(state);
      const fits: number[] = [];
      for (let e = 0; e < list.length; e += 3) {
        if (this.distance(list[e + 2] as number) <= left - 1) fits.push(e);
      }
      if (fits.length === 0) break;
      const e = fits[random.below(fits.length)] as number;
      parts.push(String.fromCodePoint(pickCodePoint(list[e] as number, list[e + 1] as number, random)));
      state = list[e + 2] as number;
      left--;
    }
    this.spare = Math.max(0, this.spare - Math.max(0, start - left - floor));
    return parts.join('');
  }

  /** Least number of characters to acceptance; large where there is none. */
  private distance(term: number): number {
    let d = this.distances.get(term);
    if (d === undefined) {
      const text = this.store.shortest(term);
      const points = [...(text ?? '')];
      d = text === undefined ? Number.POSITIVE_INFINITY : points.length;
      this.distances.set(term, d);
      // All on the shortest way know theirs from here on.
      for (let i = 0, at = term; i < points.length; ) {
        at = edgeTarget(this.store.liveEdges(at), points[i]!.codePointAt(0)!, NEVER);
        if (this.distances.has(at)) break;
        this.distances.set(at, points.length - ++i);
      }
    }
    return d;
  }

  private object(expr: ObjectExpr, depth: number): string {
    const chosen = new Set<number>();
    expr.properties.forEach((p, i) => {
      const wanted = this.aimed(p.value) || (this.spare > 8 && this.random.below(2) === 0);
      const fits = chosen.size < expr.maxProperties && this.least[p.value] !== Number.POSITIVE_INFINITY;
      if (p.required || (wanted && fits)) chosen.add(i);
    });
    const close = (): void => {
      for (let before = -1; before !== chosen.size; ) {
        before = chosen.size;
        for (const { if: from, then } of expr.implications) if (chosen.has(from)) for (const t of then) chosen.add(t);
      }
    };
    close();
    const needed = expr.properties.map((p, i) => ({ i, p })).filter(({ p }) => p.required);
    if (chosen.size > expr.maxProperties) {
      chosen.clear();
      for (const { i } of needed) chosen.add(i);
      close();
    }
    const members: string[] = [...chosen]
      .sort((a, b) => a - b)
      .map((i) => {
        const p = expr.properties[i] as ObjectExpr['properties'][number];
        return `${JSON.stringify(p.name)}:${this.inner(p.value, depth)}`;
      });
    const used = new Set<string>();
    const extra = (classes: readonly DynamicKeys[]): boolean => {
      for (let tries = 0; tries < ATTEMPTS && classes.length > 0; tries++) {
        const d = classes[this.random.below(classes.length)] as DynamicKeys;
        const spare = this.spare;
        this.spare = Math.max(spare, tries > 3 ? tries : 0);
        const key = this.member(d.keys, tries);
        this.spare = spare;
        if (used.has(key)) continue;
        used.add(key);
        members.push(`${JSON.stringify(key)}:${this.inner(d.value, depth)}`);
        return true;
      }
      return false;
    };
    const open = expr.dynamic.filter((d) => this.least[d.value] !== Number.POSITIVE_INFINITY);
    for (let w = 0; w < expr.witnesses; w++) extra(open.filter((d) => d.witness === w));
    const aim = open.filter((d) => this.aimed(d.value));
    if (aim.length > 0 && members.length < expr.maxProperties) extra(aim);
    while (members.length < expr.minProperties && extra(open));
    while (this.spare > 12 && members.length < expr.maxProperties && this.random.below(3) === 0 && extra(open))
      this.spare -= 6;
    // Optional properties fill up what additional ones could not.
    for (let i = 0; members.length < expr.minProperties && i < expr.properties.length; i++) {
      if (chosen.has(i) || this.least[expr.properties[i]?.value as ExprId] === Number.POSITIVE_INFINITY) continue;
      chosen.add(i);
      const p = expr.properties[i] as ObjectExpr['properties'][number];
      const at = [...chosen].filter((c) => c < i).length;
      members.splice(at, 0, `${JSON.stringify(p.name)}:${this.inner(p.value, depth)}`);
    }
    return `{${members.join(',')}}`;
  }

  private array(expr: ArrayExpr, depth: number): string {
    const counts = expr.counters.map(() => 0);
    const items: string[] = [];
    const variantsAt = (i: number): ArrayExpr['rest'] => expr.prefix[i] ?? expr.rest;
    const lacking = (): number => counts.findIndex((c, k) => c < (expr.counters[k]?.min as number));
    const allowed = (v: ArrayExpr['rest'][number]): boolean =>
      this.least[v.value] !== Number.POSITIVE_INFINITY &&
      counts.every((c, k) => ((v.counts >>> k) & 1) === 0 || c < (expr.counters[k]?.max as number));
    const aimedAt = [...expr.prefix, expr.rest].findIndex((vs) => vs.some((v) => this.aimed(v.value)));
    const wanted = Math.max(expr.minItems, aimedAt + 1, this.count(expr.minItems, Math.min(expr.maxItems, 50), 3, -1));
    while (items.length < expr.maxItems && (items.length < wanted || lacking() >= 0)) {
      const short = lacking();
      let pool = variantsAt(items.length).filter(allowed);
      const helping = pool.filter((v) => short >= 0 && ((v.counts >>> short) & 1) === 1);
      const aim = pool.filter((v) => this.aimed(v.value));
      if (aim.length > 0) pool = aim;
      else if (helping.length > 0) pool = helping;
      const pick = pool[this.random.below(pool.length)];
      if (pick === undefined) break;
      let text = this.inner(pick.value, depth);
      for (let tries = 0; expr.unique && items.includes(text) && tries < ATTEMPTS; tries++) {
        this.spare += 2;
        text = this.inner(pick.value, depth);
      }
      if (expr.unique && items.includes(text)) break;
      items.push(text);
      counts.forEach((c, k) => {
        counts[k] = c + ((pick.counts >>> k) & 1);
      });
    }
    return `[${items.join(',')}]`;
  }
}

/** A code point of a range, mostly one that is easy to read; no surrogates unless there is nothing else. */
function pickCodePoint(lo: number, hi: number, random: Random): number {
  const from = Math.max(lo, 0x20);
  const to = Math.min(hi, 0x7e);
  if (from <= to && random.below(8) !== 0) {
    // Letters and digits first.
    for (let tries = 0; tries < 4; tries++) {
      const cp = from + random.below(to - from + 1);
      if (/[A-Za-z0-9]/.test(String.fromCodePoint(cp))) return cp;
    }
    return from + random.below(to - from + 1);
  }
  const cp = lo + random.below(Math.min(hi - lo + 1, random.below(3) === 0 ? 0x110000 : 0x250));
  if (cp < 0xd800 || cp > 0xdfff) return cp;
  return hi >= 0xe000 ? 0xe000 : lo < 0xd800 ? 0xd7ff : cp;
}

/** Length of the shortest text of each expression, Infinity where there is none (or it is not reachable). */
function leastLengths(grammar: Grammar, store: TermStore, reachable: readonly ExprId[]): Float64Array {
  const least = new Float64Array(grammar.exprs.length).fill(Number.POSITIVE_INFINITY);
  const at = (id: ExprId): number => least[id] as number;
  const regexLengths = new Map<Regex, number>();
  const ofRegex = (re: Regex): number => {
    let n = regexLengths.get(re);
    if (n === undefined) {
      const text = store.shortest(store.intern(re));
      n = text === undefined ? Number.POSITIVE_INFINITY : [...text].length;
      regexLengths.set(re, n);
    }
    return n;
  };
  const total = (ids: readonly ExprId[]): number => ids.reduce((sum, id) => sum + at(id), 0);
  const times = (n: number, cost: number): number => (n === 0 ? 0 : n * cost);
  const of = (expr: Expr): number => {
    switch (expr.op) {
      case 'empty':
        return 0;
      case 'never':
        return Number.POSITIVE_INFINITY;
      case 'text':
        return ofRegex(expr.re);
      case 'string':
        return ofRegex(expr.re) + 2;
      case 'token':
        return 1;
      case 'rule':
        return at(expr.body);
      case 'seq':
        return total(expr.items);
      case 'alt':
        return expr.items.reduce((least, item) => Math.min(least, at(item)), Number.POSITIVE_INFINITY);
      case 'repeat':
        return times(expr.min, at(expr.item));
      case 'object': {
        const required = expr.properties.filter((p) => p.required);
        const cost = required.reduce((sum, p) => sum + p.name.length + 4 + at(p.value), 0);
        const dynamic = Math.min(...expr.dynamic.map((d) => ofRegex(d.keys) + 4 + at(d.value)));
        const more = Math.max(expr.witnesses, expr.minProperties - required.length, 0);
        const others = expr.properties.filter((p) => !p.required).map((p) => p.name.length + 4 + at(p.value));
        const cheap = Math.min(dynamic, ...(expr.witnesses > 0 ? [] : others));
        return 2 + cost + times(more, cheap);
      }
      case 'array': {
        const need = Math.max(expr.minItems, Math.max(0, ...expr.counters.map((c) => c.min)));
        const cheapest = (variants: ArrayExpr['rest']): number => Math.min(...variants.map((v) => at(v.value)));
        let cost = 2;
        for (let i = 0; i < Math.min(need, expr.prefix.length); i++)
          cost += 1 + cheapest(expr.prefix[i] as ArrayExpr['rest']);
        return cost + times(Math.max(0, need - expr.prefix.length), 1 + cheapest(expr.rest));
      }
    }
  };
  // Rounds from the leaves up until nothing gets shorter.
  const order = [...reachable].reverse();
  for (let changed = true; changed; ) {
    changed = false;
    for (const id of order) {
      const n = of(grammar.exprs[id] as Expr);
      if (n < at(id)) {
        least[id] = n;
        changed = true;
      }
    }
  }
  return least;
}
