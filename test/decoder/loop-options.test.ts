import { expect, it } from 'vitest';
import { OptionError } from '../../src/base/errors.js';
import { checkBounds } from '../../src/decoder/loop-options.js';
import { setup } from './requests.js';

it('refuses bounds that nothing can keep, before anything could wait for them', () => {
  for (const batch of [0, 0.5, -1, Number.NaN, '8' as 'all', null as never]) {
    expect(() => checkBounds({ batch })).toThrow(OptionError);
  }
  for (const maxStepMs of [0, -1, Number.NaN, '5' as never, null as never]) {
    expect(() => checkBounds({ maxStepMs })).toThrow(OptionError);
  }
  for (const name of ['maxRows', 'maxStepTokens', 'prefillChunk', 'maxSequences', 'maxQueue', 'agingSteps']) {
    for (const value of [0, -1, 1.5, Number.NaN, '8', null]) {
      expect(() => setup({}, { [name]: value as never })).toThrow(OptionError);
    }
    for (const value of [1, Number.POSITIVE_INFINITY, undefined])
      expect(() => checkBounds({ [name]: value })).not.toThrow();
  }
  for (const options of [
    { batch: 1.5 },
    { batch: Number.POSITIVE_INFINITY },
    { maxStepMs: Number.POSITIVE_INFINITY },
  ]) {
    expect(() => checkBounds(options)).not.toThrow();
  }
});
