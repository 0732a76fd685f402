/**
 * The tiktoken vocabularies (cl100k_base, o200k_base) as token bytes, read from the package's rank file: ids stay ids, the end
 * of text is EOS, other special tokens have no bytes.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { get_encoding, type Tiktoken } from 'tiktoken';
import { compile, json, Matcher, Vocabulary } from '../../src/core.js';

export const VOCABULARIES = ['cl100k', 'o200k'] as const;
export type VocabularyName = (typeof VOCABULARIES)[number];

export interface LoadedVocabulary {
  readonly name: VocabularyName;
  readonly tokens: readonly (Uint8Array | null)[];
  readonly eos: number;
  readonly vocabulary: Vocabulary;
  /** Milliseconds of Vocabulary.fromTokens and of what is made on first use. */
  readonly setupMs: number;
  /** Token ids of a text, specials read as plain text. */
  encode(text: string): Uint32Array;
}

interface RankFile {
  readonly special_tokens: Readonly<Record<string, number>>;
  readonly bpe_ranks: string;
}

const require = createRequire(import.meta.url);

export function loadTokens(name: VocabularyName): {
  tokens: (Uint8Array | null)[];
  eos: number;
  specials: Record<string, number>;
} {
  const file = require.resolve(`tiktoken/encoders/${name}_base.json`);
  const ranks = JSON.parse(readFileSync(file, 'utf8')) as RankFile;
  const tokens: (Uint8Array | null)[] = [];
  for (const line of ranks.bpe_ranks.split('\n')) {
    if (line === '') continue;
    const [, offset, ...items] = line.split(' ');
    items.forEach((item, i) => {
      tokens[Number(offset) + i] = new Uint8Array(Buffer.from(item, 'base64'));
    });
  }
  const specials = { ...ranks.special_tokens };
  const size = Math.max(tokens.length, ...Object.values(specials).map((id) => id + 1));
  for (let i = 0; i < size; i++) tokens[i] ??= null;
  const eos = specials['<|endoftext|>'];
  if (eos === undefined) throw new Error(`${name}: no end of text`);
  return { tokens, eos, specials };
}

const encoders = new Map<VocabularyName, Tiktoken>();

export function loadVocabulary(name: VocabularyName): LoadedVocabulary {
  const { tokens, eos, specials } = loadTokens(name);
  let encoder = encoders.get(name);
  if (encoder === undefined) {
    encoder = get_encoding(`${name}_base`);
    encoders.set(name, encoder);
  }
  const bpe = encoder;
  const encode = (text: string): Uint32Array => bpe.encode(text, [], []);
  const from = performance.now();
  const vocabulary = Vocabulary.fromTokens(tokens, { eos: [eos], specials, encode });
  prime(vocabulary);
  const setupMs = performance.now() - from;
  return { name, tokens, eos, vocabulary, setupMs, encode };
}

/** What a vocabulary makes once, on its first use: the trie and the slices of plain JSON (any value, mask by mask). */
function prime(vocabulary: Vocabulary): void {
  const matcher = new Matcher(compile(json({}, { whitespace: 'flexible' })), vocabulary);
  const mask = new Uint32Array(Math.ceil(vocabulary.size / 32));
  for (const byte of new TextEncoder().encode('{"a": ["b", -1.5, true, false, null], "c": {}}')) {
    matcher.fillMask(mask);
    if (!matcher.acceptBytes(Uint8Array.of(byte))) throw new Error('bench: a plain value is refused');
  }
}
