/** Options that nobody reads are a misspelling more often than not: they are reported, with the name that was likely meant. */
import { nearest } from '../base/nearest.js';
import type { GenerateOptions } from './types.js';

/** Every option of a request. The type makes it complete: an option missing here, or one too many, does not compile. */
const KNOWN: Readonly<Record<keyof GenerateOptions | 'tools' | 'toolChoice', true>> = {
  prompt: true,
  messages: true,
  system: true,
  maxTokens: true,
  signal: true,
  preset: true,
  n: true,
  bestOf: true,
  logprobs: true,
  stop: true,
  reasoning: true,
  showSchema: true,
  speculation: true,
  forcing: true,
  optimistic: true,
  validate: true,
  trace: true,
  priority: true,
  tenant: true,
  parseSpecials: true,
  templateVariables: true,
  temperature: true,
  topK: true,
  topP: true,
  minP: true,
  repetitionPenalty: true,
  frequencyPenalty: true,
  presencePenalty: true,
  logitBias: true,
  seed: true,
  tools: true,
  toolChoice: true,
  parallelToolCalls: true,
};

/** A warning for each option that is not known. */
export function unknownOptions(options: object): readonly string[] {
  return Object.keys(options)
    .filter((name) => !Object.hasOwn(KNOWN, name))
    .map((name) => {
      const meant = nearest(name, Object.keys(KNOWN));
      return `option '${name}' is not known and has no effect${meant === undefined ? '' : `; did you mean '${meant}'?`}`;
    });
}
