/** What goes into the decode loop and what comes out: plain records. */
import type { TokenMatcher } from './matcher.js';
import type { TokenLogprob } from './sampler.js';
import type { Sampling } from './sampling.js';

export interface ReasoningOptions {
  /** What ends the thinking, such as `</think>`: a special token's name or text. */
  readonly end: string;
  /** Tokens after which the end marker is forced. */
  readonly budget: number;
}

export interface DecodeRequest {
  readonly prompt: readonly number[];
  /** One per output (n of them); undefined for unconstrained text. Fresh: the loop moves them. */
  readonly matchers: readonly (TokenMatcher | undefined)[];
  /** Most output tokens, the end token and reasoning not counted. */
  readonly maxTokens: number;
  /** Output i draws with seed + i. */
  readonly sampling: Sampling;
  /** End unconstrained text; the text found is not part of the output. */
  readonly stop?: readonly string[] | undefined;
  /** Append forced tokens without asking the model (default true). */
  readonly forcing?: boolean | undefined;
  /** Try the model's own choice before making a mask (default true). */
  readonly optimistic?: boolean | undefined;
  /** Most guessed tokens per pass; 0: none. Default 8. */
  readonly draftTokens?: number | undefined;
  /** Report log probabilities, with this many alternatives. */
  readonly logprobs?: number | undefined;
  /** Keep the mean log probability of sampled tokens (best-of). */
  readonly score?: boolean | undefined;
  /** Report allowed counts and the best tokens before and after the mask. */
  readonly trace?: boolean | undefined;
  readonly reasoning?: ReasoningOptions | undefined;
  readonly priority?: number | undefined;
  readonly salt?: string | undefined;
  readonly adapter?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds that it has waited before, counted as time in the queue. */
  readonly waitedMs?: number | undefined;
  /** Called as tokens come; must not throw. */
  readonly onEvent?: ((event: DecodeEvent) => void) | undefined;
}

export interface TokenInfo {
  readonly token: number;
  /** Followed from the grammar; the model was not asked. */
  readonly forced: boolean;
  /** Was guessed ahead and verified. */
  readonly drafted: boolean;
  /** Part of the reasoning, not of the value. */
  readonly reasoning: boolean;
  /** Under the model's distribution after penalties and bias, before and after the mask. */
  readonly logprob?: { readonly before: number; readonly after: number } | undefined;
  readonly top?: { readonly before: readonly TokenLogprob[]; readonly after: readonly TokenLogprob[] } | undefined;
  /** How many tokens were allowed. */
  readonly allowed?: number | undefined;
  /** The time that the mask took, where one was made for this token. */
  readonly maskMs?: number | undefined;
  /** On a device: from the end of the pass's masks, made while it computed, to its tokens. Near 0: the device was waiting for masks. */
  readonly deviceMs?: number | undefined;
}

export interface DecodeEvent {
  /** Which of the n outputs. */
  readonly index: number;
  readonly tokens: readonly TokenInfo[];
  /** Text of the value that became certain. */
  readonly text: string;
}

export type FinishReason = 'stop' | 'budget' | 'length' | 'abort';

export interface DecodeOutput {
  readonly tokens: readonly number[];
  readonly text: string;
  readonly reasoning?: string | undefined;
  readonly finishReason: FinishReason;
  /** Mean log probability of the sampled tokens, where asked for. */
  readonly score?: number | undefined;
}

export interface DecodeUsage {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  readonly reasoningTokens: number;
  readonly forcedTokens: number;
  readonly sampledTokens: number;
  readonly draftedTokens: number;
  readonly acceptedDrafts: number;
  /** Tokens accepted without a mask. */
  readonly optimisticTokens: number;
  /** Forward passes that this request took part in. */
  readonly passes: number;
}

export interface DecodeTimings {
  readonly queueMs: number;
  /** From arrival to the first sampled token. */
  readonly firstTokenMs: number;
  readonly totalMs: number;
  /** Model time of the passes this request took part in (shared with other rows). */
  readonly modelMs: number;
  readonly maskMs: number;
  readonly tokensPerSecond: number;
}

export interface DecodeResult {
  readonly outputs: readonly DecodeOutput[];
  readonly usage: DecodeUsage;
  readonly timings: DecodeTimings;
}
