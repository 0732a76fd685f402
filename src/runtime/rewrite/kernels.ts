/**
 * Kernel choices that a graph leaves open.
 *
 * MatMulNBits with 8 bits and accuracy_level 0 ("unset") unpacks all weights to f32 in every run on CPU; with level 4 (activations
 * rounded to int8 per block) it multiplies them as they are. Measured on a 3.8M-parameter model: 6.4 ms against 0.33 ms per token,
 * logits apart by 2% of the greatest. Other widths have f32 kernels that do not unpack, and stay as they are.
 */
import { attribute, intAttribute } from '../onnx/builder.js';
import type { ModelProto } from '../onnx/proto.js';

/** The model with the level set where it was unset; the very same value where nothing was to be done. Weights are shared. */
export function chooseKernels(model: ModelProto): ModelProto {
  const { graph } = model;
  if (graph === undefined) return model;
  let changed = false;
  const node = graph.node.map((n) => {
    const open =
      n.opType === 'MatMulNBits' && intAttribute(n, 'bits', 4) === 8 && intAttribute(n, 'accuracy_level', 0) === 0;
    if (!open) return n;
    changed = true;
    const rest = n.attribute.filter((a) => a.name !== 'accuracy_level');
    return { ...n, attribute: [...rest, attribute('accuracy_level', 4)] };
  });
  return changed ? { ...model, graph: { ...graph, node } } : model;
}

/**
 * The model with products of f32 activations: no MatMulNBits rounds them to int8 (level 4). What devices are compared with, since each
 * rounds in its own way: on the embedded model the CPU's logits move by 7% of the greatest, WebGPU's by 1.4%, and 6% lie between them.
 */
export function exactKernels(model: ModelProto): ModelProto {
  const { graph } = model;
  if (graph === undefined) return model;
  const node = graph.node.map((n) => {
    if (n.opType !== 'MatMulNBits' || intAttribute(n, 'accuracy_level', 0) === 0) return n;
    return { ...n, attribute: n.attribute.filter((a) => a.name !== 'accuracy_level') };
  });
  return { ...model, graph: { ...graph, node } };
}
