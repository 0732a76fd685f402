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
  /**
   * The mask of this state if there were no token budget, in memory that the next call takes; undefined where `mask`, which {@link fillMask} has just given,
   * lacks nothing of it.
   */
  unbudgeted?(mask: Uint32Array): Uint32Array | undefined;
  /** Whether {@link accept} has refused a token for want of budget alone (the value was closed early); undefined where not known. Forks have no part in it. */
  readonly budgetBound?: boolean | undefined;
}
