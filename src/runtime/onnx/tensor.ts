/**
 * Tensors of a model as typed arrays, whatever field the exporter put their elements in.
 */
import { ModelError } from '../../base/errors.js';
import { DataType, type TensorProto } from './proto.js';
import type { Int } from './wire.js';

/** A view (where alignment allows, else a copy) of bytes as 32-bit floats. */
export function asFloats(bytes: Uint8Array): Float32Array {
  const n = Math.floor(bytes.byteLength / 4);
  if (bytes.byteOffset % 4 === 0) return new Float32Array(bytes.buffer, bytes.byteOffset, n);
  return new Float32Array(new Uint8Array(bytes).buffer, 0, n);
}

/** Bytes of a typed array, as a view. ONNX is little-endian, as is every platform that ONNX Runtime's Node binding knows. */
export function asBytes(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Dims as numbers; throws ModelError where one is negative or not a safe integer. */
export function dimsOf(tensor: TensorProto): number[] {
  return tensor.dims.map((d) => {
    const n = Number(d);
    if (!Number.isSafeInteger(n) || n < 0) {
      throw new ModelError(`tensor '${tensor.name ?? ''}'`, 'dimensions that are non-negative', String(d));
    }
    return n;
  });
}

/** Elements that the dims ask for. */
export function sizeOf(dims: readonly number[]): number {
  return dims.reduce((a, b) => a * b, 1);
}

/** Makes an f32 tensor; the data is not copied. */
export function floatTensor(name: string, dims: readonly number[], data: Float32Array): TensorProto {
  return rawTensor(name, dims, DataType.float, asBytes(data));
}

/** Makes an f16 tensor of f32 numbers, rounded to nearest, ties to even. */
export function halfTensor(name: string, dims: readonly number[], data: Float32Array): TensorProto {
  return rawTensor(name, dims, DataType.float16, asBytes(floatsToHalf(data)));
}

/** Single precision to IEEE half; what is too great becomes infinite. */
export function floatsToHalf(data: Float32Array): Uint16Array {
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  const out = new Uint16Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const b = bits[i]!;
    const sign = (b >>> 16) & 0x8000;
    const size = b & 0x7fffffff;
    if (size > 0x7f800000) out[i] = sign | 0x7e00;
    else if (size >= 0x477ff000) out[i] = sign | 0x7c00;
    else if (size < 0x38800000) out[i] = sign | roundEven(Math.abs(data[i]!) * 2 ** 24);
    else out[i] = sign | ((size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13);
  }
  return out;
}

function roundEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down;
}

/** Makes an int64 tensor. */
export function intTensor(name: string, dims: readonly number[], values: readonly Int[]): TensorProto {
  return rawTensor(name, dims, DataType.int64, asBytes(BigInt64Array.from(values, (v) => BigInt(v))));
}

/** Makes an int32 tensor. */
export function int32Tensor(name: string, dims: readonly number[], values: readonly number[]): TensorProto {
  return rawTensor(name, dims, DataType.int32, asBytes(Int32Array.from(values)));
}

/** Makes a tensor of any type from little-endian bytes. */
export function rawTensor(name: string, dims: readonly number[], dataType: number, rawData: Uint8Array): TensorProto {
  const lists = { floatData: [], int32Data: [], stringData: [], int64Data: [], doubleData: [], uint64Data: [] };
  return { name, dims: [...dims], dataType, rawData, externalData: [], ...lists };
}

/** Elements of an f32 tensor held in the model, or undefined where it has another type or lies outside. */
export function floatsOf(tensor: TensorProto): Float32Array | undefined {
  if (tensor.dataType !== DataType.float || tensor.dataLocation === 1) return undefined;
  const data = tensor.rawData === undefined ? Float32Array.from(tensor.floatData) : asFloats(tensor.rawData);
  return data.length === sizeOf(dimsOf(tensor)) ? data : undefined;
}

/** Elements of an unsigned or signed byte tensor held in the model, as bytes. */
export function bytesOf(tensor: TensorProto): Uint8Array | undefined {
  if (tensor.dataType !== DataType.uint8 && tensor.dataType !== DataType.int8) return undefined;
  if (tensor.dataLocation === 1) return undefined;
  const data = tensor.rawData ?? Uint8Array.from(tensor.int32Data);
  return data.length === sizeOf(dimsOf(tensor)) ? data : undefined;
}
