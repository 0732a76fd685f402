/**
 * The values of a formula one by one, where they are few: what uniqueItems needs to know of arrays and objects.
 *
 * Counting alone would count twice what two shapes admit, so values are listed as canonical texts (formula.ts). A list ends as "many" when it
 * reaches the limit of who asks, when a member or an item alone has as many values as that, and when it takes too much work: then
 * nothing is claimed. So does a schema that contains itself, whose values are few only in odd cases.
 */
import { LimitError } from '../../base/errors.js';
import { canonical, type Formula } from './formula.js';
import type { KeySet } from './keys.js';
import { FALSE_BIT, NULL_BIT, TRUE_BIT } from './normal.js';
import type { Normaliser } from './normalise.js';
import { countNumbers, listNumbers, type NumberSet } from './numbers.js';
import type { ArrayShape, ObjectShape } from './shapes.js';
import type { Solver } from './solve.js';
import { type StringSet, stringRegex, stringsEmpty } from './strings.js';

/** Steps of one question, and of all questions of a schema. */
const STEPS = 20_000;
const ALL_STEPS = 400_000;
/** Nesting beyond which values are taken to be many. */
const DEEP = 24;
/** Items of one array. */
const LONG = 600;
/** Significant digits of numbers that are compared as items (docs/json-schema.md, Numbers). */
const DIGITS = 15;

interface Found {
  readonly texts: Set<string>;
  readonly limit: number;
  many: boolean;
}

interface Member {
  readonly key: string;
  readonly value: Formula;
  readonly required: boolean;
  readonly texts: readonly string[];
  /** By witness: the texts that supply it. */
  readonly supplies: readonly (ReadonlySet<string> | undefined)[];
}

export class Listing {
  private readonly open = new Set<Formula>();
  private steps = 0;
  private allSteps = 0;

  constructor(
    private readonly n: Normaliser,
    private readonly solver: Solver,
  ) {}

  /** All values as canonical texts, where they are fewer than `limit`; `items` if they are items of an array whose items must differ. */
  list(f: Formula, limit: number, items = false): readonly string[] | undefined {
    if (this.open.size === 0) {
      this.allSteps += this.steps;
      this.steps = 0;
    }
    const node = this.n.context.formulas.node(f);
    if (node.kind === 'const' && typeof node.value !== 'number') return limit > 1 ? [canonical(node.value)] : undefined;
    if (this.open.has(f) || this.open.size > DEEP || !this.mayGoOn()) return undefined;
    if (!this.solver.nonEmpty(f)) return [];
    this.open.add(f);
    try {
      const found: Found = { texts: new Set(), limit, many: limit <= 0 };
      this.scalars(f, found, items);
      if (!found.many) this.structures(f, found);
      return found.many ? undefined : [...found.texts];
    } finally {
      this.open.delete(f);
    }
  }

  /** How many arrays and objects a formula has; `limit` where they are as many, or too many to list. */
  countStructures(f: Formula, limit: number): number {
    const found: Found = { texts: new Set(), limit, many: limit <= 0 };
    if (this.open.has(f)) return limit;
    this.open.add(f);
    try {
      this.structures(f, found);
    } finally {
      this.open.delete(f);
    }
    return found.many ? limit : found.texts.size;
  }

  /** How many null, booleans, numbers and strings a formula has at most, saturating at `limit`. */
  countScalars(f: Formula, limit: number, items: boolean): number {
    const { basic, numbers, strings } = this.n.normal(f);
    let count = (basic & 1) + ((basic >> 1) & 1) + ((basic >> 2) & 1);
    if (count < limit) count += this.countNumbers(numbers, limit - count, items);
    if (count < limit) count += this.countStrings(strings, limit - count);
    return Math.min(count, limit);
  }

  private countNumbers(numbers: NumberSet, limit: number, items: boolean): number {
    const count = countNumbers(numbers, limit);
    return count < limit ? this.numberTexts(numbers, items).length : items && isBeyondDigits(numbers) ? 0 : limit;
  }

  private countStrings(strings: StringSet, limit: number): number {
    if (strings.kind === 'list') return Math.min(limit, new Set(strings.texts).size);
    if (strings.parts.length === 0 && strings.max > 0) return limit;
    if (limit === 1) return stringsEmpty(strings, this.n) ? 0 : 1;
    return orMany(() => this.n.context.keys.count(stringRegex(strings), limit)) ?? limit;
  }

  private mayGoOn(): boolean {
    return ++this.steps <= STEPS && this.allSteps + this.steps <= ALL_STEPS;
  }

  private add(found: Found, text: string): void {
    found.texts.add(text);
    found.many ||= found.texts.size >= found.limit || !this.mayGoOn();
  }

  private scalars(f: Formula, found: Found, items: boolean): void {
    const { limit } = found;
    if (this.countScalars(f, limit, items) >= limit) {
      found.many = true;
      return;
    }
    const { basic, numbers, strings } = this.n.normal(f);
    if ((basic & NULL_BIT) !== 0) this.add(found, 'null');
    if ((basic & FALSE_BIT) !== 0) this.add(found, 'false');
    if ((basic & TRUE_BIT) !== 0) this.add(found, 'true');
    const count = countNumbers(numbers, limit);
    if (count < limit) for (const text of this.numberTexts(numbers, items)) this.add(found, text);
    const texts = strings.kind === 'list' ? strings.texts : this.n.context.keys.list(stringRegex(strings), limit);
    for (const text of texts ?? []) this.add(found, JSON.stringify(text));
  }

  /** Canonical texts of the numbers of a small set that can be written. */
  private numberTexts(numbers: NumberSet, items: boolean): readonly string[] {
    const { context, numberTexts } = this.n;
    const out: string[] = [];
    for (const text of listNumbers(numbers)) {
      const long = text.replace(/^-?(0\.)?|\./g, '').length > DIGITS;
      if (long && items) continue;
      if (long || context.settings.maxDigits !== undefined) {
        const re = numberTexts.of(numbers);
        if (re === undefined || !context.matches(re, text)) continue;
      }
      out.push(canonical(Number(text)));
    }
    return out;
  }

  private structures(f: Formula, found: Found): void {
    const { arrays, objects } = this.n.normal(f);
    for (const s of objects) if (!found.many && this.solver.objectProductive(s)) this.objects(s, found);
    for (const s of arrays) if (!found.many && this.solver.arrayProductive(s)) this.arrays(s, found);
  }

  // ---- objects --------------------------------------------------------------------------------------------------------

  private objects(s: ObjectShape, found: Found): void {
    const members = this.membersOf(s, found.limit);
    if (members === undefined) {
      found.many = true;
      return;
    }
    const parts: string[] = [];
    const present = new Set<string>();
    /** By witness: how many members supply it. */
    const supplied = s.witnesses.map(() => 0);
    const visit = (at: number): void => {
      if (found.many || !this.mayGoOn()) {
        found.many = true;
        return;
      }
      const m = members[at];
      if (m === undefined) {
        const fits =
          parts.length >= s.min &&
          supplied.every((k) => k > 0) &&
          s.implications.every((i) => !present.has(i.when) || i.then.every((name) => present.has(name)));
        if (fits) this.add(found, `{${parts.join()}}`);
        return;
      }
      if (parts.length < s.max) {
        present.add(m.key);
        for (const text of m.texts) {
          parts.push(`${JSON.stringify(m.key)}:${text}`);
          const supplies = m.supplies.map((set) => (set?.has(text) === true ? 1 : 0));
          supplies.forEach((k, w) => {
            supplied[w]! += k;
          });
          visit(at + 1);
          supplies.forEach((k, w) => {
            supplied[w]! -= k;
          });
          parts.pop();
        }
        present.delete(m.key);
      }
      if (!m.required) visit(at + 1);
    };
    visit(0);
  }

  /** The members that an object of a shape may have, by key; undefined where they or the values of one are many. */
  private membersOf(s: ObjectShape, limit: number): readonly Member[] | undefined {
    const { n, solver } = this;
    const names = solver.names(s);
    const mandatory = solver.mandatory(s);
    const isFull = s.max <= mandatory.size;
    const mayHave = (name: string): boolean =>
      mandatory.has(name) || (!isFull && solver.objectProductive({ ...s, required: [...s.required, name] }));
    const fields = names
      .map((key) => ({ key, value: n.valueAt(s, key) }))
      .filter(({ key, value }) => (mandatory.has(key) || !isFull) && solver.nonEmpty(value));
    // What shows many values at once spares a look at those that must be listed.
    for (const { key, value } of fields)
      if (this.countScalars(value, limit, false) >= limit && mayHave(key)) return undefined;
    if (!isFull) {
      const asked: KeySet[] = s.witnesses.map((w) => w.keys);
      for (const c of solver.classes(s, names, asked)) {
        if (!solver.nonEmpty(c.value)) continue;
        const keys = orMany(() => n.context.keys.list(c.keys, limit));
        if (keys === undefined) return undefined;
        for (const key of keys) fields.push({ key, value: c.value });
      }
    }
    const members: Member[] = [];
    for (const { key, value } of fields) {
      if (!mayHave(key)) continue;
      const texts = this.list(value, limit);
      if (texts === undefined) return undefined;
      const supplies: (ReadonlySet<string> | undefined)[] = [];
      for (const w of s.witnesses) {
        if (!n.context.keys.has(w.keys, key)) {
          supplies.push(undefined);
          continue;
        }
        const some = this.list(n.and(value, w.value), limit);
        if (some === undefined) return undefined;
        supplies.push(new Set(some));
      }
      members.push({ key, value, required: mandatory.has(key), texts, supplies });
    }
    return members.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  // ---- arrays ---------------------------------------------------------------------------------------------------------

  private arrays(s: ArrayShape, found: Found): void {
    const { solver } = this;
    const positions = solver.positions(s);
    // So many that one of them is always free.
    const limit = found.limit + (s.unique ? Math.max(s.min, positions) : 0) + sum(s.contains.map((c) => c.min));
    const rows: (readonly { readonly counts: number; readonly texts: readonly string[] | undefined }[])[] = [];
    const rowOf = (i: number) => {
      const at = Math.min(i, positions);
      rows[at] ??= solver
        .variants(s, at)
        .map((v) => ({ counts: v.counts, texts: this.list(v.value, limit, s.unique) }));
      return rows[at];
    };
    const items: string[] = [];
    const counted = s.contains.map(() => 0);
    let free = 0;
    const visit = (): void => {
      if (found.many || !this.mayGoOn() || items.length > LONG) {
        found.many = true;
        return;
      }
      if (items.length >= s.min && s.contains.every((c, k) => counted[k]! >= c.min)) {
        if (free > 0) found.many = true;
        else this.add(found, `[${items.join()}]`);
      }
      if (items.length >= s.max) return;
      for (const { counts, texts } of rowOf(items.length)) {
        if (found.many) return;
        if (s.contains.some((c, k) => counted[k]! + ((counts >> k) & 1) > c.max)) continue;
        s.contains.forEach((_, k) => {
          counted[k]! += (counts >> k) & 1;
        });
        if (texts === undefined) {
          free++;
          items.push('');
          visit();
          items.pop();
          free--;
        }
        for (const text of texts ?? []) {
          if (s.unique && items.includes(text)) continue;
          items.push(text);
          visit();
          items.pop();
        }
        s.contains.forEach((_, k) => {
          counted[k]! -= (counts >> k) & 1;
        });
      }
    };
    visit();
  }
}

/** The answer of a question; undefined where it takes too much work. */
function orMany<T>(question: () => T): T | undefined {
  try {
    return question();
  } catch (e) {
    if (e instanceof LimitError) return undefined;
    throw e;
  }
}

const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);

/** Whether all numbers of a set have more digits than items may have. */
function isBeyondDigits(numbers: NumberSet): boolean {
  return numbers.every((b) => {
    const low = b.lo === undefined ? Number.NEGATIVE_INFINITY : Number(`${b.lo.m}e${b.lo.e}`);
    const high = b.hi === undefined ? INF : Number(`${b.hi.m}e${b.hi.e}`);
    return low >= 10 ** DIGITS || high <= -(10 ** DIGITS);
  });
}

const INF = Number.POSITIVE_INFINITY;
