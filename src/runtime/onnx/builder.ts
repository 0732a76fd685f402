/**
 * Building graphs: nodes, attributes, inputs, outputs and initializers with names made on the way. The writer of test models,
 * the paged rewrite and the sampler graphs all build with it.
 */
import {
  type AttributeProto,
  AttributeType,
  DataType,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  type ValueInfo,
} from './proto.js';
import { floatTensor, int32Tensor, intTensor } from './tensor.js';
import { encodeUtf8 } from './wire.js';

/** A whole number is an int attribute, `{ float }` a float one, a list of whole numbers ints. */
export type AttributeValue = number | string | readonly number[] | { readonly float: number };
export type Attributes = Readonly<Record<string, AttributeValue>>;

export const MICROSOFT = 'com.microsoft';

/** Makes one attribute. */
export function attribute(name: string, value: AttributeValue): AttributeProto {
  const base = { name, floats: [], ints: [], strings: [], tensors: [], graphs: [] };
  if (typeof value === 'number') return { ...base, i: value, type: AttributeType.int };
  if (typeof value === 'string') return { ...base, s: encodeUtf8(value), type: AttributeType.string };
  if ('float' in value) return { ...base, f: value.float, type: AttributeType.float };
  return { ...base, ints: [...value], type: AttributeType.ints };
}

/** Makes one node. */
export function makeNode(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  attributes: Attributes = {},
  domain = '',
): NodeProto {
  return {
    opType,
    input: [...input],
    output: [...output],
    name: `${opType}_${output[0] ?? ''}`,
    attribute: Object.entries(attributes).map(([k, v]) => attribute(k, v)),
    ...(domain === '' ? {} : { domain }),
    metadataProps: [],
  };
}

/** Declares a tensor; a string dim is symbolic. */
export function valueInfo(name: string, elemType: number, dims: readonly (number | string)[]): ValueInfo {
  const dim = dims.map((d) => (typeof d === 'number' ? { dimValue: d } : { dimParam: d }));
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}

/** The value of an int attribute, or `fallback` where the node has none. */
export function intAttribute(node: NodeProto, name: string, fallback: number): number {
  const found = node.attribute.find((a) => a.name === name);
  return found?.i === undefined ? fallback : Number(found.i);
}

/** The value of a float attribute, or `fallback` where the node has none. */
export function floatAttribute(node: NodeProto, name: string, fallback: number): number {
  return node.attribute.find((a) => a.name === name)?.f ?? fallback;
}

/** The value of a string attribute, or `fallback` where the node has none. */
export function stringAttribute(node: NodeProto, name: string, fallback: string): string {
  const found = node.attribute.find((a) => a.name === name)?.s;
  return found === undefined ? fallback : new TextDecoder().decode(found);
}

/** Collects a graph. Methods that make a value return its name. */
export class GraphBuilder {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  readonly inputs: ValueInfo[] = [];
  readonly outputs: ValueInfo[] = [];
  private counter = 0;
  private readonly constants = new Map<string, string>();

  /** `prefix` keeps the names that are made on the way apart from those of a graph this one is added to. */
  constructor(private readonly prefix = '') {}

  fresh(hint: string): string {
    return `${this.prefix}${hint}_${this.counter++}`;
  }

  /** Adds a node with one output and returns the output's name. */
  op(opType: string, input: readonly string[], attributes: Attributes = {}, domain = '', output?: string): string {
    const out = output ?? this.fresh(opType);
    this.nodes.push(makeNode(opType, input, [out], attributes, domain));
    return out;
  }

  /** Adds a node with several outputs; an empty name is an output that is not wanted. */
  ops(
    opType: string,
    input: readonly string[],
    output: readonly string[],
    attributes: Attributes = {},
    domain = '',
  ): readonly string[] {
    this.nodes.push(makeNode(opType, input, output, attributes, domain));
    return output;
  }

  /** Adds an op of com.microsoft. */
  ms(opType: string, input: readonly string[], attributes: Attributes = {}, output?: string): string {
    return this.op(opType, input, attributes, MICROSOFT, output);
  }

  input(name: string, elemType: number, dims: readonly (number | string)[]): string {
    this.inputs.push(valueInfo(name, elemType, dims));
    return name;
  }

  output(name: string, elemType: number, dims: readonly (number | string)[]): string {
    this.outputs.push(valueInfo(name, elemType, dims));
    return name;
  }

  initializer(tensor: TensorProto): string {
    this.initializers.push(tensor);
    return tensor.name ?? '';
  }

  /** An int64 constant; equal ones are shared. A number makes a scalar. */
  ints(values: readonly number[] | number): string {
    return this.constant(`i${JSON.stringify(values)}`, (name) =>
      typeof values === 'number' ? intTensor(name, [], [values]) : intTensor(name, [values.length], values),
    );
  }

  /** An int32 scalar constant; equal ones are shared. */
  int32(value: number): string {
    return this.constant(`w${value}`, (name) => int32Tensor(name, [], [value]));
  }

  /** An f32 scalar constant; equal ones are shared. */
  float(value: number): string {
    return this.constant(`f${value}`, (name) => floatTensor(name, [], Float32Array.of(value)));
  }

  private constant(key: string, make: (name: string) => TensorProto): string {
    const known = this.constants.get(key);
    if (known !== undefined) return known;
    const name = this.fresh('const');
    this.constants.set(key, name);
    return this.initializer(make(name));
  }

  reshape(x: string, shape: readonly number[], output?: string): string {
    return this.op('Reshape', [x, this.ints(shape)], {}, '', output);
  }

  transpose(x: string, perm: readonly number[]): string {
    return this.op('Transpose', [x], { perm });
  }

  unsqueeze(x: string, axes: readonly number[]): string {
    return this.op('Unsqueeze', [x, this.ints(axes)]);
  }

  slice(x: string, axis: number, from: number, to: number): string {
    return this.op('Slice', [x, this.ints([from]), this.ints([to]), this.ints([axis])]);
  }

  cast(x: string, to: number): string {
    return this.op('Cast', [x], { to });
  }

  graph(name: string): GraphProto {
    return {
      name,
      node: this.nodes,
      initializer: this.initializers,
      input: this.inputs,
      output: this.outputs,
      valueInfo: [],
      metadataProps: [],
    };
  }

  /** The finished model, opset 21 and com.microsoft 1. */
  model(name: string): ModelProto {
    return {
      irVersion: 10,
      producerName: 'tokenloom',
      opsetImport: [
        { domain: '', version: 21 },
        { domain: MICROSOFT, version: 1 },
      ],
      metadataProps: [],
      graph: this.graph(name),
    };
  }
}

export { DataType };
