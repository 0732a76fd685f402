/** Fuzz cases as data (test/cases/fuzz/*.json): a grammar, a vocabulary and a path of token ids; and how a case is made smaller. */
import type { Expr, Grammar } from '../../src/grammar/ir.js';
import type { Draw } from '../oracle/random-grammar.js';
import { isProper } from '../oracle/random-grammar.js';
import { type Case, comparePath, type Outcome } from './compare.js';

export interface StoredCase {
  readonly name: string;
  /** What was wrong when the case was found. */
  readonly found: string;
  readonly grammar: Grammar;
  /** Hex bytes of each token, null for none. */
  readonly tokens: readonly (string | null)[];
  readonly eos: readonly number[];
  readonly path: readonly number[];
}

export function encodeCase(name: string, c: Case, outcome: Outcome): string {
  const stored: StoredCase = {
    name,
    found: outcome.mismatch ?? '',
    grammar: c.grammar,
    tokens: c.tokens.map((t) => (t === null ? null : Buffer.from(t).toString('hex'))),
    eos: c.eos,
    path: outcome.path,
  };
  return JSON.stringify(stored, (_, v) => (v === Number.POSITIVE_INFINITY ? 'Infinity' : v));
}

export function decodeCase(text: string): StoredCase & { readonly case: Case } {
  const stored = JSON.parse(text, (_, v) => (v === 'Infinity' ? Number.POSITIVE_INFINITY : v)) as StoredCase;
  const tokens = stored.tokens.map((t) => (t === null ? null : new Uint8Array(Buffer.from(t, 'hex'))));
  return { ...stored, case: { grammar: stored.grammar, tokens, eos: stored.eos } };
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [k: string]: Json };

/** Every value that differs from `v` by one simplification: an element dropped, a bound relaxed, a regex replaced by a part. */
function* simpler(v: Json): Generator<Json> {
  if (Array.isArray(v)) {
    for (let i = 0; i < v.length; i++) yield [...v.slice(0, i), ...v.slice(i + 1)];
    for (let i = 0; i < v.length; i++) for (const x of simpler(v[i])) yield [...v.slice(0, i), x, ...v.slice(i + 1)];
    return;
  }
  if (typeof v !== 'object' || v === null) return;
  const o = v as { readonly [k: string]: Json };
  if (typeof o.t === 'string') {
    yield { t: 'lit', text: 'a' };
    if (Array.isArray(o.items)) yield* o.items;
    if (o.item !== undefined) yield o.item;
  }
  for (const [k, to] of Object.entries({
    required: false,
    unique: false,
    minItems: 0,
    minProperties: 0,
    counts: 0,
    min: 0,
  })) {
    if (k in o && o[k] !== to && o[k] !== true) yield { ...o, [k]: to };
    else if (o[k] === true) yield { ...o, [k]: to };
  }
  for (const k of ['maxItems', 'maxProperties']) {
    if (k in o && o[k] !== Number.POSITIVE_INFINITY) yield { ...o, [k]: Number.POSITIVE_INFINITY };
  }
  for (const [k, x] of Object.entries(o)) {
    if (k === 'ranges' || k === 'edges' || k === 'states') continue;
    for (const y of simpler(x)) yield { ...o, [k]: y };
  }
}

function* smallerGrammars(g: Grammar): Generator<Grammar> {
  const children = (e: Expr): number[] => {
    const out: number[] = [];
    JSON.stringify(e, (k, v) => {
      if ((k === 'value' || k === 'item' || k === 'body') && typeof v === 'number') out.push(v);
      if (k === 'items' && Array.isArray(v)) out.push(...v.filter((x) => typeof x === 'number'));
      return v;
    });
    return out;
  };
  const start = g.exprs[g.start];
  if (start !== undefined) for (const id of children(start)) yield { ...g, start: id };
  if (g.whitespace !== 'compact') yield { ...g, whitespace: 'compact' };
  const reached = new Set<number>();
  const visit = (id: number): void => {
    const e = g.exprs[id];
    if (reached.has(id) || e === undefined) return;
    reached.add(id);
    children(e).forEach(visit);
  };
  visit(g.start);
  const leaf: Expr = { op: 'text', re: { t: 'lit', text: '1' } };
  for (const id of reached) {
    const e = g.exprs[id];
    if (e === undefined) continue;
    const put = (x: Expr): Grammar => ({ ...g, exprs: g.exprs.map((y, i) => (i === id ? x : y)) });
    if (JSON.stringify(e) !== JSON.stringify(leaf)) yield put(leaf);
    for (const x of simpler(e as unknown as Json)) yield put(x as unknown as Expr);
  }
  // Unreachable expressions become leaves (ids stay).
  if (g.exprs.some((e, i) => !reached.has(i) && e.op !== 'empty')) {
    yield { ...g, exprs: g.exprs.map((e, i) => (reached.has(i) ? e : { op: 'empty' })) };
  }
}

const kindOf = (mismatch: string | undefined): string =>
  (mismatch ?? '')
    .replace(/'[^']*'/g, '')
    .replace(/\d+/g, '')
    .replace(/^after :?/, '')
    .trim()
    .slice(0, 24);

/** A smaller case with the same kind of mismatch; `draw` is made anew for each try so that tries are alike. */
export function shrink(c: Case, first: Outcome, draw: () => Draw, budgetMs: number): { case: Case; outcome: Outcome } {
  const until = Date.now() + budgetMs;
  const kind = kindOf(first.mismatch);
  let best = c;
  let outcome = first;
  const attempt = (next: Case, path: readonly number[]): boolean => {
    if (Date.now() > until) return false;
    let proper = false;
    try {
      proper = isProper(next.grammar);
    } catch {
      return false;
    }
    if (!proper) return false;
    const o = comparePath(next, draw(), path.length, { path });
    if (o.mismatch === undefined || kindOf(o.mismatch) !== kind || o.mismatch.includes('oracle:')) return false;
    best = next;
    outcome = o;
    return true;
  };
  for (let changed = true; changed && Date.now() < until; ) {
    changed = false;
    for (const g of smallerGrammars(best.grammar)) {
      const path = outcome.path;
      if (attempt({ ...best, grammar: g }, path)) {
        changed = true;
        break;
      }
    }
  }
  // Tokens that are not on the path, in halves and then one by one.
  for (let size = best.tokens.length; size >= 1 && Date.now() < until; size = Math.floor(size / 2)) {
    for (let from = 0; from < best.tokens.length; from += size) {
      const keep = new Set([...outcome.path, ...best.eos]);
      const tokens = best.tokens.map((t, id) => (id >= from && id < from + size && !keep.has(id) ? null : t));
      if (tokens.some((t, i) => t !== best.tokens[i])) attempt({ ...best, tokens }, outcome.path);
    }
  }
  return { case: best, outcome };
}
