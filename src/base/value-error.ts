import { TokenloomError } from './errors.js';

/**
 * A generated value that fits its schema's structure but not a check that no grammar can express: a refinement of a schema library, or
 * (never expected) the final validation.
 */
export class ValueError extends TokenloomError {
  readonly code = 'VALUE';
  override get name() {
    return 'ValueError';
  }
  /** The value as parsed; set by the engine. */
  value: unknown;
  constructor(readonly issues: readonly string[]) {
    super(`the generated value does not pass: ${issues.join('; ')}`);
  }
}
