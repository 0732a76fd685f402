/**
 * The thinking before a value: text until a marker (a special token, or text found across tokens) or until its budget is spent, whereupon the
 * marker is written for the model.
 */
import type { Vocabulary } from '../fsm/vocabulary.js';
import type { ReasoningOptions } from './request.js';
import { StopScanner, TextStream } from './text.js';

/** What a token of the thinking means: it goes on, its budget is spent, or the marker is there and `rest` followed in the same token. */
export type Thought =
  | { readonly kind: 'more' }
  | { readonly kind: 'spent' }
  | { readonly kind: 'marker'; readonly rest: string };

const MORE: Thought = { kind: 'more' };
const SPENT: Thought = { kind: 'spent' };

export class Reasoning {
  readonly #options: ReasoningOptions;
  readonly #vocabulary: Vocabulary;
  readonly #marker: StopScanner;
  readonly #stream = new TextStream();
  #text = '';
  #count = 0;

  constructor(options: ReasoningOptions, vocabulary: Vocabulary) {
    this.#options = options;
    this.#vocabulary = vocabulary;
    this.#marker = new StopScanner([options.end]);
  }

  /** What was thought so far, the marker left out. */
  get text(): string {
    return this.#text;
  }

  /** Takes one token, end tokens excepted. */
  push(token: number, bytes: Uint8Array): Thought {
    this.#count++;
    if (token === this.#vocabulary.specials.get(this.#options.end)) {
      this.#text += this.#marker.flush();
      return { kind: 'marker', rest: '' };
    }
    const found = this.#marker.push(this.#stream.push(bytes));
    this.#text += found.text;
    if (found.stopped) return { kind: 'marker', rest: found.rest.trimStart() };
    return this.#count >= this.#options.budget ? SPENT : MORE;
  }

  /** Ends the thinking from outside; returns the tokens of the marker. */
  cut(): readonly number[] {
    this.#text += this.#marker.flush();
    const special = this.#vocabulary.specials.get(this.#options.end);
    return special === undefined ? this.#vocabulary.encode(this.#options.end) : [special];
  }
}
