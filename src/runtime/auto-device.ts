/**
 * Device 'auto': the GPU where it is faster at this model, else the CPU. A software adapter looks like any other to ONNX Runtime, so what
 * counts is a measurement. Only WebGPU competes with the CPU: the other providers cannot keep keys and values on their device.
 */
import { ModelError } from '../base/errors.js';
import { type DeviceSpeed, measureDevice } from './device-probe.js';

/**
 * Weights below this are read by a CPU in a few milliseconds, which a GPU spends on starting the kernels of some hundred operators; and
 * loading a small model should not wait for a probe.
 */
const LEAST_BYTES = 64 * 2 ** 20;
/** How much faster the device must be at one token: the probe has fewer operators per byte than a model. */
const CLEARLY = 1.5;

export interface AutoDevice {
  readonly device: 'cpu' | 'webgpu';
  /** Why not the GPU, where that may surprise. */
  readonly warning?: string;
}

/** Chooses for a model of this many bytes of weights; `measure` is for tests. */
export async function chooseDevice(
  bytes: number,
  measure: (device: 'cpu' | 'webgpu') => Promise<DeviceSpeed> = measureDevice,
): Promise<AutoDevice> {
  if (bytes < LEAST_BYTES) return { device: 'cpu' };
  let gpu: DeviceSpeed;
  try {
    gpu = await measure('webgpu');
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return { device: 'cpu', warning: `device 'auto' is the CPU: no WebGPU adapter (${error.got.split('\n')[0]})` };
  }
  const cpu = await measure('cpu');
  if (gpu.tokenMs * CLEARLY < cpu.tokenMs) return { device: 'webgpu' };
  const [slow, fast] = [gpu.tokenMs.toFixed(1), cpu.tokenMs.toFixed(1)];
  return {
    device: 'cpu',
    warning: `device 'auto' is the CPU: on a probe the WebGPU adapter took ${slow} ms and the CPU ${fast}; device 'webgpu' takes it anyway`,
  };
}
