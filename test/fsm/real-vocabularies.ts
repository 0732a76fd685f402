/**
 * Random grammars against the naive twin with the tokens of real vocabularies: cl100k_base, o200k_base, the embedded model's.
 *
 * The twin reads its text anew for each question, so 100,000 tokens cannot all be asked where nearly all are allowed (inside a string). A
 * token whose first byte is dead is dead: where few tokens remain all are asked; else those that cross structure (quotes,
 * brackets, escapes), and some of the allowed and of the refused ones. Mask bit and accept are compared on many more.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadTokens, type VocabularyName } from '../../bench/mask/vocabulary.js';
import { createRandom } from '../../src/base/random.js';
import { compileGrammar, Matcher, Vocabulary } from '../../src/fsm/index.js';
import { type Draw, randomGrammar } from '../oracle/random-grammar.js';
import { comparePath } from './compare.js';

export type RealName = VocabularyName | 'embedded';

export interface RealVocabulary {
  readonly name: RealName;
  readonly tokens: readonly (Uint8Array | null)[];
  readonly eos: readonly number[];
  readonly vocabulary: Vocabulary;
}

const embedded = join(dirname(fileURLToPath(import.meta.url)), '../../models/embedded/tokenizer.json');

/** A vocabulary by name; undefined where its file is not there. */
export function realVocabulary(name: RealName): RealVocabulary | undefined {
  if (name === 'embedded') {
    if (!existsSync(embedded)) return undefined;
    const vocabulary = Vocabulary.fromTokenizerJson(JSON.parse(readFileSync(embedded, 'utf8')));
    const tokens = Array.from({ length: vocabulary.size }, (_, id) =>
      vocabulary.isNull(id) ? null : vocabulary.tokenBytes(id).slice(),
    );
    return { name, tokens, eos: vocabulary.eos, vocabulary };
  }
  const { tokens, eos } = loadTokens(name);
  return { name, tokens, eos: [eos], vocabulary: Vocabulary.fromTokens(tokens, { eos: [eos] }) };
}

/** Tokens that are asked of the twin in one state, at most. */
const MOST_ASKED = 700;
/** Tokens on which mask and accept are compared besides. */
const MORE_TRIED = 400;

const isStructural = (token: Uint8Array): boolean =>
  token.some((b) => b < 0x80 && '"\\{}[],:'.includes(String.fromCharCode(b)));

const has = (mask: Uint32Array, id: number): boolean => (((mask[id >> 5] ?? 0) >>> (id & 31)) & 1) === 1;

/** The tokens to ask the twin about, see above. */
function asked(real: RealVocabulary, draw: Draw, mask: Uint32Array): number[] {
  const first = new Set<number>();
  for (const [id, token] of real.tokens.entries()) if (token !== null && has(mask, id)) first.add(token[0] ?? -1);
  // Single bytes tell which others could begin a token; they are always asked.
  const out = new Set<number>(real.eos);
  const rest: number[] = [];
  const crossing: number[] = [];
  for (const [id, token] of real.tokens.entries()) {
    if (token === null || token.length === 0) continue;
    if (token.length === 1) out.add(id);
    else if (first.has(token[0] ?? -1)) (isStructural(token) ? crossing : rest).push(id);
  }
  for (const list of [crossing, rest]) {
    const few = list.length <= MOST_ASKED / 2;
    for (let i = 0; i < (few ? list.length : MOST_ASKED / 2); i++) {
      const id = few ? list[i] : list[draw.below(list.length)];
      if (id !== undefined) out.add(id);
    }
  }
  return [...out];
}

/** Mask bit <=> accept on many tokens of the states along a path; words where not. */
function sameVerdicts(matcher: Matcher, real: RealVocabulary, draw: Draw): string | undefined {
  const mask = new Uint32Array(Math.ceil(real.tokens.length / 32));
  matcher.fillMask(mask);
  for (let i = 0; i < MORE_TRIED; i++) {
    const id = draw.below(real.tokens.length);
    const accepted = matcher.accept(id);
    if (accepted) matcher.rollback(1);
    if (accepted !== has(mask, id)) return `token ${id}: mask ${has(mask, id)}, accept ${accepted}`;
  }
  const again = mask.slice().fill(7);
  matcher.fillMask(again);
  return again.every((w, i) => w === mask[i]) ? undefined : 'the mask changed after accepts and rollbacks';
}

export interface RealRun {
  readonly states: number;
  readonly finds: readonly string[];
  /** The next seed. */
  readonly seed: number;
}

/** Compares at least `states` states from a seed on. */
export function compareReal(real: RealVocabulary, states: number, from: number, say?: (line: string) => void): RealRun {
  const finds: string[] = [];
  let done = 0;
  let seed = from;
  for (; done < states; seed++) {
    const draw = createRandom(seed);
    const grammar = randomGrammar(draw, { depth: 1 + draw.below(2), unique: 15, json: draw.below(3) === 0 });
    if (grammar === undefined) continue;
    const began = Date.now();
    const outcome = comparePath({ grammar, tokens: real.tokens, eos: real.eos }, draw, 10, {
      vocabulary: real.vocabulary,
      ids: (d, mask) => asked(real, d, mask),
    });
    done += outcome.pairs;
    let wrong = outcome.mismatch;
    const matcher = new Matcher(compileGrammar(grammar), real.vocabulary);
    for (const id of outcome.path) {
      wrong ??= sameVerdicts(matcher, real, draw);
      if (!matcher.accept(id)) break;
    }
    if (wrong !== undefined) {
      finds.push(`${real.name}, seed ${seed}: ${wrong}`);
      say?.(finds.at(-1) ?? '');
    }
    if (Date.now() - began > 20_000) say?.(`${real.name}, seed ${seed}: slow, ${Date.now() - began} ms`);
  }
  return { states: done, finds, seed };
}
