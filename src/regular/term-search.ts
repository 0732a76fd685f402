/**
 * Questions about terms that take a search over their derivatives: emptiness, shortest members, counts. Bounded; what was found
 * is remembered in the terms' flags.
 */
import { LimitError } from '../base/errors.js';
import type { Derivatives } from './derivatives.js';
import { edgeTarget, mapEdges } from './edges.js';
import { F_BOOLEAN, F_KNOWN_DEAD, F_KNOWN_LIVE, F_NULLABLE, NEVER, type TermTable } from './term-table.js';

export interface TermLimits {
  /** Most terms that one emptiness or counting search may visit. */
  readonly search?: number;
  /** What a search that passes the limit does: throw LimitError (default), or take the term for live. */
  readonly onLimit?: 'throw' | 'assume live';
}

export class TermSearch {
  private readonly limit: number;
  private readonly tolerant: boolean;

  constructor(
    private readonly table: TermTable,
    private readonly derivatives: Derivatives,
    limits: TermLimits,
  ) {
    this.limit = limits.search ?? 20_000;
    this.tolerant = limits.onLimit === 'assume live';
  }

  /** Derivatives without those that lead to an empty language. */
  liveEdges(t: number): Int32Array {
    const list = this.derivatives.of(t);
    if ((this.table.flags[t]! & F_BOOLEAN) === 0) return list;
    for (let i = 2; i < list.length; i += 3) {
      if (this.isEmpty(list[i]!)) {
        const live = Int32Array.from(mapEdges(list, (x) => (this.isEmpty(x) ? NEVER : x), NEVER));
        this.derivatives.replace(t, live);
        return live;
      }
    }
    return list;
  }

  /** Derivative by one code point. */
  step(t: number, cp: number): number {
    return edgeTarget(this.derivatives.of(t), cp, NEVER);
  }

  /** Whether no string belongs. @throws LimitError where the search visits too many terms. */
  isEmpty(t: number): boolean {
    const f = this.table.flags[t]!;
    if (t === NEVER) return true;
    if ((f & (F_NULLABLE | F_KNOWN_LIVE)) !== 0 || (f & F_BOOLEAN) === 0) return false;
    if ((f & F_KNOWN_DEAD) !== 0) return true;
    return this.searchLive(t);
  }

  /**
   * Search for a nullable or known live term; every term on the way to it is live, else all visited are dead. Depth first alone runs away
   * where a length is counted (each character makes a new term, 50,000 of them under maxLength 65536), breadth first alone where a long
   * text is wanted; taken by turns, they cost twice what the better of them does.
   */
  private searchLive(root: number): boolean {
    const parent = new Map<number, number>([[root, -1]]);
    const open = [root];
    let head = 0;
    for (let turn = 0; head < open.length; turn++) {
      const t = (turn & 1) === 0 ? open.pop()! : open[head++]!;
      const list = this.derivatives.of(t);
      for (let i = 2; i < list.length; i += 3) {
        const u = list[i]!;
        const f = this.table.flags[u]!;
        if (u === NEVER || (f & F_KNOWN_DEAD) !== 0 || parent.has(u)) continue;
        if ((f & (F_NULLABLE | F_KNOWN_LIVE)) !== 0 || (f & F_BOOLEAN) === 0) {
          for (let p = t; p !== -1; p = parent.get(p)!) this.table.flags[p]! |= F_KNOWN_LIVE;
          return false;
        }
        parent.set(u, t);
        if (parent.size > this.limit && this.tolerant) {
          for (const p of parent.keys()) this.table.flags[p]! |= F_KNOWN_LIVE;
          return false;
        }
        if (parent.size > this.limit)
          throw new LimitError('states of a pattern searched for emptiness', parent.size, this.limit);
        open.push(u);
      }
    }
    for (const t of parent.keys()) this.table.flags[t]! |= F_KNOWN_DEAD;
    return true;
  }

  /** Whether a whole string belongs. */
  matches(t: number, text: string): boolean {
    let s = t;
    for (let i = 0; i < text.length && s !== NEVER; ) {
      const cp = text.codePointAt(i)!;
      s = this.step(s, cp);
      i += cp > 0xffff ? 2 : 1;
    }
    return this.table.nullable(s);
  }

  /** A shortest member (fewest code points), or undefined where the language is empty. */
  shortest(t: number): string | undefined {
    if (this.isEmpty(t)) return undefined;
    const seen = new Map<number, { from: number; cp: number }>([[t, { from: -1, cp: 0 }]]);
    let layer = [t];
    while (layer.length > 0) {
      const next: number[] = [];
      for (const s of layer) {
        if (this.table.nullable(s)) {
          const cps: number[] = [];
          for (let at = s; at !== t || cps.length === 0; ) {
            const e = seen.get(at)!;
            if (e.from === -1) break;
            cps.push(e.cp);
            at = e.from;
          }
          return cps
            .reverse()
            .map((c) => String.fromCodePoint(c))
            .join('');
        }
        const list = this.liveEdges(s);
        for (let i = 0; i < list.length; i += 3) {
          const u = list[i + 2]!;
          if (!seen.has(u)) {
            seen.set(u, { from: s, cp: pleasant(list[i]!, list[i + 1]!) });
            next.push(u);
          }
        }
      }
      layer = next;
    }
    return undefined;
  }

  /** Number of different members, at most `limit` (which also stands for infinitely many). */
  countUpTo(t: number, limit: number): number {
    const memo = new Map<number, number>();
    const open = new Set<number>();
    const visit = (s: number, depth: number): number => {
      if (this.isEmpty(s)) return 0;
      const known = memo.get(s);
      if (known !== undefined) return known;
      if (open.has(s) || depth > 2_000) return limit;
      if (memo.size > this.limit) throw new LimitError('states of a pattern counted', memo.size, this.limit);
      open.add(s);
      let n = this.table.nullable(s) ? 1 : 0;
      const list = this.liveEdges(s);
      for (let i = 0; i < list.length && n < limit; i += 3)
        n += (list[i + 1]! - list[i]! + 1) * visit(list[i + 2]!, depth + 1);
      open.delete(s);
      n = Math.min(n, limit);
      memo.set(s, n);
      return n;
    };
    return Math.min(limit, visit(t, 0));
  }

  /** All members, where they are fewer than `limit`. */
  listUpTo(t: number, limit: number): readonly string[] | undefined {
    if (this.countUpTo(t, limit) >= limit) return undefined;
    const out: string[] = [];
    const visit = (s: number, text: string): void => {
      if (this.isEmpty(s)) return;
      if (this.table.nullable(s)) out.push(text);
      const list = this.liveEdges(s);
      for (let i = 0; i < list.length; i += 3)
        for (let cp = list[i]!; cp <= list[i + 1]!; cp++) visit(list[i + 2]!, text + String.fromCodePoint(cp));
    };
    visit(t, '');
    return out;
  }
}

/** A readable code point of a range, for witnesses shown to people. */
function pleasant(lo: number, hi: number): number {
  for (const cp of [0x61, 0x41, 0x30, 0x20]) if (lo <= cp && cp <= hi) return cp;
  return lo;
}
