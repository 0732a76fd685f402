/**
 * ONNX Runtime sessions behind typed errors: the one place that creates and runs them.
 *
 * What the binding does (docs/runtime.md has the measurements): `run` is synchronous on its thread; feeds are free; each CPU output
 * is copied into a fresh ArrayBuffer; idle worker threads spin unless told not to; native errors are plain Errors.
 */
import { env, InferenceSession, Tensor } from 'onnxruntime-node';
import { ModelError } from '../base/errors.js';
import type { Device } from './types.js';

export { Tensor };

/** Where a model comes from: a file (external data beside it), or bytes with the folder of their external data. */
export type SessionSource =
  | { readonly path: string }
  | { readonly bytes: Uint8Array; readonly name: string; readonly folder?: string };

export interface SessionOptions {
  readonly device?: Exclude<Device, 'auto'>;
  readonly threads?: number;
  /** 'disabled' and 'basic' keep the graph as written; default 'all'. */
  readonly optimization?: 'disabled' | 'basic' | 'all';
  /** Where outputs stay that the caller does not provide; then tensors that it provides for outputs are ignored. */
  readonly outputs?: 'gpu-buffer';
  /** Nodes that run on the host although the device has their operator. */
  readonly hostNodes?: readonly string[];
}

export interface TensorInfo {
  readonly name: string;
  /** 'float32', 'int64', … */
  readonly type: string;
  readonly shape: readonly (number | string)[];
}

/** Named tensors. */
export type Tensors = Readonly<Record<string, Tensor>>;

const PROVIDERS: Readonly<Record<Exclude<Device, 'auto'>, string>> = {
  cpu: 'cpu',
  webgpu: 'webgpu',
  cuda: 'cuda',
  directml: 'dml',
  coreml: 'coreml',
};

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A session with its inputs and outputs described. */
export class Session {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];

  private constructor(
    private readonly native: InferenceSession,
    readonly name: string,
  ) {
    this.inputs = describe(native.inputMetadata);
    this.outputs = describe(native.outputMetadata);
  }

  /** Creates a session; throws ModelError when the file is missing or corrupt, or the device is not there. */
  static async create(source: SessionSource, options: SessionOptions = {}): Promise<Session> {
    const device = options.device ?? 'cpu';
    const name = 'path' in source ? source.path : source.name;
    // Errors come back as exceptions; the native log would print them on stderr as well.
    env.logLevel = 'fatal';
    const intra: Record<string, string> = { allow_spinning: '0' };
    const session: Record<string, unknown> = { intra_op: intra };
    if ('folder' in source && source.folder !== undefined) {
      session.model_external_initializers_file_folder_path = source.folder;
    }
    const native: InferenceSession.SessionOptions = {
      executionProviders: [providerOf(device, options.hostNodes ?? [])],
      ...(options.outputs === undefined ? {} : { preferredOutputLocation: options.outputs }),
      graphOptimizationLevel: options.optimization ?? 'all',
      logSeverityLevel: 4,
      // Shapes change every step: remembered allocation patterns would be kept per shape and never pay.
      enableMemPattern: false,
      ...(options.threads === undefined ? {} : { intraOpNumThreads: options.threads }),
      extra: { session },
    };
    try {
      const made = await ('path' in source
        ? InferenceSession.create(source.path, native)
        : InferenceSession.create(source.bytes, native));
      return new Session(made, name);
    } catch (error) {
      throw new ModelError(name, `a model that ONNX Runtime can run on '${device}'`, message(error), { cause: error });
    }
  }

  /**
   * Runs the graph once and returns the wanted outputs, by name or (null or a tensor to write to) as a record; throws ModelError
   * with the native message.
   */
  async run(feeds: Tensors, fetches: readonly string[] | Readonly<Record<string, Tensor | null>>): Promise<Tensors> {
    try {
      return (await this.native.run(feeds, fetches)) as Tensors;
    } catch (error) {
      throw new ModelError(this.name, 'a run without error', message(error), { cause: error });
    }
  }

  async dispose(): Promise<void> {
    await this.native.release();
  }
}

function providerOf(
  device: Exclude<Device, 'auto'>,
  hostNodes: readonly string[],
): InferenceSession.ExecutionProviderConfig {
  const name = PROVIDERS[device];
  return device === 'webgpu' && hostNodes.length > 0 ? { name: 'webgpu', forceCpuNodeNames: hostNodes } : name;
}

function describe(list: readonly InferenceSession.ValueMetadata[]): TensorInfo[] {
  return list.map((m) => ({
    name: m.name,
    type: m.isTensor ? m.type : 'none',
    shape: m.isTensor ? [...m.shape] : [],
  }));
}

/** An int64 tensor of small non-negative numbers. */
export function int64(values: ArrayLike<number>, dims: readonly number[]): Tensor {
  const out = new BigInt64Array(values.length);
  for (let i = 0; i < values.length; i++) out[i] = BigInt(values[i]!);
  return new Tensor('int64', out, dims);
}

/** Numbers of a float32 or float16 tensor as f32; a view where the type is float32. */
export function toFloats(tensor: Tensor): Float32Array {
  if (tensor.type === 'float32') return tensor.data as Float32Array;
  if (tensor.type !== 'float16') throw new ModelError('model output', 'float32 or float16', tensor.type);
  return halfToFloats(tensor.data as Uint16Array);
}

/** IEEE half precision to single. */
export function halfToFloats(half: Uint16Array): Float32Array {
  const out = new Float32Array(half.length);
  const bits = new Uint32Array(out.buffer);
  for (let i = 0; i < half.length; i++) {
    const h = half[i]!;
    const sign = (h & 0x8000) << 16;
    const exponent = (h >> 10) & 31;
    const fraction = h & 0x3ff;
    if (exponent === 0) {
      out[i] = (h & 0x8000 ? -1 : 1) * fraction * 2 ** -24;
    } else bits[i] = (sign | ((exponent === 31 ? 255 : exponent + 112) << 23) | (fraction << 13)) >>> 0;
  }
  return out;
}
