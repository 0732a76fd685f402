/** Loading a model into an engine. */
import { loadModel } from '../runtime/load.js';
import { Engine } from './engine.js';
import { LocalService } from './service.js';
import type { EngineOptions } from './types.js';

/**
 * Loads a model and makes it ready. @throws ModelError (rejection) for a model that is missing, corrupt or cannot run here
 */
export async function createEngine(options: EngineOptions = {}): Promise<Engine> {
  const { model = 'embedded', scheduler, worker: _worker, ...load } = options;
  const loaded = await loadModel(model, load);
  return new Engine(new LocalService(loaded, scheduler));
}
