/**
 * What a loaded model is for the engine: one record with everything that belongs together. Types only.
 */
import type { CallForm } from '../base/call-form.js';
import type { StepModel } from '../decoder/model.js';
import type { Vocabulary } from '../fsm/vocabulary.js';

/** Where the model runs. 'auto' (the default) is the CPU; a device that is asked for and missing is an error. */
export type Device = 'auto' | 'cpu' | 'webgpu' | 'cuda' | 'directml' | 'coreml';

/** Which of a folder's ONNX files to take; 'auto' prefers the one that suits the device. */
export type Dtype = 'auto' | 'fp32' | 'fp16' | 'int8' | 'uint8' | 'quantized' | 'q4' | 'q4f16' | 'bnb4';

/** 'embedded', 'embedded-moe', 'hf:org/name[/folder][@revision]', or a model folder: its path or file URL. */
export type ModelSource = string;

export interface LoadProgress {
  readonly phase: 'download' | 'tokenizer' | 'session' | 'check';
  /** File name while downloading. */
  readonly file?: string;
  /** Bytes of that file. */
  readonly loaded?: number;
  readonly total?: number;
}

export interface KvOptions {
  /** Blocks of 16 positions in the pool. */
  readonly blocks?: number;
  /** Or the pool's size in bytes (default 256 MiB, at least one full context). */
  readonly bytes?: number;
  /** 'auto': paged where the graph can be rewritten and the rewritten graph agrees with the original on a probe. */
  readonly form?: 'auto' | 'paged' | 'contiguous';
  /** Keep closed sequences' full blocks for reuse (default true). */
  readonly prefixCache?: boolean;
  /** Element type of the pool (paged form on CPU); int8 takes a quarter of the memory, at an error of about 1%. */
  readonly dtype?: 'f32' | 'int8';
  /**
   * One order of addition however steps are cut and whoever shares them, so that a token's logits are the same bits alone, in a batch and as
   * a draft (paged form on CPU, f32 pool, weights whose kernels allow it: docs/runtime.md). Default: where query heads share keys.
   */
  readonly invariant?: boolean;
  /** Bytes for sequences that were moved out of a full pool: in memory (default 256 MiB), then in a file (default 1 GiB). */
  readonly swap?: { readonly memory?: number; readonly file?: number };
}

export interface LoadOptions {
  readonly device?: Device;
  readonly dtype?: Dtype;
  readonly onProgress?: (event: LoadProgress) => void;
  readonly signal?: AbortSignal;
  readonly kv?: KvOptions;
  /** Threads of one run; default: one for graphs below 8 MiB, else ONNX Runtime's choice (the physical cores). */
  readonly threads?: number;
  /** Products of f32 activations throughout, whatever accuracy level the graph asks of its quantized weights: many times slower with 8 bits (default false). */
  readonly exact?: boolean;
}

export interface ChatMessage {
  readonly role: string;
  readonly content: string;
  readonly [extra: string]: unknown;
}

/** A message as a template gets it: chat APIs have no content beside calls. */
export interface TemplateMessage {
  readonly role: string;
  readonly content: string | null;
  readonly [extra: string]: unknown;
}

export interface RenderOptions {
  /** Tools as the template's `tools` variable. */
  readonly tools?: readonly unknown[];
  /** Tools as text, the template's `tools_json` variable. */
  readonly toolsJson?: string;
  /** End with the header of the assistant's turn (default true). */
  readonly addGenerationPrompt?: boolean;
  /** More variables of the template (`enable_thinking`, …). */
  readonly variables?: Readonly<Record<string, unknown>>;
}

export interface Chat {
  /** Whether the model folder has a template; without one messages are joined as `role: content` lines. */
  readonly hasTemplate: boolean;
  /** Whether a system message comes into the prompt: some templates refuse it, or leave it out. */
  readonly takesSystem: boolean;
  /** How the template writes calls of tools; undefined where it writes none, or in a form that is not texts around names and JSON. */
  readonly callForm: CallForm | undefined;
  /** What it writes behind an answer; '' where that is not known. */
  readonly behindAnswer: string;
  /** Whether it writes calls at all. */
  readonly writesCalls: boolean;
  /** The prompt's text, special tokens written out: encode it with `specials: false`. */
  render(messages: readonly TemplateMessage[], options?: RenderOptions): string;
}

export interface TextTokenizer {
  /**
   * Ids of a text. Special tokens written in the text are recognised, but for those that {@link mark} has marked; `specials` (default
   * false) adds BOS and the like.
   */
  encode(text: string, options?: { readonly specials?: boolean }): number[];
  /** Text of ids, whole and lossy at the ends; streams decode through `TextStream` (bytes). */
  decode(ids: readonly number[], options?: { readonly skipSpecials?: boolean }): string;
  /** The value with what looks like a control token in its strings marked as text, before a template puts them into a prompt. */
  mark<T>(value: T): T;
  /** A rendered text without such marks. */
  unmark(text: string): string;
}

export interface ModelInfo {
  /** Source as given, or the repository's name. */
  readonly name: string;
  /** Where it lies. */
  readonly folder: string;
  readonly layout: 'huggingface' | 'genai';
  readonly device: Exclude<Device, 'auto'>;
  readonly form: 'paged' | 'contiguous';
  readonly eos: readonly number[];
  readonly bos?: number;
  readonly contextLength: number;
  /** The whitespace that the model's folder asks constraints for (`tokenloom.whitespace` of config.json). */
  readonly whitespace?: 'compact' | 'bounded' | 'flexible';
  readonly experts?: { readonly layers: number; readonly count: number; readonly topK: number };
  /** How the model writes calls of tools, where its template tells. */
  readonly callForm?: CallForm;
  /** What the user should know: fallbacks taken, probes failed. */
  readonly warnings: readonly string[];
}

export interface LoadedModel {
  readonly model: StepModel;
  readonly vocabulary: Vocabulary;
  readonly tokenizer: TextTokenizer;
  readonly chat: Chat;
  readonly info: ModelInfo;
}
