/**
 * The final check of values, with compiled validators kept across requests: by the schema's text, since callers (and tool unions) make
 * equal schemas anew.
 *
 * The grammar follows the specifications of formats; the validator's package follows customs (a dot in the domain of an e-mail address, a path
 * in a URI). Where nothing but a format is in dispute the value stands, and the difference is reported.
 */
import type { SchemaOptions } from '../grammar/schema/index.js';
import { type Validation, Validator } from './validate.js';

/**
 * As many as a service keeps grammars: a validator takes 3 to 15 ms of the caller's thread to make, which each result would cost where schemas take turns that are
 * one too many.
 */
const MOST_KEPT = 256;
/** Characters of all their schemas; a validator takes some 100 bytes for each. */
const MOST_CHARS = 1 << 19;

interface Kept {
  readonly schema: unknown;
  readonly validator: Validator;
  /** The same without formats, once it was needed. */
  plain?: Validator;
}

export interface Verdict extends Validation {
  /** What of a valid value only the validator's idea of a format refuses. */
  readonly disputed?: readonly string[];
}

export class ResultChecker {
  readonly #kept = new Map<string, Kept>();
  #chars = 0;

  /** Validators that are kept. */
  get size(): number {
    return this.#kept.size;
  }

  /** Validates a value against a schema under the options that its constraint had. */
  check(schema: unknown, value: unknown, options: SchemaOptions): Verdict {
    const { draft, formats, schemas } = options;
    const given = { ...(draft === undefined ? {} : { draft }), ...(schemas === undefined ? {} : { schemas }) };
    const key = JSON.stringify([schema, draft, formats, schemas]);
    let kept = this.#kept.get(key);
    if (kept === undefined) {
      kept = { schema, validator: new Validator({ ...given, ...(formats === undefined ? {} : { formats }) }) };
      this.#chars += key.length;
    } else this.#kept.delete(key);
    this.#kept.set(key, kept);
    for (const [oldest] of this.#kept) {
      if ((this.#kept.size <= MOST_KEPT && this.#chars <= MOST_CHARS) || oldest === key) break;
      this.#kept.delete(oldest);
      this.#chars -= oldest.length;
    }
    const verdict = kept.validator.validate(kept.schema, value);
    if (verdict.valid || verdict.uncompilable !== undefined || formats === 'annotate') return verdict;
    kept.plain ??= new Validator({ ...given, formats: 'annotate' });
    const plain = kept.plain.validate(kept.schema, value);
    return plain.valid ? { ...plain, disputed: verdict.errors } : verdict;
  }
}
