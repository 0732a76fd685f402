/**
 * External data: weights that lie in a file beside the graph, as exporters write them from a certain size on.
 */
import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { ModelError } from '../../base/errors.js';
import type { ModelProto, TensorProto } from './proto.js';

/**
 * Moves initializers of at least `threshold` bytes out of the model into one buffer, which the caller saves as `location` beside it.
 * Changes the model. Offsets are aligned to 4096, so that the file can be mapped.
 */
export function externalize(model: ModelProto, location: string, threshold = 1024): Uint8Array {
  const parts: { readonly at: number; readonly bytes: Uint8Array }[] = [];
  let size = 0;
  for (const tensor of model.graph?.initializer ?? []) {
    const bytes = tensor.rawData;
    if (bytes === undefined || bytes.length < threshold) continue;
    const at = Math.ceil(size / 4096) * 4096;
    parts.push({ at, bytes });
    size = at + bytes.length;
    delete tensor.rawData;
    tensor.dataLocation = 1;
    tensor.externalData = [
      { key: 'location', value: location },
      { key: 'offset', value: String(at) },
      { key: 'length', value: String(bytes.length) },
    ];
  }
  const out = new Uint8Array(size);
  for (const { at, bytes } of parts) out.set(bytes, at);
  return out;
}

/**
 * The model with its external files named by where they really lie, and that folder. ONNX Runtime refuses files outside the
 * folder it is told, and in the hub's cache every file is a link to a folder of blobs. Throws ModelError for a location that
 * leads out of the graph's folder by itself, and for data that is missing. Shares everything but the external tensors.
 */
export async function resolveExternal(
  model: ModelProto,
  graphFile: string,
): Promise<{ model: ModelProto; folder: string }> {
  const folder = path.dirname(graphFile);
  const real = new Map<string, string>();
  for (const tensor of model.graph?.initializer ?? []) {
    const name = locationOf(tensor);
    if (name === undefined || real.has(name)) continue;
    const file = path.resolve(folder, name);
    if (path.isAbsolute(name) || !file.startsWith(path.resolve(folder) + path.sep)) {
      throw new ModelError(graphFile, 'external data inside its folder', `'${name}'`);
    }
    try {
      real.set(name, await realpath(file));
    } catch (error) {
      throw new ModelError(file, 'the external data of the graph', 'nothing there', { cause: error });
    }
  }
  const folders = new Set([...real.values()].map((f) => path.dirname(f)));
  const [only] = folders;
  if (model.graph === undefined || only === undefined || folders.size > 1) return { model, folder };
  const initializer = model.graph.initializer.map((t): TensorProto => {
    const name = locationOf(t);
    const file = name === undefined ? undefined : real.get(name);
    if (file === undefined) return t;
    const value = path.basename(file);
    return { ...t, externalData: t.externalData.map((e) => (e.key === 'location' ? { ...e, value } : e)) };
  });
  return { model: { ...model, graph: { ...model.graph, initializer } }, folder: only };
}

/** Bytes of the external files beside a graph; a missing one counts nothing (opening says what is wrong). */
export async function externalBytes(model: ModelProto, graphFile: string): Promise<number> {
  const names = new Set((model.graph?.initializer ?? []).map(locationOf));
  let sum = 0;
  for (const name of names) {
    if (name === undefined) continue;
    sum += await stat(path.resolve(path.dirname(graphFile), name)).then(
      (s) => s.size,
      () => 0,
    );
  }
  return sum;
}

function locationOf(tensor: TensorProto): string | undefined {
  if (tensor.dataLocation !== 1) return undefined;
  return tensor.externalData.find((e) => e.key === 'location')?.value;
}
