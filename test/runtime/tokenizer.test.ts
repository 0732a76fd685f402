import { expect, it } from 'vitest';
import { createTokenizer } from '../../src/runtime/tokenizer.js';

const PIECES = ['a', '½', '²', '1', 'a½', '½²', '²1'];

it.each([
  [false, 'Digits', ['a', '½²', '1']],
  [true, 'Digits', ['a', '½', '²', '1']],
  [true, 'Sequence', ['a', '½', '²', '1']],
])(
  'numbers that are no ASCII digits end words as digits do (each alone: %s, in %s)',
  (individual_digits, type, want) => {
    const digits = { type: 'Digits', individual_digits };
    const json = {
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: type === 'Digits' ? digits : { type, pretokenizers: [digits] },
      post_processor: null,
      decoder: null,
      model: {
        type: 'BPE',
        vocab: Object.fromEntries(PIECES.map((piece, id) => [piece, id])),
        merges: [
          ['a', '½'],
          ['½', '²'],
        ],
      },
    };
    const { encode } = createTokenizer('test', json, {});
    expect(encode('a½²1').map((id) => PIECES[id])).toEqual(want);
  },
);
