/**
 * The decode loop: many requests, one model. Requests enter and leave between steps (continuous batching); every row has its own length,
 * constraint, sampling and budget.
 *
 * One turn, one file for each phase: drop what was aborted; guess (drafting.ts); plan (schedule.ts); admit; make room (memory.ts); run
 * one pass and hand each row its outcome (pass.ts); deliver events; give the event loop a turn. A request alone is a batch of one: there
 * is no second path.
 */
import { AbortListeners } from '../base/abort-listeners.js';
import { LimitError, ModelError, OptionError } from '../base/errors.js';
import type { Vocabulary } from '../fsm/vocabulary.js';
import { UNMEASURED } from './cost-model.js';
import { Drafting } from './drafting.js';
import { ExpertProfiles } from './experts.js';
import { Intake, type IntakeOptions, type Prepared } from './intake.js';
import { finishJob, type Job, memoryGauges } from './job.js';
import { checkBounds, type LoopOptions } from './loop-options.js';
import { type FittedRow, MemoryPhase } from './memory.js';
import { Metrics } from './metrics.js';
import type { StepModel } from './model.js';
import { PassPhase, type PassRow } from './pass.js';
import { WaitingQueue } from './queue.js';
import type { DecodeRequest, DecodeResult } from './request.js';
import { Rounds, type StepShape } from './rounds.js';
import { planStep, type SlotView } from './schedule.js';
import { createScratch, type Scratch } from './scratch.js';
import { Sequence } from './sequence.js';
import { type Slot, Slots } from './slots.js';

/** Sequences that hold memory, for each row of a step: prompts get ready while others decode. */
const SPARE_SEQUENCES = 1.25;
/** Cached prompt tokens that make a sequence's first expert profile. */
const SEED = 32;
const TOO_LONG = 'shorten the prompt, or take a model with a longer context';
const BUSY = 'ask again later, or raise scheduler.maxQueue';

export class DecodeLoop {
  readonly metrics: Metrics;
  readonly #model: StepModel;
  readonly #options: LoopOptions;
  readonly #scratch: Scratch;
  readonly #intake = new Intake();
  readonly #queue = new WaitingQueue<Job>();
  /** Jobs whose signal has fired since the last step. */
  readonly #signals = new AbortListeners();
  readonly #aborted = new Set<Job>();
  readonly #slots: Slots;
  readonly #experts = new ExpertProfiles();
  readonly #drafting: Drafting;
  readonly #memory: MemoryPhase;
  readonly #pass: PassPhase;
  readonly #rounds: Rounds;
  #jobs = 0;
  #steps = 0;
  #running = false;
  #closed: Error | undefined;

  /** @throws as {@link checkBounds} */
  constructor(model: StepModel, vocabulary: Vocabulary, options: LoopOptions = {}) {
    checkBounds(options);
    this.#model = model;
    this.#options = options;
    this.#scratch = createScratch(model, vocabulary);
    this.#drafting = new Drafting(this.#scratch, options.draftModel);
    this.#slots = new Slots(model, (id) => {
      this.#experts.forget(id);
      this.#drafting.forget(id);
      this.#rounds.forget(id);
    });
    this.metrics = new Metrics(() => ({
      queued: this.#waiting,
      running: this.#slots.size,
      ...(model.blocks === undefined ? {} : { blocks: model.blocks.total, freeBlocks: model.blocks.free() }),
      ...memoryGauges(model),
      ...this.#experts.gauges(),
      ...this.#rounds.cost?.gauges(),
    }));
    this.#memory = new MemoryPhase(model, this.#slots, this.metrics);
    this.#rounds = new Rounds(options, this.metrics);
    const observers = { metrics: this.metrics, experts: this.#experts };
    this.#pass = new PassPhase(model, this.#slots, this.#scratch, observers);
  }

  /**
   * Makes something ready for {@link run} when the steps leave time for it (intake.ts); undefined where the signal fired before. Rejects with what
   * `make` throws, with LimitError where the queue is full, and as `run` does once the loop is closed.
   */
  async prepare<T>(make: () => T, options?: IntakeOptions): Promise<Prepared<T> | undefined> {
    this.#checkOpen();
    const prepared = await this.#intake.run(make, options);
    if (prepared === undefined) {
      this.metrics.add('requests');
      this.metrics.add('aborted');
    }
    return prepared;
  }

  /**
   * Runs a request. Resolves when all its outputs have ended, also by abort; rejects with LimitError (queue full, out of memory alone),
   * ModelError, or OptionError for a prompt that does not fit the context.
   */
  run(request: DecodeRequest): Promise<DecodeResult> {
    return new Promise((resolve, reject) => {
      this.#checkOpen();
      const { prompt } = request;
      if (prompt.length === 0) throw new OptionError('prompt', 'at least one token', 'none');
      if (prompt.length >= this.#model.contextLength) {
        throw new LimitError('prompt tokens', prompt.length, this.#model.contextLength - 1, undefined, TOO_LONG);
      }
      const abort = (): void => {
        this.#aborted.add(job);
        this.#wake();
      };
      const job: Job = {
        id: ++this.#jobs,
        request,
        sequences: [],
        arrived: performance.now() - (request.waitedMs ?? 0),
        resolve,
        reject,
        unlisten: () => {},
        cached: 0,
        started: 0,
        first: 0,
        passes: 0,
        modelMs: 0,
        step: this.#steps,
        priority: request.priority ?? 0,
        done: false,
      };
      job.unlisten = this.#signals.add(request.signal, abort);
      this.metrics.add('requests');
      this.#queue.push(job);
      this.#wake();
    });
  }

  /** Refuses new requests and ends those that run with `reason`. */
  close(reason: Error = new ModelError('the engine', 'an open engine', 'a closed one')): void {
    this.#closed = reason;
    this.#intake.close(reason);
    for (const job of this.#all()) this.#fail(job, reason);
  }

  /** Resolves once the loop has stopped running steps (after {@link close}, or with nothing left to do). */
  async idle(): Promise<void> {
    while (this.#running) await turn();
  }

  /** Frees the draft model, which belongs to the loop; the model itself is the caller's. */
  async dispose(): Promise<void> {
    await this.#drafting.dispose();
  }

  /** Requests that wait or run. */
  get pending(): number {
    return this.#intake.size + new Set(this.#all()).size;
  }

  get #waiting(): number {
    return this.#intake.size + this.#queue.size;
  }

  #checkOpen(): void {
    if (this.#closed !== undefined) throw this.#closed;
    const limit = this.#options.maxQueue ?? 100_000;
    const waiting = this.#waiting;
    if (waiting >= limit) throw new LimitError('waiting requests', waiting + 1, limit, undefined, BUSY);
  }

  #all(): Job[] {
    return [...this.#queue, ...this.#slots.all().map((slot) => slot.job)];
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
      for (const job of this.#all()) this.#fail(job, error);
    } finally {
      this.#running = false;
    }
  }

  #dropAborted(): void {
    for (const job of this.#aborted) {
      if (job.done) continue;
      try {
        this.#prepare(job);
        for (const sequence of job.sequences) sequence.stop('abort');
        this.#finish(job);
      } catch (error) {
        this.#fail(job, error);
      }
    }
    this.#aborted.clear();
  }

  /** One turn; false where there was nothing to run. */
  async #step(): Promise<boolean> {
    this.#steps++;
    const composes = this.#options.composition !== 'fcfs';
    await this.#rounds.measure(() => this.#views().filter((s) => s.decoding).length, composes && this.#experts.known);
    const { cost, turns, begins } = this.#rounds;
    let began = performance.now();
    const fail = (slot: Slot, error: unknown): void => this.#fail(slot.job, error);
    // Rows that wait for their turn have their guesses already.
    if (begins) await this.#drafting.prepare(this.#slots, fail);
    const slots = this.#views();
    const decoding = slots.reduce((n, s) => n + (s.decoding ? 1 : 0), 0);
    const limits = { ...this.#limits(), ...this.#rounds.limits(decoding) };
    const waiting = new Map<number, Job>();
    for (const job of this.#queue.first(Math.max(0, limits.maxSequences - this.#slots.size))) waiting.set(job.id, job);
    const waitingTokens = (id: number): readonly number[] => this.#waitingTokens(id);
    const plan = planStep({
      slots,
      queue: [...waiting.values()].map((job) => ({
        id: job.id,
        priority: job.priority,
        arrived: job.id,
        waited: this.#steps - job.step,
        promptTokens: job.request.prompt.length,
      })),
      limits,
      prefer: composes ? this.#experts.composer(waitingTokens, cost ?? UNMEASURED) : undefined,
      company: composes ? (ids) => this.#experts.company(ids, waitingTokens) : undefined,
      cost,
      turns,
    });
    this.#rounds.take(plan, decoding);
    const opening = performance.now();
    for (const id of plan.admit) {
      const job = waiting.get(id);
      if (job !== undefined) this.#admit(job);
    }
    // New requests are no part of what this step costs.
    began += performance.now() - opening;
    for (const id of plan.preempt) this.#memory.preempt(id);
    for (const id of plan.stuck) {
      const slot = this.#slots.get(id);
      if (slot !== undefined) this.#fail(slot.job, this.#memory.outOfMemory(slot));
    }
    const rows = this.#memory.fit(plan.rows, fail);
    for (const slot of this.#slots.all()) slot.waited++;
    if (rows.length === 0) return plan.admit.length > 0 || plan.stuck.length > 0 || plan.preempt.length > 0;
    const shape = cost === undefined ? undefined : this.#shape(rows);
    await this.#pass.run(rows, fail, (done) => this.#settleAll(done));
    if (shape !== undefined) this.#rounds.learn(shape, this.#experts.lastStep.distinct, performance.now() - began);
    return true;
  }

  /** Size and lengths of a step of decoding rows; undefined where prompts are among them. */
  #shape(rows: readonly FittedRow[]): StepShape | undefined {
    let [tokens, longest, positions] = [0, 0, 0];
    for (const { slot, tokens: pending } of rows) {
      const length = this.#slots.length(slot);
      if (!this.#slots.decodes(slot, length)) return undefined;
      const own = pending + slot.sequence.draft.length;
      tokens += own;
      positions += length + own;
      longest = Math.max(longest, length + own);
    }
    return { rows: rows.length, tokens, longest, positions };
  }

  #views(): SlotView[] {
    return this.#slots.all().map((slot) => {
      const { sequence } = slot;
      const length = this.#slots.length(slot);
      return {
        id: slot.id,
        priority: slot.job.priority,
        arrived: slot.job.id,
        waited: slot.waited,
        length,
        pending: sequence.tokens.length - length,
        drafts: sequence.draft.length,
        decoding: this.#slots.decodes(slot, length),
        suspended: sequence.suspended,
      };
    });
  }

  /** What a decoding sequence would run in the next step. */
  #waitingTokens(id: number): readonly number[] {
    const slot = this.#slots.get(id);
    if (slot === undefined) return [];
    const { tokens, draft } = slot.sequence;
    return [...tokens.slice(this.#slots.length(slot)), ...draft.map((d) => d.token)];
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
    try {
      this.#prepare(job);
      const [leader, ...followers] = job.sequences;
      if (leader === undefined) {
        this.#finish(job);
        return;
      }
      job.started = performance.now();
      this.metrics.observe('queueMs', job.started - job.arrived);
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
      const slot = this.#slots.add(job, leader, followers);
      if (opened.cached > 0)
        this.#experts.seed(slot.id, prompt.slice(Math.max(0, opened.cached - SEED), opened.cached));
    } catch (error) {
      this.#fail(job, error);
    }
  }

  #settleAll(rows: readonly PassRow[]): void {
    for (const job of new Set(rows.map((r) => r.slot.job))) {
      try {
        this.#deliver(job);
        this.#settle(job);
      } catch (error) {
        this.#fail(job, error);
      }
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
    for (const slot of this.#slots.of(job)) {
      if (slot.sequence.finish !== undefined && slot.followers.length === 0) this.#slots.free(slot);
    }
    if (job.sequences.every((s) => s.finish !== undefined)) this.#finish(job);
  }

  /** Frees all that a job holds. @throws the first fault, once everything is freed */
  #release(job: Job): void {
    this.#queue.remove(job);
    job.done = true;
    job.unlisten();
    const faults: unknown[] = [];
    for (const slot of this.#slots.of(job)) {
      try {
        this.#slots.free(slot);
      } catch (error) {
        faults.push(error);
      }
    }
    if (faults.length > 0) throw faults[0];
  }

  #fail(job: Job, error: unknown): void {
    if (job.done) return;
    this.metrics.add('failed');
    try {
      this.#release(job);
    } catch {
      // The caller hears of what came first.
    }
    job.reject(error);
  }

  #finish(job: Job): void {
    if (job.done) return;
    this.#deliver(job);
    try {
      this.#release(job);
    } catch (error) {
      this.metrics.add('failed');
      job.reject(error);
      return;
    }
    job.resolve(finishJob(job, performance.now(), this.metrics));
  }
}

/** Lets timers, input and other requests have their turn between steps. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
