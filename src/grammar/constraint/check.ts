/** `checkSchema` for whatever `json` takes. */
import { OptionError } from '../../base/errors.js';
import { checkSchema as checkPlain, type SchemaReport } from '../schema/index.js';
import { type JsonOptions, json } from './make.js';
import { isConstraint } from './types.js';

/**
 * What of a schema is enforced, ignored or refused: of a JSON Schema (object, boolean, or text), of a schema of a library, or of what
 * `json` made of one. Never throws for a readable schema.
 * @throws OptionError for options that are none
 */
export function checkSchema(schema: unknown, options: JsonOptions = {}): SchemaReport {
  const { toJSONSchema: _library, ...rest } = options;
  try {
    const constraint = isConstraint(schema) ? schema : json(schema, options);
    if (constraint.kind !== 'json')
      throw new OptionError('schema', 'a JSON Schema', `a constraint of '${constraint.kind}'`);
    return checkPlain(constraint.schema, { ...constraint.options, ...rest });
  } catch (error) {
    if (!(error instanceof OptionError && error.option === 'schema')) throw error;
    return { supported: false, diagnostics: [{ pointer: '', keyword: '', severity: 'error', message: error.message }] };
  }
}
