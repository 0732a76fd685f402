/**
 * Reads a Hugging Face `tokenizer.json`: which bytes each id stands for, which ids are special, which end the sequence, and how
 * text becomes ids. Format: the `tokenizers` library (types BPE, Unigram, WordPiece, WordLevel of `model`, `added_tokens`,
 * `normalizer`, `pre_tokenizer`, `decoder`).
 */
import { ModelError, OptionError } from '../../base/errors.js';
import { createEncoder, type Family } from './encoder.js';
import { fail, isObject, type JsonObject, text } from './json.js';
import { alphabetOf, pieceBytes } from './pieces.js';

export interface TokenizerJsonOptions {
  /** Ids (or one id) that end the sequence. Default: the well-known end tokens that the file declares. */
  readonly eos?: readonly number[] | number;
}

export interface TokenizerJson {
  readonly tokens: readonly (Uint8Array | null)[];
  readonly eos: readonly number[];
  /** Ids of all added tokens by content. */
  readonly specials: Readonly<Record<string, number>>;
  /** Text to ids, in the middle of a sequence; -1 for what is unknown. Built on its first call. */
  readonly encode: (text: string) => number[];
}

/** Contents by which model families name the end of a sequence or of a turn. */
const END_TOKENS: readonly string[] = [
  '<eos>',
  '<|end|>',
  '<|eot_id|>',
  '<|eom_id|>',
  '<|im_end|>',
  '<|endoftext|>',
  '<|end_of_text|>',
  '<|end_of_turn|>',
  '<end_of_turn>',
  '<|return|>',
  '<|call|>',
  '<|eos|>',
  '[EOS]',
  '<｜end▁of▁sentence｜>',
  '<|END_OF_TURN_TOKEN|>',
];
/** Those that are text in some vocabularies: `</s>` ends what is struck out in HTML, and Qwen's and Gemma's have it as such. */
const MAYBE_TEXT: readonly string[] = ['</s>', '[SEP]'];

const MOST_TOKENS = 4_000_000;
const utf8 = new TextEncoder();

/** See the module's header. Throws ModelError for text that is not such a file, OptionError where `eos` is needed. */
export function readTokenizerJson(source: unknown, options: TokenizerJsonOptions = {}): TokenizerJson {
  const json = parse(source);
  if (!isObject(json.model)) fail('model', 'an object', json.model);
  const model = json.model;
  const family = familyOf(model);
  const alphabet = alphabetOf(json, model);
  const pieces = piecesOf(model, family);
  const ids = new Map<string, number>();
  for (const [piece, id] of pieces) if (!ids.has(piece)) ids.set(piece, id);
  const unknown = unknownId(model, ids);

  let size = 0;
  for (const [, id] of pieces) size = Math.max(size, id + 1);
  const addedTokens = addedOf(json);
  for (const { id } of addedTokens) size = Math.max(size, id + 1);

  const tokens = new Array<Uint8Array | null>(size).fill(null);
  for (const [piece, id] of pieces) if (id !== unknown) tokens[id] = pieceBytes(piece, alphabet);
  const specials: Record<string, number> = Object.create(null) as Record<string, number>;
  const plainAdded = new Map<string, number>();
  for (const { id, content, special } of addedTokens) {
    specials[content] = id;
    if (special) tokens[id] = null;
    else {
      // The decoder reads added tokens too: Gemma's runs of spaces are added as runs of its sign for a space.
      tokens[id] = alphabet.byteLevel ? utf8.encode(content) : pieceBytes(content, alphabet);
      plainAdded.set(content, id);
    }
  }
  const eos = endOf(options.eos, specials, ids);
  let encoder: ((text: string) => number[]) | undefined;
  return {
    tokens,
    eos,
    specials,
    encode: (whole) => {
      encoder ??= createEncoder({ json, model, family, alphabet, ids, added: plainAdded });
      return encoder(whole);
    },
  };
}

function parse(source: unknown): JsonObject {
  let value = source;
  if (typeof source === 'string') {
    try {
      value = JSON.parse(source);
    } catch (cause) {
      throw new ModelError('tokenizer.json', 'JSON', cause instanceof Error ? cause.message : 'something else', {
        cause,
      });
    }
  }
  if (!isObject(value)) fail('the file', 'an object', value);
  return value;
}

function familyOf(model: JsonObject): Family {
  const type = model.type;
  if (type === 'BPE' || type === 'Unigram' || type === 'WordPiece' || type === 'WordLevel') return type;
  if (type !== undefined && type !== null) return fail('model.type', 'BPE, Unigram, WordPiece or WordLevel', type);
  // Files of the library's first versions name no type.
  if (Array.isArray(model.vocab)) return 'Unigram';
  if (model.merges !== undefined) return 'BPE';
  if (model.continuing_subword_prefix !== undefined) return 'WordPiece';
  return fail('model.type', 'BPE, Unigram, WordPiece or WordLevel', type);
}

/** Pieces with their ids; a piece may occur twice. */
function piecesOf(model: JsonObject, family: Family): readonly (readonly [string, number])[] {
  const vocab: unknown = model.vocab;
  if (family === 'Unigram') {
    if (!Array.isArray(vocab)) fail('model.vocab', 'an array of [piece, score]', vocab);
    return vocab.map((entry: unknown, id) => {
      if (!Array.isArray(entry) || typeof entry[0] !== 'string' || typeof entry[1] !== 'number') {
        return fail(`model.vocab[${id}]`, '[piece, score]', entry);
      }
      return [entry[0], id] as const;
    });
  }
  if (!isObject(vocab)) fail('model.vocab', 'an object of ids by piece', vocab);
  return Object.entries(vocab).map(
    ([piece, id]) => [piece, checkId(id, `model.vocab[${JSON.stringify(piece)}]`)] as const,
  );
}

function unknownId(model: JsonObject, pieces: ReadonlyMap<string, number>): number {
  if (typeof model.unk_id === 'number') return model.unk_id;
  const unknown = text(model.unk_token);
  return unknown === undefined ? -1 : (pieces.get(unknown) ?? -1);
}

function addedOf(json: JsonObject): { id: number; content: string; special: boolean }[] {
  const added = json.added_tokens;
  if (added === undefined || added === null) return [];
  if (!Array.isArray(added)) return fail('added_tokens', 'an array', added);
  return added.map((entry: unknown, i) => {
    if (!isObject(entry)) return fail(`added_tokens[${i}]`, 'an object', entry);
    const content = text(entry.content) ?? fail(`added_tokens[${i}].content`, 'text', entry.content);
    return { id: checkId(entry.id, `added_tokens[${i}].id`), content, special: entry.special === true };
  });
}

function checkId(id: unknown, field: string): number {
  if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= MOST_TOKENS) {
    return fail(field, `an id from 0 to ${MOST_TOKENS - 1}`, id);
  }
  return id;
}

function endOf(
  given: readonly number[] | number | undefined,
  specials: Readonly<Record<string, number>>,
  pieces: ReadonlyMap<string, number>,
): readonly number[] {
  if (given !== undefined) return typeof given === 'number' ? [given] : given;
  const found = new Set<number>();
  for (const content of END_TOKENS) {
    // Where a turn has an end of its own, this one ends a message in it (gpt-oss).
    if (content === '<|end|>' && specials['<|return|>'] !== undefined) continue;
    const id = specials[content] ?? pieces.get(content);
    if (id !== undefined) found.add(id);
  }
  for (const content of MAYBE_TEXT) {
    const id = specials[content] ?? pieces.get(content);
    if (id !== undefined && found.size === 0) found.add(id);
  }
  if (found.size === 0)
    throw new OptionError(
      'eos',
      'ids of the end-of-sequence tokens',
      'none, and tokenizer.json names none that is known',
    );
  return [...found];
}
