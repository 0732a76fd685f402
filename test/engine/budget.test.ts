import { expect, it } from 'vitest';
import { compile, json, Vocabulary } from '../../src/core.js';
import { BudgetMatcher } from '../../src/engine/budget.js';

const tokens: (Uint8Array | null)[] = [...Array(256).keys()].map((b) => Uint8Array.of(b));
tokens.push(null);
const vocabulary = Vocabulary.fromTokens(tokens, { eos: [256] });
const grammar = compile(json({ type: 'string' }, { whitespace: 'compact' }));
const bytes = (text: string): number[] => [...new TextEncoder().encode(text)];

it('a value that ends by itself is not bound by its budget', () => {
  const m = BudgetMatcher.create(grammar, vocabulary, 10);
  const mask = new Uint32Array(9);
  for (const t of [...bytes('"abc"'), 256]) {
    m.fillMask(mask);
    expect(m.accept(t)).toBe(true);
  }
  expect([m.isFinished, m.budgetBound]).toEqual([true, false]);
});

it('one that had to be closed is: by its mask, or by a choice that was refused', () => {
  for (const look of ['mask', 'choice']) {
    const m = BudgetMatcher.create(grammar, vocabulary, 5);
    const mask = new Uint32Array(9);
    for (const t of bytes('"abc')) expect(m.accept(t)).toBe(true);
    expect(m.budgetBound).toBe(false);
    if (look === 'mask') m.fillMask(mask);
    else expect(m.accept(0x64)).toBe(false);
    expect(m.budgetBound).toBe(true);
    expect(m.accept(0x22)).toBe(true);
    expect(m.accept(256)).toBe(true);
  }
});

it('a refusal that the grammar makes anyway binds nothing; rollback keeps both in step', () => {
  const m = BudgetMatcher.create(grammar, vocabulary, 6);
  expect(m.accept(0x41)).toBe(false);
  for (const t of bytes('"ab')) m.accept(t);
  m.rollback(2);
  for (const t of bytes('x"')) expect(m.accept(t)).toBe(true);
  expect(m.budgetBound).toBe(false);
});
