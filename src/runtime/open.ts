/**
 * Opens a model folder's graph as a StepModel: device, form of KV memory, checks.
 *
 * On CPU the paged form is tried first: rewrite, then the probe through the original and through the rewritten graph, one session
 * after the other so that the weights are never in memory twice. A graph that is refused or that disagrees runs in the
 * contiguous form, with the reason in the warnings.
 */
import { readFile } from 'node:fs/promises';
import { LimitError, ModelError } from '../base/errors.js';
import type { StepModel } from '../decoder/model.js';
import type { Vocabulary } from '../fsm/vocabulary.js';
import { chooseDevice } from './auto-device.js';
import { ContiguousModel } from './contiguous.js';
import { expertsOnDevice } from './device-experts.js';
import { hasHalf } from './device-probe.js';
import type { ModelFolder } from './folder.js';
import { type DecoderNames, decoderNames } from './io.js';
import { DeviceStore } from './kv/device-store.js';
import { externalBytes, resolveExternal } from './onnx/external.js';
import { DataType, decodeModel, encodeModel, type ModelProto } from './onnx/proto.js';
import { PagedModel } from './paged.js';
import { checkRestricted, relativeDifference, runProbe } from './probe.js';
import { declaredDims } from './rewrite/graph.js';
import { restrictedIds } from './rewrite/head.js';
import { chooseKernels, exactKernels } from './rewrite/kernels.js';
import { BLOCK_SIZE, type PagedGraph } from './rewrite/layout.js';
import { blockBytes, rewritePaged } from './rewrite/paged.js';
import { DeviceSampler } from './sampling/device-sampler.js';
import { Session, type SessionOptions } from './session.js';
import { Traffic } from './traffic.js';
import type { Device, LoadOptions, ModelInfo } from './types.js';

export interface OpenedModel {
  readonly model: StepModel;
  readonly device: ModelInfo['device'];
  readonly form: ModelInfo['form'];
  readonly experts?: NonNullable<ModelInfo['experts']>;
  readonly warnings: readonly string[];
}

const DEFAULT_KV_BYTES = 256 * 2 ** 20;
const DEFAULT_CONTEXT = 2048;
/**
 * Graphs below this size run on one thread unless told otherwise: their operators take microseconds, and waking a second thread for
 * each costs as much. On a busy machine one thread takes 1.5 ms for a token of the embedded model, two take 3.7 (medians).
 */
const SMALL_GRAPH = 8 * 2 ** 20;

interface Plan {
  readonly files: ModelFolder;
  readonly graph: ModelProto;
  /** Whether `graph` differs from the file. */
  readonly tuned: boolean;
  readonly names: DecoderNames;
  readonly vocabSize: number;
  /** Tokens of the vocabulary. */
  readonly tokens: number;
  readonly contextLength: number;
  readonly session: SessionOptions;
  readonly options: LoadOptions;
  readonly warnings: string[];
}

/** See the module's header. Throws ModelError where the graph cannot run at all. */
export async function openModel(
  files: ModelFolder,
  vocabulary: Vocabulary,
  options: LoadOptions,
): Promise<OpenedModel> {
  const warnings: string[] = [];
  const { model: read, bytes } = await readGraph(files.graph);
  const source: GraphSource = { read, bytes, files, vocabulary };
  let device = options.device ?? 'auto';
  if (device === 'auto') {
    const auto = await chooseDevice(bytes + (await externalBytes(read, files.graph)));
    if (auto.warning !== undefined) warnings.push(auto.warning);
    device = auto.device;
    if (device !== 'cpu') {
      try {
        return await openOn(device, source, options, warnings);
      } catch (error) {
        if (!(error instanceof ModelError || error instanceof LimitError)) throw error;
        warnings.push(
          `device 'auto' is the CPU: the model does not open on '${device}' (${error.message.slice(0, 300)})`,
        );
        device = 'cpu';
      }
    }
  }
  return openOn(device, source, options, warnings);
}

/** What is opened. */
interface GraphSource {
  readonly read: ModelProto;
  /** Of the graph's file. */
  readonly bytes: number;
  readonly files: ModelFolder;
  readonly vocabulary: Vocabulary;
}

async function openOn(
  device: Exclude<Device, 'auto'>,
  { read, bytes, files, vocabulary }: GraphSource,
  options: LoadOptions,
  warnings: string[],
): Promise<OpenedModel> {
  if (files.contextLength === undefined) {
    warnings.push(`no file says how long the context is; ${DEFAULT_CONTEXT} positions are assumed`);
  }
  if (device === 'webgpu' && isHalf(read) && !(await hasHalf())) {
    throw new ModelError(
      files.graph,
      "an adapter with half precision (shader-f16; without it choose a dtype of f32 or device 'cpu')",
      'none',
    );
  }
  const graph = options.exact === true ? exactKernels(read) : device === 'cpu' ? chooseKernels(read) : read;
  const [inputs, outputs] = [graph.graph?.input ?? [], graph.graph?.output ?? []];
  const initial = new Set(graph.graph?.initializer.map((t) => t.name));
  const names = decoderNames(
    files.graph,
    inputs.map((i) => i.name ?? '').filter((n) => !initial.has(n)),
    outputs.map((o) => o.name ?? ''),
    files.patterns,
  );
  const columns = declaredDims(outputs.find((o) => o.name === names.logits)).at(-1);
  const vocabSize = typeof columns === 'number' ? columns : (files.vocabSize ?? vocabulary.size);
  if (vocabSize < vocabulary.size - unusedTail(vocabulary)) {
    throw new ModelError(files.graph, `logits for the tokenizer's ${vocabulary.size} tokens`, `${vocabSize} columns`);
  }
  const external = read.graph?.initializer.some((t) => t.dataLocation === 1) ?? false;
  const few = bytes < SMALL_GRAPH && !external ? { threads: 1 } : {};
  const threads = options.threads === undefined ? few : { threads: options.threads };
  const contextLength = files.contextLength ?? DEFAULT_CONTEXT;
  const traffic = new Traffic();
  const session = { device, traffic, ...threads };
  const plan: Plan = {
    files,
    graph,
    tuned: graph !== read,
    names,
    vocabSize,
    tokens: vocabulary.size,
    contextLength,
    session,
    options,
    warnings,
  };
  const form = options.kv?.form ?? 'auto';
  if (form !== 'contiguous') {
    const opened = await tryPaged(plan, device, form === 'paged');
    if (opened !== undefined) return opened;
  }
  options.onProgress?.({ phase: 'session' });
  return { model: await openContiguous(plan), device, form: 'contiguous', warnings };
}

async function readGraph(file: string): Promise<{ model: ModelProto; bytes: number }> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ModelError(file, 'a readable ONNX file below 2 GiB', why, { cause: error });
  }
  return { model: decodeModel(bytes, file), bytes: bytes.length };
}

async function openContiguous(plan: Plan): Promise<ContiguousModel> {
  const session = await (plan.tuned
    ? sessionOf(plan, plan.graph)
    : Session.create({ path: plan.files.graph }, plan.session));
  const { contextLength, vocabSize, files } = plan;
  try {
    return new ContiguousModel(session, plan.names, {
      contextLength,
      vocabSize,
      kvBytes: plan.options.kv?.bytes ?? 4 * DEFAULT_KV_BYTES,
      ...(files.experts === undefined ? {} : { topK: files.experts.topK }),
    });
  } catch (error) {
    await session.dispose();
    throw error;
  }
}

/** The paged form, or undefined (reason in the warnings) where the graph does not allow it; throws then if it `must`. */
async function tryPaged(plan: Plan, device: ModelInfo['device'], must: boolean): Promise<OpenedModel | undefined> {
  const refuse = (reason: string): undefined => {
    if (must) throw new ModelError(plan.files.graph, "a graph that can be paged (kv.form 'paged')", reason);
    const also = plan.options.kv?.dtype === 'int8' ? ', the cache stays as the graph has it' : '';
    plan.warnings.push(`contiguous KV cache: ${reason}; requests run one by one${also}`);
    return undefined;
  };
  if (device !== 'cpu' && device !== 'webgpu')
    return refuse(`the paged form runs on 'cpu' and 'webgpu', not on '${device}'`);
  const blocks = poolBlocks(plan);
  if (typeof blocks === 'string') return refuse(blocks);
  const pool = device === 'webgpu' ? 'device' : (plan.options.kv?.dtype ?? 'f32');
  const paged = rewritePaged(plan.graph, plan.names, blocks, pool, false, plan.options.kv?.invariant);
  if ('refused' in paged) return refuse(`the graph cannot be rewritten (${paged.refused})`);
  const window = plan.files.slidingWindow;
  if (paged.form === 'padded' && window !== undefined && window < plan.contextLength) {
    return refuse('its sliding window is part of the mask arithmetic');
  }
  plan.options.onProgress?.({ phase: 'check' });
  const expected = await probeOriginal(plan);
  plan.options.signal?.throwIfAborted();
  plan.options.onProgress?.({ phase: 'session' });
  // Half precision has a kernel that reads blocks where they are; plain operators gather them.
  const kernel = rewritePaged(plan.graph, plan.names, blocks, pool, true);
  let opened = 'refused' in kernel ? kernel.refused : await openChecked(plan, kernel, expected, must);
  if (typeof opened === 'string') {
    if (!('refused' in kernel)) plan.warnings.push(`attention runs in plain operators: with PagedAttention ${opened}`);
    opened = await openChecked(plan, paged, expected, must);
  }
  if (typeof opened === 'string') return refuse(opened);
  const { experts } = paged;
  return {
    model: opened,
    device,
    form: 'paged',
    warnings: plan.warnings,
    ...(experts === undefined ? {} : { experts: { layers: experts.layers, count: experts.count, topK: experts.k } }),
  };
}

/** The model, or why the rewritten graph cannot be trusted or does not run; what is wrong throws where it `must` run. */
async function openChecked(
  plan: Plan,
  paged: PagedGraph,
  expected: Float32Array[] | undefined,
  must: boolean,
): Promise<PagedModel | string> {
  let model: PagedModel | undefined;
  try {
    model = await openPaged(plan, paged);
    const got = await runProbe(model, plan.vocabSize);
    const difference = expected === undefined ? 0 : relativeDifference(expected, got);
    if (difference > tolerance(plan.graph, plan.options.kv?.dtype)) {
      await model.dispose();
      return `the rewritten graph differs from the original by ${difference.toExponential(1)} on a probe`;
    }
    if (paged.head !== undefined && paged.picks && !model.samples) {
      const same = (await checkRestricted(model, plan.vocabSize)) < 1e-3;
      model.restrict(same ? restrictedIds(paged.head) : 0);
    }
    model.clearCache();
    return model;
  } catch (error) {
    await model?.dispose();
    if (!(error instanceof ModelError) || (must && !paged.kernel)) throw error;
    return `the rewritten graph does not run (${error.input}: expected ${error.expected}, got ${error.got.slice(0, 200)})`;
  }
}

/** The original's logits, or undefined (and a warning) where it cannot run here, as graphs made for another device. */
async function probeOriginal(plan: Plan): Promise<Float32Array[] | undefined> {
  let model: ContiguousModel | undefined;
  try {
    const exact = plan.session.device === 'cpu' ? {} : { graph: exactKernels(plan.graph), tuned: true };
    model = await openContiguous({ ...plan, ...exact, session: { ...plan.session, device: 'cpu' } });
    return await runProbe(model, plan.vocabSize);
  } catch (error) {
    if (model === undefined || !(error instanceof ModelError)) throw error;
    plan.warnings.push(
      `the graph as it is does not run here (${error.got.slice(0, 200)}), so its paged form is unchecked`,
    );
    return undefined;
  } finally {
    await model?.dispose();
  }
}

async function openPaged(plan: Plan, paged: PagedGraph): Promise<PagedModel> {
  const { vocabSize, contextLength } = plan;
  const { traffic = new Traffic() } = plan.session;
  let graph = paged.model;
  let sessionPlan = plan;
  if (paged.pool === 'device') {
    const experts = await expertsOnDevice(graph, plan.session);
    if (experts.warning !== undefined) plan.warnings.push(experts.warning);
    graph = experts.model;
    sessionPlan = { ...plan, session: { ...plan.session, hostNodes: experts.hostNodes } };
  }
  const session = await sessionOf(sessionPlan, graph);
  try {
    const { prefixCache = true, swap = {} } = plan.options.kv ?? {};
    const { blocks, layers, kvHeads, headDim, pool } = paged;
    const shape = {
      blocks,
      layers,
      kvHeads,
      headDim,
      type: pool,
      half: paged.type === 'float16',
      kernel: paged.kernel,
    };
    const device =
      pool === 'device'
        ? {
            traffic,
            store: await DeviceStore.create(shape, plan.session),
            sampler: new DeviceSampler(plan.session, {
              type: paged.logitsType,
              columns: vocabSize,
              tokens: Math.min(plan.tokens, vocabSize),
            }),
          }
        : undefined;
    return new PagedModel(session, paged, { contextLength, vocabSize, prefixCache, restrictUpTo: 0, swap }, device);
  } catch (error) {
    await session.dispose();
    throw error;
  }
}

/** A session of a graph that was changed in memory; external data stays where it is. */
async function sessionOf(plan: Plan, changed: ModelProto): Promise<Session> {
  const { model, folder } = await resolveExternal(changed, plan.files.graph);
  return Session.create({ bytes: encodeModel(model), name: plan.files.graph, folder }, plan.session);
}

/** Blocks of the pool, by count, by bytes or by default, or why there can be none. */
function poolBlocks(plan: Plan): number | string {
  const { kv } = plan.options;
  const pool = plan.session.device === 'webgpu' ? 'device' : (kv?.dtype ?? 'f32');
  const size = blockBytes(plan.graph, plan.names, pool);
  if (typeof size !== 'number') return `the graph cannot be rewritten (${size.refused})`;
  // A device binds its pool as one buffer; 128 MiB is what every WebGPU adapter allows.
  const bytes = kv?.bytes ?? (plan.session.device === 'cpu' ? DEFAULT_KV_BYTES : DEFAULT_KV_BYTES / 2);
  const blocks = kv?.blocks ?? Math.floor(bytes / size);
  if (blocks < 1) throw new LimitError('bytes of one KV block', size, bytes);
  if (blocks * BLOCK_SIZE < plan.contextLength) {
    plan.warnings.push(
      `the KV pool holds ${blocks * BLOCK_SIZE} positions, fewer than the model's ${plan.contextLength}; raise kv.bytes for more`,
    );
  }
  return blocks;
}

/** How far logits may differ, relative to the greatest: rounding, or what quantised activations or an int8 cache make of it. */
function tolerance(model: ModelProto, kv: 'f32' | 'int8' = 'f32'): number {
  const ops = new Set(model.graph?.node.map((n) => n.opType));
  const quantised = ['MatMulNBits', 'QMoE', 'MatMulInteger', 'DynamicQuantizeMatMul', 'QLinearMatMul'];
  if (kv === 'int8' || quantised.some((op) => ops.has(op))) return 0.05;
  // Devices sum products in half precision, which shifts logits of a small trained model by 3% of the greatest on average.
  return isHalf(model) ? 0.1 : 1e-3;
}

/** Whether a graph computes in half precision. */
function isHalf(model: ModelProto): boolean {
  const given = [...(model.graph?.input ?? []), ...(model.graph?.output ?? [])];
  return given.some((v) => v.type?.tensorType?.elemType === DataType.float16);
}

/** Tokens at the end of the vocabulary that have no bytes and do not end sequences: a model may lack logits for them. */
function unusedTail(vocabulary: Vocabulary): number {
  let n = 0;
  for (let id = vocabulary.size - 1; id >= 0 && vocabulary.isNull(id) && !vocabulary.isEos(id); id--) n++;
  return n;
}
