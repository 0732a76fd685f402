/**
 * `--trace`: one JSON line per token, written as they come. Every line has every field: null stands for what there is not, as the
 * probabilities and the mask of a token that was forced and that no model was asked about.
 */
import { createWriteStream, type WriteStream } from 'node:fs';
import type { StreamEvent } from '../index.js';
import { unwritable } from './files.js';

type TokenEvent = Extract<StreamEvent<unknown>, { type: 'token' }>;

export class TraceWriter {
  readonly #file: string;
  readonly #out: WriteStream;
  #counts: number[] = [];
  #failure: Error | undefined;

  private constructor(file: string, out: WriteStream) {
    this.#file = file;
    this.#out = out;
    // Told by close(); a failure meanwhile must not end the process on its own.
    out.on('error', (error) => {
      this.#failure ??= error;
    });
  }

  /** Opens the file, so that one that cannot be written is known before a model is loaded. @throws CliError */
  static open(file: string): Promise<TraceWriter> {
    return new Promise((resolve, reject) => {
      const out = createWriteStream(file);
      out.once('open', () => resolve(new TraceWriter(file, out)));
      out.once('error', (error) => reject(unwritable(file, error)));
    });
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

  /** @throws CliError where the file could not be written */
  async close(): Promise<void> {
    if (!this.#out.destroyed)
      await new Promise<void>((resolve) => {
        this.#out.once('close', resolve);
        this.#out.end();
      });
    if (this.#failure !== undefined) throw unwritable(this.#file, this.#failure);
  }
}
