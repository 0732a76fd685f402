/** Samples of times in microseconds, and their percentiles. */
export class Samples {
  #data = new Float64Array(1024);
  length = 0;

  push(us: number): void {
    if (this.length === this.#data.length) {
      const wider = new Float64Array(this.length * 2);
      wider.set(this.#data);
      this.#data = wider;
    }
    this.#data[this.length++] = us;
  }

  addAll(other: Samples): void {
    for (const us of other.values()) this.push(us);
  }

  /** Keeps the lesser time at each position; both must have run the same way. False where they did not. */
  leastOf(other: Samples): boolean {
    if (other.length !== this.length) return false;
    const theirs = other.values();
    for (let i = 0; i < this.length; i++) this.#data[i] = Math.min(this.#data[i] ?? 0, theirs[i] ?? 0);
    return true;
  }

  /** As text (32-bit floats in base64), and back. */
  pack(): string {
    return Buffer.from(Float32Array.from(this.values()).buffer).toString('base64');
  }

  static unpack(text: string): Samples {
    const raw = Uint8Array.from(Buffer.from(text, 'base64'));
    const samples = new Samples();
    for (const us of new Float32Array(raw.buffer)) samples.push(us);
    return samples;
  }

  values(): Float64Array {
    return this.#data.subarray(0, this.length);
  }

  summary(): Summary {
    const sorted = this.values().slice().sort();
    const at = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
    let sum = 0;
    for (const us of sorted) sum += us;
    return {
      n: sorted.length,
      avg: sorted.length === 0 ? 0 : sum / sorted.length,
      p50: at(0.5),
      p90: at(0.9),
      p99: at(0.99),
      p999: at(0.999),
      max: sorted.at(-1) ?? 0,
    };
  }
}

/**
 * Time of a piece of work on a machine that does other things too: the lesser of wall time and processor time. Processor time (of the whole
 * process, the collector's threads included, to 1 us) does not count what others did meanwhile; for short work wall time is finer.
 */
export class Stopwatch {
  #cpu = process.cpuUsage();
  #wall = 0;

  start(): void {
    this.#cpu = process.cpuUsage();
    this.#wall = performance.now();
  }

  /** Microseconds since {@link start}. */
  stop(): number {
    const wall = (performance.now() - this.#wall) * 1000;
    if (wall < SHORT_US) return wall;
    const { user, system } = process.cpuUsage(this.#cpu);
    return Math.min(wall, user + system);
  }
}

/** Work so short that being interrupted would have made it longer. */
const SHORT_US = 10;

export interface Summary {
  readonly n: number;
  readonly avg: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** Microseconds with three significant digits. */
export function us(x: number): string {
  if (x >= 100) return x.toFixed(0);
  return x >= 10 ? x.toFixed(1) : x.toFixed(2);
}

export const summaryCells = (s: Summary): string[] => [
  String(s.n),
  ...[s.avg, s.p50, s.p90, s.p99, s.p999, s.max].map(us),
];
export const SUMMARY_HEAD = ['n', 'avg', 'p50', 'p90', 'p99', 'p99.9', 'max'];
