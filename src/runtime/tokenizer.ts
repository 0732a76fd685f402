/**
 * Text to ids and back through @huggingface/tokenizers. Streams of tokens become text on the vocabulary's bytes (src/decoder),
 * never here: a character may be cut between two tokens.
 */
import { Tokenizer } from '@huggingface/tokenizers';
import { ModelError, OptionError } from '../base/errors.js';
import { type AddedToken, isControl, SpecialGuard } from './guard.js';
import { isObject, type JsonObject } from './json.js';
import type { TextTokenizer } from './types.js';

/** A tokenizer from the two files of a model folder; throws ModelError where they are of no known type. */
export function createTokenizer(source: string, json: JsonObject, config: JsonObject): TextTokenizer {
  const tokenizer = build(source, json, config);
  const added = addedOf(json);
  const guard = new SpecialGuard(added);
  // What a text without a token of its own becomes (`[UNK]`) says nothing of where it came from.
  const unknown = unknownOf(json);
  const controls = new Map(
    added.filter((t) => isControl(t) && t.content !== unknown && t.id !== unknown).map((t) => [t.content, t.id]),
  );
  // Made when a text first needs it: most never do.
  let signed: Tokenizer | undefined;
  const encodeMarked = (text: string, specials: boolean): number[] => {
    signed ??= build(source, withSigns(json, guard.sign), config);
    return encodeSigned(signed, guard.signed(text), controls, specials);
  };
  return {
    encode: (text, { specials = false } = {}) => {
      if (text === '') return [];
      if (guard.isMarked(text)) return encodeMarked(text, specials);
      return [...tokenizer.encode(text, { add_special_tokens: specials }).ids];
    },
    decode: (ids, options) => {
      if (ids.length === 0) return '';
      return tokenizer.decode([...ids], {
        skip_special_tokens: options?.skipSpecials ?? true,
        clean_up_tokenization_spaces: false,
      });
    },
    mark: (value) => guard.mark(value),
    unmark: (text) => guard.unmark(text),
  };
}

function build(source: string, json: JsonObject, config: JsonObject): Tokenizer {
  try {
    return new Tokenizer({ ...json, pre_tokenizer: withNumbers(json.pre_tokenizer) }, config);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ModelError(source, 'a tokenizer.json that @huggingface/tokenizers reads', why, { cause: error });
  }
}

/** Stages `Digits` split at all numbers (½ and ² too) where models are trained; the package reads ASCII digits only. */
function withNumbers(stage: unknown): unknown {
  if (!isObject(stage)) return stage;
  if (stage.type === 'Sequence' && Array.isArray(stage.pretokenizers))
    return { ...stage, pretokenizers: stage.pretokenizers.map(withNumbers) };
  if (stage.type !== 'Digits') return stage;
  const Regex = stage.individual_digits === true ? '\\p{N}' : '\\p{N}+';
  return { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false };
}

/** The added tokens of a tokenizer.json. */
export function addedOf(json: JsonObject): (AddedToken & { readonly id: number })[] {
  const entries: unknown[] = Array.isArray(json.added_tokens) ? json.added_tokens : [];
  return entries.flatMap((entry) => {
    if (!isObject(entry) || typeof entry.content !== 'string' || typeof entry.id !== 'number') return [];
    return [{ content: entry.content, special: entry.special === true, id: entry.id }];
  });
}

/** The token that stands for what the vocabulary lacks, by its text (WordPiece, BPE) or its id (Unigram). */
function unknownOf({ model }: JsonObject): string | number | undefined {
  if (!isObject(model)) return undefined;
  const { unk_token: text, unk_id: id } = model;
  return typeof text === 'string' ? text : typeof id === 'number' ? id : undefined;
}

/** The same tokenizer, whose control tokens are found with a sign before them only. */
function withSigns(json: JsonObject, sign: string): JsonObject {
  const entries: unknown[] = Array.isArray(json.added_tokens) ? json.added_tokens : [];
  const added_tokens = entries.map((entry) => {
    if (!isObject(entry) || typeof entry.content !== 'string') return entry;
    const control = isControl({ content: entry.content, special: entry.special === true });
    return control ? { ...entry, content: sign + entry.content } : entry;
  });
  return { ...json, added_tokens };
}

/**
 * Encodes and checks: the control tokens are the template's, no more. Vocabularies that have them as ordinary pieces too may spell a user's with
 * its own id all the same; such texts are encoded in two parts.
 */
function encodeSigned(
  tokenizer: Tokenizer,
  { text, controls, breaks }: ReturnType<SpecialGuard['signed']>,
  ids: ReadonlyMap<string, number>,
  specials: boolean,
): number[] {
  const known = new Set(ids.values());
  const expected = controls.flatMap((content) => ids.get(content) ?? []);
  const good = (out: readonly number[]): boolean => {
    const found = out.filter((id) => known.has(id));
    // Special tokens that were asked for stand around the text's own.
    return specials || (found.length === expected.length && found.every((id, i) => id === expected[i]));
  };
  const whole = tokenizer.encode(text, { add_special_tokens: specials }).ids;
  if (good(whole)) return [...whole];
  // Behind the first character of each, which may be two units.
  const cuts = [0, ...breaks.map((at) => at + (text.codePointAt(at)! > 0xffff ? 2 : 1)), text.length];
  const parts = cuts.slice(1).flatMap((end, i) => {
    const part = text.slice(cuts[i], end);
    return part === '' ? [] : tokenizer.encode(part, { add_special_tokens: false }).ids;
  });
  if (good(parts)) return parts;
  throw new OptionError('messages', 'text that the tokenizer can tell from its control tokens', 'such a token in it');
}
