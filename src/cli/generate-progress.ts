/**
 * The progress line on standard error: one line that rewrites itself on a terminal, and a summary at the end. Nothing is written where
 * standard error is not a terminal, but for warnings and the summary.
 */
import type { LoadProgress, Result } from '../index.js';

const REFRESH_MS = 80;

export class Progress {
  readonly #live: boolean;
  readonly #shared: boolean;
  readonly #quiet: boolean;
  readonly #color: boolean;
  #shown = 0;
  #last = 0;
  #tokens = 0;
  #forced = 0;
  #maskMs = 0;
  #start = 0;

  /** `shared`: standard output is a terminal too, so a live line would mix with the text: it is shown until that begins. */
  constructor(quiet: boolean, shared: boolean) {
    this.#quiet = quiet;
    this.#live = !quiet && process.stderr.isTTY === true;
    this.#shared = shared;
    this.#color = process.stderr.isTTY === true && (process.env.NO_COLOR ?? '') === '' && process.env.TERM !== 'dumb';
  }

  load(event: LoadProgress): void {
    if (event.phase === 'download' && event.total !== undefined && event.loaded !== undefined) {
      const share = event.total > 0 ? Math.floor((100 * event.loaded) / event.total) : 100;
      this.#show(`downloading ${event.file ?? ''} ${share}% of ${(event.total / 1e6).toFixed(1)} MB`, share === 100);
    } else this.#show(`loading the model (${event.phase})`, true);
  }

  token(forced: boolean, maskMs = 0): void {
    if (this.#start === 0) this.#start = performance.now();
    this.#tokens++;
    if (forced) this.#forced++;
    this.#maskMs += maskMs;
    if (this.#shared) return;
    const seconds = (performance.now() - this.#start) / 1000;
    const rate = seconds > 0.05 ? ` · ${(this.#tokens / seconds).toFixed(0)} tokens/s` : '';
    this.#show(
      `${this.#tokens} tokens${rate} · ${percent(this.#forced, this.#tokens)} forced · masks ${this.#maskMs.toFixed(1)} ms`,
      false,
    );
  }

  /** Makes room for text on standard output, where that is the same terminal. */
  makeRoom(): void {
    if (this.#shared) this.clear();
  }

  /** Ends the live line, so that other output starts on a clean one. */
  clear(): void {
    if (this.#shown > 0) process.stderr.write(`\r${' '.repeat(this.#shown)}\r`);
    this.#shown = 0;
  }

  warn(message: string): void {
    if (this.#quiet) return;
    this.clear();
    process.stderr.write(`${this.#paint('33', 'warning:')} ${message}\n`);
  }

  /** `limited`: the caller set a limit of tokens; else the model's context is the limit. */
  summary(result: Result<unknown>, limited: boolean): void {
    if (this.#quiet) return;
    this.clear();
    const { usage, timings } = result;
    const parts = [
      counted(usage.completionTokens, 'token'),
      `${timings.tokensPerSecond.toFixed(0)} tokens/s`,
      ...(usage.reasoningTokens > 0 ? [`${usage.reasoningTokens} of thinking`] : []),
      `${percent(usage.forcedTokens, usage.completionTokens + usage.reasoningTokens)} forced`,
      counted(usage.passes, 'pass'),
      `masks ${timings.maskMs.toFixed(1)} ms`,
      `${timings.totalMs.toFixed(0)} ms`,
      ...(result.finishReason === 'stop' ? [] : [ending(result.finishReason, limited)]),
    ];
    process.stderr.write(`${this.#paint('2', parts.join(' · '))}\n`);
  }

  #show(text: string, now: boolean): void {
    if (!this.#live) return;
    const time = performance.now();
    if (!now && time - this.#last < REFRESH_MS) return;
    this.#last = time;
    const width = Math.max(20, process.stderr.columns ?? 80) - 1;
    const line = text.slice(0, width);
    process.stderr.write(`\r${line}${' '.repeat(Math.max(0, this.#shown - line.length))}`);
    this.#shown = line.length;
  }

  #paint(code: string, text: string): string {
    return this.#color ? `\u001b[${code}m${text}\u001b[0m` : text;
  }
}

function ending(reason: string, limited: boolean): string {
  const limit = limited ? '--max-tokens' : "the length of the model's context";
  if (reason === 'budget') return `closed early by ${limit}, complete`;
  if (reason === 'length') return `cut by ${limit}`;
  return reason === 'abort' ? 'interrupted' : reason;
}

function counted(n: number, unit: string): string {
  return `${n} ${unit}${n === 1 ? '' : unit.endsWith('s') ? 'es' : 's'}`;
}

function percent(part: number, whole: number): string {
  return `${whole === 0 ? 0 : Math.round((100 * part) / whole)}%`;
}
