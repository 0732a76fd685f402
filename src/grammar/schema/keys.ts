/**
 * Sets of property names: those that match a pattern, satisfy propertyNames, or are left over by a map. Interned, so that equal
 * patterns of different schemas are one set; membership of a name is remembered, disjointness of two sets too.
 */
import type { Regex } from '../../regular/regex.js';
import type { TermStore } from '../../regular/terms.js';
import type { Formula } from './formula.js';
import { and, literalsOf, lits, loosened, not } from './re.js';
import type { KeyMap } from './shapes.js';

export interface KeySet {
  readonly id: number;
  readonly regex: () => Regex;
  /** Membership where it is known without automata. */
  readonly test: ((name: string) => boolean) | undefined;
}

/** Answers about regular languages that a schema compilation asks. */
export class Keys {
  private readonly sets: KeySet[] = [];
  private readonly patterns = new Map<string, KeySet>();
  private readonly names = new Map<Formula, KeySet>();
  private readonly rests = new Map<KeyMap, KeySet>();
  private readonly known: Map<string, boolean>[] = [];
  private readonly apart = new Map<number, boolean>();

  constructor(
    private readonly terms: () => TermStore,
    private readonly stringsOf: (f: Formula) => Regex,
  ) {}

  private add(make: () => Regex, test?: (name: string) => boolean): KeySet {
    let re: Regex | undefined;
    const set: KeySet = {
      id: this.sets.length,
      regex: () => {
        re ??= make();
        return re;
      },
      test,
    };
    this.sets.push(set);
    this.known.push(new Map());
    return set;
  }

  /** Names that match a pattern already parsed. */
  pattern(source: string, re: Regex): KeySet {
    let set = this.patterns.get(source);
    if (set === undefined) {
      set = this.add(() => re);
      this.patterns.set(source, set);
    }
    return set;
  }

  /** Names that the strings of a formula do not include: what propertyNames forbids. */
  outside(f: Formula): KeySet {
    let set = this.names.get(f);
    if (set === undefined) {
      set = this.add(() => not(this.stringsOf(f)));
      this.names.set(f, set);
    }
    return set;
  }

  /** Names that neither a property nor a rule of the map covers. */
  others(map: KeyMap): KeySet {
    let set = this.rests.get(map);
    if (set === undefined) {
      set = this.add(
        () => {
          const parts = map.rules.map((r) => not(r.keys.regex()));
          if (map.props.size > 0) parts.push(not(lits([...map.props.keys()])));
          return and(...parts);
        },
        (name) => !map.props.has(name) && !map.rules.some((r) => this.has(r.keys, name)),
      );
      this.rests.set(map, set);
    }
    return set;
  }

  has(set: KeySet, name: string): boolean {
    if (set.test !== undefined) return set.test(name);
    const memo = this.known[set.id]!;
    let answer = memo.get(name);
    if (answer === undefined) {
      answer = this.matches(set.regex(), name);
      memo.set(name, answer);
    }
    return answer;
  }

  matches(re: Regex, text: string): boolean {
    const list = literalsOf(re);
    if (list !== undefined) return list.includes(text);
    const terms = this.terms();
    return terms.matches(terms.intern(re), text);
  }

  isEmpty(re: Regex): boolean {
    const list = literalsOf(re);
    if (list !== undefined) return list.length === 0;
    const terms = this.terms();
    if (re.t === 'and') {
      const wide = loosened(re);
      if (wide !== re && terms.isEmpty(terms.intern(wide))) return true;
    }
    return terms.isEmpty(terms.intern(re));
  }

  /** How many strings, saturating at `limit`. */
  count(re: Regex, limit: number): number {
    const list = literalsOf(re);
    if (list !== undefined) return Math.min(limit, new Set(list).size);
    const terms = this.terms();
    return terms.countUpTo(terms.intern(re), limit);
  }

  /** All strings, where they are fewer than `limit`. */
  list(re: Regex, limit: number): readonly string[] | undefined {
    const list = literalsOf(re);
    if (list !== undefined) return list.length < limit ? list : undefined;
    const terms = this.terms();
    return terms.listUpTo(terms.intern(re), limit);
  }

  disjoint(a: KeySet, b: KeySet): boolean {
    if (a === b) return false;
    const key = Math.min(a.id, b.id) * 0x4000000 + Math.max(a.id, b.id);
    let answer = this.apart.get(key);
    if (answer === undefined) {
      answer = this.isEmpty(and(a.regex(), b.regex()));
      this.apart.set(key, answer);
    }
    return answer;
  }
}
