/**
 * The way into the loop. To compile a schema and tokenize a prompt takes milliseconds of the thread that runs the steps, and requests often come
 * all at once (a batch job's `Promise.all`). Prepared as they come, they stop every row that runs: 2,000 requests of 2 ms each left a stream beside
 * them without a token for as long as all of them took. So the loop's thread prepares for a few milliseconds between two steps, the most urgent
 * first, and whoever gives up before his turn costs nothing.
 */
import { AbortListeners } from '../base/abort-listeners.js';
import { WaitingQueue } from './queue.js';

/** Milliseconds of preparations between two steps: some five requests. */
const LEAST_MS = 10;
/** Or this part of the time since the last ones, if that is more: long steps have many rows, and want many requests. */
const SHARE = 0.25;
/** One in so many is the one that came first, so that what is urgent holds up nobody for ever. */
const FIRST_COME = 8;

interface Entry {
  readonly priority: number;
  readonly arrived: number;
  readonly begin: () => void;
  readonly reject: (error: unknown) => void;
  done: boolean;
}

export interface IntakeOptions {
  /** Greater first. */
  readonly priority?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What was made, and the milliseconds that it waited for its turn. */
export interface Prepared<T> {
  readonly made: T;
  readonly waitedMs: number;
}

export class Intake {
  readonly #waiting = new WaitingQueue<Entry>();
  readonly #signals = new AbortListeners();
  /** Milliseconds spent since the event loop had its last turn, and those that there are until its next one. */
  #spent = 0;
  #most = LEAST_MS;
  #asked = 0;
  #scheduled = false;
  #taken = 0;

  /** Requests that wait to be prepared. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Calls `make` at once where there is time, else in a later turn. Undefined where the signal fired before; rejects with what `make` throws. */
  run<T>(make: () => T, { priority = 0, signal }: IntakeOptions = {}): Promise<Prepared<T> | undefined> {
    return new Promise((resolve, reject) => {
      const arrived = performance.now();
      const begin = (): void => {
        const start = performance.now();
        try {
          resolve({ made: make(), waitedMs: start - arrived });
        } catch (error) {
          reject(error);
        }
        this.#spent += performance.now() - start;
      };
      this.#schedule();
      if (this.#waiting.size === 0 && this.#spent < this.#most) {
        begin();
        return;
      }
      let unlisten = (): void => {};
      const leave = (): boolean => {
        unlisten();
        if (entry.done) return false;
        this.#waiting.remove(entry);
        entry.done = true;
        return true;
      };
      const entry: Entry = {
        priority,
        arrived,
        done: false,
        begin: () => leave() && begin(),
        reject: (error) => leave() && reject(error),
      };
      this.#waiting.push(entry);
      unlisten = this.#signals.add(signal, () => leave() && resolve(undefined));
    });
  }

  /** Rejects all that wait. */
  close(reason: Error): void {
    for (const entry of [...this.#waiting]) entry.reject(reason);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#asked = performance.now();
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#scheduled = false;
    this.#most = Math.max(LEAST_MS, SHARE * (performance.now() - this.#asked));
    this.#spent = 0;
    while (this.#waiting.size > 0 && this.#spent < this.#most) {
      this.#next().begin();
    }
    if (this.#waiting.size > 0) this.#schedule();
  }
  #next(): Entry {
    const [first, ...others] = this.#waiting.first(1);
    const byArrival = ++this.#taken % FIRST_COME === 0;
    return others.reduce((a, b) => ((byArrival ? b.arrived < a.arrived : b.priority > a.priority) ? b : a), first!);
  }
}
