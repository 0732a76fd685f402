/**
 * The decode loop: many requests, one model. Requests enter and leave between steps (continuous batching); every row has its own length,
 * constraint, sampling and budget.
 *
 * One turn: drop what was aborted, plan (schedule.ts), open and preempt, run one pass, hand each row its outcome, deliver events, give the
 * event loop a turn. A request alone is a batch of one: there is no second path.
 *
 * Faults stay with their request: an error while a row's outcome is taken fails that request; a pass that rejects is run again row by
 * row, so that only the row at fault fails.
 */
import { LimitError, ModelError, OptionError } from '../base/errors.js';
import type { Vocabulary } from '../fsm/vocabulary.js';
import { PassCost } from './cost-model.js';
import { idsOf, specsOf } from './device.js';
import { type DraftJob, ModelDrafter } from './drafter.js';
import { ExpertProfiles } from './experts.js';
import { finishJob, type Job, memoryGauges, type Slot } from './job.js';
import { Metrics } from './metrics.js';
import type { StepHandle, StepModel, StepRow } from './model.js';
import { WaitingQueue } from './queue.js';
import type { DecodeRequest, DecodeResult } from './request.js';
import { Sampler } from './sampler.js';
import { type PlannedRow, planStep, type SlotView } from './schedule.js';
import { type Picked, type Scratch, Sequence } from './sequence.js';

export interface LoopOptions {
  /** Most prompt tokens of one row in one step (default 256). */
  readonly prefillChunk?: number | undefined;
  /** Most sequences that hold KV memory at once (default: a quarter more than the rows of a step). */
  readonly maxSequences?: number | undefined;
  /** Most requests waiting; further ones are refused with LimitError (default 100,000). */
  readonly maxQueue?: number | undefined;
  /** Steps of waiting that raise a request's priority by one (default 32). */
  readonly agingSteps?: number | undefined;
  /** Most rows of a step, at most the model's (default: the model's). */
  readonly maxRows?: number | undefined;
  /** Most tokens of a step, at most the model's (default: the model's). */
  readonly maxStepTokens?: number | undefined;
  /** How rows that share a step are chosen where a mixture of experts reports its routing (default 'profile'). */
  readonly composition?: 'fcfs' | 'profile' | undefined;
  /** A smaller model of the same vocabulary that guesses ahead. */
  readonly draftModel?: StepModel | undefined;
}

/** Rows of a batch of this size and more get short drafts only: their guesses compete for the same tokens. */
const BUSY_ROWS = 8;
/** Sequences that hold memory, for each row of a step: prompts get ready while others decode. */
const SPARE_SEQUENCES = 1.25;
const BUSY_DRAFT = 3;
const MOST_DRAFT = 16;
/** Drafts ride only behind a short tail of pending tokens. */
const MOST_PENDING = 32;

export class DecodeLoop {
  readonly metrics: Metrics;
  readonly #model: StepModel;
  readonly #vocabulary: Vocabulary;
  readonly #options: LoopOptions;
  readonly #scratch: Scratch;
  readonly #queue = new WaitingQueue<Job>();
  /** Jobs whose signal has fired since the last step. */
  readonly #aborted = new Set<Job>();
  readonly #slots = new Map<number, Slot>();
  readonly #experts: ExpertProfiles;
  readonly #cost = new PassCost();
  readonly #drafter: ModelDrafter | undefined;
  #ids = 0;
  #steps = 0;
  #running = false;
  #closed: Error | undefined;

  constructor(model: StepModel, vocabulary: Vocabulary, options: LoopOptions = {}) {
    this.#model = model;
    this.#vocabulary = vocabulary;
    this.#options = options;
    const size = Math.min(vocabulary.size, model.vocabSize);
    this.#scratch = {
      vocabulary,
      sampler: new Sampler(size),
      mask: new Uint32Array((vocabulary.size + 31) >>> 5),
      logits: new Float32Array(model.vocabSize),
      restricts: (model.restrictUpTo ?? 0) > 0,
    };
    this.#experts = new ExpertProfiles();
    const { draftModel } = options;
    this.#drafter = draftModel === undefined ? undefined : new ModelDrafter(draftModel, (id) => vocabulary.isEos(id));
    this.metrics = new Metrics(() => ({
      queued: this.#queue.size,
      running: this.#slots.size,
      ...(model.blocks === undefined ? {} : { blocks: model.blocks.total, freeBlocks: model.blocks.free() }),
      ...memoryGauges(model),
      ...this.#experts.gauges(),
      ...this.#cost.coefficients,
    }));
  }

  /**
   * Runs a request. Resolves when all its outputs have ended, also by abort; rejects with LimitError (queue full, out of memory alone),
   * ModelError, or OptionError for a prompt that does not fit the context.
   */
  run(request: DecodeRequest): Promise<DecodeResult> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) throw this.#closed;
      const limit = this.#options.maxQueue ?? 100_000;
      if (this.#queue.size >= limit) throw new LimitError('waiting requests', this.#queue.size + 1, limit);
      const { prompt } = request;
      if (prompt.length === 0) throw new OptionError('prompt', 'at least one token', 'none');
      if (prompt.length >= this.#model.contextLength) {
        throw new LimitError('prompt tokens', prompt.length, this.#model.contextLength - 1);
      }
      const abort = (): void => {
        this.#aborted.add(job);
        this.#wake();
      };
      const job: Job = {
        id: ++this.#ids,
        request,
        sequences: [],
        arrived: performance.now(),
        resolve,
        reject,
        unlisten: () => request.signal?.removeEventListener('abort', abort),
        cached: 0,
        started: 0,
        first: 0,
        passes: 0,
        modelMs: 0,
        step: this.#steps,
        priority: request.priority ?? 0,
        done: false,
      };
      if (request.signal?.aborted === true) this.#aborted.add(job);
      else request.signal?.addEventListener('abort', abort, { once: true });
      this.metrics.add('requests');
      this.#queue.push(job);
      this.#wake();
    });
  }

  /** Refuses new requests and ends those that run with `reason`. */
  close(reason: Error = new ModelError('the engine', 'an open engine', 'a closed one')): void {
    this.#closed = reason;
    for (const job of this.#jobs()) this.#fail(job, reason);
  }

  /** Resolves once the loop has stopped running steps (after {@link close}, or with nothing left to do). */
  async idle(): Promise<void> {
    while (this.#running) await turn();
  }

  /** Frees the draft model, which belongs to the loop; the model itself is the caller's. */
  async dispose(): Promise<void> {
    await this.#drafter?.dispose();
  }

  /** Requests that wait or run. */
  get pending(): number {
    return new Set(this.#jobs()).size;
  }

  #jobs(): Job[] {
    return [...this.#queue, ...[...this.#slots.values()].map((slot) => slot.job)];
  }

  #wake(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#drive();
  }

  async #drive(): Promise<void> {
    try {
      // The caller's own turn ends first, so that requests made together start together.
      await turn();
      while (this.#queue.size > 0 || this.#slots.size > 0) {
        this.#dropAborted();
        const idle = !(await this.#step());
        if (idle && this.#queue.size === 0 && this.#slots.size === 0) break;
        await turn();
      }
    } catch (error) {
      // A fault of the loop itself, not of a request: nothing may be left hanging.
      for (const job of this.#jobs()) this.#fail(job, error);
    } finally {
      this.#running = false;
    }
  }

  #dropAborted(): void {
    for (const job of this.#aborted) {
      if (job.done) continue;
      this.#prepare(job);
      for (const sequence of job.sequences) sequence.stop('abort');
      this.#finish(job);
    }
    this.#aborted.clear();
  }

  /** One turn; false where there was nothing to run. */
  async #step(): Promise<boolean> {
    this.#steps++;
    for (const slot of this.#slots.values()) this.#prepareDraft(slot);
    await this.#draftByModel();
    const limits = this.#limits();
    const waiting = new Map<number, Job>();
    for (const job of this.#queue.first(Math.max(0, limits.maxSequences - this.#slots.size))) waiting.set(job.id, job);
    const plan = planStep({
      slots: this.#views(),
      queue: [...waiting.values()].map((job) => ({
        id: job.id,
        priority: job.priority,
        arrived: job.id,
        waited: this.#steps - job.step,
        promptTokens: job.request.prompt.length,
      })),
      limits,
      prefer: this.#options.composition !== 'fcfs' && this.#cost.compositionPays ? this.#experts.composer() : undefined,
    });
    for (const id of plan.admit) {
      const job = waiting.get(id);
      if (job !== undefined) this.#admit(job);
    }
    for (const id of plan.preempt) this.#preempt(id);
    for (const id of plan.stuck) {
      const slot = this.#slots.get(id);
      if (slot !== undefined) this.#fail(slot.job, this.#outOfMemory(slot));
    }
    const rows = this.#fit(plan.rows);
    for (const slot of this.#slots.values()) slot.waited++;
    if (rows.length === 0) return plan.admit.length > 0 || plan.stuck.length > 0 || plan.preempt.length > 0;
    await this.#pass(rows);
    return true;
  }

  #views(): SlotView[] {
    return [...this.#slots.values()].map((slot) => {
      const { sequence } = slot;
      const length = this.#model.length(sequence.sequence);
      return {
        id: slot.id,
        priority: slot.job.priority,
        arrived: slot.job.id,
        waited: slot.waited,
        length,
        pending: sequence.tokens.length - length,
        drafts: sequence.draft.length,
        decoding: this.#decodes(slot, length),
        suspended: sequence.suspended,
      };
    });
  }

  #decodes(slot: Slot, length: number): boolean {
    return length >= slot.job.request.prompt.length && slot.followers.length === 0;
  }

  /** Guesses from the text, for rows that are about to choose a token. */
  #prepareDraft(slot: Slot): void {
    const { sequence } = slot;
    const length = this.#model.length(sequence.sequence);
    const pending = sequence.tokens.length - length;
    if (this.#decodes(slot, length) && pending <= MOST_PENDING) sequence.prepareDraft(this.#mostDraft());
    else sequence.draft = [];
  }

  #mostDraft(): number {
    return this.#slots.size >= BUSY_ROWS ? BUSY_DRAFT : MOST_DRAFT;
  }

  /** Guesses from the draft model, for rows that the text gave none. */
  async #draftByModel(): Promise<void> {
    if (this.#drafter === undefined || this.#slots.size >= BUSY_ROWS) return;
    const jobs: DraftJob[] = [];
    const bySlot = new Map<number, Slot>();
    for (const slot of this.#slots.values()) {
      const { sequence } = slot;
      const room = sequence.draftRoom(this.#mostDraft());
      if (
        sequence.draft.length > 0 ||
        room === undefined ||
        !this.#decodes(slot, this.#model.length(sequence.sequence))
      )
        continue;
      jobs.push({
        id: slot.id,
        tokens: sequence.tokens,
        matcher: sequence.thinking ? undefined : sequence.matcher,
        room,
      });
      bySlot.set(slot.id, slot);
    }
    if (jobs.length === 0) return;
    const drafts = await this.#drafter.draft(jobs, this.#scratch.sampler, this.#scratch.mask);
    for (const [id, draft] of drafts) {
      const slot = bySlot.get(id);
      if (slot !== undefined) slot.sequence.draft = draft;
    }
  }

  #limits() {
    const model = this.#model;
    const maxRows = Math.min(this.#options.maxRows ?? model.maxRows, model.maxRows);
    return {
      maxRows,
      maxStepTokens: Math.min(this.#options.maxStepTokens ?? model.maxStepTokens, model.maxStepTokens),
      prefillChunk: this.#options.prefillChunk ?? 256,
      maxSequences: this.#options.maxSequences ?? Math.ceil(maxRows * SPARE_SEQUENCES),
      agingSteps: this.#options.agingSteps ?? 32,
      blocks: model.blocks === undefined ? undefined : { size: model.blocks.size, free: model.blocks.free() },
    };
  }

  #prepare(job: Job): void {
    if (job.sequences.length > 0) return;
    const { request } = job;
    job.sequences = request.matchers.map((_, i) => new Sequence(request, i, this.#scratch, this.#model.contextLength));
  }

  #admit(job: Job): void {
    this.#queue.remove(job);
    this.#prepare(job);
    const [leader, ...followers] = job.sequences;
    if (leader === undefined) {
      this.#finish(job);
      return;
    }
    job.started = performance.now();
    this.metrics.observe('queueMs', job.started - job.arrived);
    try {
      for (const sequence of job.sequences) sequence.begin();
      this.#deliver(job);
      if (job.sequences.every((s) => s.finish !== undefined)) {
        this.#finish(job);
        return;
      }
      const { prompt, salt, adapter } = job.request;
      const opened = this.#model.open({
        prompt,
        ...(salt === undefined ? {} : { salt }),
        ...(adapter === undefined ? {} : { adapter }),
      });
      leader.sequence = opened.sequence;
      job.cached = opened.cached;
      this.metrics.add('cachedTokens', opened.cached);
      this.metrics.add('promptTokens', prompt.length);
      const slot: Slot = { id: ++this.#ids, job, sequence: leader, followers, waited: 0 };
      this.#slots.set(slot.id, slot);
    } catch (error) {
      this.#fail(job, error);
    }
  }

  #preempt(id: number): void {
    const slot = this.#slots.get(id);
    if (slot === undefined || slot.sequence.suspended) return;
    this.#model.suspend(slot.sequence.sequence);
    slot.sequence.suspended = true;
    this.metrics.add('preemptions');
  }

  /** Resumes and keeps the planned rows that the model's memory takes: it knows of shared blocks, the plan only estimates. */
  #fit(planned: readonly PlannedRow[]): { slot: Slot; row: StepRow }[] {
    const rows: { slot: Slot; row: StepRow }[] = [];
    const sizes: { sequence: number; tokens: number }[] = [];
    for (const { id, tokens, drafts } of planned) {
      const slot = this.#slots.get(id);
      if (slot === undefined) continue;
      const { sequence } = slot;
      const size = { sequence: sequence.sequence, tokens: tokens + drafts };
      try {
        if (sequence.suspended) {
          if (rows.length > 0 && !this.#model.fits([...sizes, size])) continue;
          this.#model.resume(sequence.sequence);
          sequence.suspended = false;
        }
        while (!this.#model.fits([...sizes, size])) {
          if (size.tokens > tokens) size.tokens = tokens;
          else if (rows.length > 0) break;
          else if (!this.#makeRoom(slot)) throw this.#outOfMemory(slot);
        }
        if (!this.#model.fits([...sizes, size])) continue;
      } catch (error) {
        this.#fail(slot.job, error);
        continue;
      }
      if (size.tokens === tokens) sequence.draft = [];
      else sequence.draft = sequence.draft.slice(0, drafts);
      sizes.push(size);
      rows.push({ slot, row: this.#row(sequence, tokens) });
      slot.waited = -1;
    }
    return rows;
  }

  /** Moves the latest other sequence out of the pool; false where there is none. */
  #makeRoom(keep: Slot): boolean {
    const victims = [...this.#slots.values()].filter((s) => s !== keep && !s.sequence.suspended && s.waited !== -1);
    const victim = victims.sort((a, b) => a.job.priority - b.job.priority || b.id - a.id)[0];
    if (victim === undefined) return false;
    this.#preempt(victim.id);
    return true;
  }

  #row(sequence: Sequence, tokens: number): StepRow {
    const from = this.#model.length(sequence.sequence);
    const run = sequence.tokens.slice(from, from + tokens);
    const reaches = from + tokens >= sequence.tokens.length;
    const logits = reaches ? 1 + sequence.draft.length : 0;
    let allowed: Int32Array | undefined;
    const few = this.#model.restrictUpTo ?? 0;
    const narrow = few > 0 && sequence.matcher !== undefined && !sequence.thinking && sequence.deviceSampling;
    if (logits === 1 && narrow) {
      const { mask } = this.#scratch;
      sequence.fillMask(mask);
      let count = 0;
      for (let w = 0; w < mask.length && count <= few; w++) for (let b = mask[w]!; b !== 0; b &= b - 1) count++;
      if (count <= few) allowed = idsOf(mask, count);
    }
    return {
      sequence: sequence.sequence,
      tokens: [...run, ...sequence.draft.map((d) => d.token)],
      logits,
      ...(allowed === undefined ? {} : { allowed }),
    };
  }

  async #pass(rows: readonly { slot: Slot; row: StepRow }[]): Promise<void> {
    const start = performance.now();
    let handle: StepHandle;
    try {
      handle = await this.#model.submit(rows.map((r) => r.row));
    } catch (error) {
      if (rows.length === 1) this.#fail(rows[0]!.slot.job, error);
      else for (const row of rows) if (!row.slot.job.done) await this.#pass([row]);
      return;
    }
    try {
      const sampled = await this.#sampleOnDevice(handle, rows);
      for (let i = 0; i < rows.length; i++) await this.#take(handle, rows[i]!, i, sampled[i]);
      const trace = await handle.experts();
      if (trace !== undefined) {
        this.#experts.learn(
          rows.map(({ slot, row }) => ({ id: slot.id, tokens: row.tokens.length })),
          trace,
        );
        const touched = this.#experts.lastStep;
        this.metrics.add('expertsTouched', touched.distinct);
        this.metrics.add('expertRows', touched.rows);
        const tokens = rows.reduce((n, { row }) => n + row.tokens.length, 0);
        this.#cost.learn(tokens, touched.distinct, handle.modelMs);
      }
    } finally {
      handle.release();
    }
    const ms = performance.now() - start;
    this.metrics.add('steps');
    this.metrics.add('rows', rows.length);
    this.metrics.observe('stepMs', ms);
    for (const { slot, row } of rows) {
      this.metrics.add('stepTokens', row.tokens.length);
      slot.job.passes++;
      slot.job.modelMs += handle.modelMs;
    }
    for (const job of new Set(rows.map((r) => r.slot.job))) {
      this.#deliver(job);
      this.#settle(job);
    }
  }

  /** Tokens by row and position where the model samples; empty otherwise. */
  async #sampleOnDevice(
    handle: StepHandle,
    rows: readonly { slot: Slot; row: StepRow }[],
  ): Promise<readonly (Map<number, number> | undefined)[]> {
    if (!this.#model.samples) return [];
    const out: (Map<number, number> | undefined)[] = [];
    const all: ReturnType<typeof specsOf>['specs'] = [];
    const where: { map: Map<number, number>; position: number }[] = [];
    rows.forEach(({ slot, row }, i) => {
      // A prompt that others fork from has one pass for all of them: each reads the logits with its own seed.
      if (row.logits === 0 || slot.followers.length > 0 || !slot.sequence.deviceSampling) {
        out.push(undefined);
        return;
      }
      const map = new Map<number, number>();
      const { specs, positions } = specsOf(i, slot.sequence, this.#vocabulary.size);
      all.push(...specs);
      for (const position of positions) where.push({ map, position });
      out.push(map);
    });
    const tokens = all.length === 0 ? [] : await handle.sample(all);
    tokens.forEach((t, i) => {
      const at = where[i];
      at?.map.set(at.position, t.token);
    });
    return out;
  }

  /** Gives one row its outcome. */
  async #take(
    handle: StepHandle,
    { slot, row }: { slot: Slot; row: StepRow },
    index: number,
    sampled: Map<number, number> | undefined,
  ): Promise<void> {
    const { job, sequence } = slot;
    if (row.logits === 0 || job.done || sequence.finish !== undefined) return;
    try {
      // The next pass may be gone with the request; what an abort left behind is not read.
      if (job.request.signal?.aborted === true) return;
      const base = this.#model.length(sequence.sequence) - sequence.draft.length;
      const drafts = sequence.draft.length;
      const followers = slot.followers;
      slot.followers = [];
      for (const follower of followers) {
        follower.sequence = this.#model.fork(sequence.sequence);
        const id = ++this.#ids;
        this.#slots.set(id, { id, job, sequence: follower, followers: [], waited: 0 });
      }
      const ids = handle.restricted(index) ? row.allowed : undefined;
      const pick =
        (owner: Sequence) =>
        async (position: number): Promise<Picked> => {
          const token = sampled?.get(position);
          if (token !== undefined) return { token, accepted: false };
          return owner.pick(await handle.logits(index, position), ids);
        };
      const kept = await sequence.advance(pick(sequence));
      if (drafts > kept && sequence.finish === undefined) this.#model.truncate(sequence.sequence, base + kept);
      for (const follower of followers) if (follower.finish === undefined) await follower.advance(pick(follower));
      if (job.first === 0) {
        job.first = performance.now();
        this.metrics.observe('firstTokenMs', job.first - job.arrived);
      }
    } catch (error) {
      this.#fail(job, error);
    }
  }

  #deliver(job: Job): void {
    job.sequences.forEach((sequence, index) => {
      const { tokens, text } = sequence.drain();
      if (tokens.length > 0 || text !== '') job.request.onEvent?.({ index, tokens, text });
    });
  }

  /** Frees what has ended; resolves the request when all its outputs have. */
  #settle(job: Job): void {
    if (job.done) return;
    for (const slot of [...this.#slots.values()]) {
      if (slot.job !== job || slot.sequence.finish === undefined || slot.followers.length > 0) continue;
      this.#free(slot);
    }
    if (job.sequences.every((s) => s.finish !== undefined)) this.#finish(job);
  }

  #free(slot: Slot): void {
    this.#slots.delete(slot.id);
    this.#experts.forget(slot.id);
    this.#drafter?.forget(slot.id);
    if (slot.sequence.sequence >= 0) this.#model.close(slot.sequence.sequence);
    slot.sequence.sequence = -1;
  }

  #release(job: Job): void {
    this.#queue.remove(job);
    job.done = true;
    job.unlisten();
    for (const slot of [...this.#slots.values()]) if (slot.job === job) this.#free(slot);
  }

  #fail(job: Job, error: unknown): void {
    if (job.done) return;
    this.metrics.add('failed');
    try {
      this.#release(job);
    } finally {
      job.reject(error);
    }
  }

  #finish(job: Job): void {
    if (job.done) return;
    this.#deliver(job);
    this.#release(job);
    job.resolve(finishJob(job, performance.now(), this.metrics));
  }

  #outOfMemory(slot: Slot): LimitError {
    const { blocks } = this.#model;
    const size = blocks?.size ?? 1;
    return new LimitError(
      'KV blocks of one request',
      Math.ceil((slot.sequence.tokens.length + 1) / size),
      blocks?.total ?? this.#model.contextLength,
    );
  }
}

/** Lets timers, input and other requests have their turn between steps. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
