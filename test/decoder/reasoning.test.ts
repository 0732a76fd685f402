/** Markers of thinking that are text, control tokens, or both. */
import { describe, expect, it } from 'vitest';
import { markerTokens, Reasoning } from '../../src/decoder/reasoning.js';
import { Vocabulary } from '../../src/fsm/vocabulary.js';

const bytes = Array.from({ length: 256 }, (_, b) => Uint8Array.of(b));
const specials = { '<channel>': 257, '<message>': 258, '</think>': 259, '<end>': 256 };
const vocabulary = Vocabulary.fromTokens([...bytes, null, null, null, null], { eos: [256], specials });
const text = (s: string): number[] => [...new TextEncoder().encode(s)];

function think(end: string, tokens: readonly number[]) {
  const reasoning = new Reasoning({ end, budget: 50 }, vocabulary);
  for (const [i, token] of tokens.entries()) {
    const thought = reasoning.push(token, vocabulary.tokenBytes(token));
    if (thought.kind === 'marker') return { after: i + 1, text: reasoning.text, rest: thought.rest };
  }
  return { after: -1, text: reasoning.text, rest: '' };
}

describe('a marker', () => {
  it.each([
    ['text', '</t>', [...text('hm</t>')], 'hm'],
    ['a control token', '</think>', [...text('hm'), 259], 'hm'],
    ['both', '<channel>final<message>', [...text('hm'), 257, ...text('final'), 258], 'hm'],
    [
      'both, begun before in vain',
      '<channel>final<message>',
      [257, ...text('analysis'), 258, ...text('hm'), 257, ...text('final'), 258],
      '<channel>analysis<message>hm',
    ],
  ])('is %s', (_, end, tokens, thought) => {
    expect(think(end, tokens)).toEqual({ after: tokens.length, text: thought, rest: '' });
    const written = markerTokens(end, vocabulary);
    expect(tokens.slice(-written.length)).toEqual(written);
  });
  it('is not what spells a control token', () => {
    expect(think('<channel>x', text('<channel>')).after).toBe(-1);
  });
});
