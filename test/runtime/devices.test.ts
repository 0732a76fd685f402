/** Choosing a device, and the typed errors of devices. The figures of real ones: `tokenloom devices`. */
import { describe, expect, it } from 'vitest';
import { ModelError } from '../../src/base/errors.js';
import { chooseDevice } from '../../src/runtime/auto-device.js';
import { type DeviceSpeed, isBuiltIn, probeDevice } from '../../src/runtime/device-probe.js';
import { DeviceSampler, type LogitsBuffer } from '../../src/runtime/sampling/device-sampler.js';
import { createError, type DeviceTensor, runError } from '../../src/runtime/session.js';
import { half, missing } from './adapter.js';

const BIG = 2 ** 30;
const speed = (tokenMs: number): DeviceSpeed => ({ tokenMs, batchMs: 10 * tokenMs, callMs: 0.1 });
const measured =
  (times: { readonly cpu: number; readonly webgpu: number | undefined }) =>
  async (device: 'cpu' | 'webgpu'): Promise<DeviceSpeed> => {
    const ms = times[device];
    if (ms === undefined) throw new ModelError('probe', 'a GPU', 'No supported adapters');
    return speed(ms);
  };

describe("device 'auto'", () => {
  it('is the CPU for small models without a probe', async () => {
    expect(await chooseDevice(2 ** 22, () => Promise.reject(new Error('measured')))).toEqual({ device: 'cpu' });
  });
  it('is the GPU where it is clearly faster', async () => {
    expect(await chooseDevice(BIG, measured({ cpu: 3, webgpu: 0.5 }))).toEqual({ device: 'webgpu' });
  });
  it('is the CPU, and says why, beside a software adapter or none', async () => {
    const slow = await chooseDevice(BIG, measured({ cpu: 1, webgpu: 64 }));
    expect(slow).toMatchObject({ device: 'cpu', warning: expect.stringMatching(/64\.0 ms and the CPU 1\.0/) });
    const none = await chooseDevice(BIG, measured({ cpu: 1, webgpu: undefined }));
    expect(none).toMatchObject({ device: 'cpu', warning: expect.stringMatching(/no WebGPU adapter \(No supported/) });
  });
  it('passes faults on that are not of the device', async () => {
    await expect(chooseDevice(BIG, () => Promise.reject(new TypeError('fault')))).rejects.toThrow(TypeError);
  });
});

describe('probing', () => {
  it('measures the CPU', async () => {
    const report = await probeDevice('cpu');
    expect(report).toMatchObject({ usable: true, paged: true });
    if (report.usable) expect(report.speed.tokenMs).toBeGreaterThan(0);
  });
  it('says what a missing device needs', async () => {
    const absent = isBuiltIn('coreml') ? 'directml' : 'coreml';
    expect(await probeDevice(absent)).toMatchObject({ usable: false, reason: expect.stringContaining(absent) });
  });
  it.skipIf(missing !== undefined)('measures the adapter', async () => {
    expect(await probeDevice('webgpu')).toMatchObject({ usable: true, f16: half, paged: true });
  });
});

it('a sampler whose sessions could not be made can be thrown away', async () => {
  const sampler = new DeviceSampler({ device: 'webgpu' }, { type: 'float32', columns: 8, tokens: 8 });
  const buffer = await sampler.acquire(1).catch((error: unknown) => error);
  if (buffer instanceof Error) expect(buffer).toBeInstanceOf(ModelError);
  else sampler.release(buffer as LogitsBuffer);
  await expect(sampler.dispose()).resolves.toBeUndefined();
});

describe('errors', () => {
  it('of a device that was lost or is full say so, with a way on', () => {
    const of = (text: string): string => runError('model', text, undefined).message;
    expect(of('Device was lost: GPU reset')).toMatch(/open the engine again/);
    expect(of('vkQueueSubmit failed with VK_ERROR_DEVICE_LOST')).toMatch(/open the engine again/);
    expect(of('vkAllocateMemory failed with VK_ERROR_OUT_OF_DEVICE_MEMORY')).toMatch(/lower kv\.bytes/);
    expect(of('shader_helper.cc: numbers_storage_buffers_ <= limit')).toMatch(/lower kv\.bytes/);
    expect(of('Non-zero status code while running Gather')).toMatch(/expected a run without error/);
  });
  it('of a graph that does not run are not taken for a missing device', () => {
    expect(createError('m', 'webgpu', 'Failed to get a WebGPU adapter: none', undefined).message).toMatch(
      /needs|driver/,
    );
    expect(createError('m', 'cpu', 'Load model failed: Protobuf parsing failed', undefined).message).toMatch(
      /can run on/,
    );
  });
});

it('a tensor on a device cannot be read: its type has no way to', () => {
  const read = (tensor: DeviceTensor): unknown => {
    // @ts-expect-error no such method
    return [tensor.getData, tensor.dims];
  };
  expect(read).toBeTypeOf('function');
});
