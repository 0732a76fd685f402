/**
 * From a model's name to everything the engine needs: folder, tokenizer, template, sessions, the form of KV memory.
 */
import { access } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ModelError } from '../base/errors.js';
import { nearest } from '../base/nearest.js';
import { Vocabulary } from '../fsm/vocabulary.js';
import { createChat } from './chat.js';
import { readFolder } from './folder.js';
import { download } from './hub.js';
import { checkLoadOptions } from './load-options.js';
import { openModel } from './open.js';
import { ownFile } from './own-file.js';
import { addedOf, createTokenizer } from './tokenizer.js';
import type { LoadedModel, LoadOptions, ModelSource } from './types.js';

export type * from './types.js';

/** Folder of the models that come with the package; the same path from src and from dist; null in a bundle that lies in no file. */
const MODELS = ownFile('../../models', import.meta.url) ?? null;

/**
 * Loads a model: finds or downloads its folder, reads tokenizer, template and EOS ids, creates the sessions, checks the
 * rewritten graph against the original on a probe. Throws OptionError for options of no meaning, ModelError for anything missing, corrupt or
 * unusable, and the signal's reason when aborted.
 */
export async function loadModel(source: ModelSource, options: LoadOptions = {}): Promise<LoadedModel> {
  checkLoadOptions(options);
  options.signal?.throwIfAborted();
  if (source === 'embedded' || source === 'embedded-moe')
    return loadFolder(await embeddedFolder(source), source, options, []);
  if (source.startsWith('hf:')) {
    const { dtype, onProgress, signal } = options;
    const notes: string[] = [];
    const folder = await download(source, {
      onWarning: (text) => notes.push(text),
      ...(dtype === undefined ? {} : { dtype }),
      ...(onProgress === undefined ? {} : { onProgress }),
      ...(signal === undefined ? {} : { signal }),
    });
    return loadFolder(folder, source.slice(3), options, notes);
  }
  const folder = source.startsWith('file:') ? fileURLToPath(source) : path.resolve(source);
  if (!(await exists(folder))) throw new ModelError(folder, `a model folder${otherNames(source)}`, 'nothing there');
  return loadFolder(folder, source, options, []);
}

/** The folder of a model that comes with the package. @throws ModelError where it is not there: a bundle carries the code and leaves the files */
export async function embeddedFolder(
  source: 'embedded' | 'embedded-moe',
  root: string | null = MODELS,
): Promise<string> {
  const folder = root === null ? `models/${source} of the package` : path.join(root, source);
  if (root !== null && (await exists(path.join(folder, 'tokenizer.json')))) return folder;
  const remedy = `in a bundle: leave 'tokenloom' external, or copy its folder models/${source} and give the path as model`;
  throw new ModelError(`model '${source}'`, `its folder at ${folder} (${remedy})`, 'nothing there');
}

/** What a name that is no folder may have been meant to be. */
function otherNames(source: string): string {
  const meant = nearest(source, ['embedded', 'embedded-moe']);
  if (meant !== undefined) return ` (or '${meant}')`;
  return /^[\w.-]+\/[\w.-]+$/.test(source) && !source.startsWith('.') ? ` (or 'hf:${source}' for the hub)` : '';
}

async function loadFolder(
  folder: string,
  name: string,
  options: LoadOptions,
  notes: readonly string[],
): Promise<LoadedModel> {
  options.onProgress?.({ phase: 'tokenizer' });
  const files = await readFolder(folder, options.dtype ?? 'auto');
  const tokenizerFile = path.join(folder, 'tokenizer.json');
  const tokenizer = createTokenizer(tokenizerFile, files.tokenizerJson, files.tokenizerConfig);
  const added = addedOf(files.tokenizerJson);
  const ends = added.filter(({ id }) => files.eos.includes(id)).map(({ content }) => content);
  const chat = createChat(folder, files.templates, files.tokenizerConfig, ends);
  const turnEnd = endOfTurn(chat.behindAnswer, ends, added);
  const eos = turnEnd === undefined ? files.eos : [...files.eos, turnEnd.id];
  const vocabulary = readVocabulary(tokenizerFile, files.tokenizerJson, eos);
  const endNotes = turnEnd === undefined ? [] : [endNote(turnEnd.content)];
  options.signal?.throwIfAborted();
  const opened = await openModel(files, vocabulary, options);
  if (options.signal?.aborted) {
    await opened.model.dispose();
    options.signal.throwIfAborted();
  }
  return {
    model: opened.model,
    vocabulary,
    tokenizer,
    chat,
    info: {
      name,
      folder,
      layout: files.layout,
      device: opened.device,
      form: opened.form,
      eos: vocabulary.eos,
      ...(files.bos === undefined ? {} : { bos: files.bos }),
      contextLength: opened.model.contextLength,
      ...(files.whitespace === undefined ? {} : { whitespace: files.whitespace }),
      ...(opened.experts === undefined ? {} : { experts: opened.experts }),
      ...(chat.callForm === undefined ? {} : { callForm: chat.callForm }),
      warnings: [...notes, ...endNotes, ...opened.warnings],
    },
  };
}

/** The special token that ends a turn of the template, where none that the files declare does. */
function endOfTurn(behind: string, ends: readonly string[], added: ReturnType<typeof addedOf>) {
  if (ends.some((end) => behind.includes(end))) return undefined;
  return added.find(({ content, special }) => special && behind.trimStart().startsWith(content));
}

const endNote = (name: string): string =>
  `the template ends turns by ${name}, which is no end token to the model's files: it ends the output too`;

function readVocabulary(file: string, json: unknown, eos: readonly number[]): Vocabulary {
  try {
    return Vocabulary.fromTokenizerJson(json, { eos });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ModelError(file, 'a tokenizer whose tokens are known as bytes', why, { cause: error });
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
