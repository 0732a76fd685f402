/** A mixture whose router sends the tokens of a domain to experts of their own. */
import type { LlamaFolderOptions } from '../../src/runtime/onnx/llama-writer.js';

export const DOMAINS = 4;

export const PLANTED = {
  layers: 2,
  hidden: 512,
  heads: 8,
  kvHeads: 2,
  inner: 1024,
  vocab: 512,
  contextLength: 512,
  attention: 'gqa',
  weights: 'int8',
  seed: 3,
  experts: { count: 32, topK: 2 },
  planted: { domains: DOMAINS, affinity: 0.9 },
} as const satisfies LlamaFolderOptions;
