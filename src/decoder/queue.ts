/**
 * Requests that wait, by priority and arrival. The scheduler needs only those that could be admitted next: within one priority the earliest
 * has waited longest, so the first few of each priority are enough, and a step costs the same with ten waiting or ten thousand.
 */
export interface Waiting {
  readonly priority: number;
  /** Set when it has left by another way (abort, error): skipped from then on. */
  readonly done: boolean;
}

export class WaitingQueue<T extends Waiting> {
  /** Those before `head` have left, and are let go of at once: they hold prompts and outputs. */
  readonly #lanes = new Map<number, { items: (T | undefined)[]; head: number }>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(item: T): void {
    let lane = this.#lanes.get(item.priority);
    if (lane === undefined) {
      lane = { items: [], head: 0 };
      this.#lanes.set(item.priority, lane);
    }
    lane.items.push(item);
    this.#size++;
  }

  /** The first `n` of each priority. */
  first(n: number): T[] {
    const out: T[] = [];
    for (const [priority, lane] of this.#lanes) {
      while (lane.head < lane.items.length && lane.items[lane.head]!.done) lane.items[lane.head++] = undefined;
      for (let i = lane.head, found = 0; i < lane.items.length && found < n; i++) {
        const item = lane.items[i]!;
        if (item.done) continue;
        out.push(item);
        found++;
      }
      if (lane.head === lane.items.length) this.#lanes.delete(priority);
      else if (lane.head > 1024 && lane.head * 2 > lane.items.length) {
        lane.items.splice(0, lane.head);
        lane.head = 0;
      }
    }
    return out;
  }

  /** Takes an item out; false where it is not waiting. */
  remove(item: T): boolean {
    const lane = this.#lanes.get(item.priority);
    if (lane === undefined) return false;
    // Mostly the first ones leave.
    const at = lane.items.indexOf(item, lane.head);
    if (at < 0) return false;
    if (at === lane.head) lane.items[lane.head++] = undefined;
    else lane.items.splice(at, 1);
    this.#size--;
    return true;
  }

  *[Symbol.iterator](): Generator<T> {
    for (const { items, head } of this.#lanes.values()) {
      for (let i = head; i < items.length; i++) if (!items[i]!.done) yield items[i]!;
    }
  }
}
