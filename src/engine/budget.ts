/**
 * A matcher with a token budget that knows whether the budget changed anything: its twin without one follows along, and near the end is asked about each
 * token that is refused. This is what tells a value that was closed early from one that ended by itself, so only what the model chose may be tried
 * here; guesses are tried on forks.
 */
import type { TokenMatcher } from '../decoder/matcher.js';
import { type CompiledGrammar, Matcher, type Vocabulary } from '../fsm/index.js';

/** Tokens before the end of the budget from which on the two are compared; a budget reaches no further back. */
const NEAR_END = 128;

export class BudgetMatcher implements TokenMatcher {
  #bound = false;
  /** Made near the end: requests that wait should weigh little. */
  #scratch: Uint32Array | undefined;

  private constructor(
    private readonly inner: Matcher,
    private readonly free: Matcher,
    private readonly maxTokens: number,
    private readonly size: number,
  ) {}

  /** @throws UnsatisfiableError where no value fits the budget */
  static create(grammar: CompiledGrammar, vocabulary: Vocabulary, maxTokens: number): BudgetMatcher {
    const inner = new Matcher(grammar, vocabulary, { maxTokens });
    return new BudgetMatcher(inner, new Matcher(grammar, vocabulary), maxTokens, vocabulary.size);
  }

  /** Whether something that the model chose was refused for want of tokens. */
  get budgetBound(): boolean {
    return this.#bound;
  }

  get isAccepting(): boolean {
    return this.inner.isAccepting;
  }

  get isFinished(): boolean {
    return this.inner.isFinished;
  }

  fillMask(mask: Uint32Array): void {
    this.inner.fillMask(mask);
  }

  unbudgeted(mask: Uint32Array): Uint32Array | undefined {
    if (this.#bound || !this.#nearEnd()) return undefined;
    this.#scratch ??= new Uint32Array((this.size + 31) >>> 5);
    this.free.fillMask(this.#scratch);
    return this.#scratch.some((word, i) => word !== mask[i]) ? this.#scratch : undefined;
  }

  accept(token: number): boolean {
    if (this.inner.accept(token)) {
      this.free.accept(token);
      return true;
    }
    if (!this.#bound && this.#nearEnd() && this.free.accept(token)) {
      this.free.rollback(1);
      this.#bound = true;
    }
    return false;
  }

  acceptBytes(bytes: Uint8Array): boolean {
    if (!this.inner.acceptBytes(bytes)) return false;
    this.free.acceptBytes(bytes);
    return true;
  }

  forcedBytes(): Uint8Array {
    return this.inner.forcedBytes();
  }

  forcedTokens(): number[] {
    return this.inner.forcedTokens();
  }

  rollback(n: number): void {
    this.inner.rollback(n);
    this.free.rollback(n);
  }

  /** For looking ahead: what is refused there was never chosen. */
  fork(): TokenMatcher {
    return this.inner.fork();
  }

  #nearEnd(): boolean {
    return this.maxTokens - this.inner.accepted <= NEAR_END;
  }
}
