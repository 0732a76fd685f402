import { describe, expect, it } from 'vitest';
import { LimitError, ModelError } from '../../src/base/errors.js';
import { Intake } from '../../src/decoder/intake.js';
import { request, setup } from './requests.js';

/** Takes the thread for so many milliseconds. */
function work(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end; );
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('what comes at once', () => {
  it('is prepared at once where it is little', async () => {
    const intake = new Intake();
    let made = 0;
    const all = [1, 2, 3].map((n) => intake.run(() => ++made * n));
    expect(made).toBeGreaterThan(0);
    expect((await Promise.all(all)).map((p) => p?.made)).toEqual([1, 4, 9]);
  });
  it('leaves turns to others, keeps its order, and puts what is urgent first', async () => {
    const intake = new Intake();
    const order: string[] = [];
    const all = Array.from({ length: 30 }, (_, i) =>
      intake.run(
        () => {
          work(3);
          order.push(`${i}`);
        },
        { priority: i === 29 ? 1 : 0 },
      ),
    );
    expect(order.length).toBeLessThan(15);
    let turns = 0;
    while (intake.size > 0) {
      await turn();
      turns++;
    }
    expect(turns).toBeGreaterThan(3);
    const waited = (await Promise.all(all)).map((p) => p!.waitedMs);
    expect(waited[28]).toBeGreaterThan(waited[8]!);
    const urgent = order.indexOf('29');
    expect(urgent).toBeLessThan(15);
    expect(order.filter((o) => o !== '29')).toEqual(Array.from({ length: 29 }, (_, i) => `${i}`));
  });
  it('comes to its turn beside a flood of what is more urgent', async () => {
    const intake = new Intake();
    const order: number[] = [];
    const all = [1, ...Array.from({ length: 10 }, () => 0), ...Array.from({ length: 60 }, () => 5)].map((priority) =>
      intake.run(
        () => {
          work(priority === 1 ? 12 : 1);
          order.push(priority);
        },
        { priority },
      ),
    );
    await Promise.all(all);
    const places = order.flatMap((p, i) => (p === 0 ? [i] : []));
    expect(places[0]).toBeLessThan(10);
    expect(places[5]).toBeLessThan(50);
    expect(order.slice(0, 8).filter((p) => p === 5).length).toBeGreaterThan(5);
  });
  it('is not prepared once its signal has fired', async () => {
    const intake = new Intake();
    const abort = new AbortController();
    let made = 0;
    const make = (): void => {
      made++;
      work(4);
    };
    const all = Array.from({ length: 20 }, () => intake.run(make, { signal: abort.signal }));
    const before = made;
    abort.abort();
    const results = await Promise.all(all);
    expect(made).toBe(before);
    expect(results.filter((r) => r === undefined)).toHaveLength(20 - before);
    expect(intake.size).toBe(0);
    // Also one that comes with a signal that has fired, behind others.
    const late = [...Array.from({ length: 9 }, () => intake.run(make)), intake.run(make, { signal: abort.signal })];
    expect(await late[9]).toBeUndefined();
    await Promise.all(late);
    expect(made).toBe(before + 9);
  });
  it('rejects with what it throws, and with the reason when the intake closes', async () => {
    const intake = new Intake();
    const fail = (): never => {
      work(6);
      throw new RangeError('no');
    };
    const all = Array.from({ length: 8 }, () => intake.run(fail));
    for (const p of all.slice(0, 2)) await expect(p).rejects.toThrow(RangeError);
    intake.close(new ModelError('the engine', 'an open engine', 'a closed one'));
    const ends = await Promise.allSettled(all);
    expect(ends.some((e) => e.status === 'rejected' && e.reason instanceof ModelError)).toBe(true);
    expect(intake.size).toBe(0);
  });
});

describe('a loop with much to prepare', () => {
  it('goes on with the rows that run', async () => {
    const { loop } = setup();
    const texts = ['x'.repeat(60), 'y'.repeat(60)];
    const running = loop.run(request({ texts, maxTokens: 80, forcing: false, draftTokens: 0 }));
    let ready = 0;
    const all = Array.from({ length: 2000 }, () =>
      loop.prepare(() => {
        work(3);
        ready++;
      }),
    );
    await running;
    expect(ready).toBeLessThan(1000);
    expect(loop.pending).toBe(2000 - ready);
    loop.close();
    await Promise.allSettled(all);
    expect(loop.pending).toBe(0);
  });
  it('counts them as waiting requests, and refuses before it prepares', async () => {
    const { loop } = setup({}, { maxQueue: 5 });
    let ready = 0;
    const all = Array.from({ length: 20 }, () =>
      loop
        .prepare(() => {
          ready++;
          work(20);
        })
        .catch((error: unknown) => error),
    );
    const results = await Promise.all(all);
    expect(results.filter((r) => r instanceof LimitError)).toHaveLength(14);
    expect(ready).toBe(6);
  });
  it('counts the wait as time in the queue', async () => {
    const { loop } = setup();
    const all = Array.from({ length: 5 }, () => loop.prepare(() => work(15)));
    const last = (await Promise.all(all))[4]!;
    expect(last.waitedMs).toBeGreaterThan(30);
    const { timings } = await loop.run({ ...request(), waitedMs: last.waitedMs });
    expect(timings.queueMs).toBeGreaterThanOrEqual(last.waitedMs);
    expect(timings.totalMs).toBeGreaterThanOrEqual(timings.queueMs);
  });
});
