/**
 * What an object still allows and still needs: the dynamic state of an object frame and the questions asked of it.
 *
 * The naive way lowers an object with n optional properties in any order to 2^n rules. Here the state is a small tuple, made when
 * first reached: [properties so far (clamped), excluded keys, witnesses supplied, next declared index, forgotten, seen bits…]. Seen bits are
 * kept in order 'any' and where implications ask for them. Every state that is handed out can be completed; keys that would
 * lead elsewhere are not allowed.
 */
import { TupleTable } from '../base/tuple-table.js';
import type { DynamicKeys, ObjectExpr } from '../grammar/ir.js';
import { DeclaredNames } from './declared-names.js';
import type { LexemePool } from './lexeme.js';
import { closureOf, MemberCounts } from './member-counts.js';
import { ObjectPolicy } from './object-policy.js';

/** Distinct finite keys that are counted before a class counts as endless. */
const ENDLESS = 1 << 20;

const COUNT = 0;
const EXCLUDED = 1;
const WITNESSES = 2;
const NEXT = 3;
const FORGOTTEN = 4;
const SEEN = 5;

/** Values of FORGOTTEN: a key that must not come again was not remembered; the state is an outline ({@link ObjectStates.outline}). */
const FORGOT = 1;
const OUTLINE = 2;
/** In an outline's COUNT: the object may close; a key may follow; whether one may is not known. */
const CLOSES = 1;
const GOES_ON = 2;
const UNSURE = 4;

export class ObjectStates {
  private readonly tuples = new TupleTable(16);
  private readonly n: number;
  private readonly anyOrder: boolean;
  private readonly seenWords: number;
  /** Counts beyond this are equal. */
  private readonly clamp: number;
  private readonly required: Uint8Array;
  /** First required index at or after i, or n. */
  private readonly nextRequired: Int32Array;
  /** Required indices at or after i. */
  private readonly requiredFrom: Int32Array;
  /** Transitive implications by index, without the index itself. */
  private readonly implied: readonly (readonly number[])[] | undefined;
  /** What is implied by the properties that are there, in the state that was asked last. */
  private readonly needed: Uint8Array;
  private neededIn = -1;
  private readonly counts: MemberCounts | undefined;
  private readonly tuple: number[] = [];
  private readonly classTerms: number[];
  private exhausting: readonly boolean[] | undefined;
  private endlessKnown: boolean | undefined;
  private finiteKnown: boolean | undefined;
  private readonly missingKnown: (number | undefined)[] = [];
  private readonly outlines: (number | undefined)[] = [];
  private readonly allWitnesses: number;
  private readonly declared: number;
  readonly names: DeclaredNames;
  readonly policy: ObjectPolicy;
  readonly start: number;

  constructor(
    readonly expr: ObjectExpr,
    private readonly pool: LexemePool,
  ) {
    const props = expr.properties;
    this.n = props.length;
    this.anyOrder = expr.order === 'any';
    const implications = expr.implications.length > 0;
    this.seenWords = this.anyOrder || implications ? (this.n + 31) >> 5 : 0;
    this.clamp =
      expr.maxProperties === Number.POSITIVE_INFINITY
        ? expr.minProperties
        : Math.max(expr.minProperties, expr.maxProperties);
    this.implied = implications ? closureOf(expr) : undefined;
    this.needed = new Uint8Array(implications ? this.n : 0);
    // What a required property implies is required too.
    this.required = Uint8Array.from(props, (p) => (p.required ? 1 : 0));
    for (const [p, then] of (this.implied ?? []).entries())
      if (props[p]!.required) for (const q of then) this.required[q] = 1;
    this.counts = this.implied === undefined ? undefined : new MemberCounts(expr, this.implied, this.required);
    this.nextRequired = new Int32Array(this.n + 1).fill(this.n);
    this.requiredFrom = new Int32Array(this.n + 1);
    for (let i = this.n - 1; i >= 0; i--) {
      const r = this.required[i]!;
      this.nextRequired[i] = r === 1 ? i : this.nextRequired[i + 1]!;
      this.requiredFrom[i] = this.requiredFrom[i + 1]! + r;
    }
    this.classTerms = expr.dynamic.map((d) => pool.terms.intern(d.keys));
    this.allWitnesses = expr.witnesses === 0 ? 0 : 2 ** expr.witnesses - 1;
    this.declared =
      expr.dynamic.length > 0 ? pool.terms.literals.build(props.map((p) => p.name)) : pool.terms.literals.none;
    this.names = new DeclaredNames(props, pool.terms);
    this.policy = new ObjectPolicy(this, expr, pool, this.classTerms);
    const first = new Array<number>(SEEN + this.seenWords).fill(0);
    first[EXCLUDED] = this.declared;
    this.start = this.tuples.intern(first, first.length);
  }

  get bytes(): number {
    return this.tuples.bytes;
  }

  /** Whether some dynamic class has endless keys. */
  private get endless(): boolean {
    this.endlessKnown ??= this.classTerms.some((t) => this.pool.terms.countUpTo(t, ENDLESS) >= ENDLESS);
    return this.endlessKnown;
  }

  /** Whether a forgotten key (see {@link hasForgotten}) may decide which keys can begin. */
  get beginningDependsOnKeys(): boolean {
    this.finiteKnown ??= this.classTerms.some((t) => this.pool.terms.countUpTo(t, ENDLESS) < ENDLESS);
    return this.finiteKnown;
  }

  private at(o: number, field: number): number {
    return this.tuples.data[this.tuples.offsets[o]! + field]!;
  }

  private seen(o: number, p: number): boolean {
    return ((this.at(o, SEEN + (p >> 5)) >>> (p & 31)) & 1) === 1;
  }

  /** Required and implied properties that are not there yet; in order 'schema' those passed over count too (they never are). */
  missing(o: number): number {
    let m = this.missingKnown[o];
    if (m === undefined) {
      m = this.countMissing(o);
      this.missingKnown[o] = m;
    }
    return m;
  }

  private countMissing(o: number): number {
    if (this.implied === undefined && (!this.anyOrder || this.requiredFrom[0] === 0))
      return this.requiredFrom[this.at(o, NEXT)]!;
    let m = 0;
    this.eachMissing(o, () => m++);
    return m;
  }

  /** Visits the required and implied properties that are not there yet, in order, of objects that note which are there (order 'any', implications). */
  eachMissing(o: number, visit: (p: number) => void): void {
    for (let w = 0; w < this.seenWords; w++)
      for (let rest = ~this.at(o, SEEN + w) & this.declaredWord(w); rest !== 0; rest &= rest - 1) {
        const p = w * 32 + (31 - Math.clz32(rest & -rest));
        if (this.needs(o, p)) visit(p);
      }
  }

  private declaredWord(w: number): number {
    const left = this.n - w * 32;
    return left >= 32 ? -1 : 2 ** left - 1;
  }

  /** State after all that {@link eachMissing} visits, in order 'any', without the states between. */
  afterMissing(o: number): number {
    const t = this.copy(o);
    this.eachMissing(o, (p) => {
      t[COUNT] = Math.min(t[COUNT]! + 1, this.clamp);
      t[SEEN + (p >> 5)]! |= 1 << (p & 31);
    });
    return this.tuples.intern(t, t.length);
  }

  /** Whether members may come in any order. */
  get isUnordered(): boolean {
    return this.anyOrder;
  }

  /** Whether property p is required or implied by a property that is there. */
  needs(o: number, p: number): boolean {
    if (this.required[p] === 1) return true;
    if (this.implied === undefined) return false;
    if (this.neededIn !== o) {
      this.neededIn = o;
      this.needed.fill(0);
      for (let q = 0; q < this.n; q++) if (this.seen(o, q)) for (const then of this.implied[q]!) this.needed[then] = 1;
    }
    return this.needed[p] === 1;
  }

  /** Whether the declared property p may come next. */
  allows(o: number, p: number): boolean {
    const { expr } = this;
    const next = this.at(o, NEXT);
    if (this.anyOrder) {
      if (this.seen(o, p)) return false;
    } else {
      if (p < next) return false;
      if (this.implied === undefined) {
        if (p > this.nextRequired[next]!) return false;
      } else {
        for (let q = next; q < p; q++) if (this.needs(o, q)) return false;
        for (const q of this.implied[p]!) if (q < p && !this.seen(o, q)) return false;
      }
    }
    if (expr.maxProperties !== Number.POSITIVE_INFINITY) {
      let missing = this.missing(o);
      if (this.implied !== undefined) {
        for (const q of this.implied[p]!) if (!this.seen(o, q) && !this.needs(o, q) && q !== p) missing++;
        if (this.needs(o, p)) missing--;
      } else if (this.required[p] === 1) missing--;
      if (this.at(o, COUNT) + 1 + missing + this.owed(o) > expr.maxProperties) return false;
    }
    if (expr.minProperties > 0 && !this.endless) {
      const dynamic = this.dynamicLeft(o);
      if (this.implied !== undefined) return this.canReachCount(o, p, dynamic);
      const left = this.anyOrder ? this.unseen(o) - 1 : this.n - p - 1;
      if (this.at(o, COUNT) + 1 + left + dynamic < expr.minProperties) return false;
    }
    return true;
  }

  private canReachCount(o: number, p: number, dynamic: number): boolean {
    const has = (q: number): boolean => this.seen(o, q);
    return this.counts!.canReach(o, p, { has, count: this.at(o, COUNT), owed: this.owed(o), dynamic });
  }

  /**
   * How many declared properties may each come or stay away from here on, whatever the others do; fewer where counts or implications may bind
   * them to one another. The property that is being read is not among them.
   */
  freeMembers(o: number): number {
    const { expr } = this;
    const bound =
      expr.maxProperties !== Number.POSITIVE_INFINITY || expr.minProperties > 1 || this.implied !== undefined;
    if (bound || this.allWitnesses !== 0) return 0;
    // One may be being read, and one may be needed for the count.
    let m = -1 - expr.minProperties;
    for (let p = 0; p < this.n; p++) if (this.required[p] === 0 && this.allows(o, p)) m++;
    return Math.max(0, m);
  }

  private unseen(o: number): number {
    let m = 0;
    for (let p = 0; p < this.n; p++) if (!this.seen(o, p)) m++;
    return m;
  }

  /** Witnesses that are still owed. */
  owed(o: number): number {
    let m = 0;
    for (let bits = this.allWitnesses & ~this.at(o, WITNESSES); bits !== 0; bits &= bits - 1) m++;
    return m;
  }

  /** Dynamic keys that can still be added, where the classes are finite. */
  private dynamicLeft(o: number): number {
    const { terms } = this.pool;
    let m = 0;
    for (let c = 0; c < this.classTerms.length; c++) m += terms.countUpTo(this.dynamicTerm(o, c), 10_000);
    return m;
  }

  /** The first declared property that may come next as far as the order goes. */
  firstDeclared(o: number): number {
    return this.anyOrder ? 0 : this.at(o, NEXT);
  }

  /** Members so far, up to the greatest count that matters. */
  countOf(o: number): number {
    return this.at(o, COUNT);
  }

  /** Term of the keys that must not come again: declared ones and remembered dynamic ones. */
  excludedKeys(o: number): number {
    return this.pool.terms.literalNode(this.at(o, EXCLUDED));
  }

  /** What property p implies, itself left out. */
  impliedBy(p: number): readonly number[] {
    return this.implied?.[p] ?? [];
  }

  /** Whether some declared name at or below a trie node may come next. */
  allowsBelow(o: number, node: number): boolean {
    return this.names.someBelow(node, (p) => this.allows(o, p));
  }

  allowsAnyDeclared(o: number): boolean {
    if (!this.anyOrder && this.implied === undefined && this.expr.maxProperties === Number.POSITIVE_INFINITY) {
      if (this.endless || this.expr.minProperties === 0) return this.at(o, NEXT) < this.n;
    }
    for (let p = this.anyOrder ? 0 : this.at(o, NEXT); p < this.n; p++) if (this.allows(o, p)) return true;
    return false;
  }

  /** Term of the keys of a dynamic class that may come next (NEVER where none). */
  dynamicTerm(o: number, c: number): number {
    const { terms } = this.pool;
    return terms.and(this.classTerms[c]!, terms.not(terms.literalNode(this.at(o, EXCLUDED))));
  }

  /** Whether a key of dynamic class c may come next (as far as counts go). */
  allowsDynamic(o: number, c: number): boolean {
    const { expr } = this;
    const missing = this.missing(o);
    if (!this.anyOrder && missing > 0) return false;
    const w = expr.dynamic[c]!.witness;
    if (w !== undefined && ((this.at(o, WITNESSES) >>> w) & 1) === 1) return false;
    const owed = this.owed(o) - (w === undefined ? 0 : 1);
    if (this.at(o, COUNT) + 1 + missing + owed > expr.maxProperties) return false;
    if (expr.minProperties > 0 && !this.endless) {
      const dynamic = this.dynamicLeft(o);
      if (this.anyOrder && this.implied !== undefined && w === undefined) return this.canReachCount(o, -1, dynamic - 1);
      const left = (this.anyOrder ? this.unseen(o) : 0) + dynamic;
      if (this.at(o, COUNT) + left < expr.minProperties) return false;
    }
    return true;
  }

  allowsAnyKey(o: number): boolean {
    if (this.isOutline(o)) return (this.at(o, COUNT) & GOES_ON) !== 0;
    if (this.allowsAnyDeclared(o)) return true;
    const { terms } = this.pool;
    for (let c = 0; c < this.classTerms.length; c++)
      if (this.allowsDynamic(o, c) && !terms.isEmpty(this.dynamicTerm(o, c))) return true;
    return false;
  }

  canClose(o: number): boolean {
    if (this.isOutline(o)) return (this.at(o, COUNT) & CLOSES) !== 0;
    return (
      this.missing(o) === 0 &&
      this.at(o, COUNT) >= this.expr.minProperties &&
      this.at(o, WITNESSES) === this.allWitnesses
    );
  }

  /** State after the declared property p. */
  afterDeclared(o: number, p: number): number {
    const t = this.copy(o);
    t[COUNT] = Math.min(t[COUNT]! + 1, this.clamp);
    if (!this.anyOrder) t[NEXT] = p + 1;
    if (this.seenWords > 0) t[SEEN + (p >> 5)]! |= 1 << (p & 31);
    return this.tuples.intern(t, t.length);
  }

  /** State after a dynamic key of class c; `key` undefined where it is not remembered, `unlike` where that cannot matter. */
  afterDynamic(o: number, c: number, key: string | undefined, unlike = false): number {
    const t = this.copy(o);
    t[COUNT] = Math.min(t[COUNT]! + 1, this.clamp);
    if (!this.anyOrder) t[NEXT] = this.n;
    const w = this.expr.dynamic[c]!.witness;
    if (w !== undefined) t[WITNESSES]! |= 1 << w;
    if (key !== undefined) t[EXCLUDED] = this.pool.terms.literals.insert(t[EXCLUDED]!, key);
    else if (this.remembersKeys && !unlike) t[FORGOTTEN] = FORGOT;
    return this.tuples.intern(t, t.length);
  }

  // ---- outlines -----------------------------------------------------------------------------------------------------

  /**
   * The state as a token sees it that passes the end of the member being read: whether the object may then close and whether a key may
   * follow, but no longer which one. So masks are shared by all states of an object that agree in these.
   */
  outline(o: number): number {
    if (this.isOutline(o)) return o;
    let known = this.outlines[o];
    if (known === undefined) {
      const t = new Array<number>(SEEN + this.seenWords).fill(0);
      const unsure = this.hasForgotten(o) && this.beginningDependsOnKeys;
      t[COUNT] = (this.canClose(o) ? CLOSES : 0) | (unsure ? UNSURE : this.allowsAnyKey(o) ? GOES_ON : 0);
      t[FORGOTTEN] = OUTLINE;
      known = this.tuples.intern(t, t.length);
      this.outlines[o] = known;
    }
    return known;
  }

  /** The outline after the dynamic key of class c that is being read. */
  outlineAfterDynamic(o: number, c: number): number {
    if (this.isOutline(o)) return o;
    return this.outline(this.afterDynamic(o, c, undefined, !this.beginningDependsOnKeys));
  }

  isOutline(o: number): boolean {
    return this.at(o, FORGOTTEN) === OUTLINE;
  }

  /** Whether it is unknown, from what is remembered, if a key may follow. */
  isUnsure(o: number): boolean {
    if (this.isOutline(o)) return (this.at(o, COUNT) & UNSURE) !== 0;
    return this.hasForgotten(o) && this.beginningDependsOnKeys;
  }

  /** The same state of other tables of this object; `literals` carries a set of keys over. */
  carry(from: ObjectStates, o: number, literals: (node: number) => number): number {
    const t = from.copy(o);
    if (!from.isOutline(o)) t[EXCLUDED] = literals(t[EXCLUDED]!);
    return this.tuples.intern(t, t.length);
  }

  /** Whether a key of class c may be one of the few that could supply a witness. */
  mayExhaustWitness(c: number): boolean {
    const { terms } = this.pool;
    this.exhausting ??= this.classTerms.map((own) =>
      this.expr.dynamic.some((d, i) => {
        if (d.witness === undefined || terms.countUpTo(this.classTerms[i]!, ENDLESS) >= ENDLESS) return false;
        return !terms.isEmpty(terms.and(own, this.classTerms[i]!));
      }),
    );
    return this.exhausting[c]!;
  }

  /** Whether each witness still owed has a key left that could supply it. */
  witnessesReachable(o: number): boolean {
    const { terms } = this.pool;
    for (let w = 0; w < this.expr.witnesses; w++) {
      if (((this.at(o, WITNESSES) >>> w) & 1) === 1) continue;
      const found = this.expr.dynamic.some((d, c) => d.witness === w && !terms.isEmpty(this.dynamicTerm(o, c)));
      if (!found) return false;
    }
    return true;
  }

  /** Whether a key that must not come again was not remembered: then which keys may follow is unknown. */
  hasForgotten(o: number): boolean {
    return this.at(o, FORGOTTEN) === FORGOT;
  }

  /** Whether a second dynamic key could follow, so that keys must be remembered. */
  get remembersKeys(): boolean {
    return this.expr.maxProperties > 1;
  }

  dynamic(c: number): DynamicKeys {
    return this.expr.dynamic[c]!;
  }

  private copy(o: number): number[] {
    const t = this.tuple;
    t.length = 0;
    for (let i = this.tuples.offsets[o]!, end = this.tuples.offsets[o + 1]!; i < end; i++) t.push(this.tuples.data[i]!);
    return t;
  }
}
