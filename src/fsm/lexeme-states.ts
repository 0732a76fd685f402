/** The interned states of lexeme automata: tuples (lexeme-layout.ts) with what is known of each at once. */
import { TupleTable } from '../base/tuple-table.js';
import type { TermStore } from '../regular/terms.js';
import { S_CONT, S_END, S_HEXU, T_AT, T_CONT } from './lexeme-layout.js';

const ACCEPT = 1;
const FINAL = 2;

export class LexemeStates {
  readonly tuples = new TupleTable(256);
  private flags = new Uint8Array(512);
  private readonly tuple = [0, 0, 0, 0, 0];

  constructor(private readonly terms: TermStore) {}

  get bytes(): number {
    return this.tuples.bytes + this.flags.byteLength;
  }

  /** Whether the lexeme may end here. */
  accepts(q: number): boolean {
    return (this.flags[q]! & ACCEPT) !== 0;
  }

  /** Whether the lexeme must end here. */
  isFinal(q: number): boolean {
    return (this.flags[q]! & FINAL) !== 0;
  }

  make2(kind: number, x: number): number {
    this.tuple[0] = kind;
    this.tuple[1] = x;
    return this.intern(2);
  }

  make3(kind: number, x: number, y: number): number {
    this.tuple[0] = kind;
    this.tuple[1] = x;
    this.tuple[2] = y;
    return this.intern(3);
  }

  make4(kind: number, x: number, y: number, z: number): number {
    this.tuple[0] = kind;
    this.tuple[1] = x;
    this.tuple[2] = y;
    this.tuple[3] = z;
    return this.intern(4);
  }

  make5(kind: number, x: number, y: number, z: number, w: number): number {
    this.tuple[0] = kind;
    this.tuple[1] = x;
    this.tuple[2] = y;
    this.tuple[3] = z;
    this.tuple[4] = w;
    return this.intern(5);
  }

  /** The same state of another pool. */
  carry(from: LexemeStates, q: number, term: (t: number) => number): number {
    const { data, offsets } = from.tuples;
    const o = offsets[q]!;
    const length = offsets[q + 1]! - o;
    for (let i = 0; i < length; i++) this.tuple[i] = data[o + i]!;
    const kind = data[o]!;
    const at = kind === T_CONT || kind === S_CONT || kind === S_HEXU ? 2 : 1;
    this.tuple[at] = term(data[o + at]!);
    return this.intern(length);
  }

  private intern(len: number): number {
    const before = this.tuples.count;
    const id = this.tuples.intern(this.tuple, len);
    if (id === before) {
      if (id >= this.flags.length) {
        const flags = new Uint8Array(this.flags.length * 2);
        flags.set(this.flags);
        this.flags = flags;
      }
      const kind = this.tuple[0]!;
      if (kind === S_END) this.flags[id] = ACCEPT | FINAL;
      else if (kind === T_AT) {
        const term = this.tuple[1]!;
        if (this.terms.nullable(term))
          this.flags[id] = this.terms.liveEdges(term).length === 0 ? ACCEPT | FINAL : ACCEPT;
      }
    }
    return id;
  }
}
