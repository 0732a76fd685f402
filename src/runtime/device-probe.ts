/**
 * What a device is worth: whether ONNX Runtime can use it here, and how fast it is at what decoding does, one token and a batch of
 * tokens through a few matrices. Small enough to run before a model is loaded (a quarter of a second on a CPU).
 */
import { listSupportedBackends } from 'onnxruntime-node';
import { ModelError } from '../base/errors.js';
import { createRandom } from '../base/random.js';
import { GraphBuilder } from './onnx/builder.js';
import { DataType, encodeModel } from './onnx/proto.js';
import { floatTensor } from './onnx/tensor.js';
import { zerosGraph } from './sampling/graphs.js';
import { int64, Session, Tensor } from './session.js';
import type { Device } from './types.js';

export type RealDevice = Exclude<Device, 'auto'>;

export const DEVICES: readonly RealDevice[] = ['cpu', 'webgpu', 'cuda', 'directml', 'coreml'];

export interface DeviceSpeed {
  /** One token through the matrices, its result read back: milliseconds, the least of several. */
  readonly tokenMs: number;
  /** 64 tokens. */
  readonly batchMs: number;
  /** A run that does nothing: the price of asking. */
  readonly callMs: number;
}

export type DeviceReport =
  | {
      readonly device: RealDevice;
      readonly usable: true;
      readonly speed: DeviceSpeed;
      /** Half precision in shaders; WebGPU alone. */
      readonly f16?: boolean;
      /** Bytes of the largest buffer that was tried and could be made; WebGPU alone, where asked for. */
      readonly buffer?: number;
      /** Keys and values stay where the model runs; elsewhere each step copies them through the host. */
      readonly paged: boolean;
    }
  | { readonly device: RealDevice; readonly usable: false; readonly reason: string };

const WIDTH = 768;
const LAYERS = 8;
const BATCH = 64;
const REPEATS = 5;
const MIB = 2 ** 20;

/** Whether the package's binary for this platform has a provider for the device (its libraries may still be missing). */
export function isBuiltIn(device: RealDevice): boolean {
  const names = new Set(listSupportedBackends().map((b) => b.name));
  return names.has(device === 'directml' ? 'dml' : device);
}

/** Tries a device; never throws for one that is missing. `limits`: also look for the largest buffer (up to 4 GiB, so it takes a while). */
export async function probeDevice(device: RealDevice, limits = false): Promise<DeviceReport> {
  try {
    const speed = await measureDevice(device);
    const paged = device === 'cpu' || device === 'webgpu';
    if (device !== 'webgpu') return { device, usable: true, speed, paged };
    const f16 = await hasHalf();
    return { device, usable: true, speed, paged, f16, ...(limits ? { buffer: await largestBuffer() } : {}) };
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return { device, usable: false, reason: `needs ${error.expected}; ${error.got.split('\n')[0]!.slice(0, 200)}` };
  }
}

/** Times the device; throws ModelError where it is missing. */
export async function measureDevice(device: RealDevice): Promise<DeviceSpeed> {
  const session = await Session.create({ bytes: encodeModel(matrices()), name: `device '${device}'` }, { device });
  try {
    const time = async (rows: number): Promise<number> => {
      const x = new Tensor('float32', new Float32Array(rows * WIDTH).fill(0.5), [rows, WIDTH]);
      let least = Number.POSITIVE_INFINITY;
      // The first run compiles kernels; a slow device is slow enough after two.
      for (let i = 0; i <= REPEATS && !(i > 1 && least > 100); i++) {
        const start = performance.now();
        await session.run({ x }, ['y']);
        if (i > 0) least = Math.min(least, performance.now() - start);
      }
      return least;
    };
    const callMs = await timeCall(device);
    return { tokenMs: await time(1), batchMs: await time(BATCH), callMs };
  } finally {
    await session.dispose();
  }
}

async function timeCall(device: RealDevice): Promise<number> {
  const g = new GraphBuilder();
  g.input('x', DataType.float, ['n']);
  g.op('Add', ['x', g.float(1)], {}, '', 'y');
  g.output('y', DataType.float, ['n']);
  const session = await Session.create(
    { bytes: encodeModel(g.model('probe')), name: `device '${device}'` },
    { device },
  );
  try {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i <= REPEATS; i++) {
      const start = performance.now();
      await session.run({ x: new Tensor('float32', new Float32Array(1), [1]) }, ['y']);
      if (i > 0) least = Math.min(least, performance.now() - start);
    }
    return least;
  } finally {
    await session.dispose();
  }
}

/** LAYERS matrices of WIDTH x WIDTH one after the other: 19 MB of weights, which no cache of a core holds. */
function matrices() {
  const g = new GraphBuilder();
  const random = createRandom(1);
  let x = g.input('x', DataType.float, ['n', WIDTH]);
  for (let i = 0; i < LAYERS; i++) {
    const w = Float32Array.from({ length: WIDTH * WIDTH }, () => (random.float() - 0.5) / 16);
    x = g.op('MatMul', [x, g.initializer(floatTensor(`w${i}`, [WIDTH, WIDTH], w))]);
  }
  g.op('ReduceMax', [x, g.ints([1])], { keepdims: 1 }, '', 'y');
  g.output('y', DataType.float, ['n', 1]);
  return g.model('probe');
}

/** Whether shaders know half precision. */
export async function hasHalf(): Promise<boolean> {
  const g = new GraphBuilder();
  g.input('x', DataType.float, ['n']);
  const half = g.cast('x', DataType.float16);
  g.op('Cast', [g.op('Add', [half, half])], { to: DataType.float }, '', 'y');
  g.output('y', DataType.float, ['n']);
  let session: Session | undefined;
  try {
    const source = { bytes: encodeModel(g.model('probe')), name: 'half precision' };
    session = await Session.create(source, { device: 'webgpu', deviceOnly: true });
    const out = await session.run({ x: new Tensor('float32', Float32Array.of(1.5), [1]) }, ['y']);
    return (out.y!.data as Float32Array)[0] === 3;
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return false;
  } finally {
    await session?.dispose();
  }
}

async function largestBuffer(): Promise<number> {
  const maker = await Session.create(
    { bytes: encodeModel(zerosGraph(2).model('probe')), name: 'buffer' },
    { device: 'webgpu', outputs: 'gpu-buffer' },
  );
  let most = 0;
  try {
    for (let mib = 128; mib <= 4096; mib *= 2) {
      const made = await maker.runToDevice({ shape: int64([mib, MIB / 4], [2]) }, ['out']);
      made.out?.dispose();
      most = mib * MIB;
    }
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
  } finally {
    await maker.dispose();
  }
  return most;
}
