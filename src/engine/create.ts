/** Loading a model into an engine, in this thread or in one of its own. */
import { OptionError } from '../base/errors.js';
import { withRuntime } from '../runtime/load-fault.js';
import { Engine } from './engine.js';
import { checkEngineOptions } from './engine-options.js';
import { hasNodeArrays } from './realm.js';
import type { EngineOptions } from './types.js';

/**
 * Loads a model and makes it ready. @throws (rejections) ModelError for a model that is missing, corrupt or cannot run here, OptionError for
 * options that are not known, of another kind, or that nothing can keep
 */
export async function createEngine(options: EngineOptions = {}): Promise<Engine> {
  checkEngineOptions(options);
  const { model = 'embedded', draftModel, scheduler, worker, ...load } = options;
  const here = hasNodeArrays();
  if (!here && worker === false) throw foreignArrays('leave it out, or say true', 'false');
  // On a device the steps run elsewhere anyway.
  const wanted = worker ?? (!here || load.device === undefined || load.device === 'auto' || load.device === 'cpu');
  const threads = !wanted ? undefined : await import('./worker-service.js');
  if (threads !== undefined && (worker === true || threads.canStart())) {
    const { WorkerService } = threads;
    const { onProgress, signal, ...plain } = load;
    return new Engine(await WorkerService.start({ model, draftModel, load: plain, scheduler }, onProgress, signal));
  }
  if (!here) throw foreignArrays("leave 'tokenloom' external", 'no file to start one from, as in a bundle');
  // Loaded here, so that ONNX Runtime is not loaded twice where it runs in the worker.
  const { openService } = await withRuntime(() => import('./open-service.js'));
  const notes = threads === undefined ? [] : threads.noThreadNote();
  return new Engine(await openService({ model, draftModel, load, scheduler, notes }));
}

const foreignArrays = (remedy: string, got: string): OptionError =>
  new OptionError(
    'worker',
    `a thread for the model where modules run in a vm context, as under Jest, since arrays of ONNX Runtime are none of the context (${remedy})`,
    got,
  );
