import { expect, it } from 'vitest';
import { decoderNames } from '../../src/runtime/io.js';

it('a pattern without a place for the layer names one layer, not all there ever could be', () => {
  const names = decoderNames('model', ['input_ids', 'k', 'v'], ['logits', 'nk', 'nv'], {
    pastKey: 'k',
    pastValue: 'v',
    presentKey: 'nk',
    presentValue: 'nv',
  });
  expect(names.layers).toEqual([{ pastKey: 'k', pastValue: 'v', presentKey: 'nk', presentValue: 'nv' }]);
});
