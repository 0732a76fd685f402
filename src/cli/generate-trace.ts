/**
 * `--trace`: one JSON line per token, written as they come. Every line has every field: null stands for what there is not, as the
 * probabilities and the mask of a token that was forced and that no model was asked about.
 */
import { createWriteStream, type WriteStream } from 'node:fs';
import type { StreamEvent } from '../index.js';

type TokenEvent = Extract<StreamEvent<unknown>, { type: 'token' }>;

export class TraceWriter {
  readonly #out: WriteStream;
  readonly #ready: Promise<void>;
  #counts: number[] = [];

  constructor(file: string) {
    this.#out = createWriteStream(file);
    this.#ready = new Promise((resolve, reject) => {
      this.#out.once('open', () => resolve());
      this.#out.once('error', reject);
    });
    // Awaited by close(); a failure meanwhile must not end the process on its own.
    this.#ready.catch(() => {});
  }

  write(event: TokenEvent): void {
    const position = this.#counts[event.index] ?? 0;
    this.#counts[event.index] = position + 1;
    const { index, token, text, forced, drafted, reasoning, allowed, maskMs, deviceMs, logprob, top } = event;
    const line = {
      output: index,
      position,
      token,
      text,
      forced,
      drafted,
      reasoning,
      allowed: allowed ?? null,
      maskMs: maskMs ?? null,
      deviceMs: deviceMs ?? null,
      logprob: logprob ?? null,
      top: top ?? null,
    };
    this.#out.write(`${JSON.stringify(line)}\n`);
  }

  /** Rejects where the file could not be written. */
  async close(): Promise<void> {
    await this.#ready;
    await new Promise<void>((resolve, reject) => {
      this.#out.once('error', reject);
      this.#out.end(() => resolve());
    });
  }
}
