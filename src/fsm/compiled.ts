/**
 * A checked grammar, and its binding to a vocabulary.
 *
 * A CompiledGrammar is the IR and nothing that depends on a model. What runs is a {@link Binding}: a recognizer with its masks, made
 * on first use per vocabulary and kept by the vocabulary as long as the grammar lives. Lexeme automata and mask slices are shared
 * by all bindings of a vocabulary. Both are bounded in bytes: past the limit new matchers get fresh tables, and live ones move there with
 * their own state (carry.ts). So is what all grammars of a vocabulary hold together: hundreds of schemas that a program keeps would each come to
 * their limit in time, so the tables that were not used for longest are let go.
 */
import { LimitError, UnsatisfiableError } from '../base/errors.js';
import type { Grammar, TokenExpr } from '../grammar/ir.js';
import { Budget, MAX_CHAIN } from './budget.js';
import { leastBytes } from './least-length.js';
import { LexemePool } from './lexeme.js';
import { Masks } from './mask.js';
import { MaskShare } from './mask-share.js';
import { Recognizer } from './recognizer.js';
import { Slices } from './slices.js';
import { Spelling, spellsEveryByte } from './spelling.js';
import { namedTokens } from './terminals.js';
import { trieOf } from './trie.js';
import type { Vocabulary } from './vocabulary.js';

export interface CacheLimits {
  /** Bytes of lexeme automata and their masks per vocabulary before they are replaced. */
  readonly lexemeBytes: number;
  /** Bytes of one grammar's states and masks before they are replaced. */
  readonly grammarBytes: number;
  /** Bytes of the states and masks of all grammars of a vocabulary before the least recently used ones are let go. */
  readonly totalBytes?: number;
}

const DEFAULT_TOTAL_BYTES = 128 << 20;
export const DEFAULT_CACHE_LIMITS: CacheLimits = {
  lexemeBytes: 96 << 20,
  grammarBytes: 64 << 20,
  totalBytes: DEFAULT_TOTAL_BYTES,
};
/** Uses of tables from one look at all of them to the next; a power of two. */
const USES_BETWEEN_CHECKS = 16;

/** A grammar that can be matched. Immutable; shared by any number of matchers and vocabularies. */
export class CompiledGrammar {
  #least: number | undefined;

  constructor(readonly grammar: Grammar) {
    const start = grammar.exprs[grammar.start];
    if (start === undefined || start.op === 'never') throw new UnsatisfiableError('no text fits the grammar');
  }

  /** Bytes that any text takes at least. */
  get leastBytes(): number {
    this.#least ??= leastBytes(this.grammar);
    return this.#least;
  }

  /** Tokens that any text takes at least. */
  leastTokens(vocabulary: Vocabulary): number {
    return Math.ceil(this.leastBytes / Math.max(1, vocabulary.longest));
  }
}

export function compileGrammar(grammar: Grammar): CompiledGrammar {
  return new CompiledGrammar(grammar);
}

/**
 * Refuses token terminals that name no token: a text that needs one would come to a state that nothing leaves.
 * @throws UnsatisfiableError
 */
function checkTerminals(grammar: Grammar, vocabulary: Vocabulary): void {
  for (const expr of grammar.exprs) {
    if (expr.op !== 'token' || expr.negate || namedTokens(expr, vocabulary).length > 0) continue;
    throw new UnsatisfiableError(
      expr.ids.some((id) => vocabulary.isEos(id)) || expr.texts.some((text) => vocabulary.find(text).length > 0)
        ? `the token terminal ${spelled(expr)} names the end of sequence, which ends the text; leave it out`
        : `the token terminal ${spelled(expr)} names no token of the vocabulary; write it as text where it is several tokens`,
    );
  }
}

function terminalsOf(grammar: Grammar, vocabulary: Vocabulary): readonly number[] | undefined {
  const all = grammar.exprs.filter((expr) => expr.op === 'token');
  if (all.some((expr) => expr.negate)) return undefined;
  return [...new Set(all.flatMap((expr) => namedTokens(expr, vocabulary)))];
}

function spelled({ ids, texts }: TokenExpr): string {
  return [...ids.map((id) => `<[${id}]>`), ...texts].join(' ');
}

/** A grammar bound to a vocabulary. */
export interface Binding {
  /** Tells apart the tables of one vocabulary. */
  readonly serial: number;
  readonly recognizer: Recognizer;
  readonly masks: Masks;
  /** Made on first use. */
  budget(): Budget;
  /** The tokens that token terminals name; undefined where some terminal takes all but those it names. */
  readonly terminals: readonly number[] | undefined;
  /** Where the vocabulary lacks bytes: what can be completed with its tokens. It takes the place of masks and budget. */
  readonly spelling: Spelling | undefined;
  /** Bytes of the grammar's own tables, and of those that it shares with others. */
  readonly bytes: number;
  readonly sharedBytes: number;
}

/** The place of a binding, so that one can be let go whose grammar lives. */
interface Held {
  binding: Binding | undefined;
}

interface Shared {
  pool: LexemePool;
  share: MaskShare;
  readonly slices: Slices;
  bindings: WeakMap<CompiledGrammar, Held>;
  /** What is held by the binding's serial, least recently used first. */
  readonly recent: Map<number, Held>;
  /** Lets go of what belonged to grammars that nobody has any more. */
  readonly registry: FinalizationRegistry<number>;
  serial: number;
  uses: number;
}

const SHARED = Symbol('shared automata');

function sharedOf(vocabulary: Vocabulary): Shared {
  return vocabulary.cache.get(SHARED, () => {
    const pool = new LexemePool();
    const slices = new Slices(trieOf(vocabulary), vocabulary.size);
    const share = new MaskShare(vocabulary, pool, slices);
    const recent = new Map<number, Held>();
    // References that are weak (WeakRef) would keep what one long synchronous run makes until it ends.
    const registry = new FinalizationRegistry<number>((serial) => recent.delete(serial));
    return { pool, slices, share, bindings: new WeakMap(), recent, registry, serial: 0, uses: 0 };
  });
}

/**
 * Refuses grammars whose every text is too long for a completion to be planned: the plan would be walked for minutes.
 * @throws LimitError
 */
export function checkLength(compiled: CompiledGrammar, vocabulary: Vocabulary): void {
  const least = compiled.leastTokens(vocabulary);
  if (least > MAX_CHAIN)
    throw new LimitError('tokens of the shortest value', least, MAX_CHAIN, undefined, 'let the value be shorter');
}

/** The binding of a grammar to a vocabulary; a fresh one where the tables have outgrown their limits. */
export function bind(
  compiled: CompiledGrammar,
  vocabulary: Vocabulary,
  limits: CacheLimits = DEFAULT_CACHE_LIMITS,
): Binding {
  const shared = sharedOf(vocabulary);
  const held = heldBy(compiled, vocabulary, limits, shared);
  const binding = held.binding!;
  shared.recent.delete(binding.serial);
  shared.recent.set(binding.serial, held);
  if (shared.uses++ % USES_BETWEEN_CHECKS === 0) shed(shared, limits.totalBytes ?? DEFAULT_TOTAL_BYTES);
  return binding;
}

/** Lets go of the tables beyond `most` bytes, those used last excepted. Matchers that are alive keep theirs. */
function shed({ recent }: Shared, most: number): void {
  let total = 0;
  for (const [serial, held] of [...recent].reverse()) {
    const last = total === 0;
    total += held.binding?.bytes ?? 0;
    if (last || total <= most) continue;
    held.binding = undefined;
    recent.delete(serial);
  }
}

/** The place of a grammar, with a binding in it. */
function heldBy(compiled: CompiledGrammar, vocabulary: Vocabulary, limits: CacheLimits, shared: Shared): Held {
  if (shared.pool.bytes + shared.share.lexemes.bytes > limits.lexemeBytes) {
    shared.pool = new LexemePool();
    shared.share = new MaskShare(vocabulary, shared.pool, shared.slices);
    shared.bindings = new WeakMap();
    shared.recent.clear();
  }
  const known = shared.bindings.get(compiled);
  if (known?.binding !== undefined) {
    if (known.binding.bytes <= limits.grammarBytes) return known;
    shared.recent.delete(known.binding.serial);
  }
  checkTerminals(compiled.grammar, vocabulary);
  const { pool, share } = shared;
  const complete = spellsEveryByte(share.trie);
  if (!complete) checkLength(compiled, vocabulary);
  const recognizer = new Recognizer(compiled.grammar, pool);
  const masks = new Masks(recognizer, share, vocabulary);
  let made: Budget | undefined;
  const budget = (): Budget => {
    made ??= new Budget(recognizer, share, vocabulary);
    return made;
  };
  const binding: Binding = {
    serial: shared.serial++,
    recognizer,
    masks,
    budget,
    terminals: terminalsOf(compiled.grammar, vocabulary),
    spelling: complete ? undefined : new Spelling(recognizer, share.trie, budget(), vocabulary),
    get bytes() {
      return recognizer.bytes + masks.bytes;
    },
    get sharedBytes() {
      return pool.bytes + share.lexemes.bytes;
    },
  };
  const held: Held = { binding };
  shared.bindings.set(compiled, held);
  shared.registry.register(compiled, binding.serial);
  return held;
}
