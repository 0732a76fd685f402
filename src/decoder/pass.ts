/**
 * One pass of the model and what it means for each of its rows: tokens are chosen (on the model's side or here), drafts are kept as far
 * as they hold, outputs that share a prompt part ways.
 *
 * Faults stay with their request: an error while a row's outcome is taken fails that request; a pass that rejects is run again row by
 * row, so that only the row at fault fails.
 */
import { type Picked, refusedBy } from './choice.js';
import { type Choice, choicesOf, idsOf } from './device.js';
import type { ExpertProfiles } from './experts.js';
import type { FittedRow } from './memory.js';
import type { Metrics } from './metrics.js';
import type { Sampled as SampledToken, StepHandle, StepModel, StepRow } from './model.js';
import type { Scratch } from './scratch.js';
import type { Sequence } from './sequence.js';
import type { Slot, Slots } from './slots.js';

export interface PassRow {
  readonly slot: Slot;
  readonly row: StepRow;
}

/** What the model's side chose: by output, then by position. */
type Sampled = Map<Sequence, Map<number, Picked>>;

/** A sampler run on an idle device takes at most this many times the one that was measured. */
const LATE = 1.5;

/** Who learns of passes: counters, expert profiles. */
export interface Observers {
  readonly metrics: Metrics;
  readonly experts: ExpertProfiles;
}

export class PassPhase {
  readonly #model: StepModel;
  readonly #slots: Slots;
  readonly #scratch: Scratch;
  readonly #observers: Observers;

  constructor(model: StepModel, slots: Slots, scratch: Scratch, observers: Observers) {
    this.#model = model;
    this.#slots = slots;
    this.#scratch = scratch;
    this.#observers = observers;
  }

  /** Runs the rows; calls `fail` for those that broke and `done` with those that have their outcome. */
  async run(
    fitted: readonly FittedRow[],
    fail: (slot: Slot, error: unknown) => void,
    done: (rows: readonly PassRow[]) => void,
  ): Promise<void> {
    const rows: PassRow[] = [];
    for (const { slot, tokens } of fitted) {
      if (slot.job.done) continue;
      try {
        rows.push({ slot, row: this.#row(slot.sequence, tokens) });
      } catch (error) {
        fail(slot, error);
      }
    }
    const live = rows.filter(({ slot }) => !slot.job.done);
    if (live.length > 0) await this.#run(live, fail, done);
  }

  async #run(
    rows: readonly PassRow[],
    fail: (slot: Slot, error: unknown) => void,
    done: (rows: readonly PassRow[]) => void,
  ): Promise<void> {
    const start = performance.now();
    let handle: StepHandle;
    try {
      handle = await this.#model.submit(rows.map((r) => r.row));
    } catch (error) {
      if (rows.length === 1) fail(rows[0]!.slot, error);
      else for (const row of rows) if (!row.slot.job.done) await this.#run([row], fail, done);
      return;
    }
    try {
      const sampled = await this.#sampleOnDevice(handle, rows, fail);
      for (let i = 0; i < rows.length; i++) {
        const { slot } = rows[i]!;
        try {
          await this.#take(handle, rows[i]!, i, sampled);
        } catch (error) {
          fail(slot, error);
        }
      }
      await this.#learn(handle, rows);
    } finally {
      handle.release();
    }
    this.#count(rows, performance.now() - start, handle.modelMs);
    done(rows);
  }

  #row(sequence: Sequence, tokens: number): StepRow {
    const from = this.#model.length(sequence.sequence);
    const run = sequence.tokens.slice(from, from + tokens);
    const reaches = from + tokens >= sequence.tokens.length;
    const logits = reaches ? 1 + sequence.draft.length : 0;
    const allowed = logits === 1 ? this.#allowed(sequence) : undefined;
    return {
      sequence: sequence.sequence,
      tokens: [...run, ...sequence.draft.map((d) => d.token)],
      logits,
      ...(allowed === undefined ? {} : { allowed }),
    };
  }

  /** The allowed ids, where they are so few that computing their logits alone is cheaper. */
  #allowed(sequence: Sequence): Int32Array | undefined {
    const few = this.#model.restrictUpTo ?? 0;
    if (few === 0 || sequence.matcher === undefined || sequence.thinking || !sequence.bare) return undefined;
    const { mask } = this.#scratch;
    sequence.fillMask(mask);
    // What the model would choose without the budget is known by all logits only.
    if (sequence.matcher.unbudgeted?.(mask) !== undefined) return undefined;
    let count = 0;
    for (let w = 0; w < mask.length && count <= few; w++) for (let b = mask[w]!; b !== 0; b &= b - 1) count++;
    return count <= few ? idsOf(mask, count) : undefined;
  }

  /** Choices by output and position where the model samples; empty otherwise. */
  async #sampleOnDevice(
    handle: StepHandle,
    rows: readonly PassRow[],
    fail: (slot: Slot, error: unknown) => void,
  ): Promise<Sampled> {
    const out: Sampled = new Map();
    if (!this.#model.samples) return out;
    const start = performance.now();
    const choices: Choice[] = [];
    rows.forEach(({ slot, row }, i) => {
      if (row.logits === 0) return;
      // A prompt that others fork from has one pass for all of them: each draws with its own seed.
      try {
        const owners = [slot.sequence, ...slot.followers];
        choices.push(...owners.flatMap((sequence) => choicesOf(i, sequence, this.#scratch.vocabulary.size)));
      } catch (error) {
        fail(slot, error);
      }
    });
    if (choices.length === 0) return out;
    const ready = performance.now();
    let tokens: readonly SampledToken[];
    try {
      tokens = await handle.sample([...choices.map((c) => c.spec), ...choices.flatMap((c) => c.free ?? [])]);
    } catch (error) {
      for (const { slot } of rows) fail(slot, error);
      return out;
    }
    const deviceMs = performance.now() - ready;
    this.#countOverlap(ready - start, deviceMs);
    let unbudgeted = choices.length;
    for (const [i, { owner, spec, bits, free, maskMs }] of choices.entries()) {
      const sampled = tokens[i]!;
      const read = (): Promise<Float32Array> => handle.logits(spec.row, spec.position);
      const info = await owner.chooser.report(sampled, bits, maskMs, read);
      const wanted =
        bits === undefined || free === undefined ? undefined : refusedBy(bits, tokens[unbudgeted++]!.token);
      const { token } = sampled;
      const own = out.get(owner) ?? new Map<number, Picked>();
      out.set(owner, own);
      own.set(spec.position, {
        token,
        accepted: false,
        wanted,
        ...(info === undefined ? {} : { info: { ...info, deviceMs } }),
      });
    }
    return out;
  }

  #countOverlap(maskMs: number, deviceMs: number): void {
    const { metrics } = this.#observers;
    metrics.observe('overlapMs', maskMs);
    metrics.observe('deviceMs', deviceMs);
    metrics.add('overlappedSteps');
    // An answer as quick as on an idle device: it had nothing left to compute when the masks came.
    const idle = this.#model.samplerIdleMs?.() ?? 0;
    if (idle > 0 && maskMs > idle && deviceMs < LATE * idle) metrics.add('lateMasks');
  }

  /** Gives one row its outcome. */
  async #take(handle: StepHandle, { slot, row }: PassRow, index: number, sampled: Sampled): Promise<void> {
    const { job, sequence } = slot;
    if (row.logits === 0 || job.done || sequence.finish !== undefined) return;
    // The next pass may be gone with the request; what an abort left behind is not read.
    if (job.request.signal?.aborted === true) return;
    const drafts = sequence.draft.length;
    const base = this.#slots.length(slot) - drafts;
    const followers = slot.followers;
    slot.followers = [];
    for (const follower of followers) {
      follower.sequence = this.#model.fork(sequence.sequence);
      this.#slots.add(job, follower, []);
    }
    const ids = handle.restricted(index) ? row.allowed : undefined;
    const pick =
      (owner: Sequence) =>
      async (position: number): Promise<Picked> => {
        const chosen = sampled.get(owner)?.get(position);
        if (chosen !== undefined) return chosen;
        return owner.pick(await handle.logits(index, position), ids);
      };
    const kept = await sequence.advance(pick(sequence));
    if (drafts > kept && sequence.finish === undefined) this.#model.truncate(sequence.sequence, base + kept);
    for (const follower of followers) if (follower.finish === undefined) await follower.advance(pick(follower));
    if (job.first === 0) {
      job.first = performance.now();
      this.#observers.metrics.observe('firstTokenMs', job.first - job.arrived);
    }
  }

  async #learn(handle: StepHandle, rows: readonly PassRow[]): Promise<void> {
    const trace = await handle.experts();
    if (trace === undefined) return;
    const { experts, metrics } = this.#observers;
    experts.learn(
      // A request that failed in this pass has left: nothing is kept of it.
      rows.map(({ slot, row }) => ({ id: this.#slots.get(slot.id)?.id, tokens: row.tokens })),
      trace,
    );
    metrics.add('expertsTouched', experts.lastStep.distinct);
    metrics.add('expertRows', experts.lastStep.rows);
  }

  #count(rows: readonly PassRow[], ms: number, modelMs: number): void {
    const { metrics } = this.#observers;
    metrics.add('steps');
    metrics.add('rows', rows.length);
    metrics.observe('stepMs', ms);
    for (const { row } of rows) metrics.add('stepTokens', row.tokens.length);
    // Outputs of one request share their passes.
    for (const job of new Set(rows.map(({ slot }) => slot.job))) {
      job.passes++;
      job.modelMs += modelMs;
    }
  }
}
