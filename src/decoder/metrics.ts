/**
 * Counters and histograms of a decode loop: as an object, and in Prometheus' text format. Observing allocates nothing; buckets are
 * powers of two of 16 microseconds, so that one layout serves masks and queue times.
 */

const BUCKETS = 24;
const FIRST_MS = 0.016;

class Histogram {
  readonly #counts = new Float64Array(BUCKETS + 1);
  count = 0;
  sum = 0;
  max = 0;

  observe(ms: number): void {
    this.count++;
    this.sum += ms;
    if (ms > this.max) this.max = ms;
    let at = 0;
    for (let bound = FIRST_MS; at < BUCKETS && ms > bound; bound *= 2) at++;
    this.#counts[at]!++;
  }

  /** Upper bound of the bucket that holds this quantile. */
  quantile(q: number): number {
    let left = q * this.count;
    for (let at = 0; at < BUCKETS; at++) {
      left -= this.#counts[at]!;
      if (left <= 0) return Math.min(this.max, FIRST_MS * 2 ** at);
    }
    return this.max;
  }

  /** Upper bounds in milliseconds with cumulative counts. */
  buckets(): { readonly le: number; readonly count: number }[] {
    const out: { le: number; count: number }[] = [];
    let total = 0;
    for (let at = 0; at < BUCKETS; at++) {
      total += this.#counts[at]!;
      out.push({ le: FIRST_MS * 2 ** at, count: total });
    }
    out.push({ le: Number.POSITIVE_INFINITY, count: this.count });
    return out;
  }
}

const COUNTERS = {
  requests: 'Requests taken',
  finished: 'Requests that ended with a value',
  aborted: 'Requests aborted by their signal',
  failed: 'Requests that ended in an error',
  promptTokens: 'Tokens of prompts',
  cachedTokens: 'Prompt tokens found in the prefix cache',
  outputTokens: 'Tokens of outputs',
  forcedTokens: 'Output tokens that the grammar forced',
  sampledTokens: 'Output tokens chosen by the sampler',
  draftedTokens: 'Tokens guessed ahead and verified',
  acceptedDrafts: 'Guessed tokens that were right',
  optimisticHits: 'Tokens accepted before any mask was made',
  masks: 'Masks filled',
  steps: 'Forward passes',
  rows: 'Rows over all forward passes',
  stepTokens: 'Tokens over all forward passes',
  rounds: 'Rounds: every row that is ready, once',
  cutRounds: 'Rounds cut into several steps, because that costs less',
  overlappedSteps: 'Passes on a device whose masks were made while it computed',
  lateMasks: 'Those whose device had nothing left to compute when the masks were ready',
  preemptions: 'Requests moved out of a full pool',
  expertsTouched: 'Distinct experts, summed over layers and passes',
  expertRows: 'Token rows over all experts, layers and passes',
} as const;

const TIMES = {
  queueMs: 'Time from arrival to the first pass',
  firstTokenMs: 'Time from arrival to the first output token',
  totalMs: 'Time from arrival to the end',
  maskMs: 'Time to fill one mask',
  stepMs: 'Time of one forward pass',
  predictedMs: 'Time that steps of decoding rows were expected to take, once costs are measured',
  measuredMs: 'Time that they took, from plan to outcome, without opening new requests',
  probeMs: 'Time to measure what steps cost',
  overlapMs: 'Time to make the masks of one pass while the device computes',
  deviceMs: 'Time from those masks to the tokens: what the device had left, mask transfer, sampler',
} as const;

export type CounterName = keyof typeof COUNTERS;
export type TimeName = keyof typeof TIMES;

export interface MetricsSnapshot {
  readonly counters: Readonly<Record<CounterName, number>>;
  readonly times: Readonly<Record<TimeName, { count: number; sum: number; max: number; p50: number; p99: number }>>;
  readonly gauges: Readonly<Record<string, number>>;
}

export class Metrics {
  readonly #counters = new Map<CounterName, number>();
  readonly #times = new Map<TimeName, Histogram>(
    (Object.keys(TIMES) as TimeName[]).map((name) => [name, new Histogram()]),
  );
  readonly #gauges: () => Readonly<Record<string, number>>;

  /** `gauges` is asked when a snapshot is taken (queue length, free blocks, …). */
  constructor(gauges: () => Readonly<Record<string, number>> = () => ({})) {
    this.#gauges = gauges;
  }

  add(name: CounterName, n = 1): void {
    this.#counters.set(name, (this.#counters.get(name) ?? 0) + n);
  }

  observe(name: TimeName, ms: number): void {
    this.#times.get(name)?.observe(ms);
  }

  snapshot(): MetricsSnapshot {
    const counters = {} as Record<CounterName, number>;
    for (const name of Object.keys(COUNTERS) as CounterName[]) counters[name] = this.#counters.get(name) ?? 0;
    const times = {} as Record<TimeName, { count: number; sum: number; max: number; p50: number; p99: number }>;
    for (const [name, h] of this.#times) {
      times[name] = { count: h.count, sum: h.sum, max: h.max, p50: h.quantile(0.5), p99: h.quantile(0.99) };
    }
    return { counters, times, gauges: { ...this.#gauges() } };
  }

  /** Prometheus' text format, version 0.0.4; times in seconds. */
  prometheus(prefix = 'tokenloom'): string {
    const lines: string[] = [];
    for (const [name, help] of Object.entries(COUNTERS)) {
      const full = `${prefix}_${snake(name)}_total`;
      lines.push(
        `# HELP ${full} ${help}.`,
        `# TYPE ${full} counter`,
        `${full} ${this.#counters.get(name as CounterName) ?? 0}`,
      );
    }
    for (const [name, value] of Object.entries(this.#gauges())) {
      const full = `${prefix}_${snake(name)}`;
      lines.push(`# TYPE ${full} gauge`, `${full} ${value}`);
    }
    for (const [name, help] of Object.entries(TIMES)) {
      const h = this.#times.get(name as TimeName);
      if (h === undefined) continue;
      const full = `${prefix}_${snake(name.replace(/Ms$/, ''))}_seconds`;
      lines.push(`# HELP ${full} ${help}.`, `# TYPE ${full} histogram`);
      for (const { le, count } of h.buckets())
        lines.push(`${full}_bucket{le="${le === Number.POSITIVE_INFINITY ? '+Inf' : le / 1000}"} ${count}`);
      lines.push(`${full}_sum ${h.sum / 1000}`, `${full}_count ${h.count}`);
    }
    return `${lines.join('\n')}\n`;
  }
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
}
