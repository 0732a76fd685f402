/**
 * The spelled form of number sets, once per set, and whether there is any.
 *
 * A set may have members and no spelling: multiples too long to survive reading, no double between two bounds, more digits than
 * `maxDigits`. What is empty then must be known before anything is emitted, or a required member could never be written.
 */
import type { Regex } from '../../regular/regex.js';
import { nextUp, ONE, toNumber } from './decimal.js';
import type { Normaliser } from './normalise.js';
import { numberRegex } from './number-text.js';
import { boxIsEmpty, type NumberSet } from './numbers.js';

/** Bounds below this leave every integer a spelling, and doubles between them. */
const SMALL = 1e15;

export class NumberTexts {
  private readonly known = new Map<NumberSet, Regex | undefined>();

  constructor(private readonly n: Normaliser) {}

  /** The spellings, undefined where there are none. @throws LimitError, with its place */
  of(numbers: NumberSet): Regex | undefined {
    if (numbers.length === 0) return undefined;
    if (this.known.has(numbers)) return this.known.get(numbers);
    const { context } = this.n;
    const boxes = numbers.some(boxIsEmpty) ? numbers.filter((b) => !boxIsEmpty(b)) : numbers;
    let re: Regex | undefined;
    try {
      re = numberRegex(boxes, context.settings.numbers, context.settings.maxDigits);
    } catch (e) {
      throw context.placed(e);
    }
    if (re.t === 'never' || ((re.t === 'and' || re.t === 'dfa' || re.t === 'alt') && this.n.isEmpty(re)))
      re = undefined;
    this.known.set(numbers, re);
    return re;
  }

  /** Whether some number of the set has a spelling. */
  some(numbers: NumberSet): boolean {
    if (numbers.length === 0) return false;
    return (
      (this.n.context.settings.maxDigits === undefined && hasPlainMember(numbers)) || this.of(numbers) !== undefined
    );
  }
}

/** Whether a set has a member that can be spelled for certain, seen from the bounds alone. */
function hasPlainMember(numbers: NumberSet): boolean {
  for (const b of numbers) {
    if (b.nots.length > 0 || (b.step !== undefined && b.step !== ONE) || boxIsEmpty(b)) continue;
    const lo = b.lo === undefined ? -SMALL : toNumber(b.lo);
    const hi = b.hi === undefined ? SMALL : toNumber(b.hi);
    if (lo < -SMALL || hi > SMALL) continue;
    if (b.step === ONE || nextUp(nextUp(lo)) < hi || (lo <= hi && !b.loOpen && !b.hiOpen)) return true;
  }
  return false;
}
