/**
 * ONNX messages as plain objects, and the table of their fields that decoding and encoding share.
 *
 * Fields of messages that we do not name (training info, functions, sparse tensors, sequence types) are kept as bytes in
 * `unknown` and written back, so that a model which is read and written keeps everything it had.
 *
 * Source: onnx.proto of ONNX 1.16 and later (field numbers are stable).
 */
import { ModelError } from '../../base/errors.js';
import { BYTES, encodeUtf8, FIXED32, FIXED64, type Int, VARINT, varintSize, WireReader, WireWriter } from './wire.js';

interface Kept {
  /** Fields that we do not name, tag included. */
  unknown?: Uint8Array[];
}

export interface ModelProto extends Kept {
  irVersion?: Int;
  producerName?: string;
  producerVersion?: string;
  domain?: string;
  modelVersion?: Int;
  docString?: string;
  graph?: GraphProto;
  opsetImport: OperatorSetId[];
  metadataProps: StringEntry[];
}
export interface OperatorSetId extends Kept {
  domain?: string;
  version?: Int;
}
export interface StringEntry extends Kept {
  key?: string;
  value?: string;
}
export interface GraphProto extends Kept {
  node: NodeProto[];
  name?: string;
  initializer: TensorProto[];
  docString?: string;
  input: ValueInfo[];
  output: ValueInfo[];
  valueInfo: ValueInfo[];
  metadataProps: StringEntry[];
}
export interface NodeProto extends Kept {
  input: string[];
  output: string[];
  name?: string;
  opType?: string;
  attribute: AttributeProto[];
  docString?: string;
  domain?: string;
  overload?: string;
  metadataProps: StringEntry[];
}
export interface AttributeProto extends Kept {
  name?: string;
  f?: number;
  i?: Int;
  s?: Uint8Array;
  t?: TensorProto;
  g?: GraphProto;
  floats: number[];
  ints: Int[];
  strings: Uint8Array[];
  tensors: TensorProto[];
  graphs: GraphProto[];
  docString?: string;
  /** {@link AttributeType}. */
  type?: number;
  refAttrName?: string;
}
export interface TensorProto extends Kept {
  dims: Int[];
  /** {@link DataType}. */
  dataType?: number;
  floatData: number[];
  int32Data: number[];
  stringData: Uint8Array[];
  int64Data: Int[];
  name?: string;
  /** Little-endian elements; a view into the model's buffer where it was decoded. */
  rawData?: Uint8Array;
  doubleData: number[];
  uint64Data: Int[];
  docString?: string;
  externalData: StringEntry[];
  /** 1: the elements lie in another file ({@link externalData}: location, offset, length). */
  dataLocation?: number;
}
export interface ValueInfo extends Kept {
  name?: string;
  type?: TypeProto;
  docString?: string;
}
export interface TypeProto extends Kept {
  tensorType?: TensorType;
}
export interface TensorType extends Kept {
  elemType?: number;
  shape?: ShapeProto;
}
export interface ShapeProto extends Kept {
  dim: Dimension[];
}
export interface Dimension extends Kept {
  dimValue?: Int;
  dimParam?: string;
}

/** TensorProto.DataType. */
export const DataType = {
  float: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  double: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
} as const;

/** AttributeProto.AttributeType. */
export const AttributeType = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
} as const;

type Kind = 'int64' | 'uint64' | 'int32' | 'float' | 'double' | 'string' | 'bytes' | Message;
interface Field {
  readonly name: string;
  readonly kind: Kind | (() => Message);
  readonly repeated: boolean;
  readonly packed: boolean;
}
interface Message {
  readonly name: string;
  readonly fields: ReadonlyMap<number, Field>;
  readonly repeated: readonly string[];
}
type Loose = Record<string, unknown> & Kept;

const one = (name: string, kind: Field['kind']): Field => ({ name, kind, repeated: false, packed: false });
const many = (name: string, kind: Field['kind'], packed = false): Field => ({ name, kind, repeated: true, packed });
function message(name: string, fields: Record<number, Field>): Message {
  const list = Object.entries(fields).map(([n, f]) => [Number(n), f] as const);
  return { name, fields: new Map(list), repeated: list.filter(([, f]) => f.repeated).map(([, f]) => f.name) };
}

const STRING_ENTRY = message('StringStringEntryProto', { 1: one('key', 'string'), 2: one('value', 'string') });
const OPSET = message('OperatorSetIdProto', { 1: one('domain', 'string'), 2: one('version', 'int64') });
const DIMENSION = message('Dimension', { 1: one('dimValue', 'int64'), 2: one('dimParam', 'string') });
const SHAPE = message('TensorShapeProto', { 1: many('dim', DIMENSION) });
const TENSOR_TYPE = message('TypeProto.Tensor', { 1: one('elemType', 'int32'), 2: one('shape', SHAPE) });
const TYPE = message('TypeProto', { 1: one('tensorType', TENSOR_TYPE) });
const VALUE_INFO = message('ValueInfoProto', {
  1: one('name', 'string'),
  2: one('type', TYPE),
  3: one('docString', 'string'),
});
const TENSOR = message('TensorProto', {
  1: many('dims', 'int64'),
  2: one('dataType', 'int32'),
  4: many('floatData', 'float', true),
  5: many('int32Data', 'int32', true),
  6: many('stringData', 'bytes'),
  7: many('int64Data', 'int64', true),
  8: one('name', 'string'),
  9: one('rawData', 'bytes'),
  10: many('doubleData', 'double', true),
  11: many('uint64Data', 'uint64', true),
  12: one('docString', 'string'),
  13: many('externalData', STRING_ENTRY),
  14: one('dataLocation', 'int32'),
});
const ATTRIBUTE = message('AttributeProto', {
  1: one('name', 'string'),
  2: one('f', 'float'),
  3: one('i', 'int64'),
  4: one('s', 'bytes'),
  5: one('t', TENSOR),
  6: one('g', () => GRAPH),
  7: many('floats', 'float'),
  8: many('ints', 'int64'),
  9: many('strings', 'bytes'),
  10: many('tensors', TENSOR),
  11: many('graphs', () => GRAPH),
  13: one('docString', 'string'),
  20: one('type', 'int32'),
  21: one('refAttrName', 'string'),
});
const NODE = message('NodeProto', {
  1: many('input', 'string'),
  2: many('output', 'string'),
  3: one('name', 'string'),
  4: one('opType', 'string'),
  5: many('attribute', ATTRIBUTE),
  6: one('docString', 'string'),
  7: one('domain', 'string'),
  8: one('overload', 'string'),
  9: many('metadataProps', STRING_ENTRY),
});
const GRAPH: Message = message('GraphProto', {
  1: many('node', NODE),
  2: one('name', 'string'),
  5: many('initializer', TENSOR),
  10: one('docString', 'string'),
  11: many('input', VALUE_INFO),
  12: many('output', VALUE_INFO),
  13: many('valueInfo', VALUE_INFO),
  16: many('metadataProps', STRING_ENTRY),
});
const MODEL = message('ModelProto', {
  1: one('irVersion', 'int64'),
  2: one('producerName', 'string'),
  3: one('producerVersion', 'string'),
  4: one('domain', 'string'),
  5: one('modelVersion', 'int64'),
  6: one('docString', 'string'),
  7: one('graph', GRAPH),
  8: many('opsetImport', OPSET),
  14: many('metadataProps', STRING_ENTRY),
});

/** Graphs nest through attributes (If, Loop); deeper than this is taken for corruption. */
const MAX_DEPTH = 100;

/**
 * Reads a model. Weights stay views into `bytes`. Throws ModelError (with the byte offset) for anything that is not a
 * well-formed ModelProto with a graph.
 */
export function decodeModel(bytes: Uint8Array, source = 'model'): ModelProto {
  const model = decode(new WireReader(bytes, source), MODEL, 0) as unknown as ModelProto;
  if (model.graph === undefined || model.graph.node.length === 0) {
    throw new ModelError(source, 'an ONNX model with a graph', bytes.length === 0 ? 'an empty file' : 'no graph in it');
  }
  return model;
}

/** Writes a model into one new buffer of the exact size. Throws ModelError past 2 GiB (the limit of the format). */
export function encodeModel(model: ModelProto): Uint8Array {
  const sizes = new Map<object, number>();
  const size = measure(model as unknown as Loose, MODEL, sizes);
  if (size >= 2 ** 31) {
    throw new ModelError('model', 'at most 2 GiB of protobuf (keep weights in external data)', `${size} bytes`);
  }
  const writer = new WireWriter(size);
  encode(model as unknown as Loose, MODEL, writer, sizes);
  return writer.bytes;
}

function kindOf(field: Field): Kind {
  return typeof field.kind === 'function' ? field.kind() : field.kind;
}

function decode(r: WireReader, type: Message, depth: number): Loose {
  if (depth > MAX_DEPTH) throw r.fail(`messages nested at most ${MAX_DEPTH} deep`, 'deeper nesting');
  const out: Loose = {};
  for (const name of type.repeated) out[name] = [];
  while (r.at < r.end) {
    const start = r.at;
    const tag = r.varint();
    const wire = tag & 7;
    const field = type.fields.get(tag >>> 3);
    if (tag >>> 3 === 0) throw r.fail(`a field of ${type.name}`, 'field number 0 (is this an ONNX file?)');
    if (field === undefined) {
      r.skip(wire);
      out.unknown ??= [];
      out.unknown.push(r.bytes.subarray(start, r.at));
      continue;
    }
    const kind = kindOf(field);
    if (!field.repeated) {
      out[field.name] = value(r, type, field, kind, wire, depth);
      continue;
    }
    const list = out[field.name] as unknown[];
    if (wire === BYTES && typeof kind === 'string' && kind !== 'string' && kind !== 'bytes') {
      const end = r.length() + r.at;
      const sub = new WireReader(r.bytes, r.source, r.at, end);
      while (sub.at < end) list.push(scalar(sub, kind));
      r.at = end;
    } else list.push(value(r, type, field, kind, wire, depth));
  }
  return out;
}

function wireOf(kind: Kind): number {
  if (kind === 'float') return FIXED32;
  if (kind === 'double') return FIXED64;
  return kind === 'int64' || kind === 'uint64' || kind === 'int32' ? VARINT : BYTES;
}

function value(r: WireReader, type: Message, field: Field, kind: Kind, wire: number, depth: number): unknown {
  if (wire !== wireOf(kind)) {
    throw r.fail(`${type.name}.${field.name} with wire type ${wireOf(kind)}`, `wire type ${wire}`);
  }
  if (kind === 'string') return r.string();
  if (kind === 'bytes') return r.chunk();
  if (typeof kind === 'string') return scalar(r, kind);
  const end = r.length() + r.at;
  const out = decode(new WireReader(r.bytes, r.source, r.at, end), kind, depth + 1);
  r.at = end;
  return out;
}

function scalar(r: WireReader, kind: Kind): Int {
  if (kind === 'int64') return r.int64();
  if (kind === 'int32') return r.int32();
  if (kind === 'uint64') return r.uint64();
  return kind === 'float' ? r.float() : r.double();
}

function scalarSize(kind: Kind, v: Int): number {
  return kind === 'float' ? 4 : kind === 'double' ? 8 : varintSize(v);
}

/** Size of a message without its own tag and length; remembered per object for {@link encode}. */
function measure(msg: Loose, type: Message, sizes: Map<object, number>): number {
  let size = 0;
  for (const [number, field] of type.fields) {
    const held = msg[field.name];
    if (held === undefined) continue;
    const kind = kindOf(field);
    const tag = varintSize(number << 3);
    const list = field.repeated ? (held as unknown[]) : [held];
    if (field.packed) {
      if (list.length === 0) continue;
      let body = 0;
      for (const v of list) body += scalarSize(kind, v as Int);
      sizes.set(list, body);
      size += tag + varintSize(body) + body;
      continue;
    }
    for (const v of list) {
      if (typeof kind !== 'string') {
        const body = measure(v as Loose, kind, sizes);
        size += tag + varintSize(body) + body;
      } else if (kind === 'string' || kind === 'bytes') {
        const n = kind === 'string' ? encodeUtf8(v as string).length : (v as Uint8Array).length;
        size += tag + varintSize(n) + n;
      } else size += tag + scalarSize(kind, v as Int);
    }
  }
  for (const raw of msg.unknown ?? []) size += raw.length;
  sizes.set(msg, size);
  return size;
}

function encode(msg: Loose, type: Message, w: WireWriter, sizes: Map<object, number>): void {
  for (const [number, field] of type.fields) {
    const held = msg[field.name];
    if (held === undefined) continue;
    const kind = kindOf(field);
    const list = field.repeated ? (held as unknown[]) : [held];
    if (field.packed) {
      if (list.length === 0) continue;
      w.varint((number << 3) | BYTES);
      w.varint(sizes.get(list) ?? 0);
      for (const v of list) putScalar(w, kind, v as Int);
      continue;
    }
    for (const v of list) {
      w.varint((number << 3) | wireOf(kind));
      if (typeof kind !== 'string') {
        w.varint(sizes.get(v as object) ?? 0);
        encode(v as Loose, kind, w, sizes);
      } else if (kind === 'string' || kind === 'bytes') {
        const bytes = kind === 'string' ? encodeUtf8(v as string) : (v as Uint8Array);
        w.varint(bytes.length);
        w.raw(bytes);
      } else putScalar(w, kind, v as Int);
    }
  }
  for (const raw of msg.unknown ?? []) w.raw(raw);
}

function putScalar(w: WireWriter, kind: Kind, v: Int): void {
  if (kind === 'float') w.float(Number(v));
  else if (kind === 'double') w.double(Number(v));
  else w.varint(v);
}
