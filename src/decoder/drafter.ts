/**
 * Guesses from a second, smaller model of the same vocabulary. It runs ahead greedily under the same constraint, one step for all
 * sequences that want a guess; the large model verifies as it does any draft, so the output is the same with and without it.
 *
 * Each sequence has a twin in the draft model. Before a guess the twin is cut back to what both have in common and catches up with what
 * was committed since. A fault of the draft model turns drafting off; it never touches a request.
 */
import type { DraftOptions, DraftToken } from './draft.js';
import type { TokenMatcher } from './matcher.js';
import type { StepModel } from './model.js';
import type { Sampler } from './sampler.js';

export interface DraftJob {
  readonly id: number;
  /** Prompt and committed output. */
  readonly tokens: readonly number[];
  /** At the end of `tokens`; unchanged afterwards. Undefined: unconstrained. */
  readonly matcher: TokenMatcher | undefined;
  readonly room: DraftOptions;
  /** As of the request: the draft model has a prefix cache too. */
  readonly salt: string | undefined;
}

interface Twin {
  readonly sequence: number;
  /** What the draft model holds. */
  tokens: number[];
}

interface Run {
  readonly job: DraftJob;
  readonly twin: Twin;
  readonly draft: DraftToken[];
  accepted: number;
  guesses: number;
  pending: number[];
}

export class ModelDrafter {
  readonly #model: StepModel;
  readonly #isEos: (token: number) => boolean;
  readonly #twins = new Map<number, Twin>();
  #failed: unknown;

  constructor(model: StepModel, isEos: (token: number) => boolean) {
    this.#model = model;
    this.#isEos = isEos;
  }

  /** Why drafting was turned off; undefined while it works. */
  get failure(): unknown {
    return this.#failed;
  }

  /** Guesses for each job. `sampler` and `mask` are scratch. */
  async draft(
    jobs: readonly DraftJob[],
    sampler: Sampler,
    mask: Uint32Array,
  ): Promise<ReadonlyMap<number, readonly DraftToken[]>> {
    const out = new Map<number, readonly DraftToken[]>();
    if (this.#failed !== undefined || this.#model.samples) return out;
    const runs: Run[] = [];
    try {
      for (const job of jobs.slice(0, this.#model.maxRows)) {
        const run = this.#begin(job);
        if (run !== undefined) runs.push(run);
      }
      let live = runs;
      while (live.length > 0) {
        await this.#catchUp(live);
        await this.#step(live, sampler, mask);
        live = live.filter((run) => run.pending.length > 0);
      }
      for (const run of runs) if (run.draft.length > 0) out.set(run.job.id, run.draft);
    } catch (error) {
      this.#failed = error;
      out.clear();
    } finally {
      for (const run of runs) if (run.accepted > 0) run.job.matcher?.rollback(run.accepted);
    }
    return out;
  }

  /** Frees a sequence's twin. */
  forget(id: number): void {
    const twin = this.#twins.get(id);
    if (twin === undefined) return;
    this.#twins.delete(id);
    this.#model.close(twin.sequence);
  }

  async dispose(): Promise<void> {
    this.#twins.clear();
    await this.#model.dispose();
  }

  #begin(job: DraftJob): Run | undefined {
    const { tokens, salt } = job;
    if (tokens.length + job.room.tokens >= this.#model.contextLength) return undefined;
    let twin = this.#twins.get(job.id);
    if (twin === undefined) {
      const { sequence, cached } = this.#model.open({ prompt: tokens, ...(salt === undefined ? {} : { salt }) });
      twin = { sequence, tokens: tokens.slice(0, cached) };
      this.#twins.set(job.id, twin);
    }
    let same = 0;
    // The last token always runs again: its logits are the first guess.
    const most = Math.min(twin.tokens.length, tokens.length - 1);
    while (same < most && twin.tokens[same] === tokens[same]) same++;
    if (same < twin.tokens.length) {
      this.#model.truncate(twin.sequence, same);
      twin.tokens.length = same;
    }
    return { job, twin, draft: [], accepted: 0, guesses: 0, pending: tokens.slice(same) };
  }

  /** Runs all but the last pending chunk of each, within the model's limits. */
  async #catchUp(runs: readonly Run[]): Promise<void> {
    const chunk = Math.max(1, Math.floor(this.#model.maxStepTokens / Math.max(1, runs.length)));
    for (;;) {
      const behind = runs.filter((run) => run.pending.length > chunk);
      if (behind.length === 0) return;
      const rows = behind.map((run) => ({
        sequence: run.twin.sequence,
        tokens: run.pending.slice(0, chunk),
        logits: 0,
      }));
      this.#demandRoom(rows);
      const handle = await this.#model.submit(rows);
      handle.release();
      for (const run of behind) run.twin.tokens.push(...run.pending.splice(0, chunk));
    }
  }

  /** One step of all runs: commits what is pending, guesses one token and what it forces. */
  async #step(runs: readonly Run[], sampler: Sampler, mask: Uint32Array): Promise<void> {
    const rows = runs.map((run) => ({ sequence: run.twin.sequence, tokens: run.pending, logits: 1 }));
    this.#demandRoom(rows);
    const handle = await this.#model.submit(rows);
    try {
      for (let i = 0; i < runs.length; i++) {
        const run = runs[i]!;
        run.twin.tokens.push(...run.pending);
        run.pending = [];
        this.#guess(run, await handle.logits(i, 0), sampler, mask);
      }
    } finally {
      handle.release();
    }
  }

  #guess(run: Run, logits: Float32Array, sampler: Sampler, mask: Uint32Array): void {
    const { matcher, room } = run.job;
    let token = sampler.greedy(logits, undefined);
    if (matcher === undefined) {
      if (this.#isEos(token)) return;
    } else {
      if (this.#isEos(token) || !matcher.accept(token)) {
        matcher.fillMask(mask);
        token = sampler.greedy(logits, mask);
        if (this.#isEos(token) || !matcher.accept(token)) return;
      }
      run.accepted++;
    }
    const next: DraftToken[] = [{ token, forced: false }];
    for (const forced of matcher?.forcedTokens() ?? []) {
      if (matcher?.accept(forced) !== true) break;
      run.accepted++;
      next.push({ token: forced, forced: true });
    }
    if (run.draft.length + next.length > room.tokens) return;
    run.draft.push(...next);
    if (++run.guesses < room.guesses && matcher?.isFinished !== true) run.pending = next.map((d) => d.token);
  }

  #demandRoom(rows: readonly { readonly sequence: number; readonly tokens: readonly number[] }[]): void {
    if (this.#model.fits(rows.map((r) => ({ sequence: r.sequence, tokens: r.tokens.length })))) return;
    // Not worth preempting anyone: the twins that are not in this step go, and come back when they are needed.
    const wanted = new Set(rows.map((r) => r.sequence));
    for (const [id, twin] of this.#twins) if (!wanted.has(twin.sequence)) this.forget(id);
  }
}
