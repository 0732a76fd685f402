/**
 * A whole model folder from a shape and a seed: graph, byte-level BPE tokenizer, chat template, configuration files of both
 * layouts. Tests and benches use it, so they need no binary file.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { externalize } from './external.js';
import { type LlamaShape, randomWeights, type WeightSource, writeLlama } from './llama-graph.js';
import { type PlantedRouting, plantRouting } from './planted.js';
import { encodeModel } from './proto.js';

export interface LlamaFolderOptions extends Omit<LlamaShape, 'vocab'> {
  /** At least 263: 7 special tokens and 256 bytes; the rest are merges learned from a built-in text, then of letters. Default 512. */
  readonly vocab?: number;
  readonly seed: number;
  /** Weights in a file beside the graph, as exporters write large models. Default false. */
  readonly external?: boolean;
  /** In place of random weights. */
  readonly source?: WeightSource;
  /** Tokens use the experts of their domain (mixtures only). */
  readonly planted?: Omit<PlantedRouting, 'seed'>;
}

const SPECIALS = ['<|pad|>', '<|bos|>', '<|end|>', '<|system|>', '<|user|>', '<|assistant|>', '<|tools|>'] as const;
const BOS = 1;
const EOS = 2;

const TEMPLATE =
  '{{ bos_token }}' +
  "{% for message in messages %}{% if message['role'] == 'system' %}<|system|>{{ message['content'] }}<|end|>{% endif %}{% endfor %}" +
  '{% if tools_json %}<|tools|>{{ tools_json }}<|end|>{% elif tools %}<|tools|>{{ tools | tojson }}<|end|>{% endif %}' +
  "{% for message in messages %}{% if message['role'] != 'system' %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>{% endif %}{% endfor %}" +
  '{% if add_generation_prompt %}<|assistant|>{% endif %}';

/** What merges are learned from. */
const SAMPLE =
  '{"name":"John Smith","age":42,"email":"john@example.com","tags":["alpha","beta"],"active":true,"note":null} ' +
  'Extract the name, the address and the date from this text. Answer in JSON that fits this schema: {"type":"object",' +
  '"properties":{"title":{"type":"string"},"count":{"type":"integer"},"price":{"type":"number"}},"required":["title"]} ' +
  'The customer ordered three items on Monday and asked that they should be delivered to the main street in the city. ';

/** The 256 characters that byte-level BPE writes for bytes: printable Latin-1 as itself, the others from U+0100 on. */
function byteCharacters(): string[] {
  let next = 256;
  return Array.from({ length: 256 }, (_, b) => {
    const printable = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
    return String.fromCodePoint(printable ? b : next++);
  });
}

interface Bpe {
  readonly vocab: Record<string, number>;
  readonly merges: string[];
}

/** Merges of the most frequent pairs of SAMPLE, then of letter pairs, until the vocabulary has `size` entries. */
function trainBpe(size: number): Bpe {
  const chars = byteCharacters();
  const pieces = [...SPECIALS, ...chars];
  const known = new Set<string>(pieces);
  const merges: string[] = [];
  const add = (a: string, b: string): void => {
    if (known.has(a + b)) return;
    known.add(a + b);
    pieces.push(a + b);
    merges.push(`${a} ${b}`);
  };
  const space = chars[32] ?? ' ';
  const words = SAMPLE.match(/ ?[A-Za-z]+|[^A-Za-z]/g) ?? [];
  let split = words.map((w) => [...w].map((c) => (c === ' ' ? space : c)));
  while (pieces.length < size) {
    const counts = new Map<string, number>();
    for (const w of split) {
      for (let i = 0; i + 1 < w.length; i++) {
        const key = `${w[i]} ${w[i + 1]}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
    }
    let best: string | undefined;
    for (const [key, n] of counts) if (best === undefined || n > (counts.get(best) ?? 0)) best = key;
    if (best === undefined) break;
    const [a = '', b = ''] = best.split(' ');
    add(a, b);
    split = split.map((w) => {
      const out: string[] = [];
      for (let i = 0; i < w.length; i++) {
        if (w[i] === a && w[i + 1] === b) {
          out.push(a + b);
          i++;
        } else out.push(w[i] ?? '');
      }
      return out;
    });
  }
  const letters = 'etaoinshrdlucmfwypvbgkjqxz'.split('');
  let list = letters;
  for (let length = 2; pieces.length < size && length <= 5; length++) {
    const longer: string[] = [];
    for (const a of list) {
      for (const b of letters) {
        if (pieces.length >= size) break;
        if (known.has(a)) add(a, b);
        longer.push(a + b);
      }
    }
    list = longer;
  }
  return { vocab: Object.fromEntries(pieces.map((p, i) => [p, i])), merges };
}

/** tokenizer.json of a byte-level BPE with about `size` entries. */
function bpeTokenizerJson(size: number): Record<string, unknown> {
  const { vocab, merges } = trainBpe(size);
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: SPECIALS.map((content, id) => ({ id, content, ...flags })),
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      vocab,
      merges,
    },
  };
}

/** Every file of the folder by its relative path. Logits have `vocab` columns even where the tokenizer ends earlier. */
export function llamaFiles(options: LlamaFolderOptions): Map<string, string | Uint8Array> {
  const { vocab = 512, seed, planted, external, source = randomWeights(seed), ...rest } = options;
  const shape: LlamaShape = { ...rest, vocab };
  const weights = planted === undefined ? source : plantRouting(source, shape.hidden, { ...planted, seed });
  const graph = writeLlama(shape, weights);
  const data = external === true ? externalize(graph, 'model.onnx_data') : undefined;
  const model = encodeModel(graph);
  const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
  const headDim = shape.headDim ?? shape.hidden / shape.heads;
  const moe = shape.experts;
  const config = {
    architectures: [moe === undefined ? 'LlamaForCausalLM' : 'MixtralForCausalLM'],
    model_type: moe === undefined ? 'llama' : 'mixtral',
    vocab_size: vocab,
    hidden_size: shape.hidden,
    intermediate_size: shape.inner,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.kvHeads,
    head_dim: headDim,
    max_position_embeddings: shape.contextLength,
    rope_theta: shape.ropeTheta ?? 10_000,
    bos_token_id: BOS,
    eos_token_id: EOS,
    ...(moe === undefined ? {} : { num_local_experts: moe.count, num_experts_per_tok: moe.topK }),
  };
  const past = { past_key_names: 'past_key_values.%d.key', past_value_names: 'past_key_values.%d.value' };
  const position = shape.attention === 'plain' ? { position_ids: 'position_ids' } : {};
  const genai = {
    model: {
      type: 'llama',
      vocab_size: vocab,
      context_length: shape.contextLength,
      bos_token_id: BOS,
      eos_token_id: EOS,
      pad_token_id: 0,
      decoder: {
        filename: 'onnx/model.onnx',
        head_size: headDim,
        hidden_size: shape.hidden,
        num_hidden_layers: shape.layers,
        num_attention_heads: shape.heads,
        num_key_value_heads: shape.kvHeads,
        inputs: { input_ids: 'input_ids', attention_mask: 'attention_mask', ...position, ...past },
        outputs: {
          logits: 'logits',
          present_key_names: 'present.%d.key',
          present_value_names: 'present.%d.value',
        },
      },
    },
    search: { max_length: shape.contextLength, do_sample: false },
  };
  return new Map<string, string | Uint8Array>([
    ['config.json', json(config)],
    ['generation_config.json', json({ bos_token_id: BOS, eos_token_id: [EOS], pad_token_id: 0 })],
    ['genai_config.json', json(genai)],
    ['tokenizer.json', json(bpeTokenizerJson(vocab))],
    [
      'tokenizer_config.json',
      json({
        tokenizer_class: 'PreTrainedTokenizerFast',
        bos_token: SPECIALS[BOS],
        eos_token: SPECIALS[EOS],
        pad_token: SPECIALS[0],
        add_bos_token: false,
        clean_up_tokenization_spaces: false,
        model_max_length: shape.contextLength,
        chat_template: TEMPLATE,
      }),
    ],
    ['onnx/model.onnx', model],
    ...(data === undefined ? [] : ([['onnx/model.onnx_data', data]] as const)),
  ]);
}

/** Writes {@link llamaFiles} below `folder`, which is made if needed. */
export async function writeLlamaFolder(folder: string, options: LlamaFolderOptions): Promise<void> {
  for (const [name, content] of llamaFiles(options)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}
