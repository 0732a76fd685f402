import { describe, expect, it } from 'vitest';
import { LocalService } from '../../src/engine/service.js';
import type { LoadedModel, ModelInfo } from '../../src/runtime/types.js';
import { FakeModel, testVocabulary } from '../decoder/fakes.js';

class Disposed extends FakeModel {
  disposed = 0;

  constructor(
    size: number,
    readonly fault?: Error,
  ) {
    super({ vocabSize: size });
  }

  override async dispose(): Promise<void> {
    this.disposed++;
    if (this.fault !== undefined) throw this.fault;
  }
}

describe('closing a service', () => {
  it('frees the model also where the draft model cannot be freed, and says so', async () => {
    const vocabulary = testVocabulary();
    const model = new Disposed(vocabulary.size);
    const draft = new Disposed(vocabulary.size, new Error('device lost'));
    const loaded: Partial<LoadedModel> = { model, vocabulary, info: {} as ModelInfo };
    const service = new LocalService(loaded as LoadedModel, {}, draft);
    await expect(service.close()).rejects.toThrow('device lost');
    expect([draft.disposed, model.disposed]).toEqual([1, 1]);
  });
});
