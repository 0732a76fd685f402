/**
 * Opens a model folder's graph as a StepModel: device, form of KV memory, checks.
 */
import { ModelError } from '../base/errors.js';
import type { StepModel } from '../decoder/model.js';
import type { Vocabulary } from '../fsm/vocabulary.js';
import { ContiguousModel } from './contiguous.js';
import type { ModelFolder } from './folder.js';
import { decoderNames } from './io.js';
import { Session } from './session.js';
import type { LoadOptions, ModelInfo } from './types.js';

export interface OpenedModel {
  readonly model: StepModel;
  readonly device: ModelInfo['device'];
  readonly form: ModelInfo['form'];
  readonly experts?: NonNullable<ModelInfo['experts']>;
  readonly warnings: readonly string[];
}

const DEFAULT_KV_BYTES = 256 * 2 ** 20;
const DEFAULT_CONTEXT = 2048;

/** See the module's header. Throws ModelError where the graph cannot run at all. */
export async function openModel(
  files: ModelFolder,
  vocabulary: Vocabulary,
  options: LoadOptions,
): Promise<OpenedModel> {
  const warnings: string[] = [];
  const device = options.device === undefined || options.device === 'auto' ? 'cpu' : options.device;
  if (files.contextLength === undefined) {
    warnings.push(`no file says how long the context is; ${DEFAULT_CONTEXT} positions are assumed`);
  }
  const contextLength = files.contextLength ?? DEFAULT_CONTEXT;
  options.onProgress?.({ phase: 'session' });
  const threads = options.threads === undefined ? {} : { threads: options.threads };
  const session = await Session.create({ path: files.graph }, { device, ...threads });
  const names = decoderNames(
    files.graph,
    session.inputs.map((i) => i.name),
    session.outputs.map((o) => o.name),
    files.patterns,
  );
  const columns = session.outputs.find((o) => o.name === names.logits)?.shape.at(-1);
  const vocabSize = typeof columns === 'number' ? columns : (files.vocabSize ?? vocabulary.size);
  if (vocabSize < vocabulary.size - unusedTail(vocabulary)) {
    throw new ModelError(files.graph, `logits for the tokenizer's ${vocabulary.size} tokens`, `${vocabSize} columns`);
  }
  const model = new ContiguousModel(session, names, {
    contextLength,
    vocabSize,
    kvBytes: options.kv?.bytes ?? DEFAULT_KV_BYTES,
    ...(files.experts === undefined ? {} : { topK: files.experts.topK }),
  });
  return { model, device, form: 'contiguous', warnings };
}

/** Tokens at the end of the vocabulary that have no bytes and do not end sequences: a model may lack logits for them. */
function unusedTail(vocabulary: Vocabulary): number {
  let n = 0;
  for (let id = vocabulary.size - 1; id >= 0 && vocabulary.isNull(id) && !vocabulary.isEos(id); id--) n++;
  return n;
}
