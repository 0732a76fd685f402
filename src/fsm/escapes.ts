/**
 * JSON escapes (RFC 8259, section 7) against a term: what an escape in progress may still spell.
 *
 * A `\u` escape names a UTF-16 unit, so a code point beyond the first plane takes two, and a high surrogate is alone only where no
 * low one follows.
 */
import { edgeTarget } from '../regular/edges.js';
import { NEVER, type TermStore } from '../regular/terms.js';

export const SLASH = 0x2f;

/** Code points that JSON writers spell `\\uXXXX`, always or where they write ASCII only. */
const WRITTEN_AS_HEX: readonly (readonly [number, number])[] = [
  [0x00, 0x07],
  [0x0b, 0x0b],
  [0x0e, 0x1f],
  [0x7f, 0x10ffff],
];

export const SIMPLE_ESCAPES = [0x22, 0x5c, 0x2f, 0x08, 0x0c, 0x0a, 0x0d, 0x09];

export class Escapes {
  private readonly literalEdges = new Map<number, Int32Array>();
  /** Bytes held. */
  bytes = 0;

  constructor(private readonly terms: TermStore) {}

  someBetween(
    term: number,
    lo: number,
    hi: number,
    visit: (term: number) => boolean,
    edges: Int32Array = this.terms.liveEdges(term),
  ): boolean {
    for (let i = 0; i < edges.length; i += 3) {
      if (edges[i]! > hi) break;
      if (edges[i + 1]! >= lo && visit(edges[i + 2]!)) return true;
    }
    return false;
  }

  someEscape(term: number, visit: (term: number) => boolean): boolean {
    const edges = this.terms.liveEdges(term);
    for (const cp of SIMPLE_ESCAPES) {
      if (cp === SLASH && this.terms.isLiteral(term)) continue;
      const t = edgeTarget(edges, cp, NEVER);
      if (t !== NEVER && visit(t)) return true;
    }
    return this.someHex(term, 0, 0xffff, visit);
  }

  /**
   * What `\\u` escapes may spell. Any code point in free text; in literals (names, enums) only what JSON writers escape so: then
   * the grammar leaves no choice of spelling, and keys and constants are forced.
   */
  hexEdges(term: number): Int32Array {
    const edges = this.terms.liveEdges(term);
    if (!this.terms.isLiteral(term)) return edges;
    let cut = this.literalEdges.get(term);
    if (cut === undefined) {
      const out: number[] = [];
      for (let i = 0; i < edges.length; i += 3)
        for (const [from, to] of WRITTEN_AS_HEX) {
          const lo = Math.max(from, edges[i]!);
          const hi = Math.min(to, edges[i + 1]!);
          if (lo <= hi) out.push(lo, hi, edges[i + 2]!);
        }
      cut = Int32Array.from(out);
      this.literalEdges.set(term, cut);
      this.bytes += 100 + cut.byteLength;
    }
    return cut;
  }

  someHex(term: number, lo: number, hi: number, visit: (term: number) => boolean): boolean {
    if (this.someBetween(term, lo, hi, visit, this.hexEdges(term))) return true;
    const a = Math.max(lo, 0xd800);
    const b = Math.min(hi, 0xdbff);
    return a <= b && this.someBetween(term, pairOf(a, 0xdc00), pairOf(b, 0xdfff), visit);
  }

  someHiHex(term: number, hi16: number, lo: number, hi: number, visit: (term: number) => boolean): boolean {
    const a = Math.max(lo, 0xdc00);
    const b = Math.min(hi, 0xdfff);
    if (a <= b && this.someBetween(term, pairOf(hi16, a), pairOf(hi16, b), visit)) return true;
    const lone = edgeTarget(this.terms.liveEdges(term), hi16, NEVER);
    if (lone === NEVER) return false;
    if (lo < 0xdc00 && this.someHex(lone, lo, Math.min(hi, 0xdbff), visit)) return true;
    return hi > 0xdfff && this.someHex(lone, Math.max(lo, 0xe000), hi, visit);
  }

  /** Whether something may follow a high surrogate escape: its pair, or, where it may stand alone, anything but a low surrogate. */
  hiEscapes(term: number, hi16: number): boolean {
    if (this.someBetween(term, pairOf(hi16, 0xdc00), pairOf(hi16, 0xdfff), isAny)) return true;
    const lone = edgeTarget(this.terms.liveEdges(term), hi16, NEVER);
    if (lone === NEVER) return false;
    return this.someBetween(lone, 0, 0xdbff, isAny) || this.someBetween(lone, 0xe000, 0x10ffff, isAny);
  }

  /** Bytes after a backslash that spell a code point leading from one term to another. */
  escapeBytes(from: number, to: number): number {
    const edges = this.terms.liveEdges(from);
    for (const cp of SIMPLE_ESCAPES) if (edgeTarget(edges, cp, NEVER) === to) return 1;
    for (let i = 0; i < edges.length; i += 3) if (edges[i + 2] === to && edges[i]! <= 0xffff) return 5;
    return 11;
  }
}

export function isAny(): boolean {
  return true;
}

export function pairOf(hi: number, lo: number): number {
  return 0x10000 + ((hi - 0xd800) << 10) + (lo - 0xdc00);
}
