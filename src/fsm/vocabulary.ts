/**
 * A model's vocabulary as bytes: what each token id appends to the text.
 *
 * Grammars are automata over bytes, models choose token ids; this class is the bridge. The naive way keeps one string per token
 * and calls `decode([id])`, which loses leading spaces (Llama-2), merges byte tokens into replacement characters, and costs
 * seconds for 200,000 entries. Here all bytes lie in one flat array with an offset table, taken from the vocabulary's pieces;
 * whatever costs more than that copy (encoders, tries, automata) is made on first use.
 *
 * Invariants: `offsets` rises; a token without bytes (null, zero-length, or an end-of-sequence id) has an empty range and is never
 * allowed by matching bytes; several tokens may have equal bytes. Immutable but for {@link Vocabulary.cache}.
 */
import { OptionError } from '../base/errors.js';
import { readTokenizerJson, type TokenizerJsonOptions } from './tokenizer-json/index.js';

/** Values derived from one vocabulary, made on first use and kept as long as the vocabulary. */
export interface VocabularyCache {
  get<T>(key: symbol | object, make: () => T): T;
}

export interface VocabularyOptions {
  /** Ids that end the sequence; at least one. They never match bytes. */
  readonly eos: readonly number[];
  /** Names of special tokens, for token terminals such as `<|think|>`. */
  readonly specials?: Readonly<Record<string, number>>;
  /** The canonical encoder of a text, without any prefix or special tokens; checked on each use. */
  readonly encode?: (text: string) => ArrayLike<number>;
}

/** Special tokens that no output has. As a mark that a caller makes up, their name is text: `<s>` is HTML. */
const UNWRITTEN: ReadonlySet<string> = new Set([
  '<s>',
  '<bos>',
  '<unk>',
  '<pad>',
  '<mask>',
  '[PAD]',
  '[UNK]',
  '[CLS]',
  '[SEP]',
  '[MASK]',
]);

const utf8 = new TextEncoder();
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** See the module's header. */
export class Vocabulary {
  /** Number of token ids; logits may be wider. */
  readonly size: number;
  readonly eos: readonly number[];
  readonly specials: ReadonlyMap<string, number>;
  /** All token bytes, in order of id. */
  readonly bytes: Uint8Array;
  /** size + 1 offsets into {@link bytes}. */
  readonly offsets: Int32Array;
  /** Length in bytes of the longest token. */
  readonly longest: number;
  readonly cache: VocabularyCache = createCache();
  readonly #encode: ((text: string) => ArrayLike<number>) | undefined;
  readonly #eos: ReadonlySet<number>;

  private constructor(tokens: readonly (Uint8Array | null)[], options: VocabularyOptions) {
    if (!Array.isArray(tokens)) throw new OptionError('tokens', 'an array of the bytes of each token', typeof tokens);
    if (typeof options?.eos?.[Symbol.iterator] !== 'function')
      throw new OptionError('eos', 'an array of end-of-sequence ids', String(options?.eos ?? 'none'));
    const size = tokens.length;
    const eos = new Set<number>();
    for (const id of options.eos) {
      if (!Number.isInteger(id) || id < 0 || id >= size) {
        throw new OptionError('eos', `token ids from 0 to ${size - 1}`, String(id));
      }
      eos.add(id);
    }
    if (eos.size === 0) throw new OptionError('eos', 'at least one end-of-sequence id', 'none');
    const offsets = new Int32Array(size + 1);
    let total = 0;
    let longest = 0;
    for (let id = 0; id < size; id++) {
      offsets[id] = total;
      const token = tokens[id];
      if (token === null || token === undefined || eos.has(id)) continue;
      if (!isBytes(token))
        throw new OptionError(
          `tokens[${id}]`,
          'a Uint8Array (of a text: new TextEncoder().encode(text)), or null',
          typeof token,
        );
      total += token.length;
      if (token.length > longest) longest = token.length;
    }
    offsets[size] = total;
    const bytes = new Uint8Array(total);
    for (let id = 0; id < size; id++) {
      const start = offsets[id]!;
      const length = offsets[id + 1]! - start;
      if (length === 0) continue;
      const token = tokens[id]!;
      // A call of set() costs more than it saves on tokens of a few bytes: 200,000 tokens take 9 ms so, 21 ms with set() alone.
      if (length > 16) bytes.set(token, start);
      else for (let i = 0; i < length; i++) bytes[start + i] = token[i]!;
    }
    for (const [name, id] of Object.entries(options.specials ?? {}))
      if (!Number.isInteger(id) || id < 0 || id >= size)
        throw new OptionError(`specials['${name}']`, `a token id from 0 to ${size - 1}`, String(id));
    this.size = size;
    this.eos = [...eos];
    this.#eos = eos;
    this.specials = new Map(Object.entries(options.specials ?? {}));
    this.bytes = bytes;
    this.offsets = offsets;
    this.longest = longest;
    this.#encode = options.encode;
  }

  /**
   * From the bytes of each token, by id; null where a token stands for no text. Copies the bytes.
   * @throws OptionError for an id out of range, and for tokens that are not bytes
   */
  static fromTokens(tokens: readonly (Uint8Array | null)[], options: VocabularyOptions): Vocabulary {
    return new Vocabulary(tokens, options);
  }

  /**
   * From a Hugging Face `tokenizer.json` (text or parsed): byte-level BPE, BPE with byte fallback, Unigram, WordPiece. Bytes come
   * from the vocabulary's pieces. Special tokens have no bytes; other added tokens have those of their content. `eos` defaults to
   * the well-known end tokens that the file declares. Throws ModelError for a file that is none of these.
   */
  static fromTokenizerJson(json: unknown, options: TokenizerJsonOptions = {}): Vocabulary {
    const read = readTokenizerJson(json, options);
    return new Vocabulary(read.tokens, { eos: read.eos, specials: read.specials, encode: read.encode });
  }

  isEos(id: number): boolean {
    return this.#eos.has(id);
  }

  /** Whether a token has no bytes to match (null, zero-length, end of sequence, or out of range). */
  isNull(id: number): boolean {
    return !(id >= 0 && id < this.size) || this.offsets[id] === this.offsets[id + 1];
  }

  /** The bytes of a token, as a view; empty where it has none. */
  tokenBytes(id: number): Uint8Array {
    if (!(id >= 0 && id < this.size)) return this.bytes.subarray(0, 0);
    return this.bytes.subarray(this.offsets[id], this.offsets[id + 1]);
  }

  /**
   * What a token adds to a constrained output: its bytes; where a constraint asked for a special token, which has none, its name. End tokens add
   * nothing.
   */
  shownBytes(id: number): Uint8Array {
    if (!this.isNull(id) || this.isEos(id)) return this.tokenBytes(id);
    const name = this.#names().get(id);
    return name === undefined ? this.bytes.subarray(0, 0) : utf8.encode(name);
  }

  /** Names of special tokens that have no bytes and end nothing: the marks that a model can write as one token only. */
  get controls(): ReadonlySet<string> {
    return this.cache.get(CONTROLS, () => {
      const written = [...this.#names()].filter(([id, name]) => !this.isEos(id) && !UNWRITTEN.has(name));
      return new Set(written.map(([, name]) => name));
    });
  }

  /** Names by id of the special tokens that have no bytes. */
  #names(): ReadonlyMap<number, string> {
    return this.cache.get(
      NAMES,
      () => new Map([...this.specials].flatMap(([name, id]) => (name !== '' && this.isNull(id) ? [[id, name]] : []))),
    );
  }

  /** The bytes of several tokens, joined. */
  decode(ids: ArrayLike<number>): Uint8Array {
    let total = 0;
    for (let i = 0; i < ids.length; i++) total += this.tokenBytes(ids[i]!).length;
    const out = new Uint8Array(total);
    let at = 0;
    for (let i = 0; i < ids.length; i++) {
      const token = this.tokenBytes(ids[i]!);
      out.set(token, at);
      at += token.length;
    }
    return out;
  }

  /** Ids that a token terminal's text names: the special token of this name, else the tokens with exactly these bytes. */
  find(text: string): readonly number[] {
    const special = this.specials.get(text);
    if (special !== undefined) return [special];
    return this.#index().get(latin1(utf8.encode(text))) ?? [];
  }

  /**
   * Canonical tokens of a text in the middle of a sequence (nothing is prepended): the encoder's where its tokens spell exactly
   * these bytes, else by longest match. Where the vocabulary cannot spell the text, the tokens of its longest spelled prefix.
   */
  encode(text: Uint8Array | string): number[] {
    const bytes = typeof text === 'string' ? utf8.encode(text) : text;
    if (bytes.length === 0) return [];
    if (this.#encode !== undefined) {
      const known = typeof text === 'string' ? text : decodeStrict(text);
      if (known !== undefined) {
        const ids = this.#encode(known);
        if (this.#spells(ids, bytes)) return Array.from(ids);
      }
    }
    return this.#longestMatch(bytes);
  }

  #spells(ids: ArrayLike<number>, bytes: Uint8Array): boolean {
    let at = 0;
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!;
      if (this.isNull(id)) return false;
      const end = this.offsets[id + 1]!;
      for (let p = this.offsets[id]!; p < end; p++) if (this.bytes[p] !== bytes[at++]) return false;
    }
    return at === bytes.length;
  }

  #longestMatch(bytes: Uint8Array): number[] {
    const index = this.#index();
    const text = latin1(bytes);
    const out: number[] = [];
    let at = 0;
    while (at < text.length) {
      let length = Math.min(this.longest, text.length - at);
      let ids: readonly number[] | undefined;
      for (; length > 0; length--) {
        ids = index.get(text.slice(at, at + length));
        if (ids !== undefined) break;
      }
      if (ids === undefined) break;
      out.push(ids[0]!);
      at += length;
    }
    return out;
  }

  /** Ids by byte string (as Latin-1 text), lowest id first. */
  #index(): ReadonlyMap<string, readonly number[]> {
    return this.cache.get(INDEX, () => {
      const text = latin1(this.bytes);
      const index = new Map<string, number[]>();
      for (let id = 0; id < this.size; id++) {
        const start = this.offsets[id]!;
        const end = this.offsets[id + 1]!;
        if (start === end) continue;
        const key = text.slice(start, end);
        const known = index.get(key);
        if (known === undefined) index.set(key, [id]);
        else known.push(id);
      }
      return index;
    });
  }
}

const INDEX = Symbol('ids by bytes');
const NAMES = Symbol('names by id');
const CONTROLS = Symbol('names of control tokens');

function createCache(): VocabularyCache {
  const bySymbol = new Map<symbol, unknown>();
  const byObject = new WeakMap<object, unknown>();
  return {
    get<T>(key: symbol | object, make: () => T): T {
      const map: {
        has(k: symbol | object): boolean;
        get(k: symbol | object): unknown;
        set(k: symbol | object, v: unknown): unknown;
      } = typeof key === 'symbol' ? (bySymbol as never) : (byObject as never);
      if (map.has(key)) return map.get(key) as T;
      const value = make();
      map.set(key, value);
      return value;
    },
  };
}

function decodeStrict(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

/** One UTF-16 unit per byte. */
function latin1(bytes: Uint8Array): string {
  let out = '';
  for (let i = 0; i < bytes.length; i += 8192) out += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return out;
}

/** Not `instanceof`: a caller's realm may have a class of its own. */
const isBytes = (token: unknown): boolean => ArrayBuffer.isView(token) && !(token instanceof DataView);
