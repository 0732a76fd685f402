/**
 * Mixtures of experts on WebGPU. The provider has no MoE kernel, and its QMoE kernel is wrong at random once several tokens share a run (a
 * race between workgroups): a few runs can prove the fault, none can prove that it is absent. So that kernel never runs: the experts
 * run in plain operators on the device or by the host's kernel, whichever was faster here for one token and for sixteen; the fault's probe
 * says in the warnings what was seen.
 */
import { ModelError } from '../base/errors.js';
import { createRandom } from '../base/random.js';
import { encodeModel, type ModelProto, type NodeProto } from './onnx/proto.js';
import { dimsOf } from './onnx/tensor.js';
import { relativeDifference } from './probe.js';
import { isMixture, mixtureAlone, plainExperts } from './rewrite/experts.js';
import { Session, type SessionOptions, Tensor, toFloats } from './session.js';

export interface ExpertsOnDevice {
  readonly model: ModelProto;
  /** Nodes that run on the host. */
  readonly hostNodes: readonly string[];
  readonly warning?: string;
}

const RUNS = 24;
const ROWS = 16;
/** How far the kernel's own rounding may go. */
const WRONG = 0.05;

/** See the module's header. `prefer`: what was measured elsewhere. */
export async function expertsOnDevice(
  model: ModelProto,
  session: SessionOptions,
  prefer?: 'plain' | 'host',
): Promise<ExpertsOnDevice> {
  const nodes = (model.graph?.node ?? []).filter(isMixture);
  const node = nodes[0];
  if (node === undefined) return { model, hostNodes: [] };
  const hostNodes = nodes.map((n) => n.name ?? '').filter((n) => n !== '');
  const alone = mixtureAlone(model, node);
  const fault = node.opType === 'QMoE' ? await describeFault(alone, node) : 'WebGPU has no MoE kernel';
  const plain = plainExperts(model);
  if ('refused' in plain) {
    return {
      model,
      hostNodes,
      warning: `experts run on the host, and each step waits for it: ${fault}; ${plain.refused}`,
    };
  }
  const times = prefer === undefined ? await compare(alone, session) : undefined;
  const figures =
    times === undefined
      ? ''
      : ` (one layer, 1 and ${ROWS} tokens: ${times.plain.toFixed(2)} ms there, ${times.host.toFixed(2)} on the host)`;
  if ((prefer ?? (times !== undefined && times.plain <= times.host ? 'plain' : 'host')) === 'plain') {
    return { model: plain, hostNodes: [], warning: `experts run in plain operators on the device: ${fault}${figures}` };
  }
  return { model, hostNodes, warning: `experts run on the host, and each step waits for it: ${fault}${figures}` };
}

/** Runs the kernel several times on the same rows and says how often they came out wrong. */
async function describeFault(alone: ModelProto, node: NodeProto): Promise<string> {
  const known = 'the QMoE kernel of WebGPU is wrong at random for several tokens at once';
  if (alone.graph?.initializer.some((t) => t.dataLocation === 1)) return known;
  let host: Session | undefined;
  let device: Session | undefined;
  try {
    host = await Session.create({ bytes: encodeModel(alone), name: node.name ?? 'QMoE' }, { device: 'cpu' });
    const feeds = rowsFor(alone, 2 * ROWS);
    const right = toFloats((await host.run(feeds, ['y'])).y!);
    device = await Session.create({ bytes: encodeModel(alone), name: node.name ?? 'QMoE' }, { device: 'webgpu' });
    let wrong = 0;
    for (let i = 0; i < RUNS; i++) {
      const got = toFloats((await device.run(feeds, ['y'])).y!);
      if (relativeDifference([right], [got]) > WRONG) wrong++;
    }
    return `${known} (seen in ${wrong} of ${RUNS} runs here)`;
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return `${known}, and does not run this model's experts by themselves`;
  } finally {
    await host?.dispose();
    await device?.dispose();
  }
}

/** Milliseconds for one token and for ROWS, one layer. */
async function compare(alone: ModelProto, session: SessionOptions): Promise<{ plain: number; host: number }> {
  const plain = plainExperts(alone);
  if ('refused' in plain) return { plain: Number.POSITIVE_INFINITY, host: 0 };
  const { threads } = session;
  const options = threads === undefined ? {} : { threads };
  return {
    plain: await time(plain, alone, { ...options, device: 'webgpu' }),
    host: await time(alone, alone, { ...options, device: 'cpu' }),
  };
}

async function time(model: ModelProto, like: ModelProto, options: SessionOptions): Promise<number> {
  const session = await Session.create({ bytes: encodeModel(model), name: 'experts' }, options);
  try {
    let sum = 0;
    for (const rows of [1, ROWS]) {
      const feeds = rowsFor(like, rows);
      let least = Number.POSITIVE_INFINITY;
      for (let i = 0; i < 5; i++) {
        const start = performance.now();
        await session.run(feeds, ['y']);
        if (i > 0) least = Math.min(least, performance.now() - start);
      }
      sum += least;
    }
    return sum;
  } finally {
    await session.dispose();
  }
}

/** Random rows and scores for a mixture alone. */
function rowsFor(model: ModelProto, n: number): Record<string, Tensor> {
  const { hidden, experts } = sizes(model);
  const random = createRandom(5);
  const numbers = (size: number, scale: number): Float32Array =>
    Float32Array.from({ length: size }, () => (random.float() * 2 - 1) * scale);
  return {
    x: new Tensor('float32', numbers(n * hidden, 1), [n, hidden]),
    scores: new Tensor('float32', numbers(n * experts, 3), [n, experts]),
  };
}

function sizes(model: ModelProto): { hidden: number; experts: number } {
  const { graph } = model;
  const node = graph?.node.find(isMixture);
  const names = node === undefined ? [] : [node.input[2], node.input[node.opType === 'QMoE' ? 5 : 4]];
  const [first, second] = names.map((n) => graph?.initializer.find((t) => t.name === n));
  if (first !== undefined && second !== undefined) {
    return { experts: dimsOf(first)[0] ?? 1, hidden: dimsOf(second)[1] ?? 1 };
  }
  throw new ModelError('the mixture of experts', 'weights in the model', 'others');
}
