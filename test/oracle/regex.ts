/**
 * Regular languages of the naive twin: Brzozowski derivatives over code points with string keys instead of interning, no
 * caches beyond one value, no bytes. Written on its own so that it shares nothing with `src/regular`; slow on purpose.
 *
 * `matchEnds` is a second, independent reading (sets of end positions, no derivatives) that the tests hold against it.
 */
import type { Regex } from '../../src/regular/regex.js';

/** A term in normal form; equal keys denote equal terms. */
export interface Term {
  readonly key: string;
  readonly nullable: boolean;
  readonly d: (c: number) => Term;
  /** Code points at which the behaviour of the first character may change (class starts). */
  readonly cuts: () => number[];
  /** Members of a union or intersection, so that nested ones flatten (else derivatives never repeat). */
  readonly union?: readonly Term[];
  readonly meet?: readonly Term[];
  /** Head and tail of a concatenation, which leans to the right. */
  readonly pair?: readonly [Term, Term];
}

const memo = <A, B>(f: (a: A) => B): ((a: A) => B) => {
  const known = new Map<A, B>();
  return (a) => {
    let b = known.get(a);
    if (b === undefined) {
      b = f(a);
      known.set(a, b);
    }
    return b;
  };
};

const interned = new Map<string, Term>();

/** One object per key, so that derivatives and emptiness are computed once (the map is a plain cache, dropped when large). */
function term(
  key: string,
  nullable: boolean,
  d: (c: number) => Term,
  cuts: () => number[],
  parts: Pick<Term, 'union' | 'meet' | 'pair'> = {},
): Term {
  let t = interned.get(key);
  if (t === undefined) {
    if (interned.size > 100_000) interned.clear();
    t = { key, nullable, d: memo(d), cuts: memo(cuts) as () => number[], ...parts };
    interned.set(key, t);
  }
  return t;
}

export const NEVER: Term = term(
  '0',
  false,
  () => NEVER,
  () => [],
);
export const EMPTY: Term = term(
  '1',
  true,
  () => NEVER,
  () => [],
);

const inRanges = (ranges: readonly number[], c: number): boolean => {
  for (let i = 0; i + 1 < ranges.length; i += 2) if (c >= (ranges[i] ?? 0) && c <= (ranges[i + 1] ?? -1)) return true;
  return false;
};

function set(ranges: readonly number[]): Term {
  if (ranges.length === 0) return NEVER;
  return term(
    `[${ranges.join(',')}]`,
    false,
    (c) => (inRanges(ranges, c) ? EMPTY : NEVER),
    () => ranges.map((r, i) => (i % 2 === 0 ? r : r + 1)),
  );
}

function word(text: readonly number[], at: number): Term {
  if (at === text.length) return EMPTY;
  const c = text[at] ?? 0;
  return term(
    `'${text.slice(at).join('.')}'`,
    false,
    (x) => (x === c ? word(text, at + 1) : NEVER),
    () => [c, c + 1],
  );
}

function cat(a: Term, b: Term): Term {
  if (a === NEVER || b === NEVER) return NEVER;
  if (a.key === '1') return b;
  if (b.key === '1') return a;
  if (a.pair !== undefined) return cat(a.pair[0], cat(a.pair[1], b));
  return term(
    `(${a.key}.${b.key})`,
    a.nullable && b.nullable,
    (c) => (a.nullable ? alt([cat(a.d(c), b), b.d(c)]) : cat(a.d(c), b)),
    () => (a.nullable ? [...a.cuts(), ...b.cuts()] : a.cuts()),
    { pair: [a, b] },
  );
}

function alt(items: readonly Term[]): Term {
  const by = new Map<string, Term>();
  for (const t of items.flatMap((x) => x.union ?? [x])) if (t.key !== '0') by.set(t.key, t);
  const keys = [...by.keys()].sort();
  const parts = keys.map((k) => by.get(k) ?? NEVER);
  if (parts.length === 0) return NEVER;
  if (parts.length === 1) return parts[0] ?? NEVER;
  if (by.has('!(0)')) return NOTHING_FORBIDDEN;
  return term(
    `(|${keys.join('|')})`,
    parts.some((t) => t.nullable),
    (c) => alt(parts.map((t) => t.d(c))),
    () => [...new Set(parts.flatMap((t) => t.cuts()))],
    { union: parts },
  );
}

export function and(items: readonly Term[]): Term {
  const by = new Map<string, Term>();
  for (const t of items.flatMap((x) => x.meet ?? [x])) by.set(t.key, t);
  if (by.has('0')) return NEVER;
  by.delete('!(0)');
  const keys = [...by.keys()].sort();
  const parts = keys.map((k) => by.get(k) ?? NEVER);
  if (parts.length === 0) return NOTHING_FORBIDDEN;
  if (parts.length === 1) return parts[0] ?? NEVER;
  return term(
    `(&${keys.join('&')})`,
    parts.every((t) => t.nullable),
    (c) => and(parts.map((t) => t.d(c))),
    () => [...new Set(parts.flatMap((t) => t.cuts()))],
    { meet: parts },
  );
}

export function not(a: Term): Term {
  if (a.key.startsWith('!(')) return INNER.get(a) ?? NEVER;
  const t = term(
    `!(${a.key})`,
    !a.nullable,
    (c) => not(a.d(c)),
    () => a.cuts(),
  );
  INNER.set(t, a);
  return t;
}
const INNER = new WeakMap<Term, Term>();
/** Every string. */
const NOTHING_FORBIDDEN: Term = not(NEVER);

function rep(a: Term, min: number, max: number): Term {
  if (max === 0) return EMPTY;
  if (a.key === '1' || (a.key === '0' && min === 0)) return EMPTY;
  if (a.key === '0') return NEVER;
  return term(
    `(${a.key}){${min},${max}}`,
    min === 0 || a.nullable,
    // With a nullable item the skipped copies only lower the bound, so one form serves for both.
    (c) => cat(a.d(c), rep(a, Math.max(0, min - 1), max - 1)),
    () => a.cuts(),
  );
}

type Dfa = Regex & { readonly t: 'dfa' };

/** The state of an automaton as a term: the key spells the automaton out. */
function automaton(re: Dfa): Term {
  const made = new Map<number, Term>();
  const at = (q: number): Term => {
    let t = made.get(q);
    const state = re.states[q];
    if (state === undefined) return NEVER;
    if (t === undefined) {
      t = term(
        `<${JSON.stringify(re.states)}:${q}>`,
        state.accept,
        (c) => {
          const target = dfaStep(re, q, c);
          return target === undefined ? NEVER : at(target);
        },
        () => state.edges.flatMap((x, i) => (i % 3 === 0 ? [x] : i % 3 === 1 ? [x + 1] : [])),
      );
      made.set(q, t);
    }
    return t;
  };
  return at(re.start);
}

function dfaStep(re: Dfa, q: number, c: number): number | undefined {
  const edges = re.states[q]?.edges ?? [];
  for (let i = 0; i + 2 < edges.length; i += 3)
    if (c >= (edges[i] ?? 0) && c <= (edges[i + 1] ?? -1)) return edges[i + 2];
  return undefined;
}

const points = (text: string): number[] => Array.from(text, (ch) => ch.codePointAt(0) ?? 0);

export function termOf(re: Regex): Term {
  switch (re.t) {
    case 'never':
      return NEVER;
    case 'empty':
      return EMPTY;
    case 'set':
      return set(re.ranges);
    case 'lit':
      return word(points(re.text), 0);
    case 'lits':
      return alt(re.texts.map((t) => word(points(t), 0)));
    case 'cat':
      return re.items.map(termOf).reduceRight((b, a) => cat(a, b), EMPTY);
    case 'alt':
      return alt(re.items.map(termOf));
    case 'and':
      return and(re.items.map(termOf));
    case 'not':
      return not(termOf(re.item));
    case 'rep':
      return rep(termOf(re.item), re.min, re.max);
    case 'dfa':
      return automaton(re);
  }
}

const HIGH: Term = set([0xd800, 0xdbff]);
const LOW: Term = set([0xdc00, 0xdfff]);
/** What a JSON string can hold: a high surrogate followed by a low one is one code point, never two. */
export const DECODABLE: Term = not(cat(NOTHING_FORBIDDEN, cat(HIGH, cat(LOW, NOTHING_FORBIDDEN))));
/** What raw UTF-8 can hold: no surrogates. */
export const SCALARS: Term = not(cat(NOTHING_FORBIDDEN, cat(set([0xd800, 0xdfff]), NOTHING_FORBIDDEN)));

export const derive = (t: Term, text: readonly number[]): Term => text.reduce((x, c) => x.d(c), t);

/** One code point of every class of the first character that meets [lo, hi]. */
export function representatives(t: Term, lo = 0, hi = 0x10ffff): number[] {
  const out = new Set<number>([lo]);
  for (const c of t.cuts()) if (c >= lo && c <= hi) out.add(c);
  return [...out].sort((a, b) => a - b);
}

/** Is there any string? Breadth-first over derivatives. Throws where there are too many (the test's grammar is too large). */
const emptiness = new WeakMap<Term, boolean>();
export function nonEmpty(t: Term): boolean {
  let known = emptiness.get(t);
  if (known === undefined) {
    known = search(t);
    emptiness.set(t, known);
  }
  return known;
}

function search(t: Term): boolean {
  const seen = new Set<string>([t.key]);
  let level = [t];
  while (level.length > 0) {
    const next: Term[] = [];
    for (const s of level) {
      if (s.nullable || emptiness.get(s)) return true;
      if (s.key === '0' || emptiness.get(s) === false) continue;
      for (const c of representatives(s)) {
        const q = s.d(c);
        if (!seen.has(q.key)) {
          seen.add(q.key);
          next.push(q);
        }
      }
    }
    if (seen.size > 20_000) throw new Error('oracle: too many derivatives');
    level = next;
  }
  return false;
}

/** Is there a string of exactly `length` code points? */
function hasLength(t: Term, length: number, known: Map<string, boolean>): boolean {
  if (length === 0) return t.nullable;
  if (!nonEmpty(t)) return false;
  const key = `${length}${t.key}`;
  let has = known.get(key);
  if (has === undefined) {
    has = representatives(t).some((c) => hasLength(t.d(c), length - 1, known));
    known.set(key, has);
  }
  return has;
}

/** Up to `n` shortest strings of the language; of each character class up to `n` members are tried. */
export function words(t: Term, n: number): number[][] {
  const out: number[][] = [];
  const known = new Map<string, boolean>();
  const collect = (s: Term, w: readonly number[], left: number): void => {
    if (out.length >= n || !hasLength(s, left, known)) return;
    if (left === 0) {
      out.push([...w]);
      return;
    }
    const starts = representatives(s);
    starts.forEach((from, k) => {
      const q = s.d(from);
      const to = Math.min(starts[k + 1] ?? 0x110000, from + n);
      for (let c = from; c < to && out.length < n && hasLength(q, left - 1, known); c++)
        collect(q, [...w, c], left - 1);
    });
  };
  let frontier = new Map([[t.key, t]]);
  for (let length = 0; frontier.size > 0 && out.length < n && length < 200; length++) {
    collect(t, [], length);
    const next = new Map<string, Term>();
    for (const s of frontier.values()) {
      for (const c of representatives(s)) {
        const q = s.d(c);
        if (nonEmpty(q)) next.set(q.key, q);
      }
    }
    frontier = next;
  }
  return out;
}

/** Ends j such that text[i..j) is in the language, read without derivatives. */
export function matchEnds(re: Regex, text: readonly number[], i: number): Set<number> {
  const all = (): Set<number> => new Set(Array.from({ length: text.length - i + 1 }, (_, k) => i + k));
  switch (re.t) {
    case 'never':
      return new Set();
    case 'empty':
      return new Set([i]);
    case 'set':
      return i < text.length && inRanges(re.ranges, text[i] ?? -1) ? new Set([i + 1]) : new Set();
    case 'lit':
    case 'lits': {
      const out = new Set<number>();
      for (const t of re.t === 'lit' ? [re.text] : re.texts) {
        const w = points(t);
        if (w.every((c, k) => text[i + k] === c)) out.add(i + w.length);
      }
      return out;
    }
    case 'cat': {
      let at = new Set([i]);
      for (const item of re.items) at = new Set([...at].flatMap((j) => [...matchEnds(item, text, j)]));
      return at;
    }
    case 'alt':
      return new Set(re.items.flatMap((item) => [...matchEnds(item, text, i)]));
    case 'and': {
      let at = all();
      for (const item of re.items) {
        const ends = matchEnds(item, text, i);
        at = new Set([...at].filter((j) => ends.has(j)));
      }
      return at;
    }
    case 'not': {
      const ends = matchEnds(re.item, text, i);
      return new Set([...all()].filter((j) => !ends.has(j)));
    }
    case 'rep': {
      const out = new Set<number>();
      const seen = new Set<string>();
      const limit = Math.min(re.max, re.min + text.length - i + 1);
      let at = new Set([i]);
      for (let count = 0; at.size > 0; count++) {
        if (count >= re.min) for (const j of at) out.add(j);
        const sign = `${Math.min(count, re.min)}:${[...at].sort((a, b) => a - b).join()}`;
        if (count >= limit || seen.has(sign)) break;
        seen.add(sign);
        at = new Set([...at].flatMap((j) => [...matchEnds(re.item, text, j)]));
      }
      return out;
    }
    case 'dfa': {
      const out = new Set<number>();
      let q: number | undefined = re.start;
      for (let j = i; q !== undefined; j++) {
        if (re.states[q]?.accept) out.add(j);
        if (j === text.length) break;
        q = dfaStep(re, q, text[j] ?? -1);
      }
      return out;
    }
  }
}
