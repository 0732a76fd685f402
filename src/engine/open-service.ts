/** Loads what a service needs: the model, and a draft model where one is asked for. */
import { ModelError } from '../base/errors.js';
import { releaseAll } from '../base/release.js';
import { measureStepCost } from '../decoder/cost-probe.js';
import { checkBounds } from '../decoder/loop-options.js';
import type { Vocabulary } from '../fsm/vocabulary.js';
import { loadModel } from '../runtime/load.js';
import type { LoadedModel, LoadOptions } from '../runtime/types.js';
import { LocalService } from './service.js';
import type { SchedulerOptions } from './types.js';

export interface ServiceOptions {
  readonly model: string;
  readonly draftModel?: string | undefined;
  readonly load: LoadOptions;
  readonly scheduler?: SchedulerOptions | undefined;
  /** Said in `info.warnings` beside those of the model. */
  readonly notes?: readonly string[];
}

/** @throws ModelError (rejection), also for a draft model of another vocabulary; OptionError for bad bounds of the scheduler */
export async function openService({
  model,
  draftModel,
  load,
  scheduler,
  notes = [],
}: ServiceOptions): Promise<LocalService> {
  // Before anything is fetched.
  checkBounds(scheduler ?? {});
  const loaded = noted(await loadModel(model, load), notes);
  let draft: LoadedModel | undefined;
  try {
    const cost = () => measureStepCost(loaded.model);
    if (draftModel !== undefined) {
      draft = await loadModel(draftModel, load);
      if (!sameTokens(loaded.vocabulary, draft.vocabulary)) {
        throw new ModelError(draftModel, `a draft model with the vocabulary of ${model}`, 'another vocabulary');
      }
    }
    return new LocalService(loaded, { ...scheduler, cost }, draft?.model);
  } catch (error) {
    // What went wrong first is told, whatever comes of it.
    await releaseAll(
      () => draft?.model.dispose(),
      () => loaded.model.dispose(),
    ).catch(() => {});
    throw error;
  }
}

function noted(loaded: LoadedModel, notes: readonly string[]): LoadedModel {
  if (notes.length === 0) return loaded;
  return { ...loaded, info: { ...loaded.info, warnings: [...loaded.info.warnings, ...notes] } };
}

function sameTokens(a: Vocabulary, b: Vocabulary): boolean {
  if (a.size !== b.size || a.bytes.length !== b.bytes.length) return false;
  return a.offsets.every((offset, i) => offset === b.offsets[i]) && a.bytes.every((byte, i) => byte === b.bytes[i]);
}
