import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { WaitingQueue } from '../../src/decoder/queue.js';

interface Item {
  readonly priority: number;
  done: boolean;
}

it('keeps nothing of those that have left', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const queue = new WaitingQueue<Item>();
  const left: WeakRef<Item>[] = [];
  const fill = (): void => {
    for (let i = 0; i < 20; i++) queue.push({ priority: 0, done: false });
    for (let i = 0; i < 10; i++) {
      const [item] = queue.first(1);
      left.push(new WeakRef(item!));
      queue.remove(item!);
      item!.done = true;
    }
  };
  fill();
  expect([...queue].length).toBe(10);
  expect(queue.size).toBe(10);
  // What a reference was read from lives to the end of its turn.
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  expect(left.filter((ref) => ref.deref() !== undefined)).toEqual([]);
  expect(queue.first(30).length).toBe(10);
});
