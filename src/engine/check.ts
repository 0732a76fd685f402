/**
 * The final check of values, with compiled validators kept across requests: by the schema's text, since callers (and tool unions) make
 * equal schemas anew.
 */
import type { SchemaOptions } from '../grammar/schema/index.js';
import { type Validation, Validator } from './validate.js';

const MOST_KEPT = 64;

interface Kept {
  readonly schema: unknown;
  readonly validator: Validator;
}

export class ResultChecker {
  readonly #kept = new Map<string, Kept>();

  /** Validates a value against a schema under the options that its constraint had. */
  check(schema: unknown, value: unknown, options: SchemaOptions): Validation {
    const { draft, formats, schemas } = options;
    const key = JSON.stringify([schema, draft, formats, schemas]);
    let kept = this.#kept.get(key);
    if (kept === undefined) {
      kept = {
        schema,
        validator: new Validator({
          ...(draft === undefined ? {} : { draft }),
          ...(formats === undefined ? {} : { formats }),
          ...(schemas === undefined ? {} : { schemas }),
        }),
      };
    } else this.#kept.delete(key);
    this.#kept.set(key, kept);
    if (this.#kept.size > MOST_KEPT) {
      const oldest = this.#kept.keys().next();
      if (oldest.done !== true) this.#kept.delete(oldest.value);
    }
    return kept.validator.validate(kept.schema, value);
  }
}
