/**
 * From a model's name to everything the engine needs.
 */
import { ModelError } from '../base/errors.js';
import type { LoadedModel, LoadOptions, ModelSource } from './types.js';

export type * from './types.js';

/**
 * Loads a model: finds or downloads its folder, reads tokenizer, template and EOS ids, creates the sessions, checks the
 * rewritten graph against the original on a probe. Throws ModelError for anything missing, corrupt or unusable.
 */
export async function loadModel(source: ModelSource, _options: LoadOptions = {}): Promise<LoadedModel> {
  throw new ModelError(source, 'a model', 'none (loading is being built)');
}
