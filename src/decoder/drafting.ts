/** The phase before the plan: which rows bring guesses to the next pass, from the text or from a draft model. */
import { type DraftJob, ModelDrafter } from './drafter.js';
import type { StepModel } from './model.js';
import type { Scratch } from './scratch.js';
import type { Slot, Slots } from './slots.js';

/** Rows of a batch of this size and more get short drafts only: their guesses compete for the same tokens. */
const BUSY_ROWS = 8;
const BUSY_DRAFT = 3;
const MOST_DRAFT = 16;
/** Drafts ride only behind a short tail of pending tokens. */
const MOST_PENDING = 32;

export class Drafting {
  readonly #scratch: Scratch;
  readonly #drafter: ModelDrafter | undefined;

  constructor(scratch: Scratch, draftModel: StepModel | undefined) {
    this.#scratch = scratch;
    const { vocabulary } = scratch;
    this.#drafter = draftModel === undefined ? undefined : new ModelDrafter(draftModel, (id) => vocabulary.isEos(id));
  }

  /** Sets the drafts of all slots; calls `fail` for those whose constraint breaks on the way. */
  async prepare(slots: Slots, fail: (slot: Slot, error: unknown) => void): Promise<void> {
    const most = slots.size >= BUSY_ROWS ? BUSY_DRAFT : MOST_DRAFT;
    for (const slot of slots.all()) {
      if (slot.job.done) continue;
      const { sequence } = slot;
      const length = slots.length(slot);
      const pending = sequence.tokens.length - length;
      try {
        if (slots.decodes(slot, length) && pending <= MOST_PENDING) sequence.prepareDraft(most);
        else sequence.draft = [];
      } catch (error) {
        fail(slot, error);
      }
    }
    if (this.#drafter !== undefined && slots.size < BUSY_ROWS) await this.#byModel(this.#drafter, slots, most);
  }

  /** Frees what the draft model holds of a slot. */
  forget(id: number): void {
    this.#drafter?.forget(id);
  }

  async dispose(): Promise<void> {
    await this.#drafter?.dispose();
  }

  /** For the rows that the text gave no guess. */
  async #byModel(drafter: ModelDrafter, slots: Slots, most: number): Promise<void> {
    const jobs: DraftJob[] = [];
    const bySlot = new Map<number, Slot>();
    for (const slot of slots.all()) {
      const { sequence } = slot;
      const room = sequence.draftRoom(most);
      if (sequence.draft.length > 0 || room === undefined || !slots.decodes(slot, slots.length(slot))) continue;
      const matcher = sequence.thinking ? undefined : sequence.matcher?.fork();
      jobs.push({ id: slot.id, tokens: sequence.tokens, matcher, room, salt: slot.job.request.salt });
      bySlot.set(slot.id, slot);
    }
    if (jobs.length === 0) return;
    const drafts = await drafter.draft(jobs, this.#scratch.sampler, this.#scratch.mask);
    for (const [id, draft] of drafts) {
      const slot = bySlot.get(id);
      if (slot !== undefined) slot.sequence.draft = draft;
    }
  }
}
