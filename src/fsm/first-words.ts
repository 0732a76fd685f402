/**
 * The keys and values that a hurried writer would choose: the words of a lexeme in the order (bytes, then bytes compared), listed lazily.
 *
 * A best-first search over the byte automaton; the automaton's own distances are exact, so no path is begun in vain. Budgets
 * (budget.ts) need the order to be that of their policy, which takes the least byte of a shortest spelling.
 */
import { decodeUtf8 } from '../base/utf8.js';
import { DEAD } from './layout.js';
import type { LexemePool } from './lexeme.js';

interface Path {
  /** Bytes of the finished word. */
  readonly total: number;
  readonly state: number;
  readonly bytes: readonly number[];
}

/** Paths looked at before the list counts as ended; only very long words come near it. */
const MAX_PATHS = 1 << 16;

export class FirstWords {
  private readonly found: string[] = [];
  private readonly known = new Set<string>();
  private readonly open: Path[] = [];
  private looked = 0;

  /**
   * @param start State of the lexeme (DEAD for none).
   * @param decode From the bytes read to the word; words that decode alike are listed once.
   */
  constructor(
    private readonly pool: LexemePool,
    start: number,
    private readonly decode: (text: string) => string,
  ) {
    if (start !== DEAD) this.open.push({ total: pool.distance(start), state: start, bytes: [] });
  }

  /** The i-th word, or undefined beyond the last. */
  at(i: number): string | undefined {
    while (this.found.length <= i && this.open.length > 0 && this.looked < MAX_PATHS) this.expand();
    return this.found[i];
  }

  private expand(): void {
    const { pool } = this;
    const path = this.pop();
    this.looked++;
    if (pool.accepts(path.state)) {
      const word = this.decode(decodeUtf8(Uint8Array.from(path.bytes)));
      if (!this.known.has(word)) {
        this.known.add(word);
        this.found.push(word);
      }
      if (pool.isFinal(path.state)) return;
    }
    const bits = pool.firstBytes(path.state);
    for (let b = 0; b < 256; b++) {
      if (((bits[b >> 5]! >>> (b & 31)) & 1) === 0) continue;
      const state = pool.step(path.state, b);
      if (state === DEAD) continue;
      const bytes = [...path.bytes, b];
      this.push({ total: bytes.length + pool.distance(state), state, bytes });
    }
  }

  // A binary heap: least total first, then least bytes.

  private push(path: Path): void {
    const { open } = this;
    let i = open.push(path) - 1;
    while (i > 0) {
      const up = (i - 1) >> 1;
      if (!before(path, open[up]!)) break;
      open[i] = open[up]!;
      i = up;
    }
    open[i] = path;
  }

  private pop(): Path {
    const { open } = this;
    const top = open[0]!;
    const last = open.pop()!;
    const n = open.length;
    if (n === 0) return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= n) break;
      if (child + 1 < n && before(open[child + 1]!, open[child]!)) child++;
      if (!before(open[child]!, last)) break;
      open[i] = open[child]!;
      i = child;
    }
    open[i] = last;
    return top;
  }
}

function before(a: Path, b: Path): boolean {
  if (a.total !== b.total) return a.total < b.total;
  const n = Math.min(a.bytes.length, b.bytes.length);
  for (let i = 0; i < n; i++) if (a.bytes[i] !== b.bytes[i]) return a.bytes[i]! < b.bytes[i]!;
  return a.bytes.length < b.bytes.length;
}
