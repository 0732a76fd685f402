/**
 * Model folders: which files there are, which of them to take, and what the configuration files say.
 *
 * Two layouts. Hugging Face/Optimum: config.json, tokenizer.json, onnx/model*.onnx (or beside config.json). onnxruntime-genai:
 * genai_config.json naming the graph and its inputs. A folder with both is read as the first, with the second filling gaps.
 *
 * The choice of files is a pure function of their names, so that a download can make it before it downloads.
 */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { ModelError } from '../base/errors.js';
import type { NamePatterns } from './io.js';
import { asCount, asIds, asString, at, isObject, type JsonObject, readJson, readText } from './json.js';
import type { Dtype } from './types.js';

export interface ModelFolder {
  readonly folder: string;
  readonly layout: 'huggingface' | 'genai';
  /** Absolute path of the graph. */
  readonly graph: string;
  readonly tokenizerJson: JsonObject;
  readonly tokenizerConfig: JsonObject;
  readonly config: JsonObject;
  readonly patterns: NamePatterns;
  readonly eos: readonly number[];
  readonly bos?: number;
  /** As configured; undefined where no file says. */
  readonly contextLength?: number;
  readonly vocabSize?: number;
  readonly slidingWindow?: number;
  readonly experts?: { readonly count: number; readonly topK: number };
  readonly whitespace?: 'compact' | 'bounded' | 'flexible';
  /** Chat template by name; 'default' is the usual one. */
  readonly templates: ReadonlyMap<string, string>;
}

const SUFFIX: Readonly<Record<Exclude<Dtype, 'auto'>, string>> = {
  fp32: '',
  fp16: '_fp16',
  int8: '_int8',
  uint8: '_uint8',
  quantized: '_quantized',
  q4: '_q4',
  q4f16: '_q4f16',
  bnb4: '_bnb4',
};
const AUTO: readonly Exclude<Dtype, 'auto'>[] = ['fp32', 'quantized', 'int8', 'uint8', 'q4', 'fp16', 'q4f16', 'bnb4'];
const STEMS = ['onnx/model', 'model', 'onnx/decoder_model_merged', 'decoder_model_merged', 'decoder_with_past_model'];

/** Files that every layout may have; those that exist are wanted. */
export const CONFIG_FILES: readonly string[] = [
  'config.json',
  'generation_config.json',
  'genai_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'chat_template.jinja',
  'chat_template.json',
];

/** The graph among `files` (relative, '/' separated) for a dtype; throws ModelError that lists what there is. */
export function chooseGraph(source: string, files: readonly string[], dtype: Dtype): string {
  const set = new Set(files);
  const wanted = dtype === 'auto' ? AUTO : [dtype];
  for (const d of wanted) {
    for (const stem of STEMS) if (set.has(`${stem}${SUFFIX[d]}.onnx`)) return `${stem}${SUFFIX[d]}.onnx`;
  }
  const graphs = files.filter((f) => f.endsWith('.onnx'));
  const what =
    dtype === 'auto' ? 'an ONNX model (onnx/model.onnx or one of its quantised forms)' : `a '${dtype}' model`;
  throw new ModelError(source, what, graphs.length === 0 ? 'no .onnx file' : `only ${graphs.slice(0, 12).join(', ')}`);
}

/** Files of external data that belong to a graph, by the names that exporters give them. */
export function dataFiles(graph: string, files: readonly string[]): string[] {
  return files.filter((f) => f.startsWith(`${graph}_data`) || f === `${graph}.data`);
}

async function listFiles(folder: string): Promise<string[]> {
  const out: string[] = [];
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    const code = isObject(error) ? error.code : undefined;
    const why = code === 'ENOENT' ? 'nothing there' : code === 'ENOTDIR' ? 'a file' : messageOf(error);
    throw new ModelError(folder, 'a model folder', why, { cause: error });
  });
  for (const e of entries) {
    if (!e.isDirectory()) out.push(e.name);
    else if (e.name === 'onnx') for (const f of await readdir(path.join(folder, e.name))) out.push(`onnx/${f}`);
  }
  return out;
}

/** Reads a model folder. Throws ModelError that names the file that is missing or corrupt. */
export async function readFolder(folder: string, dtype: Dtype = 'auto'): Promise<ModelFolder> {
  const files = await listFiles(folder);
  const json = (name: string): Promise<JsonObject | undefined> => readJson(path.join(folder, name));
  const [config, generation, genai, tokenizerJson, tokenizerConfig] = await Promise.all(
    ['config.json', 'generation_config.json', 'genai_config.json', 'tokenizer.json', 'tokenizer_config.json'].map(json),
  );
  if (config === undefined && genai === undefined) {
    throw new ModelError(
      folder,
      'config.json or genai_config.json',
      files.slice(0, 12).join(', ') || 'an empty folder',
    );
  }
  if (tokenizerJson === undefined) {
    throw new ModelError(path.join(folder, 'tokenizer.json'), 'a fast tokenizer file', 'nothing there');
  }
  const decoder = at(genai, 'model', 'decoder');
  const named = asString(at(decoder, 'filename'));
  // Where both layouts are there, the genai file decides only if it names a graph that lies beside it.
  const usable = named !== undefined && files.includes(named) && !named.includes('/');
  const asHub = config !== undefined && (genai === undefined || !usable);
  const graph = asHub ? chooseGraph(folder, files, dtype) : genaiGraph(folder, named, dtype);
  const text = isObject(config?.text_config) ? config.text_config : config;
  const eos = [...asIds(at(generation, 'eos_token_id')), ...asIds(at(genai, 'model', 'eos_token_id'))];
  if (eos.length === 0) eos.push(...asIds(at(text, 'eos_token_id')), ...asIds(at(config, 'eos_token_id')));
  if (eos.length === 0) eos.push(...namedToken(tokenizerJson, tokenizerConfig, 'eos_token'));
  if (eos.length === 0) {
    throw new ModelError(folder, 'eos_token_id in generation_config.json, config.json or genai_config.json', 'none');
  }
  const bos =
    asIds(at(generation, 'bos_token_id'))[0] ??
    asIds(at(text, 'bos_token_id'))[0] ??
    asIds(at(genai, 'model', 'bos_token_id'))[0];
  const contextLength =
    asCount(at(text, 'max_position_embeddings')) ??
    asCount(at(text, 'n_positions')) ??
    asCount(at(text, 'max_sequence_length')) ??
    asCount(at(genai, 'model', 'context_length'));
  const vocabSize = asCount(at(text, 'vocab_size')) ?? asCount(at(genai, 'model', 'vocab_size'));
  const window = asCount(at(text, 'sliding_window'));
  const count = asCount(at(text, 'num_local_experts')) ?? asCount(at(text, 'num_experts'));
  const topK = asCount(at(text, 'num_experts_per_tok')) ?? asCount(at(text, 'experts_per_token'));
  const whitespace = asString(at(config, 'tokenloom', 'whitespace'));
  return {
    folder,
    layout: asHub ? 'huggingface' : 'genai',
    graph: path.join(folder, graph),
    tokenizerJson,
    tokenizerConfig: tokenizerConfig ?? {},
    config: config ?? {},
    patterns: patternsOf(decoder),
    eos: [...new Set(eos)],
    ...(bos === undefined ? {} : { bos }),
    ...(contextLength === undefined ? {} : { contextLength }),
    ...(vocabSize === undefined ? {} : { vocabSize }),
    ...(window === undefined || at(text, 'use_sliding_window') === false ? {} : { slidingWindow: window }),
    ...(count === undefined || topK === undefined ? {} : { experts: { count, topK } }),
    ...(whitespace === 'compact' || whitespace === 'bounded' || whitespace === 'flexible' ? { whitespace } : {}),
    templates: await templatesOf(folder, tokenizerConfig),
  };
}

function genaiGraph(folder: string, named: string | undefined, dtype: Dtype): string {
  const file = path.join(folder, 'genai_config.json');
  if (named === undefined) throw new ModelError(file, 'model.decoder.filename', 'no such entry');
  if (path.isAbsolute(named) || named.split(/[\\/]/).includes('..')) {
    throw new ModelError(file, 'a file inside the folder as model.decoder.filename', named);
  }
  if (dtype !== 'auto') throw new ModelError(file, "dtype 'auto' (the folder holds one graph)", `'${dtype}'`);
  return named;
}

function patternsOf(decoder: unknown): NamePatterns {
  const read: Record<keyof NamePatterns, string | undefined> = {
    inputIds: asString(at(decoder, 'inputs', 'input_ids')),
    attentionMask: asString(at(decoder, 'inputs', 'attention_mask')),
    positionIds: asString(at(decoder, 'inputs', 'position_ids')),
    pastKey: asString(at(decoder, 'inputs', 'past_key_names')),
    pastValue: asString(at(decoder, 'inputs', 'past_value_names')),
    logits: asString(at(decoder, 'outputs', 'logits')),
    presentKey: asString(at(decoder, 'outputs', 'present_key_names')),
    presentValue: asString(at(decoder, 'outputs', 'present_value_names')),
  };
  return Object.fromEntries(Object.entries(read).filter(([, v]) => v !== undefined));
}

/** Content of a special token, which files give as text or as an object with `content`. */
export function tokenContent(value: unknown): string | undefined {
  return asString(value) ?? asString(at(value, 'content'));
}

function namedToken(tokenizer: JsonObject, config: JsonObject | undefined, key: string): number[] {
  const content = tokenContent(config?.[key]);
  const added = Array.isArray(tokenizer.added_tokens) ? tokenizer.added_tokens : [];
  return added
    .filter((t: unknown) => content !== undefined && at(t, 'content') === content)
    .flatMap((t) => asIds(at(t, 'id')));
}

async function templatesOf(folder: string, config: JsonObject | undefined): Promise<Map<string, string>> {
  const out = new Map<string, string>();
  const add = (value: unknown): void => {
    if (typeof value === 'string') out.set('default', value);
    if (!Array.isArray(value)) return;
    for (const t of value) {
      const [name, template] = [asString(at(t, 'name')), asString(at(t, 'template'))];
      if (name !== undefined && template !== undefined) out.set(name, template);
    }
  };
  add(config?.chat_template);
  if (out.size === 0) add((await readJson(path.join(folder, 'chat_template.json')))?.chat_template);
  add(await readText(path.join(folder, 'chat_template.jinja')));
  return out;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
