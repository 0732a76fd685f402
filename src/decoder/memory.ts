/**
 * The phase between plan and pass: planned rows get their place in the KV memory. The plan only estimates; the model knows of shared blocks.
 * Who has to make room is moved out of the pool and comes back when there is some; only a request that does not fit alone fails.
 */
import { LimitError } from '../base/errors.js';
import type { Metrics } from './metrics.js';
import type { StepModel } from './model.js';
import type { PlannedRow } from './schedule.js';
import type { Slot, Slots } from './slots.js';

/** A row whose memory is there: `tokens` pending ones, then the sequence's draft. */
export interface FittedRow {
  readonly slot: Slot;
  readonly tokens: number;
}

export class MemoryPhase {
  readonly #model: StepModel;
  readonly #slots: Slots;
  readonly #metrics: Metrics;

  constructor(model: StepModel, slots: Slots, metrics: Metrics) {
    this.#model = model;
    this.#slots = slots;
    this.#metrics = metrics;
  }

  /** Moves a slot's blocks out of the pool. */
  preempt(id: number): void {
    const slot = this.#slots.get(id);
    if (slot === undefined || slot.sequence.suspended) return;
    this.#model.suspend(slot.sequence.sequence);
    slot.sequence.suspended = true;
    this.#metrics.add('preemptions');
  }

  /** Resumes and keeps the planned rows that fit, drafts cut to what fits with them; errors go to `fail`. */
  fit(planned: readonly PlannedRow[], fail: (slot: Slot, error: unknown) => void): readonly FittedRow[] {
    const rows: FittedRow[] = [];
    const sizes: { sequence: number; tokens: number }[] = [];
    for (const { id, tokens, drafts } of planned) {
      const slot = this.#slots.get(id);
      if (slot === undefined) continue;
      const { sequence } = slot;
      const size = { sequence: sequence.sequence, tokens: tokens + drafts };
      try {
        if (!this.#place(slot, size, tokens, sizes)) continue;
      } catch (error) {
        fail(slot, error);
        continue;
      }
      sequence.draft = size.tokens === tokens ? [] : sequence.draft.slice(0, drafts);
      sizes.push(size);
      rows.push({ slot, tokens });
      slot.waited = -1;
    }
    return rows;
  }

  /** @returns the error of a request that does not fit alone */
  outOfMemory(slot: Slot): LimitError {
    const { blocks } = this.#model;
    return new LimitError(
      'KV blocks of one request',
      Math.ceil((slot.sequence.tokens.length + 1) / (blocks?.size ?? 1)),
      blocks?.total ?? this.#model.contextLength,
      undefined,
      'shorten the prompt or the output, or give the pool more (kv.bytes, kv.blocks)',
    );
  }

  /** Whether the row fits beside those in `sizes`; drops its drafts, and, for the first row, moves others out for it. */
  #place(
    slot: Slot,
    size: { readonly sequence: number; tokens: number },
    tokens: number,
    sizes: readonly { readonly sequence: number; readonly tokens: number }[],
  ): boolean {
    const { sequence } = slot;
    const first = sizes.length === 0;
    if (sequence.suspended) {
      if (!first && !this.#model.fits([...sizes, size])) return false;
      this.#model.resume(sequence.sequence);
      sequence.suspended = false;
    }
    while (!this.#model.fits([...sizes, size])) {
      if (size.tokens > tokens) size.tokens = tokens;
      else if (!first) return false;
      else if (!this.#makeRoom(slot)) throw this.outOfMemory(slot);
    }
    return true;
  }

  /** Moves the latest other sequence out of the pool; false where there is none. */
  #makeRoom(keep: Slot): boolean {
    const victims = this.#slots.all().filter((s) => s !== keep && !s.sequence.suspended && s.waited !== -1);
    const victim = victims.sort((a, b) => a.job.priority - b.job.priority || b.id - a.id)[0];
    if (victim === undefined) return false;
    this.preempt(victim.id);
    return true;
  }
}
