/**
 * A generation as it happens: one log of events, any number of readers (each from the start), and a promise of the result.
 */
import { PartialJson } from '../base/partial-json.js';
import type { FinishReason } from '../decoder/request.js';
import type { JobEvent } from './job.js';
import type { ItemOf, PartialValue } from './partial-types.js';
import type { Result, StreamEvent } from './types.js';

type Entry<R> = Exclude<StreamEvent<unknown, unknown, R>, { type: 'partial' }>;

/** `J` is the type of the JSON, before transforms of a schema library. */
export class GenerationStream<T, J = unknown, R extends Result<unknown, FinishReason, unknown> = Result<T>>
  implements AsyncIterable<StreamEvent<T, J, R>>
{
  /** The finished result; rejects as `generate` would. */
  readonly result: Promise<R>;
  readonly #log: Entry<R>[] = [];
  readonly #json: boolean;
  readonly #best: boolean;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #wake: () => void = () => {};
  #change: Promise<void>;

  /**
   * `start` begins the work; it gets the sink of its events. `json`: whether partial values make sense. `best`: the result is the likeliest of several
   * outputs, so that there is no text of it before all have ended.
   */
  constructor(json: boolean, start: (sink: (event: JobEvent) => void) => Promise<R>, best = false) {
    this.#json = json;
    this.#best = best;
    this.#change = new Promise((resolve) => {
      this.#wake = resolve;
    });
    this.result = start((event) => this.#take(event)).then(
      (result) => {
        if (best && result.text !== '') this.#push({ type: 'text', text: result.text });
        this.#push({ type: 'done', result });
        this.#end();
        return result;
      },
      (error: unknown) => {
        this.#failure = { error };
        this.#end();
        throw error;
      },
    );
    // A reader of events sees the error there; the promise alone must not end the process.
    this.result.catch(() => {});
  }

  /** Pieces of the output's text. */
  get textStream(): AsyncIterable<string> {
    return map(this.#entries(), (e) => (e.type === 'text' ? e.text : undefined));
  }

  /** The value so far, after each piece of text that changed it. */
  get partialStream(): AsyncIterable<PartialValue<J>> {
    return map(
      this,
      (e) => (e.type === 'partial' ? { value: e.value } : undefined),
      (e) => e.value,
    );
  }

  /** Items of a value that is an array, each once it is whole: before transforms and refinements of a schema library, which see the whole value only. */
  get elementStream(): AsyncIterable<ItemOf<J>> {
    return this.#elements();
  }

  async *#elements(): AsyncGenerator<ItemOf<J>> {
    const partial = new PartialJson();
    let given = 0;
    for await (const entry of this.#entries()) {
      if (!this.#json || entry.type !== 'text') continue;
      partial.push(entry.text);
      const { items } = partial;
      while (given < items.length) yield items[given++] as ItemOf<J>;
    }
  }

  async *[Symbol.asyncIterator](): AsyncIterator<StreamEvent<T, J, R>> {
    const partial = new PartialJson();
    let last = 0;
    for await (const entry of this.#entries()) {
      // A number alone is whole once the text has ended.
      const ended = entry.type === 'done' && entry.result.finishReason !== 'abort';
      if (entry.type !== 'done') yield entry;
      if (this.#json && (entry.type === 'text' || ended)) {
        if (entry.type === 'text') partial.push(entry.text);
        else partial.end();
        const { version } = partial;
        if (version !== last) {
          last = version;
          yield { type: 'partial', value: partial.value as PartialValue<J> };
        }
      }
      if (entry.type === 'done') yield entry;
    }
  }

  async *#entries(): AsyncGenerator<Entry<R>> {
    for (let at = 0; ; ) {
      while (at < this.#log.length) yield this.#log[at++]!;
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#ended) return;
      await this.#change;
    }
  }

  #take(event: JobEvent): void {
    event.tokens.forEach((token, i) => {
      this.#push({ type: 'token', index: event.index, text: event.texts[i] ?? '', ...token });
    });
    if (event.index === 0 && event.text !== '' && !this.#best) this.#push({ type: 'text', text: event.text });
  }

  #push(entry: Entry<R>): void {
    this.#log.push(entry);
    this.#signal();
  }

  #end(): void {
    this.#ended = true;
    this.#signal();
  }

  #signal(): void {
    const wake = this.#wake;
    this.#change = new Promise((resolve) => {
      this.#wake = resolve;
    });
    wake();
  }
}

async function* map<A, B, C = B>(
  source: AsyncIterable<A>,
  pick: (item: A) => B | undefined,
  last?: (item: B) => C,
): AsyncGenerator<C> {
  for await (const item of source) {
    const picked = pick(item);
    if (picked !== undefined) yield last === undefined ? (picked as unknown as C) : last(picked);
  }
}
