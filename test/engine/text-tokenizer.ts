import type { TextTokenizer } from '../../src/runtime/types.js';

/** A token for each character, no control tokens: for tests of a prompt's text. */
export const textTokenizer: TextTokenizer = {
  encode: (text) => [...text].map((c) => c.codePointAt(0)!),
  decode: (ids) => String.fromCodePoint(...ids),
  mark: (value) => value,
  unmark: (text) => text,
};
