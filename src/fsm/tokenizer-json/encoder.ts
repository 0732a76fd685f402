/**
 * The canonical encoder of a tokenizer.json, for text in the middle of a sequence: normalizer, pre-tokenizer, model. Prefix spaces
 * and post-processors belong to the start of a sequence and are left out, normalizers that change letters (composition, lower case) too: tokens
 * have to spell the text as it is, which the caller checks, so an unknown token costs canonicity only.
 */
import { mergeWord } from './bpe.js';
import { isObject, type JsonObject, stages, text } from './json.js';
import { type Alphabet, patternText } from './pieces.js';
import { splitsOf } from './pre-tokenize.js';
import { segment } from './unigram.js';

export type Family = 'BPE' | 'Unigram' | 'WordPiece' | 'WordLevel';

export interface EncoderInput {
  readonly json: JsonObject;
  readonly model: JsonObject;
  readonly family: Family;
  readonly alphabet: Alphabet;
  readonly ids: ReadonlyMap<string, number>;
  /** Added tokens that stand for their own text, by content. */
  readonly added: ReadonlyMap<string, number>;
}

const UNKNOWN = -1;
const utf8 = new TextEncoder();

/** Returns a function from text to ids; an id of -1 marks what the vocabulary does not know. */
export function createEncoder(input: EncoderInput): (text: string) => number[] {
  const normalize = stages(input.json.normalizer).map(normalizer);
  const splits = splitsOf(stages(input.json.pre_tokenizer));
  const word = wordEncoder(input);
  const contents = [...input.added.keys()].filter((c) => c !== '').sort((a, b) => b.length - a.length);
  const split =
    contents.length === 0
      ? undefined
      : new RegExp(contents.map((c) => c.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('|'), 'g');
  const plain = (part: string, out: number[]): void => {
    let normal = part;
    for (const step of normalize) normal = step(normal);
    let words: string[] = [normal];
    for (const step of splits) words = step(words);
    for (const w of words) if (w !== '') word(w, out);
  };
  return (whole) => {
    const out: number[] = [];
    let at = 0;
    if (split !== undefined) {
      for (const found of whole.matchAll(split)) {
        if (found.index > at) plain(whole.slice(at, found.index), out);
        out.push(input.added.get(found[0]) ?? UNKNOWN);
        at = found.index + found[0].length;
      }
    }
    if (at < whole.length) plain(whole.slice(at), out);
    return out;
  };
}

function wordEncoder(input: EncoderInput): (word: string, out: number[]) => void {
  switch (input.family) {
    case 'BPE':
      return bpeEncoder(input);
    case 'Unigram':
      return unigramEncoder(input);
    case 'WordPiece':
      return wordPieceEncoder(input);
    case 'WordLevel':
      return (word, out) => {
        out.push(input.ids.get(word) ?? UNKNOWN);
      };
  }
}

function bpeEncoder({ model, alphabet, ids }: EncoderInput): (word: string, out: number[]) => void {
  const ranks = new Map<string, number>();
  const merges: unknown = model.merges;
  if (Array.isArray(merges)) {
    merges.forEach((merge: unknown, rank) => {
      const [left, right] = Array.isArray(merge) ? merge : String(merge).split(' ');
      const key = `${left}\0${right}`;
      if (!ranks.has(key)) ranks.set(key, rank);
    });
  }
  const whole = model.ignore_merges === true;
  const prefix = alphabet.prefix ?? '';
  const suffix = alphabet.suffix ?? '';
  return (word, out) => {
    const known = whole ? ids.get(word) : undefined;
    if (known !== undefined) {
      out.push(known);
      return;
    }
    const chars = [...word];
    const symbols: string[] = [];
    chars.forEach((char, i) => {
      const symbol = `${i > 0 ? prefix : ''}${char}${i === chars.length - 1 ? suffix : ''}`;
      if (ids.has(symbol) || !alphabet.byteFallback) symbols.push(symbol);
      else for (const byte of utf8.encode(char)) symbols.push(byteToken(byte));
    });
    for (const symbol of mergeWord(symbols, { ranks })) out.push(ids.get(symbol) ?? UNKNOWN);
  };
}

function unigramEncoder({ model, alphabet, ids }: EncoderInput): (word: string, out: number[]) => void {
  const scores = new Map<string, number>();
  let minScore = 0;
  let longest = 1;
  const vocab: unknown = model.vocab;
  if (Array.isArray(vocab)) {
    vocab.forEach((entry: unknown, id) => {
      if (!Array.isArray(entry) || id === model.unk_id) return;
      const piece = String(entry[0]);
      const score = Number(entry[1]);
      scores.set(piece, score);
      if (score < minScore) minScore = score;
      if (piece.length > longest) longest = piece.length;
    });
  }
  return (word, out) => {
    for (const piece of segment(word, { scores, minScore, longest })) {
      const id = scores.has(piece) ? ids.get(piece) : undefined;
      if (id !== undefined) out.push(id);
      else if (alphabet.byteFallback)
        for (const byte of utf8.encode(piece)) out.push(ids.get(byteToken(byte)) ?? UNKNOWN);
      else out.push(UNKNOWN);
    }
  };
}

/** Greedy longest match from the left; a word with a part that does not match is unknown as a whole. */
function wordPieceEncoder({ model, alphabet, ids }: EncoderInput): (word: string, out: number[]) => void {
  const prefix = alphabet.prefix ?? '##';
  const limit = typeof model.max_input_chars_per_word === 'number' ? model.max_input_chars_per_word : 100;
  return (word, out) => {
    const chars = [...word];
    const found: number[] = [];
    let start = 0;
    while (start < chars.length && chars.length <= limit) {
      let end = chars.length;
      let id: number | undefined;
      for (; end > start; end--) {
        id = ids.get((start > 0 ? prefix : '') + chars.slice(start, end).join(''));
        if (id !== undefined) break;
      }
      if (id === undefined) break;
      found.push(id);
      start = end;
    }
    if (start < chars.length) out.push(UNKNOWN);
    else out.push(...found);
  };
}

function byteToken(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
}

/** The sign for a space and its like. Other normalizers are left out: what they change, tokens cannot spell. */
function normalizer(stage: JsonObject): (part: string) => string {
  switch (stage.type) {
    case 'Replace': {
      const content = text(stage.content) ?? '';
      const literal = patternText(stage.pattern);
      if (literal !== undefined) return (part) => part.replaceAll(literal, content);
      const source = isObject(stage.pattern) ? text(stage.pattern.Regex) : undefined;
      if (source === undefined) return (part) => part;
      try {
        const pattern = new RegExp(source, 'gu');
        return (part) => part.replace(pattern, () => content);
      } catch {
        return (part) => part;
      }
    }
    default:
      return (part) => part;
  }
}
