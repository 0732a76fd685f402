/**
 * What the decoder needs of a constraint: the token-level half of `Matcher` (`src/fsm`), as an interface, so that the decode loop
 * can be tested with a matcher of a few lines.
 */
export interface TokenMatcher {
  /** Bit t set where accept(t) would be true. Overwrites all words. */
  fillMask(mask: Uint32Array): void;
  /** False, and unchanged, where the token is not allowed. */
  accept(token: number): boolean;
  acceptBytes(bytes: Uint8Array): boolean;
  readonly isAccepting: boolean;
  readonly isFinished: boolean;
  forcedBytes(): Uint8Array;
  /** Canonical tokens that the grammar leaves no choice about; not accepted yet. */
  forcedTokens(): number[];
  /** Undoes the last n successful accepts. */
  rollback(n: number): void;
  fork(): TokenMatcher;
  /** Whether the token budget has removed a token from a mask (the value was closed early); undefined where not known. */
  readonly budgetBound?: boolean | undefined;
}
