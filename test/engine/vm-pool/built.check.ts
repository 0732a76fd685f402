import { expect, it } from 'vitest';
import { hasNodeArrays } from '../../../src/engine/realm.js';

type Package = typeof import('../../../src/index.js');
const { createEngine, generate } = (await import('../../../dist/index.js' as string)) as Package;

it('runs where arrays are not those of Node', () => {
  expect(hasNodeArrays()).toBe(false);
});
it('generate gives the model a thread', async () => {
  const { value } = await generate({ enum: ['red', 'green'] }, { prompt: 'A colour' });
  expect(['red', 'green']).toContain(value);
});
it("the caller's thread is refused with the remedy", async () => {
  await expect(createEngine({ worker: false })).rejects.toMatchObject({
    code: 'OPTION',
    option: 'worker',
    expected: expect.stringContaining('leave it out, or say true'),
  });
});
