/**
 * Which input and output of a decoder graph is what: token ids, mask, positions, and the key/value pair of each layer. Names come
 * from genai_config.json where there is one, else from the conventions of Optimum exports.
 */
import { ModelError } from '../base/errors.js';

export interface LayerNames {
  readonly pastKey: string;
  readonly pastValue: string;
  readonly presentKey: string;
  readonly presentValue: string;
}

export interface DecoderNames {
  readonly inputIds: string;
  readonly attentionMask?: string;
  readonly positionIds?: string;
  /** Boolean [1] of merged decoders: whether there is a past. */
  readonly useCache?: string;
  /** int64 scalar: how many of the last logits are wanted. */
  readonly logitsToKeep?: string;
  readonly logits: string;
  readonly layers: readonly LayerNames[];
  /** Outputs with the routers' scores, one per MoE layer, where the graph has them. */
  readonly routers: readonly string[];
}

/** Name patterns of genai_config.json; `%d` stands for the layer. */
export interface NamePatterns {
  readonly inputIds?: string;
  readonly attentionMask?: string;
  readonly positionIds?: string;
  readonly logits?: string;
  readonly pastKey?: string;
  readonly pastValue?: string;
  readonly presentKey?: string;
  readonly presentValue?: string;
}

/** Finds the names; throws ModelError that lists what the graph has where it is no decoder with a cache. */
export function decoderNames(
  source: string,
  inputs: readonly string[],
  outputs: readonly string[],
  patterns: NamePatterns = {},
): DecoderNames {
  const ins = new Set(inputs);
  const outs = new Set(outputs);
  const pick = (set: ReadonlySet<string>, ...names: (string | undefined)[]): string | undefined =>
    names.find((n) => n !== undefined && set.has(n));
  const inputIds = pick(ins, patterns.inputIds, 'input_ids');
  const logits = pick(outs, patterns.logits, 'logits');
  if (inputIds === undefined || logits === undefined) {
    const got = `inputs ${inputs.join(', ')}; outputs ${outputs.join(', ')}`;
    throw new ModelError(source, 'a decoder with input_ids and logits', got.slice(0, 400));
  }
  const fill = (pattern: string, layer: number): string => pattern.replace('%d', String(layer));
  const layers: LayerNames[] = [];
  for (let i = 0; ; i++) {
    const find = (set: ReadonlySet<string>, ...list: (string | undefined)[]): string | undefined =>
      pick(set, ...list.map((p) => (p === undefined ? undefined : fill(p, i))));
    const pastKey = find(
      ins,
      patterns.pastKey,
      'past_key_values.%d.key',
      'past_key_values.%d.decoder.key',
      'past_key_%d',
    );
    const pastValue = find(
      ins,
      patterns.pastValue,
      'past_key_values.%d.value',
      'past_key_values.%d.decoder.value',
      'past_value_%d',
    );
    const presentKey = find(outs, patterns.presentKey, 'present.%d.key', 'present.%d.decoder.key', 'present_key_%d');
    const presentValue = find(
      outs,
      patterns.presentValue,
      'present.%d.value',
      'present.%d.decoder.value',
      'present_value_%d',
    );
    // A pattern without a place for the layer names the same input for all of them.
    if (pastKey === undefined || pastValue === undefined || pastKey === layers.at(-1)?.pastKey) break;
    if (presentKey === undefined || presentValue === undefined) {
      throw new ModelError(
        source,
        `outputs with the present keys and values of layer ${i}`,
        outputs.join(', ').slice(0, 400),
      );
    }
    layers.push({ pastKey, pastValue, presentKey, presentValue });
  }
  if (layers.length === 0) {
    throw new ModelError(
      source,
      'a decoder exported with a KV cache (inputs past_key_values.N.key and .value)',
      `inputs ${inputs.join(', ')}`.slice(0, 400),
    );
  }
  const routers = outputs
    .filter((n) => /^router_logits\.\d+$/.test(n))
    .sort((a, b) => Number(a.slice(14)) - Number(b.slice(14)));
  const names: DecoderNames = { inputIds, logits, layers, routers };
  const optional = {
    attentionMask: pick(ins, patterns.attentionMask, 'attention_mask'),
    positionIds: pick(ins, patterns.positionIds, 'position_ids'),
    useCache: pick(ins, 'use_cache_branch'),
    logitsToKeep: pick(ins, 'num_logits_to_keep', 'logits_to_keep'),
  };
  const known = new Set<string>([inputIds, ...layers.flatMap((l) => [l.pastKey, l.pastValue])]);
  for (const n of Object.values(optional)) if (n !== undefined) known.add(n);
  const strange = inputs.filter((n) => !known.has(n));
  if (strange.length > 0) {
    throw new ModelError(
      source,
      'a text decoder whose inputs are ids, mask, positions and cache',
      `also ${strange.join(', ')}`,
    );
  }
  const present = Object.fromEntries(Object.entries(optional).filter(([, v]) => v !== undefined));
  return { ...names, ...present };
}
