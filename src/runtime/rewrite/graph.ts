/**
 * Looking around in a graph and taking dead parts out of it: what every rewrite needs.
 */
import type { GraphProto, ModelProto, NodeProto, TensorProto, ValueInfo } from '../onnx/proto.js';

/** Who makes and who uses each value of a graph. Valid until the graph's nodes change. */
export interface GraphIndex {
  readonly producer: ReadonlyMap<string, NodeProto>;
  readonly consumers: ReadonlyMap<string, readonly NodeProto[]>;
  readonly initializer: ReadonlyMap<string, TensorProto>;
}

export function indexGraph(graph: GraphProto): GraphIndex {
  const producer = new Map<string, NodeProto>();
  const consumers = new Map<string, NodeProto[]>();
  for (const node of graph.node) {
    for (const name of node.output) if (name !== '') producer.set(name, node);
    for (const name of usedBy(node)) {
      const list = consumers.get(name);
      if (list === undefined) consumers.set(name, [node]);
      else list.push(node);
    }
  }
  return { producer, consumers, initializer: new Map(graph.initializer.map((t) => [t.name ?? '', t])) };
}

/** Names that a node reads, those of its subgraphs included. */
function usedBy(node: NodeProto): string[] {
  const out = node.input.filter((n) => n !== '');
  for (const a of node.attribute) {
    const graphs = a.g === undefined ? a.graphs : [a.g, ...a.graphs];
    for (const g of graphs) for (const inner of g.node) out.push(...usedBy(inner));
    for (const g of graphs) for (const o of g.output) if (o.name !== undefined) out.push(o.name);
  }
  return out;
}

/** Removes nodes, initializers and inputs that no output depends on. Inputs named in `keep` stay. */
export function prune(graph: GraphProto, keep: ReadonlySet<string> = new Set()): void {
  const { producer } = indexGraph(graph);
  const alive = new Set<string>();
  const nodes = new Set<NodeProto>();
  const todo = graph.output.map((o) => o.name ?? '');
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    if (alive.has(name)) continue;
    alive.add(name);
    const node = producer.get(name);
    if (node === undefined || nodes.has(node)) continue;
    nodes.add(node);
    todo.push(...usedBy(node));
  }
  graph.node = graph.node.filter((n) => nodes.has(n));
  graph.initializer = graph.initializer.filter((t) => alive.has(t.name ?? ''));
  const initial = new Set(graph.initializer.map((t) => t.name));
  graph.input = graph.input.filter((i) => {
    const name = i.name ?? '';
    return keep.has(name) || (alive.has(name) && !initial.has(name));
  });
  // Shapes noted for inner values no longer hold once batch and sequence mean something else.
  graph.valueInfo = [];
}

/** A copy of the model that shares weights but whose node, input and output lists can be changed. */
export function copyModel(model: ModelProto): ModelProto {
  const graph = model.graph;
  if (graph === undefined) return { ...model };
  return {
    ...model,
    opsetImport: model.opsetImport.map((o) => ({ ...o })),
    graph: {
      ...graph,
      node: graph.node.map((n) => ({ ...n, input: [...n.input], output: [...n.output] })),
      initializer: [...graph.initializer],
      input: [...graph.input],
      output: [...graph.output],
      valueInfo: [],
    },
  };
}

/** Dims of a declared tensor; symbolic ones are names. */
export function declaredDims(info: ValueInfo | undefined): (number | string)[] {
  return (info?.type?.tensorType?.shape?.dim ?? []).map((d) =>
    d.dimValue === undefined ? (d.dimParam ?? '?') : Number(d.dimValue),
  );
}

/** Opset of a domain that the model imports. */
export function opsetOf(model: ModelProto, domain: string): number {
  const found = model.opsetImport.find((o) => (o.domain ?? '') === domain);
  return found?.version === undefined ? 0 : Number(found.version);
}
