/** Loading a model into an engine, in this thread or in one of its own. */
import { Engine } from './engine.js';
import type { EngineOptions } from './types.js';

/**
 * Loads a model and makes it ready. @throws ModelError (rejection) for a model that is missing, corrupt or cannot run here
 */
export async function createEngine(options: EngineOptions = {}): Promise<Engine> {
  const { model = 'embedded', scheduler, worker = false, ...load } = options;
  if (worker) {
    const { onProgress, signal, ...plain } = load;
    const { WorkerService } = await import('./worker-service.js');
    return new Engine(await WorkerService.start({ model, load: plain, scheduler }, onProgress, signal));
  }
  // Loaded here, so that ONNX Runtime is not loaded twice where it runs in the worker.
  const [{ loadModel }, { LocalService }] = await Promise.all([import('../runtime/load.js'), import('./service.js')]);
  return new Engine(new LocalService(await loadModel(model, load), scheduler));
}
