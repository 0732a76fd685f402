/**
 * The thinking before a value: text until a marker (a special token, text found across tokens, or both: `<|channel|>final<|message|>`) or until its budget
 * is spent, whereupon the marker is written for the model.
 */
import { markParts } from '../base/marks.js';
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

/** The tokens of a marker. */
export function markerTokens(marker: string, vocabulary: Vocabulary): readonly number[] {
  const special = vocabulary.specials.get(marker);
  if (special !== undefined) return [special];
  return markParts(marker, vocabulary.controls).flatMap(({ text, isToken }) =>
    isToken ? vocabulary.find(text) : vocabulary.encode(text),
  );
}

export class Reasoning {
  readonly #options: ReasoningOptions;
  readonly #vocabulary: Vocabulary;
  readonly #marker: StopScanner;
  readonly #stream = new TextStream();
  /** Names of the control tokens within the marker, which have no bytes to find it by. */
  readonly #names: ReadonlyMap<number, string>;
  #text = '';
  #count = 0;

  constructor(options: ReasoningOptions, vocabulary: Vocabulary) {
    this.#options = options;
    this.#vocabulary = vocabulary;
    this.#marker = new StopScanner([options.end]);
    const parts = markParts(options.end, vocabulary.controls).filter((part) => part.isToken);
    this.#names = new Map(parts.flatMap(({ text }) => vocabulary.find(text).map((id) => [id, text] as const)));
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
    const found = this.#marker.push(this.#names.get(token) ?? this.#stream.push(bytes));
    this.#text += found.text;
    if (found.stopped) return { kind: 'marker', rest: found.rest.trimStart() };
    return this.#count >= this.#options.budget ? SPENT : MORE;
  }

  /** Ends the thinking from outside; returns the tokens of the marker. */
  cut(): readonly number[] {
    this.#text += this.#marker.flush();
    return markerTokens(this.#options.end, this.#vocabulary);
  }
}
