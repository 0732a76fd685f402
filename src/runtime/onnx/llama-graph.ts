/**
 * Writes the graph of a Llama-style decoder: dense or with a mixture of experts, with the attention of onnxruntime-genai
 * exports (one GroupQueryAttention node a layer) or of Optimum exports (plain operators around a Concat of past and new keys).
 *
 * Weights come from a function of name and shape, so the same code writes random test models and trained ones.
 *
 * Shapes: B rows, S new positions, P past positions, H hidden, D head size, V vocabulary, E experts, I inner size.
 */
import { createRandom } from '../../base/random.js';
import { GraphBuilder } from './builder.js';
import { DataType, type ModelProto } from './proto.js';
import { quantizeRows } from './quantize.js';
import { floatTensor, halfTensor, rawTensor, sizeOf } from './tensor.js';

export interface LlamaShape {
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly kvHeads: number;
  /** Default hidden / heads. */
  readonly headDim?: number;
  readonly inner: number;
  readonly vocab: number;
  readonly contextLength: number;
  readonly experts?: { readonly count: number; readonly topK: number };
  readonly attention: 'gqa' | 'plain';
  readonly weights: 'f32' | 'int8' | 'int4';
  /** Type of activations, caches and unquantised weights: 'f16' ('gqa' only) as in exports for GPUs. Default 'f32'. */
  readonly io?: 'f32' | 'f16';
  /** Default 10,000. */
  readonly ropeTheta?: number;
  /** Share the embedding with the head (f32 only; quantised heads are their own tensor). Default false. */
  readonly tied?: boolean;
  /** One MatMul for query, key and value ('gqa' only). Default false. */
  readonly packedQkv?: boolean;
  /** Positions that a layer looks back ('gqa' only); absent: all. */
  readonly localWindow?: number;
  /** Attention scores are cap * tanh(score / cap) ('gqa' only). */
  readonly softcap?: number;
  /** A learned score per head that takes part in the softmax ('gqa' only), or zeros ('smooth'). */
  readonly sinks?: 'learned' | 'smooth';
  /** RMS norm of each query and key head; inside GroupQueryAttention no CPU kernel has it. */
  readonly qkNorm?: boolean;
  /** Add the routers' scores as outputs `router_logits.N` [B*S, E]. */
  readonly routerOutputs?: boolean;
  /** Of MatMulNBits: 0 computes in f32, 4 quantises activations to int8 (default, as exporters do). */
  readonly accuracyLevel?: 0 | 4;
}

/** Weights by name: `dims` row-major, linear layers as [outputs, inputs]. */
export type WeightSource = (name: string, dims: readonly number[]) => Float32Array;

/** Block of MatMulNBits. */
const BLOCK = 32;
const EPSILON = 1e-5;

/** Seeded random weights that keep activations near unit size: uniform, variance 1 / inputs. */
export function randomWeights(seed: number): WeightSource {
  return (name, dims) => {
    let h = seed | 0;
    for (const c of name) h = Math.imul(h ^ (c.codePointAt(0) ?? 0), 0x01000193);
    const random = createRandom(h);
    const out = new Float32Array(sizeOf(dims));
    if (name.endsWith('norm')) return out.fill(1);
    const inputs = name === 'embed' ? 1 : (dims.at(-1) ?? 1);
    const gain = name === 'head' || name.endsWith('router') ? 3 : 1;
    const width = gain * Math.sqrt(3 / inputs);
    for (let i = 0; i < out.length; i++) out[i] = (random.float() * 2 - 1) * width;
    return out;
  };
}

/** Builds the model; pure, costs what its weights cost. */
export function writeLlama(shape: LlamaShape, weights: WeightSource): ModelProto {
  const w = new Writer(shape, weights);
  w.build();
  return w.g.model('tokenloom-llama');
}

class Writer {
  readonly g = new GraphBuilder();
  private readonly d: number;
  private embed = '';
  /** Element type of activations. */
  private readonly real: number;
  constructor(
    private readonly s: LlamaShape,
    private readonly weights: WeightSource,
  ) {
    this.d = s.headDim ?? s.hidden / s.heads;
    this.real = s.io === 'f16' ? DataType.float16 : DataType.float;
  }

  build(): void {
    const { g, s } = this;
    g.input('input_ids', DataType.int64, ['batch_size', 'sequence_length']);
    g.input('attention_mask', DataType.int64, ['batch_size', 'total_sequence_length']);
    if (s.attention === 'plain') g.input('position_ids', DataType.int64, ['batch_size', 'sequence_length']);
    this.embed = this.floats('embed', [s.vocab, s.hidden]);
    let x = g.op('Gather', [this.embed, 'input_ids'], { axis: 0 });
    const attend = s.attention === 'gqa' ? this.groupQuery() : this.plain();
    for (let i = 0; i < s.layers; i++) {
      const kv = [s.kvHeads, 'past_sequence_length', this.d] as const;
      for (const part of ['key', 'value']) {
        g.input(`past_key_values.${i}.${part}`, this.real, ['batch_size', ...kv]);
      }
      const normed = this.norm(x, `layers.${i}.attention_norm`);
      x = g.op('Add', [x, this.linear(attend(normed, i), `layers.${i}.o`, s.hidden, s.heads * this.d)]);
      const inner = this.norm(x, `layers.${i}.mlp_norm`);
      x = g.op('Add', [x, s.experts === undefined ? this.dense(inner, i) : this.mixture(inner, i, s.experts)]);
    }
    this.head(this.norm(x, 'final_norm'));
    for (let i = 0; i < s.layers; i++) {
      const kv = [s.kvHeads, 'total_sequence_length', this.d] as const;
      for (const part of ['key', 'value']) g.output(`present.${i}.${part}`, this.real, ['batch_size', ...kv]);
    }
    if (s.routerOutputs && s.experts !== undefined) {
      for (let i = 0; i < s.layers; i++) {
        g.output(`router_logits.${i}`, this.real, ['tokens', s.experts.count]);
      }
    }
  }

  private floats(name: string, dims: readonly number[]): string {
    return this.tensor(name, dims, this.weights(name, dims));
  }

  /** An initializer of the activations' type. */
  private tensor(name: string, dims: readonly number[], data: Float32Array): string {
    return this.g.initializer(this.s.io === 'f16' ? halfTensor(name, dims, data) : floatTensor(name, dims, data));
  }

  private head(x: string): void {
    const { g, s } = this;
    g.output('logits', this.real, ['batch_size', 'sequence_length', s.vocab]);
    if (s.tied && s.weights === 'f32') {
      g.op('MatMul', [x, g.transpose(this.embed, [1, 0])], {}, '', 'logits');
    } else this.linear(x, s.tied ? 'embed' : 'head', s.vocab, s.hidden, 'logits');
  }

  /** y [.., n] = x [.., k] times the transpose of weight [n, k]. */
  private linear(x: string, name: string, n: number, k: number, output?: string): string {
    const { g, s } = this;
    const w = this.weights(name, [n, k]);
    if (s.weights === 'f32') {
      const t = new Float32Array(n * k);
      for (let i = 0; i < n; i++) for (let j = 0; j < k; j++) t[j * n + i] = w[i * k + j]!;
      return g.op('MatMul', [x, this.tensor(`${name}.weight`, [k, n], t)], {}, '', output);
    }
    const bits = s.weights === 'int8' ? 8 : 4;
    const q = quantizeRows(w, n, k, bits, BLOCK);
    const data = rawTensor(`${name}.weight_q`, [n, k / BLOCK, (BLOCK * bits) / 8], DataType.uint8, q.data);
    const scales = this.tensor(`${name}.scales`, [n, k / BLOCK], q.scales);
    const attributes = { N: n, K: k, bits, block_size: BLOCK, accuracy_level: s.accuracyLevel ?? 4 };
    return g.ms('MatMulNBits', [x, g.initializer(data), scales], attributes, output);
  }

  private norm(x: string, name: string): string {
    const { g, s } = this;
    const scale = this.floats(name, [s.hidden]);
    if (s.attention === 'gqa') {
      return g.op('SimplifiedLayerNormalization', [x, scale], {
        axis: -1,
        epsilon: { float: EPSILON },
        stash_type: 1,
      });
    }
    return this.rms(x, scale, EPSILON);
  }

  private rms(x: string, scale: string, epsilon: number): string {
    const { g } = this;
    const mean = g.op('ReduceMean', [g.op('Pow', [x, g.float(2)]), g.ints([-1])], { keepdims: 1 });
    const root = g.op('Sqrt', [g.op('Add', [mean, g.float(epsilon)])]);
    return g.op('Mul', [scale, g.op('Div', [x, root])]);
  }

  private dense(x: string, layer: number): string {
    const { g, s } = this;
    const gate = this.linear(x, `layers.${layer}.gate`, s.inner, s.hidden);
    const up = this.linear(x, `layers.${layer}.up`, s.inner, s.hidden);
    const active = g.op('Mul', [g.op('Mul', [gate, g.op('Sigmoid', [gate])]), up]);
    return this.linear(active, `layers.${layer}.down`, s.hidden, s.inner);
  }

  private mixture(x: string, layer: number, experts: { count: number; topK: number }): string {
    const { g, s } = this;
    const { count, topK } = experts;
    const name = `layers.${layer}`;
    const w = this.weights(`${name}.router`, [count, s.hidden]);
    const t = new Float32Array(w.length);
    for (let e = 0; e < count; e++) for (let j = 0; j < s.hidden; j++) t[j * count + e] = w[e * s.hidden + j]!;
    const router = this.tensor(`${name}.router.weight`, [s.hidden, count], t);
    const scores = g.reshape(g.op('MatMul', [x, router]), [-1, count], `router_logits.${layer}`);
    const fc1 = [count, 2 * s.inner, s.hidden] as const;
    const fc2 = [count, s.hidden, s.inner] as const;
    const attributes = {
      k: topK,
      activation_type: 'swiglu',
      swiglu_fusion: 1,
      activation_alpha: { float: 1 },
      activation_beta: { float: 0 },
      normalize_routing_weights: 1,
    };
    if (s.weights === 'f32') {
      const inputs = [x, scores, this.floats(`${name}.fc1`, fc1), '', this.floats(`${name}.fc2`, fc2)];
      return g.ms('MoE', inputs, attributes);
    }
    const bits = s.weights === 'int8' ? 8 : 4;
    const quantized = (part: string, dims: readonly [number, number, number]): readonly [string, string] => {
      const [e, n, k] = dims;
      const q = quantizeRows(this.weights(part, dims), e * n, k, bits, k);
      const data = rawTensor(`${part}.weight_q`, [e, n, (k * bits) / 8], DataType.uint8, q.data);
      return [g.initializer(data), this.tensor(`${part}.scales`, [e, n], q.scales)];
    };
    const [w1, s1] = quantized(`${name}.fc1`, fc1);
    const [w2, s2] = quantized(`${name}.fc2`, fc2);
    return g.ms('QMoE', [x, scores, w1, s1, '', w2, s2], { ...attributes, expert_weight_bits: bits });
  }

  /** Attention of genai exports. Returns a function (normed input, layer) -> [B, S, heads * D]. */
  private groupQuery(): (x: string, layer: number) => string {
    const { g, s, d } = this;
    const sums = g.op('ReduceSum', ['attention_mask', g.ints([1])], { keepdims: 0 });
    const lengths = g.cast(g.op('Sub', [sums, g.ints(1)]), DataType.int32);
    const total = g.cast(g.op('Gather', [g.op('Shape', ['attention_mask']), g.ints(1)], { axis: 0 }), DataType.int32);
    const half = d / 2;
    const theta = s.ropeTheta ?? 10_000;
    const table = (f: (x: number) => number): Float32Array =>
      Float32Array.from({ length: s.contextLength * half }, (_, i) =>
        f(Math.floor(i / half) * theta ** (-(i % half) / half)),
      );
    const cos = this.tensor('cos_cache', [s.contextLength, half], table(Math.cos));
    const sin = this.tensor('sin_cache', [s.contextLength, half], table(Math.sin));
    const attributes = {
      num_heads: s.heads,
      kv_num_heads: s.kvHeads,
      do_rotary: 1,
      rotary_interleaved: 0,
      scale: { float: 1 / Math.sqrt(d) },
      ...(s.localWindow === undefined ? {} : { local_window_size: s.localWindow }),
      ...(s.softcap === undefined ? {} : { softcap: { float: s.softcap } }),
      ...(s.sinks === 'smooth' ? { smooth_softmax: 1 } : {}),
    };
    return (x, i) => {
      const [n, m] = [s.heads * d, s.kvHeads * d];
      const qkv = s.packedQkv
        ? [this.linear(x, `layers.${i}.qkv`, n + 2 * m, s.hidden), '', '']
        : [
            this.linear(x, `layers.${i}.q`, n, s.hidden),
            this.linear(x, `layers.${i}.k`, m, s.hidden),
            this.linear(x, `layers.${i}.v`, m, s.hidden),
          ];
      const past = [`past_key_values.${i}.key`, `past_key_values.${i}.value`];
      const out = g.fresh('attention');
      const outputs = [out, `present.${i}.key`, `present.${i}.value`];
      const extra = ['', '', '', '', '', '', ''];
      if (s.sinks === 'learned') extra[2] = this.floats(`layers.${i}.sinks`, [s.heads]);
      if (s.qkNorm)
        for (const [at, n] of [
          [5, 'q'],
          [6, 'k'],
        ] as const)
          extra[at] = this.floats(`layers.${i}.${n}_scale`, [d]);
      while (extra.at(-1) === '') extra.pop();
      const inputs = [...qkv, ...past, lengths, total, cos, sin, ...extra];
      g.ops('GroupQueryAttention', inputs, outputs, attributes, 'com.microsoft');
      return out;
    };
  }

  /** Attention of Optimum exports: positions given, causal mask from the shapes, keys repeated per group. */
  private plain(): (x: string, layer: number) => string {
    const { g, s, d } = this;
    const half = d / 2;
    const theta = s.ropeTheta ?? 10_000;
    const inverse = Float32Array.from({ length: half }, (_, i) => theta ** (-i / half));
    const freq = g.initializer(floatTensor('inv_freq', [1, 1, half], inverse));
    const angles = g.op('Mul', [g.unsqueeze(g.cast('position_ids', DataType.float), [2]), freq]);
    const both = g.unsqueeze(g.op('Concat', [angles, angles], { axis: -1 }), [1]);
    const cos = g.op('Cos', [both]);
    const sin = g.op('Sin', [both]);
    const dim = (x: string, axis: number): string => g.op('Gather', [g.op('Shape', [x]), g.ints(axis)], { axis: 0 });
    const past = dim('past_key_values.0.key', 2);
    const total = g.op('Add', [past, dim('input_ids', 1)]);
    const range = (from: string, to: string): string => g.op('Range', [from, to, g.ints(1)]);
    const keys = g.unsqueeze(range(g.ints(0), total), [0]);
    const causal = g.op('LessOrEqual', [keys, g.unsqueeze(range(past, total), [1])]);
    const real = g.unsqueeze(g.cast('attention_mask', DataType.bool), [1, 2]);
    const mask = g.op('Where', [g.op('And', [g.unsqueeze(causal, [0, 1]), real]), g.float(0), g.float(-3.4028235e38)]);
    const rotate = (x: string): string => {
      const [a, b] = [g.slice(x, 3, 0, half), g.slice(x, 3, half, d)];
      const turned = g.op('Concat', [g.op('Neg', [b]), a], { axis: -1 });
      return g.op('Add', [g.op('Mul', [x, cos]), g.op('Mul', [turned, sin])]);
    };
    const heads = (x: string, count: number): string => g.transpose(g.reshape(x, [0, 0, count, d]), [0, 2, 1, 3]);
    const groups = s.heads / s.kvHeads;
    const repeat = (x: string): string => {
      if (groups === 1) return x;
      const shape = g.op('Concat', [g.ints([1]), g.ints([1]), g.ints([groups]), g.ints([1]), g.ints([1])], { axis: 0 });
      return g.reshape(g.op('Expand', [g.unsqueeze(x, [2]), shape]), [0, s.heads, -1, d]);
    };
    return (x, i) => {
      const head = (part: 'q' | 'k', count: number): string => {
        const y = heads(this.linear(x, `layers.${i}.${part}`, count * d, s.hidden), count);
        return rotate(s.qkNorm ? this.rms(y, this.floats(`layers.${i}.${part}_scale`, [d]), 1e-6) : y);
      };
      const [q, k] = [head('q', s.heads), head('k', s.kvHeads)];
      const v = heads(this.linear(x, `layers.${i}.v`, s.kvHeads * d, s.hidden), s.kvHeads);
      const key = g.op('Concat', [`past_key_values.${i}.key`, k], { axis: 2 }, '', `present.${i}.key`);
      const value = g.op('Concat', [`past_key_values.${i}.value`, v], { axis: 2 }, '', `present.${i}.value`);
      const raw = g.op('MatMul', [q, g.transpose(repeat(key), [0, 1, 3, 2])]);
      const scores = g.op('Add', [g.op('Mul', [raw, g.float(1 / Math.sqrt(d))]), mask]);
      const mixed = g.op('MatMul', [g.op('Softmax', [scores], { axis: -1 }), repeat(value)]);
      return g.reshape(g.transpose(mixed, [0, 2, 1, 3]), [0, 0, s.heads * d]);
    };
  }
}
