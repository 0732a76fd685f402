/**
 * ONNX Runtime sessions behind typed errors: the one place that creates and runs them.
 *
 * What the binding does (docs/runtime.md has the measurements): `run` is synchronous on its thread; feeds are free; each CPU output
 * is copied into a fresh ArrayBuffer; idle worker threads spin unless told not to; native errors are plain Errors.
 */
import { env, InferenceSession, listSupportedBackends, Tensor } from 'onnxruntime-node';
import { ModelError } from '../base/errors.js';
import type { Traffic } from './traffic.js';
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
  /** Counts what crosses to the device and back, where it is one. */
  readonly traffic?: Traffic;
  /** Refuse graphs of which a node would run on the host (default false). */
  readonly deviceOnly?: boolean;
  /** Nodes that run on the host although the device has their operator. */
  readonly hostNodes?: readonly string[];
}

export interface TensorInfo {
  readonly name: string;
  /** 'float32', 'int64', … */
  readonly type: string;
  readonly shape: readonly (number | string)[];
}

/** Named tensors in host memory. */
export type Tensors = Readonly<Record<string, Tensor>>;

/**
 * A tensor in a device's buffer. It can be fed, written to by a run and freed, and no more: reading one (`getData`) aborts the process,
 * so nothing here can. Its content comes back as the output of a graph that reads it.
 */
class InDevice {
  readonly #native: Tensor;
  readonly dims: readonly number[];

  constructor(native: Tensor) {
    this.#native = native;
    this.dims = native.dims;
  }

  /** What the binding takes, for a session of this module alone. */
  static native(tensor: Tensor | InDevice): Tensor {
    return tensor instanceof InDevice ? tensor.#native : tensor;
  }

  dispose(): void {
    this.#native.dispose();
  }
}
export type DeviceTensor = InDevice;

/** Named tensors wherever they are. */
export type Feeds = Readonly<Record<string, Tensor | DeviceTensor>>;

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
    private readonly traffic: Traffic | undefined,
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
    if (options.deviceOnly === true) session.disable_cpu_ep_fallback = '1';
    checkProvider(name, device);
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
      return new Session(made, name, device === 'cpu' ? undefined : options.traffic);
    } catch (error) {
      throw createError(name, device, message(error), error);
    }
  }

  /**
   * Runs the graph once and returns the wanted outputs that come to the host, by name or (null or a tensor to write to) as a record;
   * throws ModelError with the native message.
   */
  async run(
    feeds: Feeds,
    fetches: readonly string[] | Readonly<Record<string, Tensor | DeviceTensor | null>>,
  ): Promise<Tensors> {
    const out: Record<string, Tensor> = {};
    for (const [name, tensor] of Object.entries(await this.runNative(feeds, fetches))) {
      if (tensor.location !== 'cpu') continue;
      out[name] = tensor;
      if (this.traffic !== undefined) this.traffic.fromDevice += bytesOf(tensor);
    }
    return out;
  }

  /** Runs a graph whose session keeps outputs on the device (`outputs: 'gpu-buffer'`). Throws ModelError where they are elsewhere. */
  async runToDevice(feeds: Feeds, names: readonly string[]): Promise<Readonly<Record<string, DeviceTensor>>> {
    const out: Record<string, DeviceTensor> = {};
    for (const [name, tensor] of Object.entries(await this.runNative(feeds, names))) {
      if (tensor.location !== 'gpu-buffer') throw new ModelError(this.name, 'a buffer on the device', tensor.location);
      out[name] = new InDevice(tensor);
    }
    return out;
  }

  private async runNative(
    feeds: Feeds,
    fetches: readonly string[] | Readonly<Record<string, Tensor | DeviceTensor | null>>,
  ): Promise<Tensors> {
    const given: Record<string, Tensor> = {};
    for (const name in feeds) given[name] = InDevice.native(feeds[name]!);
    const { traffic } = this;
    if (traffic !== undefined) {
      traffic.runs++;
      for (const name in given) if (given[name]!.location === 'cpu') traffic.toDevice += bytesOf(given[name]!);
    }
    const wanted: Record<string, Tensor | null> = {};
    if (!Array.isArray(fetches)) {
      for (const [name, tensor] of Object.entries(fetches)) wanted[name] = tensor && InDevice.native(tensor);
    }
    try {
      return (await this.native.run(given, Array.isArray(fetches) ? fetches : wanted)) as Tensors;
    } catch (error) {
      throw runError(this.name, message(error), error);
    }
  }

  async dispose(): Promise<void> {
    await this.native.release();
  }
}

/** What each device needs beyond the package, for errors. */
const NEEDS: Readonly<Record<Exclude<Device, 'auto'>, string>> = {
  cpu: 'nothing',
  webgpu: 'a GPU with a Vulkan, Metal or D3D12 driver',
  cuda: 'an NVIDIA GPU with its CUDA and cuDNN libraries, and onnxruntime-node installed with its CUDA provider',
  directml: 'Windows with a D3D12 GPU',
  coreml: 'macOS',
};

const needs = (device: Exclude<Device, 'auto'>): string =>
  `${NEEDS[device]} for device '${device}' (without it use device '${device === 'webgpu' ? 'cpu' : 'webgpu'}')`;

/** Throws ModelError where the package's binary for this platform has no such provider. */
function checkProvider(name: string, device: Exclude<Device, 'auto'>): void {
  const known = listSupportedBackends().map((b) => b.name);
  if (known.includes(PROVIDERS[device])) return;
  const got = `ONNX Runtime on ${process.platform}-${process.arch}, which has ${known.join(', ')}`;
  throw new ModelError(name, needs(device), got);
}

/** The typed error of a session that could not be made: a missing device is another fault than a graph that does not run. */
export function createError(name: string, device: Exclude<Device, 'auto'>, got: string, cause: unknown): ModelError {
  const missing =
    /failed to get a webgpu adapter|webgpu.*(adapter|device|instance)|no suitable adapter/i.test(got) ||
    (device !== 'cpu' && device !== 'webgpu' && /provider|library|\.so|\.dll|cuda|cudnn/i.test(got));
  const expected = missing ? needs(device) : `a model that ONNX Runtime can run on '${device}'`;
  // The native message opens with its place in the source.
  const at = got.search(/Failed to (get|load|create|find) /);
  return new ModelError(name, expected, at > 0 ? got.slice(at) : got, { cause });
}

/** The typed error of a failed run: a device that is gone or full has its own remedy. */
export function runError(name: string, got: string, cause: unknown): ModelError {
  let expected = 'a run without error';
  if (/device\b.*\blost\b|lost\b.*\bdevice\b|DEVICE_LOST/i.test(got)) {
    expected = "a device that is still there (open the engine again, or use device 'cpu')";
  } else if (/out of (device )?memory|OUT_OF_(DEVICE|HOST)_MEMORY|numbers_storage_buffers_|bad_alloc/i.test(got)) {
    expected = "memory for it on the device (lower kv.bytes or the rows of a step, or use device 'cpu')";
  }
  return new ModelError(name, expected, got, { cause });
}

/** Bytes of a tensor in host memory. */
function bytesOf(tensor: Tensor): number {
  const { data } = tensor;
  return 'byteLength' in data ? data.byteLength : data.length;
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
