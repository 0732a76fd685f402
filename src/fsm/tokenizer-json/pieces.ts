/**
 * From vocabulary pieces to bytes. A piece is text in the tokenizer's private alphabet; which alphabet it is follows from the
 * decoder and pre-tokenizer that the file declares:
 *
 * - byte-level: each character stands for one byte (GPT-2's table);
 * - byte fallback: `<0xNN>` is one byte, `▁` a space, all else itself;
 * - WordPiece: a `##` prefix marks a continuation and stands for nothing. A piece without the prefix is its own text: the space
 *   between words is the decoder's guess, not part of any piece;
 * - end-of-word suffix (`</w>`): stands for a space.
 */
import { isObject, type JsonObject, stages, text } from './json.js';

/** How the pieces of one tokenizer.json spell bytes. */
export interface Alphabet {
  readonly byteLevel: boolean;
  readonly byteFallback: boolean;
  /** Text that stands for a space, such as `▁`. */
  readonly space: string | undefined;
  /** Continuation prefix, such as `##`. */
  readonly prefix: string | undefined;
  /** End-of-word suffix, such as `</w>`. */
  readonly suffix: string | undefined;
}

const utf8 = new TextEncoder();

/** Reads the alphabet off a parsed tokenizer.json. */
export function alphabetOf(json: JsonObject, model: JsonObject): Alphabet {
  const decoders = stages(json.decoder);
  const pre = stages(json.pre_tokenizer);
  const normalizers = stages(json.normalizer);
  const byteLevel = [...decoders, ...pre, ...normalizers].some((s) => s.type === 'ByteLevel');
  const byteFallback = model.byte_fallback === true || decoders.some((s) => s.type === 'ByteFallback');
  let space: string | undefined;
  if (!byteLevel) {
    for (const stage of [...decoders, ...pre]) {
      if (stage.type === 'Metaspace') space ??= text(stage.replacement) ?? text(stage.str_rep) ?? '▁';
      if (stage.type === 'Replace' && stage.content === ' ') space ??= patternText(stage.pattern);
    }
    for (const stage of normalizers) {
      if (stage.type === 'Replace' && patternText(stage.pattern) === ' ') space ??= text(stage.content);
    }
  }
  const wordPieceDecoder = decoders.find((s) => s.type === 'WordPiece');
  const bpeDecoder = decoders.find((s) => s.type === 'BPEDecoder');
  const prefix = text(model.continuing_subword_prefix) || text(wordPieceDecoder?.prefix);
  const suffix = text(model.end_of_word_suffix) || text(bpeDecoder?.suffix);
  return {
    byteLevel,
    byteFallback,
    space: space || undefined,
    prefix: prefix || undefined,
    suffix: suffix || undefined,
  };
}

/** The literal text of a pattern field, if it is one. */
export function patternText(pattern: unknown): string | undefined {
  return isObject(pattern) ? text(pattern.String) : text(pattern);
}

/** Bytes of one piece. */
export function pieceBytes(piece: string, alphabet: Alphabet): Uint8Array {
  if (alphabet.byteFallback && piece.length === 6) {
    const byte = fallbackByte(piece);
    if (byte >= 0) return Uint8Array.of(byte);
  }
  let body = piece;
  let tail = '';
  if (alphabet.prefix !== undefined && body.length > alphabet.prefix.length && body.startsWith(alphabet.prefix)) {
    body = body.slice(alphabet.prefix.length);
  }
  if (alphabet.suffix !== undefined && body.endsWith(alphabet.suffix)) {
    body = body.slice(0, -alphabet.suffix.length);
    tail = ' ';
  }
  if (alphabet.byteLevel) {
    const out = new Uint8Array(body.length + tail.length);
    for (let i = 0; i < body.length; i++) {
      const code = body.charCodeAt(i);
      const byte = code < BYTE_OF_CHAR.length ? BYTE_OF_CHAR[code]! : -1;
      if (byte < 0) return utf8.encode(piece);
      out[i] = byte;
    }
    if (tail !== '') out[body.length] = 0x20;
    return out;
  }
  if (alphabet.space !== undefined) body = body.replaceAll(alphabet.space, ' ');
  return utf8.encode(body + tail);
}

/** The byte of `<0xNN>`, or -1. */
function fallbackByte(piece: string): number {
  const match = /^<0x([0-9A-Fa-f]{2})>$/.exec(piece);
  return match === null ? -1 : Number.parseInt(match[1]!, 16);
}

/**
 * GPT-2's table: the printable bytes of Latin-1 stand for themselves, the others for the characters from U+0100 on, in order.
 */
export const CHAR_OF_BYTE: readonly string[] = (() => {
  const out: string[] = [];
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    const plain = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    out.push(String.fromCharCode(plain ? byte : next++));
  }
  return out;
})();

const BYTE_OF_CHAR: Int16Array = (() => {
  const out = new Int16Array(0x180).fill(-1);
  CHAR_OF_BYTE.forEach((char, byte) => {
    out[char.charCodeAt(0)] = byte;
  });
  return out;
})();
