import { describe, expect, it } from 'vitest';
import { StepCost } from '../../src/decoder/cost-model.js';
import type { RoundOptions } from '../../src/decoder/loop-options.js';
import { Metrics } from '../../src/decoder/metrics.js';
import { Rounds } from '../../src/decoder/rounds.js';

const setup = (options: RoundOptions = {}) => {
  const metrics = new Metrics();
  return { metrics, rounds: new Rounds(options, metrics) };
};
const plan = (...turns: readonly (readonly number[])[]) => ({ rows: [], admit: [], preempt: [], stuck: [], turns });
const cost = (): StepCost =>
  new StepCost({
    points: [{ tokens: 1, ms: 1, positionMs: 0 }],
    padding: 1,
    chunks: [],
    expertMs: 0,
    ownExperts: 0,
    noise: 0,
  });

describe('Rounds', () => {
  it('a round ends with the last row that waits for its turn, also where that leaves', () => {
    const { rounds } = setup({ batch: 2 });
    rounds.take(plan([3, 4], [5]), 5);
    rounds.forget(4);
    expect(rounds.turns).toEqual([[3], [5]]);
    rounds.forget(5);
    expect(rounds.begins).toBe(false);
    rounds.forget(3);
    expect(rounds.begins).toBe(true);
  });
  it('steps of prompts alone are no rounds', () => {
    const { rounds, metrics } = setup();
    rounds.take(plan(), 0);
    rounds.take(plan(), 4);
    expect(metrics.snapshot().counters.rounds).toBe(1);
  });
  it('measures at four rows, or with the first where time is bounded, and once', async () => {
    let asked = 0;
    const ask = async (): Promise<StepCost> => {
      asked++;
      return cost();
    };
    const auto = setup({ cost: ask }).rounds;
    await auto.measure(() => 3, false);
    expect(asked).toBe(0);
    await auto.measure(() => 4, false);
    await auto.measure(() => 4, false);
    expect(asked).toBe(1);
    const bounded = setup({ cost: ask, maxStepMs: 5, batch: 'all' }).rounds;
    await bounded.measure(() => 0, false);
    expect(asked).toBe(2);
    expect(bounded.cost).toBeDefined();
  });
});
