/**
 * Requests of every kind at once on a real graph, with memory for a few of them: pool too small, suspended sequences in a file, shared prefixes,
 * forks, a draft model. Each must come out as it does alone in an engine of its own.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { choice, gbnf, json, regex } from '../../src/core.js';
import type { Engine } from '../../src/engine/engine.js';
import type { GenerateOptions, Result } from '../../src/engine/types.js';
import { type RandomModel, randomModel } from './models.js';

let model: RandomModel;
let small: RandomModel;
let alone: Engine;
beforeAll(async () => {
  model = await randomModel({ contextLength: 512 });
  small = await randomModel({ contextLength: 512, seed: 2 });
  alone = await model.engine();
});
afterAll(async () => {
  await alone.close();
  await model.remove();
  await small.remove();
});

const person = json({
  type: 'object',
  properties: {
    name: { type: 'string', maxLength: 12 },
    tags: { type: 'array', items: { enum: ['a', 'bc'] }, maxItems: 4 },
  },
  required: ['name', 'tags'],
  additionalProperties: false,
});
const TARGETS = [
  person,
  null,
  choice(['yes', 'no', 'maybe']),
  regex('[a-f]{3,30}(-[0-9]{2,9})?'),
  gbnf('root ::= "[" [x-z]+ ("," [x-z]+)* "]"'),
];
const EOS = 2;

function request(i: number): [unknown, GenerateOptions] {
  return [
    TARGETS[i % TARGETS.length],
    {
      prompt: `${'shared words of a prompt '.repeat(i % 3)}request ${i} ${'x'.repeat((7 * i) % 60)}`,
      maxTokens: 16 + ((11 * i) % 70),
      ...(i % 2 === 0
        ? {}
        : { temperature: 0.5 + (i % 5) / 3, seed: i, topK: (i % 3) * 9, minP: i % 7 === 0 ? 0.02 : 0 }),
      ...(i % 4 === 1 ? { n: 3 } : {}),
      ...(i % 5 === 3 ? { repetitionPenalty: 1.2, frequencyPenalty: 0.3 } : {}),
      ...(i % 5 === 1 ? { stop: ['e', 'th'], logitBias: { [EOS]: -5 } } : {}),
      ...(i % 6 === 2 ? { logprobs: 2 } : {}),
      ...(i % 7 === 4 ? { reasoning: { end: '</think>', budget: 1 + (i % 9) } } : {}),
      ...(i % 3 === 0 ? { speculation: false } : {}),
      ...(i % 4 === 2 ? { forcing: false } : {}),
      priority: i % 3,
      tenant: i % 8 === 0 ? 't' : undefined,
      // Random weights: what is checked here is which tokens come out, not whether a cut text is a value.
      validate: false,
    },
  ];
}

/** What a caller sees, numbers of the distribution to four places: kernels add in another order for several rows. */
function seen(r: Result<unknown>): unknown {
  return (r.choices ?? [r]).map((c) => ({
    text: c.text,
    finishReason: c.finishReason,
    reasoning: c.reasoning,
    tokens: c.tokens?.map((t) => [t.token, t.forced, t.reasoning, t.logprob?.after.toFixed(4)]),
  }));
}

const COUNT = 40;

it.each([
  ['a pool of a few sequences, suspended ones in a file', { kv: { blocks: 36, swap: { memory: 0, file: 40_000 } } }],
  ['no room for suspended ones', { kv: { blocks: 34, swap: { memory: 0, file: 0 } }, scheduler: { prefillChunk: 16 } }],
  ['no prefix cache, three rows a step', { kv: { prefixCache: false }, scheduler: { maxRows: 3, maxStepTokens: 50 } }],
  ['a draft model', { draft: true }],
] as const)(
  'each comes out as it does alone: %s',
  async (_, options) => {
    const { kv, scheduler, draft } = { kv: undefined, scheduler: undefined, draft: false, ...options };
    const engine = await model.engine({
      ...(kv === undefined ? {} : { kv }),
      scheduler,
      ...(draft ? { draftModel: small.folder } : {}),
    });
    const ask = (e: Engine, i: number): Promise<Result<unknown>> => {
      const [target, o] = request(i);
      return e.generate(target, o);
    };
    const together = await Promise.all(Array.from({ length: COUNT }, (_, i) => ask(engine, i)));
    const { counters, gauges } = (await engine.metrics()).snapshot as {
      counters: Record<string, number>;
      gauges: Record<string, number>;
    };
    if (kv !== undefined && 'blocks' in kv) expect(counters.preemptions).toBeGreaterThan(0);
    expect(gauges.freeBlocks).toBe(gauges.blocks);
    expect(gauges.suspendedBytes).toBe(0);
    await engine.close();
    for (const [i, r] of together.entries()) expect(seen(r), `request ${i}`).toEqual(seen(await ask(alone, i)));
  },
  120_000,
);
