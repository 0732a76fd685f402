/**
 * Text to ids and back through @huggingface/tokenizers. Streams of tokens become text on the vocabulary's bytes (src/decoder),
 * never here: a character may be cut between two tokens.
 */
import { Tokenizer } from '@huggingface/tokenizers';
import { ModelError } from '../base/errors.js';
import type { JsonObject } from './json.js';
import type { TextTokenizer } from './types.js';

/** A tokenizer from the two files of a model folder; throws ModelError where they are of no known type. */
export function createTokenizer(source: string, json: JsonObject, config: JsonObject): TextTokenizer {
  let tokenizer: Tokenizer;
  try {
    tokenizer = new Tokenizer(json, config);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ModelError(source, 'a tokenizer.json that @huggingface/tokenizers reads', why, { cause: error });
  }
  return {
    encode: (text, options) => {
      if (text === '') return [];
      return [...tokenizer.encode(text, { add_special_tokens: options?.specials ?? false }).ids];
    },
    decode: (ids, options) => {
      if (ids.length === 0) return '';
      return tokenizer.decode([...ids], {
        skip_special_tokens: options?.skipSpecials ?? true,
        clean_up_tokenization_spaces: false,
      });
    },
  };
}
