/**
 * A matcher that is measured: the time of each mask, the time of everything else, and masks that allow nothing (dead ends, of which there must
 * be none). What is looked ahead of through forks is not counted as masks; it shows up in the total.
 */
import type { TokenMatcher } from '../decoder/matcher.js';
import { addTime, type TimeCounts } from './statistics.js';

/** Sums over one answer; the caller makes it new for each. */
export interface MatcherAccount {
  maskMs: number;
  matcherMs: number;
  masks: number;
  deadEnds: number;
  readonly maskTimes: TimeCounts;
}

export function newAccount(): MatcherAccount {
  return { maskMs: 0, matcherMs: 0, masks: 0, deadEnds: 0, maskTimes: new Map() };
}

export class TimedMatcher implements TokenMatcher {
  constructor(
    private readonly inner: TokenMatcher,
    private readonly account: MatcherAccount,
  ) {}

  get budgetBound(): boolean | undefined {
    return this.inner.budgetBound;
  }

  get isAccepting(): boolean {
    return this.inner.isAccepting;
  }

  get isFinished(): boolean {
    return this.inner.isFinished;
  }

  fillMask(mask: Uint32Array): void {
    const { account } = this;
    const start = performance.now();
    this.inner.fillMask(mask);
    const ms = performance.now() - start;
    account.masks++;
    account.maskMs += ms;
    addTime(account.maskTimes, ms);
    if (!this.inner.isFinished && mask.every((word) => word === 0)) account.deadEnds++;
  }

  unbudgeted(mask: Uint32Array): Uint32Array | undefined {
    return this.inner.unbudgeted?.(mask);
  }

  accept(token: number): boolean {
    const start = performance.now();
    const taken = this.inner.accept(token);
    this.account.matcherMs += performance.now() - start;
    return taken;
  }

  acceptBytes(bytes: Uint8Array): boolean {
    return this.inner.acceptBytes(bytes);
  }

  forcedBytes(): Uint8Array {
    return this.inner.forcedBytes();
  }

  forcedTokens(): number[] {
    const start = performance.now();
    const tokens = this.inner.forcedTokens();
    this.account.matcherMs += performance.now() - start;
    return tokens;
  }

  rollback(n: number): void {
    this.inner.rollback(n);
  }

  fork(): TokenMatcher {
    return this.inner.fork();
  }
}
