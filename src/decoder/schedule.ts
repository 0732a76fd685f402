/**
 * Which rows and tokens run in the next step: a pure function of what there is.
 *
 * The naive way runs prompts whole, one after the other: a long prompt then stalls every stream. Here a step is filled in this
 * order: (1) rows that decode, each with its pending tokens (the last one, forced ones, drafts); (2) prompts, in chunks, beside them, with one
 * row kept for them so that a full batch never shuts them out; (3) new requests, as long as there are sequences and KV blocks. Within a class the order is effective priority (the request's own,
 * plus one for each `agingSteps` steps of waiting, so nothing starves), then arrival. Where rows are fewer than decoding
 * sequences, `prefer` (a composition by shared experts) may reorder those of equal priority that compete for the last places.
 *
 * What steps cost decides how many rows run at once and how long chunks are (cost-model.ts). The rows that could run make up a round; where
 * that is cheaper they take turns (turns.ts), prompts beside the first. Memory is planned for all of a round when it begins, so turns push nobody out.
 * With a bound on the time of a step chunks are cut to what is left beside the first turn, or have a turn of their own.
 *
 * Memory: a row is planned only if its blocks fit beside those already planned. When the first row of a step does not fit, the
 * least urgent other sequence is preempted until it does; a sequence that does not fit alone is reported as stuck.
 */
import type { StepCost } from './cost-model.js';
import { type Company, cutRound, evenRound, type ReadyRow, stepOf } from './turns.js';

/** Least prompt tokens of a step that has a bound on its time. */
const LEAST_CHUNK = 16;

export interface SlotView {
  readonly id: number;
  readonly priority: number;
  readonly arrived: number;
  /** Steps since it last ran. */
  readonly waited: number;
  /** Positions present. */
  readonly length: number;
  /** Tokens that must still run before the next token can be chosen (at least 1). */
  readonly pending: number;
  /** Guessed tokens that it would like to verify too. */
  readonly drafts: number;
  /** Whether it is past its prompt. */
  readonly decoding: boolean;
  /** Moved out of the pool; takes its blocks anew. */
  readonly suspended: boolean;
}

export interface QueuedView {
  readonly id: number;
  readonly priority: number;
  readonly arrived: number;
  readonly waited: number;
  readonly promptTokens: number;
}

export interface Limits {
  readonly maxRows: number;
  readonly maxStepTokens: number;
  /** Most prompt tokens of one row in one step. */
  readonly prefillChunk: number;
  /** Most sequences that hold memory at once. */
  readonly maxSequences: number;
  /** Steps of waiting that count as one level of priority. */
  readonly agingSteps: number;
  readonly blocks?: { readonly size: number; readonly free: number } | undefined;
  /** Decoding rows of a step: as many as are ready, at most so many, or what costs least a token (also where absent; needs `cost`). */
  readonly batch?: 'all' | 'auto' | number | undefined;
  /** Most milliseconds of a step (needs `cost`). */
  readonly stepMs?: number | undefined;
}

export interface PlannedRow {
  readonly id: number;
  /** Pending tokens to run. */
  readonly tokens: number;
  /** Drafts to run after them; over 0 only where all pending tokens run. */
  readonly drafts: number;
}

export interface Plan {
  readonly rows: readonly PlannedRow[];
  /** Requests to open, in order; their first chunk is planned in a later call. */
  readonly admit: readonly number[];
  /** Sequences to move out of the pool before the step. */
  readonly preempt: readonly number[];
  /** Sequences that cannot run even alone. */
  readonly stuck: readonly number[];
  /** Turns of the round that are left after this step. */
  readonly turns: readonly (readonly number[])[];
}

export interface PlanInput {
  readonly slots: readonly SlotView[];
  readonly queue: readonly QueuedView[];
  readonly limits: Limits;
  /** Reorders ids of decoding slots of which `rows` join those of `sure` in a step, best first; must return a permutation. */
  readonly prefer?: ((ids: readonly number[], rows: number, sure: readonly number[]) => readonly number[]) | undefined;
  /** What steps cost, once it is known. */
  readonly cost?: StepCost | undefined;
  /** Shared experts of decoding slots. */
  readonly company?: ((ids: readonly number[]) => Company | undefined) | undefined;
  /** What the plan before this one left of its round. */
  readonly turns?: readonly (readonly number[])[] | undefined;
}

/** See the module's header. */
export function planStep(input: PlanInput): Plan {
  const { slots, queue, limits, prefer, cost } = input;
  const urgency = (v: { priority: number; waited: number }): number =>
    v.priority + Math.floor(v.waited / limits.agingSteps);
  const order = (a: SlotView | QueuedView, b: SlotView | QueuedView): number =>
    urgency(b) - urgency(a) || a.arrived - b.arrived || a.id - b.id;
  const decoding = slots.filter((s) => s.decoding).sort(order);
  const prefilling = slots.filter((s) => !s.decoding).sort(order);
  const left = turnsLeft(input.turns, decoding);
  const begins = left.length === 0;
  const wanted = begins ? compose(decoding, limits, prefer, urgency) : rowsOf(left, decoding);

  const size = limits.blocks?.size ?? 1;
  const blocksFor = (slot: SlotView, tokens: number): number => {
    if (limits.blocks === undefined) return 0;
    const have = slot.suspended ? 0 : Math.ceil(slot.length / size);
    // One more for a shared last block that has to be copied before it is written.
    return Math.ceil((slot.length + tokens) / size) - have + (slot.length % size === 0 || slot.suspended ? 0 : 1);
  };
  let free = limits.blocks?.free ?? Number.POSITIVE_INFINITY;
  const rows: PlannedRow[] = [];
  const preempt = new Set<number>();
  const stuck: number[] = [];
  const planned = new Set<number>();
  let tokensLeft = limits.maxStepTokens;

  /** Least urgent first. */
  const victims = [...slots].sort(order).reverse();
  const victimOf = (slot: SlotView): SlotView | undefined =>
    victims.find((v) => v.id !== slot.id && !v.suspended && !preempt.has(v.id) && !planned.has(v.id) && v.length > 0);

  const take = (slot: SlotView, most: number): void => {
    if (rows.length >= limits.maxRows || tokensLeft < 1 || preempt.has(slot.id)) return;
    let tokens = Math.min(slot.pending, most, tokensLeft);
    let drafts = tokens === slot.pending ? Math.min(slot.drafts, tokensLeft - tokens) : 0;
    if (blocksFor(slot, tokens + drafts) > free) drafts = 0;
    if (blocksFor(slot, tokens) > free) {
      // Only the first row of a step may push others out: later ones wait their turn.
      if (rows.length > 0) return;
      for (;;) {
        const victim = victimOf(slot);
        if (victim === undefined || blocksFor(slot, tokens) <= free) break;
        preempt.add(victim.id);
        free += Math.ceil(victim.length / size);
      }
      while (tokens > 1 && blocksFor(slot, tokens) > free) tokens = Math.max(1, tokens >> 1);
      if (blocksFor(slot, tokens) > free) {
        stuck.push(slot.id);
        return;
      }
      drafts = 0;
    }
    free -= blocksFor(slot, tokens + drafts);
    tokensLeft -= tokens + drafts;
    planned.add(slot.id);
    rows.push({ id: slot.id, tokens, drafts });
  };
  const kept = prefilling.length > 0 && limits.maxRows > 1 ? 1 : 0;
  for (const slot of wanted) if (rows.length < limits.maxRows - kept) take(slot, Number.POSITIVE_INFINITY);

  // All of the round has its memory; what runs now is its first turn.
  const ready = readyRows(rows, slots);
  const turns = begins ? cut(ready, input) : left;
  let [first = [], ...rest] = turns;
  if (begins && prefilling.length > 0) {
    const chunk = Math.min(limits.prefillChunk, cost?.table.chunk ?? limits.prefillChunk);
    let prompt = promptTokens(ready, first, chunk, input);
    const apart = prompt < LEAST_CHUNK;
    if (apart) prompt = Math.max(LEAST_CHUNK, promptTokens(ready, [], chunk, input));
    // The rows of later turns are not in this step.
    const beside = new Set(apart ? [] : first);
    tokensLeft = limits.maxStepTokens - ready.reduce((n, r) => n + (beside.has(r.id) ? r.tokens : 0), 0);
    for (const slot of prefilling) {
      const before = tokensLeft;
      if (prompt >= Math.min(LEAST_CHUNK, slot.pending)) take(slot, Math.min(chunk, prompt));
      prompt -= before - tokensLeft;
    }
    // Prompts that do not go with the first turn have one before it: they have waited for all of the last round.
    if (apart && rows.length > ready.length) [first, rest] = [[], [...turns]];
  }
  const now = new Set(first);
  const later = new Set(rest.flat());
  const running = rows.filter((r) => now.has(r.id) || !later.has(r.id));

  const admit: number[] = [];
  let open = slots.length;
  if (preempt.size === 0 && !slots.some((s) => s.suspended)) {
    for (const request of [...queue].sort(order)) {
      if (open >= limits.maxSequences) break;
      const chunk = Math.min(request.promptTokens, limits.prefillChunk);
      const need = limits.blocks === undefined ? 0 : Math.ceil(chunk / size);
      if (need > free && open > 0) break;
      free -= need;
      open++;
      admit.push(request.id);
    }
  }
  return { rows: running, admit, preempt: [...preempt], stuck, turns: rest };
}

/** Turns without those that have left. */
function turnsLeft(turns: PlanInput['turns'], decoding: readonly SlotView[]): readonly (readonly number[])[] {
  if (turns === undefined || turns.length === 0) return [];
  const there = new Set(decoding.map((s) => s.id));
  return turns.map((turn) => turn.filter((id) => there.has(id))).filter((turn) => turn.length > 0);
}

/** The slots of these turns, in order. */
function rowsOf(turns: readonly (readonly number[])[], decoding: readonly SlotView[]): readonly SlotView[] {
  const byId = new Map(decoding.map((s) => [s.id, s]));
  return turns.flatMap((turn) => turn.flatMap((id) => byId.get(id) ?? []));
}

function readyRows(rows: readonly PlannedRow[], slots: readonly SlotView[]): readonly ReadyRow[] {
  const byId = new Map(slots.map((s) => [s.id, s]));
  return rows.map(({ id, tokens, drafts }) => ({
    id,
    tokens: tokens + drafts,
    positions: (byId.get(id)?.length ?? 0) + tokens + drafts,
  }));
}

/** The turns of a round of these rows, in the order of their first rows. */
function cut(ready: readonly ReadyRow[], { limits, cost, company }: PlanInput): readonly (readonly number[])[] {
  const { batch = 'auto', agingSteps, stepMs } = limits;
  if (ready.length === 0) return [];
  const bounds = { turns: agingSteps, stepMs };
  const everyone = ready.map((r) => r.id);
  const mixture = cost !== undefined && cost.table.expertMs > 0;
  if (typeof batch === 'number') {
    const average = mixture && stepMs !== undefined ? company?.(everyone)?.average() : undefined;
    return evenRound(ready, batch, bounds, cost, average);
  }
  if (cost === undefined || (batch === 'all' && stepMs === undefined)) return [everyone];
  const shared = mixture ? company?.(everyone) : undefined;
  // Turns of a mixture each pay for their experts: without knowing which, a cut would seem cheaper than it is.
  const blind = mixture && shared === undefined;
  if (blind && stepMs === undefined) return [everyone];
  return cutRound(ready, cost, { ...bounds, onlyLate: batch === 'all' || blind }, shared);
}

/** Prompt tokens that fit a step beside these rows. */
function promptTokens(
  ready: readonly ReadyRow[],
  turn: readonly number[],
  chunk: number,
  { limits: { stepMs, maxStepTokens }, cost, company }: PlanInput,
): number {
  if (stepMs === undefined || cost === undefined) return Number.POSITIVE_INFINITY;
  const ids = new Set(turn);
  const rows = ready.filter((r) => ids.has(r.id));
  const shared = rows.length > 0 && cost.table.expertMs > 0 ? company?.(turn) : undefined;
  const used = rows.length === 0 ? 0 : stepOf(rows, cost, shared?.distinct(rows.map((_, i) => i)));
  return cost.promptTokens(stepMs - used, Math.min(maxStepTokens, 16 * chunk));
}

/**
 * Decoding rows in the order in which they get a place. Levels of urgency that have room as a whole get it; the preference orders the
 * first level that does not, in view of those.
 */
function compose(
  decoding: readonly SlotView[],
  limits: Limits,
  prefer: PlanInput['prefer'],
  urgency: (v: SlotView) => number,
): readonly SlotView[] {
  const last = decoding[limits.maxRows];
  if (prefer === undefined || last === undefined) return decoding;
  const level = urgency(last);
  const sure = decoding.filter((s) => urgency(s) > level);
  const open = decoding.filter((s) => urgency(s) === level);
  const byId = new Map(open.map((s) => [s.id, s]));
  const preferred = prefer(
    open.map((s) => s.id),
    limits.maxRows - sure.length,
    sure.map((s) => s.id),
  );
  const chosen = preferred.flatMap((id) => byId.get(id) ?? []);
  return [...sure, ...chosen, ...decoding.filter((s) => urgency(s) < level)];
}
