/**
 * The outputs that hold memory in the model, by number. Opening and freeing go through here, so that whatever follows a sequence (its
 * expert profile, its twin in a draft model) goes when it goes.
 */
import type { Job } from './job.js';
import type { StepModel } from './model.js';
import type { Sequence } from './sequence.js';

/** An output that holds memory in the model. */
export interface Slot {
  readonly id: number;
  readonly job: Job;
  readonly sequence: Sequence;
  /** Outputs that fork from this one once its prompt is in. */
  followers: readonly Sequence[];
  /** Steps since it last ran. */
  waited: number;
}

export class Slots {
  readonly #model: StepModel;
  readonly #onFree: (id: number) => void;
  readonly #slots = new Map<number, Slot>();
  #ids = 0;

  constructor(model: StepModel, onFree: (id: number) => void) {
    this.#model = model;
    this.#onFree = onFree;
  }

  get size(): number {
    return this.#slots.size;
  }

  get(id: number): Slot | undefined {
    return this.#slots.get(id);
  }

  /** A snapshot: slots may be added and freed while it is walked. */
  all(): readonly Slot[] {
    return [...this.#slots.values()];
  }

  of(job: Job): readonly Slot[] {
    return this.all().filter((slot) => slot.job === job);
  }

  /** `sequence.sequence` names the model's sequence that the slot owns from now on. */
  add(job: Job, sequence: Sequence, followers: readonly Sequence[]): Slot {
    const slot: Slot = { id: ++this.#ids, job, sequence, followers, waited: 0 };
    this.#slots.set(slot.id, slot);
    return slot;
  }

  free(slot: Slot): void {
    const { sequence } = slot.sequence;
    this.#slots.delete(slot.id);
    slot.sequence.sequence = -1;
    try {
      this.#onFree(slot.id);
    } finally {
      if (sequence >= 0) this.#model.close(sequence);
    }
  }

  /** Positions that the model holds of it. */
  length(slot: Slot): number {
    return this.#model.length(slot.sequence.sequence);
  }

  /** Whether it is past its prompt (and, where others fork from it, has been forked). */
  decodes(slot: Slot, length: number): boolean {
    return length >= slot.job.request.prompt.length && slot.followers.length === 0;
  }
}
