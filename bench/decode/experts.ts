/**
 * Mixture of experts with planted routing: 64 requests of four domains, eight rows a step. First come first served against
 * composition by profile, and against an oracle that knows the domains.
 */

import { createRandom } from '../../src/base/random.js';
import { DecodeLoop, type LoopOptions } from '../../src/decoder/loop.js';
import { resolveSampling } from '../../src/decoder/sampling.js';
import { loadModel } from '../../src/runtime/load.js';
import { type Line, timed, withFolder } from './common.js';

const DOMAINS = 4;
const REQUESTS = 64;
const ROWS = 8;
/** Two full blocks and one token: the last is never cached. */
const PROMPT = 33;

export async function expertsPart(quick: boolean): Promise<Line[]> {
  const lines: Line[] = [];
  const tokens = quick ? 16 : 48;
  await withFolder(
    {
      layers: 2,
      hidden: 512,
      heads: 8,
      kvHeads: 2,
      inner: 1024,
      vocab: 512,
      contextLength: 512,
      attention: 'gqa',
      weights: 'int8',
      seed: 3,
      experts: { count: 32, topK: 2 },
      planted: { domains: DOMAINS, affinity: 0.9 },
    },
    async (folder) => {
      const methods: readonly [string, LoopOptions, (i: number) => number][] = [
        ['first come', { composition: 'fcfs' }, (i) => i],
        ['profile', { composition: 'profile' }, (i) => i],
        // Arrivals sorted by domain: first come first served then is the best composition there is.
        ['oracle', { composition: 'fcfs', agingSteps: 1_000_000 }, (i) => Math.floor((i * DOMAINS) / REQUESTS)],
      ];
      const speeds = new Map<string, number[]>(methods.map(([name]) => [name, []]));
      const notes = new Map<string, string>();
      // Interleaved, so that a busy spell of the machine falls on all of them.
      for (let round = 0; round < (quick ? 3 : 5); round++) {
        for (const [name, options, arrange] of methods) {
          const { perSecond, note } = await measure(folder, tokens, options, arrange);
          speeds.get(name)?.push(perSecond);
          notes.set(name, note);
        }
      }
      const median = (name: string): number => {
        const sorted = [...(speeds.get(name) ?? [])].sort((a, b) => a - b);
        return sorted[sorted.length >> 1] ?? 0;
      };
      for (const [name] of methods) {
        lines.push({
          part: 'experts',
          name: `${name}: tokens per cpu second`,
          value: median(name),
          unit: '/s',
          note: notes.get(name) ?? '',
        });
      }
      const gain = median('profile') / median('first come');
      lines.push(
        {
          part: 'experts',
          name: 'profile against first come',
          value: gain,
          unit: 'x',
          target: '>= 1.2',
          met: gain >= 1.2,
        },
        {
          part: 'experts',
          name: 'oracle against first come',
          value: median('oracle') / median('first come'),
          unit: 'x',
        },
      );
    },
  );
  return lines;
}

async function measure(folder: string, tokens: number, options: LoopOptions, arrange: (i: number) => number) {
  const { model, vocabulary } = await loadModel(folder, { threads: 1 });
  const loop = new DecodeLoop(model, vocabulary, { maxRows: ROWS, maxSequences: REQUESTS, ...options });
  const random = createRandom(9);
  const prompts = Array.from({ length: REQUESTS }, (_, i) => {
    const domain = arrange(i) % DOMAINS;
    return Array.from({ length: PROMPT }, () => 260 + DOMAINS * random.below(60) + domain);
  });
  // Tokens keep to the domain of their prompt, as texts do: a bias on those of the domain.
  const request = (prompt: number[], maxTokens: number) => {
    const domain = prompt[0]! % DOMAINS;
    const logitBias: Record<number, number> = {};
    for (let t = 259; t < vocabulary.size; t++) if (t % DOMAINS === domain) logitBias[t] = 50;
    const { sampling } = resolveSampling({ logitBias }, () => 1);
    return loop.run({ prompt, matchers: [undefined], maxTokens, sampling, draftTokens: 0 });
  };
  // The prompts are in the prefix cache when the clock starts: what is measured is decoding.
  await Promise.all(prompts.map((p) => request(p, 1)));
  const before = loop.metrics.snapshot().counters;
  const { value, spent } = await timed(() => Promise.all(prompts.map((p) => request(p, tokens))));
  const after = loop.metrics.snapshot().counters;
  await model.dispose();
  const produced = value.reduce((n, r) => n + r.usage.completionTokens, 0);
  const steps = after.steps - before.steps;
  const distinct = (after.expertsTouched - before.expertsTouched) / steps;
  return {
    perSecond: (1000 * produced) / spent.cpuMs,
    note: `distinct experts a step ${distinct.toFixed(1)}, ${steps} steps, ${spent.wallMs.toFixed(0)} ms wall`,
  };
}
