/** Runs `bench reliability`: progress on standard error, the report's place and its short form on standard output. */
import { readFileSync } from 'node:fs';
import { type BenchProgress, reportRun, runBench } from '../../reliability/run.js';
import type { Summary } from '../../reliability/summary.js';
import type { MethodName } from '../../reliability/types.js';
import { EXIT, type ExitCode } from '../exit.js';

export interface ReliabilityFlags {
  readonly model: string;
  readonly requests?: string;
  readonly out: string;
  readonly full?: boolean;
  readonly count?: number;
  readonly seed: number;
  readonly methods?: readonly MethodName[];
  readonly compared: number;
  readonly maskbench?: string;
  readonly maskbenchLimit?: number;
  readonly maxTokens: number;
  readonly speed?: number;
  readonly workers?: number;
  readonly timeout: number;
  readonly fresh?: boolean;
  readonly reportOnly?: boolean;
}

type Resolved = ReliabilityFlags & { readonly count: number; readonly speed: number; readonly maskbenchLimit: number };

/** Returns the exit code; throws typed errors. */
export async function reliability(flags: Resolved): Promise<ExitCode> {
  if (flags.reportOnly === true) {
    const { summary, files } = await reportRun(flags.out);
    return told(summary, files);
  }
  const progress = new ProgressLine();
  const abort = new AbortController();
  const onInterrupt = (): void => {
    // A second Ctrl-C does not wait for anything.
    if (abort.signal.aborted) process.exit(EXIT.interrupted);
    abort.abort();
  };
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onInterrupt);
  try {
    const result = await runBench({
      ...flags,
      watchdogMs: flags.timeout * 1000,
      fresh: flags.fresh === true,
      signal: abort.signal,
      onProgress: (p) => progress.show(p),
    });
    progress.clear();
    if (result.kind === 'interrupted') {
      process.stderr.write(
        `interrupted after ${result.done} of ${result.total} requests; the same command goes on from here (${flags.out})\n`,
      );
      return EXIT.interrupted;
    }
    if (!result.repairs)
      process.stderr.write("method 3 was left out: the optional package 'jsonrepair' is not installed\n");
    return told(result.summary, result.files);
  } finally {
    progress.clear();
    process.off('SIGINT', onInterrupt);
    process.off('SIGTERM', onInterrupt);
  }
}

function told(summary: Summary, files: readonly string[]): ExitCode {
  const short = files.find((f) => f.endsWith('.md'));
  if (short !== undefined) process.stdout.write(`${readFileSync(short, 'utf8')}\n`);
  process.stdout.write(`${files.join('\n')}\n`);
  return summary.failureCount > 0 ? EXIT.mismatch : EXIT.ok;
}

const REFRESH_MS = 200;
const PLAIN_MS = 30_000;

/** One line that rewrites itself on a terminal; elsewhere a line every half minute. */
class ProgressLine {
  readonly #live = process.stderr.isTTY === true;
  #last = 0;
  #shown = 0;

  show(p: BenchProgress): void {
    const now = performance.now();
    const last = p.done === p.total;
    if (!last && now - this.#last < (this.#live ? REFRESH_MS : PLAIN_MS) && this.#last > 0) return;
    this.#last = now;
    const line = words(p);
    if (!this.#live) {
      process.stderr.write(`${line}\n`);
      return;
    }
    const width = Math.max(20, process.stderr.columns ?? 80) - 1;
    const text = line.slice(0, width);
    process.stderr.write(`\r${text}${' '.repeat(Math.max(0, this.#shown - text.length))}`);
    this.#shown = text.length;
  }

  clear(): void {
    if (this.#shown > 0) process.stderr.write(`\r${' '.repeat(this.#shown)}\r`);
    this.#shown = 0;
  }
}

function words({ phase, done, total, fresh, seconds, failures }: BenchProgress): string {
  if (phase === 'model') return `loading the model, ${total} requests`;
  if (phase === 'report') return 'writing the report';
  const name = phase === 'speed' ? 'comparing speed' : 'requests';
  const left = fresh === 0 ? undefined : ((total - done) * seconds) / fresh;
  return [
    `${name} ${done} of ${total}`,
    `${total === 0 ? 100 : Math.floor((100 * done) / total)}%`,
    ...(left === undefined
      ? []
      : [`${(fresh / Math.max(1e-3, seconds)).toFixed(1)}/s`, `about ${duration(left)} left`]),
    ...(failures > 0 ? [`${failures} failed`] : []),
  ].join(' · ');
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
