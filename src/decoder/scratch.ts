/** Memory that all sequences of a loop share: each use ends before the next begins. */
import type { Vocabulary } from '../fsm/vocabulary.js';
import type { StepModel } from './model.js';
import { Sampler } from './sampler.js';

export interface Scratch {
  readonly vocabulary: Vocabulary;
  readonly sampler: Sampler;
  /** Words for one mask. */
  readonly mask: Uint32Array;
  /** Room for one row of logits. */
  readonly logits: Float32Array;
  /** Whether the model may give the logits of few allowed tokens only. */
  readonly restricts: boolean;
}

export function createScratch(model: StepModel, vocabulary: Vocabulary): Scratch {
  return {
    vocabulary,
    sampler: new Sampler(Math.min(vocabulary.size, model.vocabSize)),
    mask: new Uint32Array((vocabulary.size + 31) >>> 5),
    logits: new Float32Array(model.vocabSize),
    restricts: (model.restrictUpTo ?? 0) > 0,
  };
}
