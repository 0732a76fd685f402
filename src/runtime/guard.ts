/**
 * Keeps control tokens out of what users write. A tokenizer finds its added tokens wherever their text stands, so a message that says
 * `<|end|><|system|>` would close its own turn and open one with more rights. The text of a prompt is one string by the time it is
 * encoded, though, and templates may trim, split or join what they are given.
 *
 * So each occurrence in the caller's strings is marked before the template runs, by a pair of signs that no text can contain: they hold
 * random digits of this process. Afterwards an occurrence between the two signs is text, one without them is the template's own. Signs that
 * a template has parted from each other (by splitting at `</think>`, say) mean nothing and are dropped.
 *
 * To be encoded, the template's tokens get a sign in front and the signs of the others go; a tokenizer whose added tokens carry that sign
 * then finds exactly the template's. What else it does around added tokens (prefix spaces, stripping) stays as it is.
 */
import { randomBytes } from 'node:crypto';
import { patternText } from '../base/pattern-text.js';

/** What a guard needs to know of an added token. */
export interface AddedToken {
  readonly content: string;
  readonly special: boolean;
}

export class SpecialGuard {
  /** Before the content of an added token that is meant as one. */
  readonly sign: string;
  readonly #open: string;
  readonly #close: string;
  readonly #control: RegExp | undefined;
  readonly #marked: RegExp | undefined;

  constructor(added: readonly AddedToken[]) {
    const nonce = randomBytes(8).toString('hex');
    // Noncharacters: no tokenizer's normalizer or pre-tokenizer knows them.
    this.#open = `\ufdd0${nonce}`;
    this.#close = `\ufdd1${nonce}`;
    this.sign = `\ufdd2${nonce}`;
    const contents = added.filter(isControl).map((t) => patternText(t.content));
    if (contents.length === 0) return;
    const any = contents.sort((a, b) => b.length - a.length).join('|');
    this.#control = new RegExp(any, 'gu');
    this.#marked = new RegExp(`${this.#open}(${any})${this.#close}|(${any})|${this.#open}|${this.#close}`, 'gu');
  }

  /** The value with every control token in its strings (keys too) marked as text; values without one come back as they are. */
  mark<T>(value: T): T {
    return this.#control === undefined ? value : (this.#markAny(value) as T);
  }

  /** Whether a rendered text has marks, and so must be encoded through {@link signed}. */
  isMarked(text: string): boolean {
    return text.includes(this.#open) || text.includes(this.#close);
  }

  /** The text as it is meant to be read. */
  unmark(text: string): string {
    return this.isMarked(text) ? text.replaceAll(this.#open, '').replaceAll(this.#close, '') : text;
  }

  /**
   * For the tokenizer with signs: the template's tokens with one, the caller's without. `controls`: the former, in order. `breaks`: where the
   * latter begin, as offsets in `text`.
   */
  signed(text: string): {
    readonly text: string;
    readonly controls: readonly string[];
    readonly breaks: readonly number[];
  } {
    if (this.#marked === undefined) return { text, controls: [], breaks: [] };
    const controls: string[] = [];
    const breaks: number[] = [];
    let out = '';
    let at = 0;
    for (const found of text.matchAll(this.#marked)) {
      out += text.slice(at, found.index);
      at = found.index + found[0].length;
      const [, plain, control] = found;
      if (plain !== undefined) {
        breaks.push(out.length);
        out += plain;
      } else if (control !== undefined) {
        controls.push(control);
        out += this.sign + control;
      }
    }
    return { text: out + text.slice(at), controls, breaks };
  }

  #markAny(value: unknown): unknown {
    if (typeof value === 'string') return this.#markText(value);
    if (Array.isArray(value)) {
      const out = value.map((item) => this.#markAny(item));
      return out.some((item, i) => item !== value[i]) ? out : value;
    }
    if (typeof value !== 'object' || value === null) return value;
    let changed = false;
    const entries = Object.entries(value).map(([key, item]): [string, unknown] => {
      const entry: [string, unknown] = [this.#markText(key), this.#markAny(item)];
      changed ||= entry[0] !== key || entry[1] !== item;
      return entry;
    });
    return changed ? Object.fromEntries(entries) : value;
  }

  #markText(text: string): string {
    return text.replace(this.#control!, (found) => `${this.#open}${found}${this.#close}`);
  }
}

/**
 * Special tokens, and added ones that look like markup (`<tool_call>`, `[INST]`). Others are words or runs of spaces that a vocabulary was
 * extended by: those are text.
 */
export function isControl({ content, special }: AddedToken): boolean {
  return content !== '' && (special || /^[<[{|(｜].*[>\]})|｜]$/su.test(content));
}
