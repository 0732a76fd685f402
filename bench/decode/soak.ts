/**
 * Many requests in one process with random cancellations: nothing leaks, every finished value is valid. Memory is read after a full
 * collection: between two of them V8 lets the heap grow by tens of MB, which says nothing of leaks.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createRandom } from '../../src/base/random.js';
import { createEngine } from '../../src/engine/create.js';
import { type Line, timed, withFolder } from './common.js';

const SCHEMAS: readonly object[] = [
  {
    type: 'object',
    properties: { name: { type: 'string', maxLength: 20 }, age: { type: 'integer', minimum: 0, maximum: 150 } },
    required: ['name', 'age'],
    additionalProperties: false,
  },
  { type: 'array', items: { enum: ['red', 'green', 'blue'] }, minItems: 2, maxItems: 5 },
  {
    type: 'object',
    properties: {
      a: { type: 'boolean' },
      b: { type: 'object', properties: { c: { type: 'string', maxLength: 10 } }, additionalProperties: false },
    },
    additionalProperties: false,
  },
];

const OUTSTANDING = 300;

function collected(): NodeJS.MemoryUsage {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage();
}

export async function soakPart(quick: boolean): Promise<Line[]> {
  const count = quick ? 500 : 10_000;
  return withFolder(
    {
      layers: 1,
      hidden: 32,
      heads: 2,
      kvHeads: 1,
      inner: 64,
      vocab: 512,
      contextLength: 1024,
      attention: 'gqa',
      weights: 'f32',
      seed: 1,
    },
    async (folder) => {
      const engine = await createEngine({
        model: folder,
        device: 'cpu',
        worker: false,
        threads: 1,
        kv: { blocks: 300 },
      });
      const random = createRandom(4);
      let ok = 0;
      let aborted = 0;
      let failed = 0;
      const one = async (i: number): Promise<void> => {
        const controller = new AbortController();
        if (random.below(5) === 0) setTimeout(() => controller.abort(), random.below(1500));
        try {
          // generate() validates each value; an invalid one rejects.
          const r = await engine.generate(SCHEMAS[i % SCHEMAS.length], {
            prompt: `Request ${i}. ${'words '.repeat(i % 40)}`,
            maxTokens: 40,
            signal: controller.signal,
            ...(i % 2 === 0 ? {} : { temperature: 1, seed: i }),
          });
          if (r.finishReason === 'abort') aborted++;
          else ok++;
        } catch {
          failed++;
        }
      };
      // Always so many on their way, as a server has them; the first thousand fill caches and pools.
      const drive = async (from: number, to: number): Promise<void> => {
        let next = from;
        const lane = async (): Promise<void> => {
          while (next < to) await one(next++);
        };
        await Promise.all(Array.from({ length: OUTSTANDING }, lane));
      };
      const warm = Math.min(1000, count >> 1);
      await drive(0, warm);
      const before = collected();
      const { spent } = await timed(() => drive(warm, count));
      const after = collected();
      const { gauges } = (await engine.metrics()).snapshot as { gauges: Record<string, number> };
      await engine.close();
      const held = (gauges.blocks ?? 0) - (gauges.freeBlocks ?? 0);
      return [
        {
          part: 'soak',
          name: `${count} requests: finished and valid`,
          value: ok,
          unit: '',
          note: `${aborted} aborted, ${(spent.wallMs / 1000).toFixed(1)} s`,
        },
        { part: 'soak', name: 'failed or invalid', value: failed, unit: '', target: '0', met: failed === 0 },
        { part: 'soak', name: 'blocks not returned', value: held, unit: '', target: '0', met: held === 0 },
        {
          part: 'soak',
          name: 'growth of the live heap',
          value: (after.heapUsed - before.heapUsed) / 1e6,
          unit: 'MB',
          note: `${((after.rss - before.rss) / 1e6).toFixed(0)} MB resident`,
        },
      ];
    },
  );
}
