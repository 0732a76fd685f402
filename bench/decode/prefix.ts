/** A shared prefix of a thousand tokens: time to the first token, cold and warm. */
import { createEngine } from '../../src/engine/create.js';
import { DENSE, type Line, timed, withFolder } from './common.js';

export async function prefixPart(quick: boolean): Promise<Line[]> {
  return withFolder(DENSE, async (folder) => {
    const engine = await createEngine({ model: folder, device: 'cpu', worker: false, threads: 1 });
    const ask = (system: string, user: string) => engine.generate(null, { system, prompt: user, maxTokens: 1 });
    await ask('warm up', 'x');
    const runs = quick ? 2 : 5;
    let cold = 0;
    let warm = 0;
    let tokens = 0;
    let cached = 0;
    for (let i = 0; i < runs; i++) {
      // Random weights come with a byte-level vocabulary: about one token a character.
      const system = Array.from({ length: 90 }, (_, k) => `rule ${i}-${k} `)
        .join('')
        .slice(0, 1000);
      const first = await timed(() => ask(system, 'first'));
      cold += first.spent.cpuMs;
      for (let k = 0; k < 3; k++) {
        const next = await timed(() => ask(system, `another ${k}`));
        warm += next.spent.cpuMs / 3;
        tokens = next.value.usage.promptTokens;
        cached = next.value.usage.cachedTokens;
      }
    }
    await engine.close();
    const share = warm / cold;
    return [
      {
        part: 'prefix',
        name: `time to first token, shared prefix (${cached} of ${tokens} tokens cached)`,
        value: share,
        unit: 'of cold',
        target: '<= 0.15',
        met: share <= 0.15,
      },
    ];
  });
}
