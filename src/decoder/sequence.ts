/**
 * One output of one request while it runs: its tokens, its matcher, its text, and what the last pass means for them.
 *
 * The invariant that everything hangs on: `tokens` is prompt and committed output; the model holds a prefix of it (plus drafts
 * during a pass); the matcher has accepted exactly the committed output. What is committed but not yet in the model is `pending` and
 * runs with the next pass, so forced tokens cost no pass of their own.
 *
 * Drafts are verified by sampling: at each position the token is chosen as if there were no drafts, with the same random numbers, and
 * the walk goes on only while the choice equals the guess. So the output does not depend on the guesses.
 */
import { acceptChosen, type ChoiceCounts, type Picked, TokenChooser, tellWanted } from './choice.js';
import { DraftIndex, type DraftOptions, type DraftToken, propose } from './draft.js';
import type { TokenMatcher } from './matcher.js';
import { Reasoning } from './reasoning.js';
import type { DecodeOutput, DecodeRequest, FinishReason, TokenInfo } from './request.js';
import type { Sampling } from './sampling.js';
import type { Scratch } from './scratch.js';
import { StopScanner, TextStream } from './text.js';

/** Counts of one sequence; sums of the same feed the metrics. */
export interface SequenceCounts extends ChoiceCounts {
  forced: number;
  drafted: number;
  acceptedDrafts: number;
  reasoning: number;
}

const utf8 = new TextEncoder();
const DEFAULT_DRAFTS = 8;
/** Most tokens of a draft, forced ones included: a wider pass costs more than it can save. */
const MOST_DRAFT_TOKENS = 32;
export class Sequence {
  readonly tokens: number[];
  readonly output: number[] = [];
  /** The model's number of it; -1 before it is opened. */
  sequence = -1;
  suspended = false;
  finish: FinishReason | undefined;
  /** Guesses that go with the next pass. */
  draft: readonly DraftToken[] = [];
  readonly counts: SequenceCounts = {
    forced: 0,
    sampled: 0,
    drafted: 0,
    acceptedDrafts: 0,
    optimistic: 0,
    reasoning: 0,
    masks: 0,
    maskMs: 0,
  };
  readonly matcher: TokenMatcher | undefined;
  readonly #request: DecodeRequest;
  readonly #scratch: Scratch;
  readonly #chooser: TokenChooser;
  readonly #index: DraftIndex | undefined;
  readonly #text = new TextStream();
  readonly #stop: StopScanner;
  readonly #reasoning: Reasoning | undefined;
  readonly #limit: number;
  #thinking: boolean;
  #value = '';
  #events: TokenInfo[] = [];
  #fresh = '';
  #score = 0;

  constructor(request: DecodeRequest, index: number, scratch: Scratch, contextLength: number) {
    this.#request = request;
    this.#scratch = scratch;
    this.matcher = request.matchers[index];
    const sampling = { ...request.sampling, seed: (request.sampling.seed + index) >>> 0 };
    this.#chooser = new TokenChooser(request, sampling, scratch, this.counts);
    this.tokens = [...request.prompt];
    this.#stop = new StopScanner(this.matcher === undefined ? (request.stop ?? []) : []);
    this.#thinking = request.reasoning !== undefined;
    this.#reasoning =
      request.reasoning === undefined ? undefined : new Reasoning(request.reasoning, scratch.vocabulary);
    this.#limit = Math.min(request.maxTokens, contextLength - request.prompt.length);
    this.#index =
      (request.draftTokens ?? DEFAULT_DRAFTS) > 0
        ? new DraftIndex(scratch.vocabulary.decode(request.prompt))
        : undefined;
  }

  /** Before the first pass: tokens that the grammar forces join the prompt, or the marker of a thinking that has no budget. May finish the sequence. */
  begin(): void {
    if (this.finish !== undefined) return;
    if (!this.#thinking) this.#force();
    else if (this.#request.reasoning?.budget === 0) this.#endThinking();
  }

  get thinking(): boolean {
    return this.#thinking;
  }

  get sampling(): Sampling {
    return this.#chooser.sampling;
  }

  /** Whether logits of the allowed tokens alone will do. */
  get bare(): boolean {
    return this.#chooser.bare;
  }

  /** How a position is chosen on a device, and what is reported of it. */
  get chooser(): Pick<TokenChooser, 'report'> {
    return this.#chooser;
  }

  /** Text of the value so far. */
  get text(): string {
    return this.#value;
  }

  /** How much may go with the next pass as a draft, at most `limit` guesses; undefined: none. */
  draftRoom(limit: number): DraftOptions | undefined {
    const room = this.#limit - this.output.length - 1;
    const guesses = Math.min(limit, this.#request.draftTokens ?? DEFAULT_DRAFTS, room);
    if (this.#chooser.adjusts || guesses < 1) return undefined;
    return { guesses, tokens: Math.min(room, MOST_DRAFT_TOKENS) };
  }

  /** Guesses from the text for the next pass, at most `limit`. */
  prepareDraft(limit: number): void {
    const room = this.draftRoom(limit);
    this.draft =
      this.#index === undefined || room === undefined
        ? []
        : propose(this.#index, this.#scratch.vocabulary, this.#thinking ? undefined : this.matcher, room);
  }

  /**
   * Takes the outcome of a pass: picks tokens position by position (0 is after all pending tokens, i after i drafts) as far as the
   * drafts hold. Returns how many drafts the model may keep.
   */
  async advance(pick: (position: number) => Promise<Picked> | Picked): Promise<number> {
    const draft = this.draft;
    let kept = 0;
    let tries = 0;
    for (;;) {
      const picked = await pick(kept);
      const guess = draft[kept];
      const thinking = this.#thinking;
      let good = guess !== undefined && guess.token === picked.token;
      if (guess !== undefined) tries++;
      if (!picked.accepted && this.matcher !== undefined && !this.#thinking) {
        tellWanted(this.matcher, picked.wanted);
        acceptChosen(this.matcher, picked.token);
      }
      this.counts.sampled++;
      this.#commit(picked.token, false, good, picked.info);
      // What follows the thinking was guessed as more of it, and the marker may have been written for the model: the pass ends here.
      if (thinking && !this.#thinking) good = false;
      if (good) kept++;
      if (this.finish !== undefined) break;
      for (const token of this.#thinking ? [] : this.#force()) {
        if (good && draft[kept] !== undefined) tries++;
        good = good && draft[kept]?.token === token;
        if (good) kept++;
      }
      if (this.finish !== undefined || !good) break;
    }
    if (draft.length > 0) {
      this.counts.drafted += tries;
      this.counts.acceptedDrafts += kept;
      this.#index?.report(draft.length, kept);
      this.draft = [];
    }
    return kept;
  }

  /** Chooses the next token from a position's logits (CPU samplers), and moves the matcher. */
  pick(logits: Float32Array, ids?: Int32Array): Picked {
    return this.#chooser.pick(logits, this.#thinking ? undefined : this.matcher, ids);
  }

  /** Fills the mask of the matcher's state; nothing where there is none. Returns the milliseconds it took. */
  fillMask(mask: Uint32Array): number {
    return this.matcher === undefined ? 0 : this.#chooser.fillMask(this.matcher, mask);
  }

  /** What a sampler on the device is asked for, at the sampled token that comes after `ahead` others. */
  spec(ahead: number): ReturnType<TokenChooser['spec']> {
    return this.#chooser.spec(ahead);
  }

  /** Ends the sequence from outside. */
  stop(reason: FinishReason): void {
    this.#end(reason);
  }

  /** What became certain since the last call. */
  drain(): { readonly tokens: readonly TokenInfo[]; readonly text: string } {
    const out = { tokens: this.#events, text: this.#fresh };
    this.#events = [];
    this.#fresh = '';
    return out;
  }

  result(): DecodeOutput {
    return {
      tokens: this.output,
      text: this.#value,
      ...(this.#reasoning === undefined ? {} : { reasoning: this.#reasoning.text }),
      finishReason: this.finish ?? 'abort',
      ...(this.#request.score === true
        ? { score: this.counts.sampled === 0 ? 0 : this.#score / this.counts.sampled }
        : {}),
    };
  }

  /** Appends a token that the matcher has accepted. */
  #commit(token: number, forced: boolean, drafted: boolean, info?: Picked['info']): void {
    const { vocabulary } = this.#scratch;
    const thinking = this.#thinking;
    this.#events.push({ token, forced, drafted, reasoning: thinking, ...info });
    if (forced) this.counts.forced++;
    if (info?.logprob !== undefined) this.#score += info.logprob.after;
    if (vocabulary.isEos(token)) {
      if (thinking) this.#endThinking();
      else this.#end(this.#budgetBound() ? 'budget' : 'stop');
      return;
    }
    this.tokens.push(token);
    this.#chooser.add(token);
    const bytes = vocabulary.tokenBytes(token);
    this.#index?.push(bytes);
    if (thinking) {
      this.#think(token, bytes);
      return;
    }
    this.output.push(token);
    const shown = this.matcher === undefined ? bytes : vocabulary.shownBytes(token);
    const found = this.#stop.push(this.#text.push(shown));
    this.#append(found.text);
    if (found.stopped) this.finish = 'stop';
    else if (this.matcher?.isFinished === true) this.#end('stop');
    else if (this.output.length >= this.#limit && this.matcher?.isAccepting !== true) this.#end('length');
  }

  /** Commits what the grammar forces, the end included; returns the tokens. */
  #force(): readonly number[] {
    const matcher = this.matcher;
    if (matcher === undefined || this.#request.forcing === false) return [];
    const forced: number[] = [];
    // A run of bytes may lead to a token terminal, and that to further bytes.
    for (let before = -1; before < forced.length; ) {
      before = forced.length;
      for (const token of matcher.forcedTokens()) {
        if (!matcher.accept(token)) break;
        forced.push(token);
        this.#commit(token, true, false);
        if (this.finish !== undefined) return forced;
      }
    }
    if (matcher.isAccepting && this.#onlyEnd()) {
      const end = this.#scratch.vocabulary.eos[0]!;
      if (matcher.accept(end)) this.#end(this.#budgetBound() ? 'budget' : 'stop');
    }
    return forced;
  }

  /** Whether the mask allows end tokens only, and not for want of budget: then the model is asked, since it may have wanted the end. */
  #onlyEnd(): boolean {
    const { mask, vocabulary } = this.#scratch;
    this.fillMask(mask);
    if (this.matcher?.unbudgeted?.(mask) !== undefined) return false;
    for (const id of vocabulary.eos) mask[id >>> 5]! &= ~(1 << (id & 31));
    return mask.every((word) => word === 0);
  }

  #budgetBound(): boolean {
    return this.matcher?.budgetBound ?? (this.matcher !== undefined && this.output.length >= this.#request.maxTokens);
  }

  #think(token: number, bytes: Uint8Array): void {
    this.counts.reasoning++;
    const thought = this.#reasoning?.push(token, bytes);
    if (thought?.kind === 'spent') this.#endThinking();
    else if (thought?.kind === 'marker') {
      this.#thinking = false;
      // Text that came in one token with the marker belongs to the value where the grammar takes it.
      const { rest } = thought;
      if (rest !== '' && this.matcher?.acceptBytes(utf8.encode(rest)) !== false) {
        const found = this.#stop.push(rest);
        this.#append(found.text);
        if (found.stopped) this.finish = 'stop';
      }
      if (this.finish === undefined) this.#force();
    }
  }

  /** Leaves the thinking and writes the marker for the model. */
  #endThinking(): void {
    for (const token of this.#reasoning?.cut() ?? []) {
      this.tokens.push(token);
      this.#index?.push(this.#scratch.vocabulary.tokenBytes(token));
      this.#events.push({ token, forced: true, drafted: false, reasoning: true });
      this.counts.forced++;
    }
    this.#thinking = false;
    this.#force();
  }

  #append(text: string): void {
    this.#value += text;
    this.#fresh += text;
  }

  #end(reason: FinishReason): void {
    if (this.finish !== undefined) return;
    this.finish = reason;
    this.#append(this.#stop.push(this.#text.flush()).text);
    this.#append(this.#stop.flush());
  }
}
