/** What belongs to a lexeme pool, rebuilt in another: lexeme states, terms, sets of literals. The identity where both are the same. */
import { TermCarrier } from '../regular/term-carrier.js';
import type { LexemePool } from './lexeme.js';

export class PoolCarrier {
  private readonly terms: TermCarrier | undefined;

  constructor(
    private readonly from: LexemePool,
    private readonly to: LexemePool,
  ) {
    this.terms = from === to ? undefined : new TermCarrier(from.terms, to.terms);
  }

  lexeme(q: number): number {
    return this.terms === undefined ? q : this.to.carry(this.from, q, (t) => this.term(t));
  }

  term(t: number): number {
    return this.terms === undefined ? t : this.terms.term(t);
  }

  literals(node: number): number {
    return this.terms === undefined ? node : this.terms.literals(node);
  }

  /** Says that two tries of names, by their roots, are of the same names. */
  mapNames(from: number, to: number): void {
    this.terms?.mapNames(from, to);
  }
}
