/** The outcome of a request whose signal fired before anything was done for it. */
import type { Job, Outcome } from './job.js';

export function neverBegun({ count }: Pick<Job, 'count'>, waitedMs: number): Outcome {
  return {
    result: {
      outputs: Array.from({ length: count }, () => ({ tokens: [], text: '', finishReason: 'abort' as const })),
      usage: {
        promptTokens: 0,
        cachedTokens: 0,
        completionTokens: 0,
        reasoningTokens: 0,
        forcedTokens: 0,
        sampledTokens: 0,
        draftedTokens: 0,
        acceptedDrafts: 0,
        optimisticTokens: 0,
        passes: 0,
      },
      timings: {
        queueMs: waitedMs,
        firstTokenMs: waitedMs,
        totalMs: waitedMs,
        modelMs: 0,
        maskMs: 0,
        tokensPerSecond: 0,
      },
    },
    warnings: [],
    compileMs: 0,
    promptMs: 0,
  };
}
