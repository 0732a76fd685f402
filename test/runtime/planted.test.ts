import { expect, it } from 'vitest';
import { withModel } from './models.js';

it.each([0.9, 1])('planted routing sends tokens to the experts of their domain: %f', async (affinity) => {
  const shape = { layers: 3, hidden: 128, experts: { count: 32, topK: 2 }, planted: { domains: 4, affinity } } as const;
  await withModel(shape, { kv: { bytes: 2 ** 22 } }, async ({ model }) => {
    let [own, total] = [0, 0];
    const used = new Set<number>();
    for (let domain = 0; domain < 4; domain++) {
      const { sequence } = model.open();
      const tokens = Array.from({ length: 90 }, (_, i) => 4 * i + domain);
      const handle = await model.submit([{ sequence, tokens, logits: 0 }]);
      const trace = await handle.experts();
      for (const ids of trace?.ids ?? []) {
        for (const e of ids) {
          total++;
          used.add(e);
          if (e >> 3 === domain) own++;
        }
      }
    }
    expect(total).toBe(4 * 90 * 2 * 3);
    expect(own / total).toBeGreaterThan(affinity - 0.05);
    expect(own / total).toBeLessThanOrEqual(affinity + 0.05);
    expect(used.size).toBeGreaterThan(24);
  });
});
