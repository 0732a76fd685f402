/**
 * Any decoder with past and present inputs, run as its exporter meant it: one sequence per run, the present of one run being
 * the past of the next.
 *
 * ONNX Runtime copies each output, so each step copies the whole cache of each sequence once; nothing here copies it a second time
 * (forks share tensors, truncation slices only when the next step needs it). This form is the reference that the paged form
 * is checked against, and what runs a graph that cannot be rewritten.
 */
import { LimitError, ModelError } from '../base/errors.js';
import type { ExpertTrace, OpenOptions, StepHandle, StepModel, StepRow } from '../decoder/model.js';
import { HostHandle } from './handle.js';
import type { DecoderNames } from './io.js';
import { checkRows, topIndices } from './rows.js';
import { int64, type Session, Tensor, toFloats } from './session.js';

export interface ContiguousOptions {
  readonly contextLength: number;
  readonly vocabSize: number;
  /** Bytes that all sequences may hold together. */
  readonly kvBytes: number;
  /** Experts that a token uses, where the graph gives routers' scores. */
  readonly topK?: number;
  /** Most tokens of one run; default: as many as give 64 MiB of logits. */
  readonly chunk?: number;
}

interface Sequence {
  length: number;
  /** Key and value of each layer, [1, KH, P, D] with P >= length; undefined while empty. */
  past: readonly Tensor[] | undefined;
}

interface RowRun {
  readonly past: readonly Tensor[];
  readonly logits: readonly Float32Array[];
  readonly routers: readonly Float32Array[];
}

/** See the module's header. */
export class ContiguousModel implements StepModel {
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly samples = false;
  readonly maxRows = 256;
  readonly maxStepTokens = 65_536;
  private readonly sequences = new Map<number, Sequence>();
  private readonly fetches: readonly string[];
  private readonly empty: readonly Tensor[];
  private readonly positionBytes: number;
  /** Tokens per run: bounds the logits that a run returns to 64 MiB. */
  private readonly chunk: number;
  private next = 1;
  private running: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly session: Session,
    private readonly names: DecoderNames,
    private readonly options: ContiguousOptions,
  ) {
    this.vocabSize = options.vocabSize;
    this.contextLength = options.contextLength;
    this.chunk = Math.max(1, options.chunk ?? Math.floor(2 ** 24 / options.vocabSize));
    const pairs = names.layers.flatMap((l) => [l.presentKey, l.presentValue]);
    this.fetches = [names.logits, ...pairs, ...names.routers];
    let bytes = 0;
    this.empty = names.layers
      .flatMap((l) => [l.pastKey, l.pastValue])
      .map((name) => {
        const info = session.inputs.find((i) => i.name === name);
        const [kh, d] = [info?.shape[1], info?.shape[3]];
        if (typeof kh !== 'number' || typeof d !== 'number') {
          throw new ModelError(
            session.name,
            `input '${name}' of shape [batch, heads, past, size]`,
            `[${info?.shape.join()}]`,
          );
        }
        bytes += kh * d * (info?.type === 'float16' ? 2 : 4);
        if (info?.type === 'float16') return new Tensor('float16', new Uint16Array(0), [1, kh, 0, d]);
        if (info?.type === 'float32') return new Tensor('float32', new Float32Array(0), [1, kh, 0, d]);
        throw new ModelError(session.name, `input '${name}' of float32 or float16`, info?.type ?? 'none');
      });
    this.positionBytes = bytes;
  }

  open(_options?: OpenOptions): { readonly sequence: number; readonly cached: number } {
    const sequence = this.next++;
    this.sequences.set(sequence, { length: 0, past: undefined });
    return { sequence, cached: 0 };
  }

  length(sequence: number): number {
    return this.sequences.get(sequence)?.length ?? 0;
  }

  fits(rows: readonly { readonly sequence: number; readonly tokens: number }[]): boolean {
    let positions = 0;
    for (const s of this.sequences.values()) positions += s.length;
    for (const r of rows) positions += r.tokens;
    return positions * this.positionBytes <= this.options.kvBytes;
  }

  /** Bytes of KV held now. */
  usedBytes(): number {
    let positions = 0;
    for (const s of this.sequences.values()) positions += s.length;
    return positions * this.positionBytes;
  }

  submit(rows: readonly StepRow[]): Promise<StepHandle> {
    const run = this.running.then(() => this.runStep(rows));
    this.running = run.catch(() => undefined);
    return run;
  }

  private async runStep(rows: readonly StepRow[]): Promise<StepHandle> {
    checkRows(rows, this, (s) => this.sequences.get(s)?.length);
    const fit = rows.map((r) => ({ sequence: r.sequence, tokens: r.tokens.length }));
    if (!this.fits(fit)) {
      const need = this.usedBytes() + fit.reduce((a, r) => a + r.tokens, 0) * this.positionBytes;
      throw new LimitError('bytes of KV cache', need, this.options.kvBytes);
    }
    const started = performance.now();
    const done: RowRun[] = [];
    for (const row of rows) done.push(await this.runRow(row));
    rows.forEach((row, i) => {
      const sequence = this.sequences.get(row.sequence);
      const run = done[i];
      if (sequence === undefined || run === undefined) return;
      sequence.past = run.past;
      sequence.length += row.tokens.length;
    });
    return new HostHandle(
      done.map((r) => ({ logits: r.logits, restricted: false })),
      this.experts(done),
      performance.now() - started,
    );
  }

  /** Runs a row in chunks, since such graphs return the logits of every position of a run. */
  private async runRow(row: StepRow): Promise<RowRun> {
    const sequence = this.sequences.get(row.sequence);
    const start = sequence?.length ?? 0;
    const chunk = this.names.logitsToKeep === undefined ? this.chunk : row.tokens.length;
    const logits: Float32Array[] = [];
    const routers: Float32Array[][] = this.names.routers.map(() => []);
    let held = start === 0 || sequence?.past === undefined ? this.empty : sequence.past;
    for (let from = 0; from < row.tokens.length; from += chunk) {
      const tokens = row.tokens.slice(from, from + chunk);
      const end = from + tokens.length;
      const wanted = Math.max(0, end - Math.max(from, row.tokens.length - row.logits));
      const run = await this.runChunk(tokens, wanted, start + from, held);
      held = run.past;
      logits.push(...run.logits);
      run.routers.forEach((r, i) => {
        routers[i]?.push(r);
      });
    }
    return { past: held, logits, routers: routers.map(join) };
  }

  private async runChunk(
    tokens: readonly number[],
    wantedLogits: number,
    past: number,
    held: readonly Tensor[],
  ): Promise<RowRun> {
    const { names, vocabSize } = this;
    const n = tokens.length;
    const feeds: Record<string, Tensor> = { [names.inputIds]: int64(tokens, [1, n]) };
    if (names.attentionMask !== undefined) {
      feeds[names.attentionMask] = new Tensor('int64', new BigInt64Array(past + n).fill(1n), [1, past + n]);
    }
    if (names.positionIds !== undefined) {
      feeds[names.positionIds] = int64(
        Array.from({ length: n }, (_, i) => past + i),
        [1, n],
      );
    }
    if (names.useCache !== undefined) feeds[names.useCache] = new Tensor('bool', [past > 0], [1]);
    if (names.logitsToKeep !== undefined) feeds[names.logitsToKeep] = int64([Math.max(1, wantedLogits)], []);
    names.layers.forEach((l, i) => {
      feeds[l.pastKey] = cut(held[2 * i]!, past);
      feeds[l.pastValue] = cut(held[2 * i + 1]!, past);
    });
    const out = await this.session.run(feeds, this.fetches);
    const logits = toFloats(out[names.logits]!);
    const rowsOut = logits.length / vocabSize;
    if (!Number.isInteger(rowsOut) || rowsOut < wantedLogits) {
      throw new ModelError(
        this.session.name,
        `logits of ${vocabSize} columns`,
        `shape [${out[names.logits]?.dims.join()}]`,
      );
    }
    const wanted = Array.from({ length: wantedLogits }, (_, i) => {
      const at = (rowsOut - wantedLogits + i) * vocabSize;
      return logits.subarray(at, at + vocabSize);
    });
    return {
      past: names.layers.flatMap((l) => [out[l.presentKey]!, out[l.presentValue]!]),
      logits: wanted,
      routers: names.routers.map((name) => toFloats(out[name]!)),
    };
  }

  /** Per MoE layer the chosen experts of each token of the step. */
  private experts(done: readonly RowRun[]): ExpertTrace | undefined {
    const { names, options, session } = this;
    const k = options.topK;
    const experts = Number(session.outputs.find((o) => o.name === names.routers[0])?.shape.at(-1));
    if (k === undefined || !Number.isInteger(experts)) return undefined;
    const ids = names.routers.map((_, layer) => {
      const parts = done.map((d) => d.routers[layer] ?? new Float32Array(0));
      const tokens = parts.reduce((a, p) => a + p.length / experts, 0);
      const out = new Uint16Array(tokens * k);
      let at = 0;
      for (const p of parts) {
        for (let t = 0; t * experts < p.length; t++, at += k) topIndices(p, t * experts, experts, k, out, at);
      }
      return out;
    });
    return { k, experts, ids };
  }

  suspend(_sequence: number): void {}

  resume(_sequence: number): void {}

  truncate(sequence: number, length: number): void {
    const s = this.sequences.get(sequence);
    if (s !== undefined && length < s.length) s.length = Math.max(0, length);
  }

  fork(sequence: number): number {
    const s = this.sequences.get(sequence);
    const id = this.next++;
    this.sequences.set(id, { length: s?.length ?? 0, past: s?.past });
    return id;
  }

  close(sequence: number): void {
    this.sequences.delete(sequence);
  }

  async dispose(): Promise<void> {
    await this.running;
    this.sequences.clear();
    await this.session.dispose();
  }
}

function join(parts: readonly Float32Array[]): Float32Array {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const out = new Float32Array(parts.reduce((a, p) => a + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

/** The first `length` positions of [1, KH, P, D]; the tensor itself where P is `length`. */
function cut(tensor: Tensor, length: number): Tensor {
  const [, heads = 0, positions = 0, size = 0] = tensor.dims;
  if (positions === length) return tensor;
  const slice = <T extends Float32Array | Uint16Array>(data: T, out: T): T => {
    for (let h = 0; h < heads; h++) {
      const from = h * positions * size;
      out.set(data.subarray(from, from + length * size), h * length * size);
    }
    return out;
  };
  const dims = [1, heads, length, size];
  const n = heads * length * size;
  return tensor.type === 'float32'
    ? new Tensor('float32', slice(tensor.data as Float32Array, new Float32Array(n)), dims)
    : new Tensor('float16', slice(tensor.data as Uint16Array, new Uint16Array(n)), dims);
}
