/**
 * Logits are the same bits however the work is cut: tokens alone, in chunks of any size, beside other rows of any length, and after a
 * prompt run in other chunks. What this needs of ONNX Runtime (a row of a product does not depend on the rows beside it) is not
 * documented, so it is shown here for each kind of weights. Products of 4-bit weights have it on CPUs with AVX-512, not with AVX2 alone.
 */
import { describe, expect, it } from 'vitest';
import { createRandom, type Random } from '../../src/base/random.js';
import type { StepModel } from '../../src/decoder/model.js';
import { loadModel } from '../../src/runtime/load.js';
import { withModel } from './models.js';

const PROMPT = 90;
const OUTPUT = 24;

/** Logits of the last OUTPUT tokens, run one by one after a prompt in one piece. */
async function alone(model: StepModel, text: readonly number[]): Promise<Float32Array[]> {
  const { sequence } = model.open();
  (await model.submit([{ sequence, tokens: text.slice(0, PROMPT), logits: 0 }])).release();
  const out: Float32Array[] = [];
  for (const token of text.slice(PROMPT)) {
    const handle = await model.submit([{ sequence, tokens: [token], logits: 1 }]);
    out.push((await handle.logits(0, 0)).slice());
    handle.release();
  }
  model.close(sequence);
  return out;
}

/** The same in chunks, at a place of its own among rows of other sequences. */
async function inCompany(
  model: StepModel,
  text: readonly number[],
  random: Random,
  token: () => number,
): Promise<Float32Array[]> {
  const { sequence } = model.open();
  const others = Array.from({ length: 1 + random.below(5) }, () => model.open().sequence);
  const out: Float32Array[] = [];
  for (let at = 0; at < text.length; ) {
    const most = at < PROMPT ? Math.min(60, PROMPT - at) : Math.min(8, text.length - at);
    const count = 1 + random.below(most);
    const rows = others
      .filter(() => random.below(3) > 0)
      .map((s) => ({ sequence: s, tokens: Array.from({ length: 1 + random.below(30) }, token), logits: 1 }));
    const place = random.below(rows.length + 1);
    const logits = at < PROMPT ? 0 : count;
    const handle = await model.submit([
      ...rows.slice(0, place),
      { sequence, tokens: text.slice(at, at + count), logits },
      ...rows.slice(place),
    ]);
    for (let j = 0; j < logits; j++) out.push((await handle.logits(place, j)).slice());
    handle.release();
    at += count;
  }
  for (const s of [sequence, ...others]) model.close(s);
  return out;
}

/** Whether one token at position 0, where attention has nothing to add up, has other logits beside the tokens of another row. */
async function productsMixRows(model: StepModel): Promise<boolean> {
  const found: Buffer[] = [];
  for (const others of [[], [2, 3, 4, 5, 6]]) {
    const own = model.open().sequence;
    const beside = model.open().sequence;
    const rows = others.length === 0 ? [] : [{ sequence: beside, tokens: others, logits: 1 }];
    const handle = await model.submit([{ sequence: own, tokens: [1], logits: 1 }, ...rows]);
    found.push(Buffer.from((await handle.logits(0, 0)).slice().buffer));
    handle.release();
    model.close(own);
    model.close(beside);
  }
  return Buffer.compare(found[0]!, found[1]!) !== 0;
}

async function check(model: StepModel, vocabSize: number): Promise<void> {
  for (let seed = 1; seed <= 4; seed++) {
    const random = createRandom(seed);
    const token = (): number => random.below(vocabSize);
    const text = Array.from({ length: PROMPT + OUTPUT }, token);
    const expected = await alone(model, text);
    const got = await inCompany(model, text, random, token);
    expect(got.length).toBe(expected.length);
    // Compared as a whole: a difference in any bit of any logit.
    got.forEach((logits, i) => {
      expect(Buffer.compare(Buffer.from(logits.buffer), Buffer.from(expected[i]!.buffer)), `position ${i}`).toBe(0);
    });
  }
}

describe('logits do not depend on chunks or company', () => {
  it('of the embedded model', async () => {
    const { model, vocabulary } = await loadModel('embedded', {
      device: 'cpu',
      threads: 1,
      kv: { prefixCache: false },
    });
    await check(model, vocabulary.size);
    await model.dispose();
  });
  const shape = { layers: 2, hidden: 128, heads: 4, inner: 192, contextLength: 2048 } as const;
  it.for([
    ['int8', {}],
    ['int4', {}],
    ['f32', {}],
    ['int8', { localWindow: 40 }],
    ['int8', { kvHeads: 4 }],
  ] as const)('of %s weights %o', async ([weights, more], { skip }) => {
    const kv = { bytes: 2 ** 23, prefixCache: false, invariant: true };
    await withModel({ ...shape, kvHeads: 2, weights, ...more }, { kv, threads: 1 }, async ({ model }) => {
      if (weights === 'int4' && (await productsMixRows(model)))
        skip(
          "this CPU's products of 4-bit weights depend on the rows beside (seen with AVX2 alone): nothing to hold attention to",
        );
      await check(model, model.vocabSize);
    });
  });
});
