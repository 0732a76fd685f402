/**
 * Guesses of the next tokens without a second model, to be verified in one pass of the real one.
 *
 * Two observations about structured output: values are often copied from the prompt, and what follows a value is often
 * fixed by the grammar or a repetition of an earlier part of the output. Looking up token n-grams misses most copies, because the
 * prompt spells ` Smith` where the output spells `Smith`; so the lookup is over bytes, and the guess is cut into canonical tokens
 * afterwards and filtered by the matcher.
 *
 * The index is that of LZ77: for each (hashed) 3-byte string the chain of its positions. A proposal is what followed the longest match of
 * the output's end (the latest among equals). Inside a JSON string the copy is ended at a delimiter and followed by the closing
 * quote and whatever bytes the grammar then forces, so that a value, its end and the next key are one pass.
 *
 * A guess costs a wider pass, so it must be likely: the needed match length adapts to how the last guesses did. Nothing is guessed where a value or
 * name of the grammar begins: what went before it matches where its name stands in the schema or an earlier element, and tells nothing of the value
 * (held-out extraction: 88% of such guesses failed at their first token, against 24% inside of values, and each made the others rarer).
 */
import type { Vocabulary } from '../fsm/vocabulary.js';
import type { TokenMatcher } from './matcher.js';

/** One guessed token; `forced` ones follow from the grammar once those before them hold, and are not sampled. */
export interface DraftToken {
  readonly token: number;
  readonly forced: boolean;
}

export interface DraftOptions {
  /** Most guesses of one draft. */
  readonly guesses: number;
  /** Most tokens of one draft, with those that the guesses force. */
  readonly tokens: number;
}

const SHORTEST = 3;
const LONGEST_NEEDED = 12;
const CHAIN = 24;
/** Grams of equal hash share a chain: their matches are too short to count. */
const HASH_BITS = 12;
const COPY_BYTES = 48;
const QUOTE = Uint8Array.of(0x22);
/** What stands before a value or a name. */
const BEGINS = [...'":[{,'].map((c) => c.charCodeAt(0));
const BOUNDARY = [...'"\n\t :,([{>|=#*'].map((c) => c.charCodeAt(0));

/** Bytes for comparison: what stands before a word in prose (a gap, a bracket) is as good as what does in JSON (a quote, a colon). */
const FOLDED = Uint8Array.from({ length: 256 }, (_, byte) => (BOUNDARY.includes(byte) ? 0x20 : byte));

/** The text so far of one sequence, indexed for lookups. */
export class DraftIndex {
  #bytes: Uint8Array;
  #previous: Int32Array;
  #length = 0;
  /** Last position by hash of the 3 bytes that end there; -1: none. */
  readonly #heads = new Int32Array(1 << HASH_BITS).fill(-1);
  /** Output starts here; before it is the prompt. */
  #outputStart = 0;
  /** Match length that is needed now. */
  #needed = SHORTEST;

  constructor(prompt: Uint8Array) {
    this.#bytes = new Uint8Array(Math.max(256, prompt.length * 2));
    this.#previous = new Int32Array(this.#bytes.length);
    this.push(prompt);
    this.#outputStart = this.#length;
  }

  push(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.#bytes.length) {
      const size = Math.max(this.#bytes.length * 2, this.#length + bytes.length);
      const grown = new Uint8Array(size);
      grown.set(this.#bytes);
      const previous = new Int32Array(size);
      previous.set(this.#previous);
      this.#bytes = grown;
      this.#previous = previous;
    }
    for (const byte of bytes) {
      this.#bytes[this.#length++] = byte;
      if (this.#length < SHORTEST) continue;
      const gram = this.#gram(this.#length);
      this.#previous[this.#length - 1] = this.#heads[gram]!;
      this.#heads[gram] = this.#length - 1;
    }
  }

  /** How the last guess did: adapts the match length that the next one needs. */
  report(guessed: number, accepted: number): void {
    if (accepted === 0) this.#needed = Math.min(LONGEST_NEEDED, this.#needed + 2);
    else if (accepted * 2 >= guessed) this.#needed = Math.max(SHORTEST, this.#needed - 1);
  }

  /** Whether the text ends where a value or name of JSON begins. */
  get begins(): boolean {
    return this.#length > 0 && BEGINS.includes(this.#bytes[this.#length - 1]!);
  }

  /** What followed the longest earlier match of the text's end; empty where there is none that is long enough. */
  continuation(): Uint8Array {
    const n = this.#length;
    const none = this.#bytes.subarray(0, 0);
    if (n - this.#outputStart < 1 || n < SHORTEST + 1) return none;
    let at = this.#previous[n - 1]!;
    let best = -1;
    let bestLength = this.#needed - 1;
    for (let tries = 0; at >= 0 && tries < CHAIN; tries++, at = this.#previous[at]!) {
      let length = 0;
      const limit = Math.min(at + 1, 64);
      while (length < limit && FOLDED[this.#bytes[at - length]!] === FOLDED[this.#bytes[n - 1 - length]!]) length++;
      if (length > bestLength) {
        bestLength = length;
        best = at;
      }
    }
    if (best < 0) return none;
    return this.#bytes.slice(best + 1, Math.min(n, best + 1 + COPY_BYTES));
  }

  #gram(end: number): number {
    const bytes = this.#bytes;
    const gram = (FOLDED[bytes[end - 3]!]! << 16) | (FOLDED[bytes[end - 2]!]! << 8) | FOLDED[bytes[end - 1]!]!;
    return Math.imul(gram, 0x9e3779b1) >>> (32 - HASH_BITS);
  }
}

/**
 * A draft for the sequence whose matcher is given (unchanged: guesses are tried on forks); empty where nothing likely is known. `matcher` undefined:
 * unconstrained text.
 */
export function propose(
  index: DraftIndex,
  vocabulary: Vocabulary,
  matcher: TokenMatcher | undefined,
  options: DraftOptions,
): readonly DraftToken[] {
  if (options.guesses < 1 || (matcher !== undefined && index.begins)) return [];
  const copy = index.continuation();
  if (copy.length === 0) return [];
  if (matcher === undefined) {
    const ids = vocabulary.encode(copy);
    // The last token may be a part of a longer one that was cut off.
    return ids.slice(0, Math.min(ids.length - 1, options.guesses)).map((token) => ({ token, forced: false }));
  }
  const closed = closeString(copy, matcher);
  const ids = vocabulary.encode(closed ?? copy);
  return walk(closed === undefined ? ids.slice(0, Math.max(1, ids.length - 1)) : ids, matcher.fork(), options);
}

/**
 * The copy up to its first delimiter, with the closing quote and what the grammar forces then; undefined where this is not the
 * inside of a JSON string.
 */
function closeString(copy: Uint8Array, matcher: TokenMatcher): Uint8Array | undefined {
  const end = delimiter(copy);
  if (end < 0) return undefined;
  const ahead = matcher.fork();
  const body = copy.subarray(0, end);
  if (body.length > 0 && !ahead.acceptBytes(body)) return undefined;
  if (!ahead.acceptBytes(QUOTE)) return undefined;
  const forced = ahead.forcedBytes();
  const out = new Uint8Array(end + 1 + forced.length);
  out.set(body);
  out[end] = QUOTE[0]!;
  out.set(forced, end + 1);
  return out;
}

/** Offset of the first byte that usually ends a copied value: quotes, separators, line ends, brackets, a full stop before a gap. */
function delimiter(bytes: Uint8Array): number {
  for (let i = 0; i < bytes.length; i++) {
    switch (bytes[i]) {
      case 0x22: // "
      case 0x0a: // line feed
      case 0x0d:
      case 0x2c: // ,
      case 0x3b: // ;
      case 0x28: // (
      case 0x29: // )
      case 0x3c: // <
      case 0x3e: // >
      case 0x7c: // |
        return i;
      case 0x2e: // .
      case 0x21: // !
      case 0x3f: // ?
        if (i + 1 >= bytes.length || bytes[i + 1] === 0x20 || bytes[i + 1] === 0x0a) return i;
        break;
    }
  }
  return -1;
}

/** The tokens as far as the matcher, which moves, accepts them, each followed by the tokens that it forces. */
function walk(ids: readonly number[], matcher: TokenMatcher, limits: DraftOptions): readonly DraftToken[] {
  const out: DraftToken[] = [];
  let guesses = 0;
  let skip = 0;
  for (const token of ids) {
    if (skip > 0) {
      // Already taken as a forced token, if it is the same one; else the guess and the grammar part ways here.
      if (out[out.length - skip]?.token !== token) break;
      skip--;
      continue;
    }
    if (guesses >= limits.guesses || !matcher.accept(token)) break;
    guesses++;
    const before = out.length;
    out.push({ token, forced: false });
    if (!matcher.isFinished) {
      for (const next of matcher.forcedTokens()) {
        if (!matcher.accept(next)) break;
        skip++;
        out.push({ token: next, forced: true });
      }
    }
    if (out.length > limits.tokens) {
      // Never cut among forced tokens: those come with the guess before them.
      out.length = before;
      break;
    }
  }
  return out;
}
