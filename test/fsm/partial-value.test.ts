import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { couldBecome, plainPrefix, readPartial } from '../../src/fsm/partial-value.js';

const could = (text: string | Uint8Array, value: unknown): boolean =>
  couldBecome(readPartial(typeof text === 'string' ? text : new TextDecoder().decode(text)), value);

describe('what a text that stops in the middle can become', () => {
  it.each([
    ['{"name":"7', { name: '6.3' }, false],
    ['{"name":"6', { name: '6.3' }, true],
    ['{"na', { name: '6.3' }, true],
    ['{"checked":true,"c', { name: 'a', checked: true }, false],
    ['{"checked":true,"n', { name: 'a', checked: true }, true],
    ['[1,2', [1, 20], true],
    ['[1,2', [1, 0.2], true],
    ['[1,2.0', [1, 2], true],
    ['[1,2.05', [1, 2], false],
    ['[1,3', [1, 2], false],
    ['[-', [0], true],
    ['[-', [3], false],
    ['[0.00', [0], true],
    ['[0.1000000000000000055', [0.1], true],
    ['[1e', [1e300], true],
    ['[tr', [true], true],
    ['[tr', [null], false],
    ['["\\u00e', ['é'], true],
    ['["a\\', ['a\nb'], true],
    ['["a\\', ['b'], false],
    ['["\\ud83d', ['😀'], true],
    ['[ ', [], true],
  ])('%s and %j', (text, value, expected) => {
    expect(could(text, value)).toBe(expected);
  });

  it('every prefix of its own text, cut between any two bytes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), fc.nat(4), fc.double(), (value, indent, at) => {
        const bytes = new TextEncoder().encode(JSON.stringify(value, null, indent));
        const cut = Math.floor((Number.isFinite(at) ? Math.abs(at) % 1 : 0) * (bytes.length + 1));
        for (const n of [cut, bytes.length - 1, bytes.length >> 1])
          expect(could(bytes.subarray(0, Math.max(0, n)), value)).toBe(true);
        expect(could(bytes, value)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the plain form of a text that stops in the middle', () => {
  it.each([
    ['[1.50,', '[1.5,'],
    ['[15e-1,', '[1.5 ,'],
    ['[-0.0,', '[0,'],
    ['[1.500', '[1.50'],
    ['[1.0e+00', '[1e0'],
    ['[1E05', '[1e5'],
    ['[0e123', '[0.00e00001'],
    ['["\\u0061', '["a'],
  ])('%s is that of %s', (one, other) => {
    expect(plainPrefix(one)).toBe(plainPrefix(other));
  });

  it.each([
    ['[1.50', '[1.5'],
    ['[1.', '[1'],
    ['[1e1', '[1e'],
    ['[1e-1', '[1e1'],
    ['[10', '[1'],
    ['[1e10', '[1e1'],
    ['[1e', '[2e'],
    ['[0', '[-0'],
  ])('%s is not that of %s', (one, other) => {
    expect(plainPrefix(one)).not.toBe(plainPrefix(other));
  });
});
