import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { Captures } from '../../src/fsm/captures.js';
import { canonicalJson } from '../../src/fsm/unique.js';
import { UsedValues } from '../../src/fsm/used-values.js';

const value = fc.oneof(
  fc.record({ a: fc.nat(3), b: fc.constantFrom('x', 'y') }, { requiredKeys: [] }),
  fc.array(fc.nat(2), { maxLength: 2 }),
);

function captureOf(captures: Captures, text: string): number {
  let c = captures.empty;
  for (const byte of new TextEncoder().encode(text)) c = captures.append(c, byte);
  return c;
}

it('a set has what a set of canonical texts has, here and in other tables', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(value, fc.nat(2)), { maxLength: 12 }), (items) => {
      const captures = new Captures();
      const used = new UsedValues(captures);
      const twin = new Set<string>();
      let set = used.none;
      for (const [item, indent] of items) {
        const after = used.add(set, captureOf(captures, `[0,${JSON.stringify(item, null, indent)}`), 3);
        expect(after === set).toBe(twin.has(canonicalJson(item)));
        twin.add(canonicalJson(item));
        set = after;
      }
      const others = new UsedValues(new Captures());
      for (const [tables, s] of [
        [used, set],
        [others, others.carry(used, set)],
      ] as const) {
        const texts: string[] = [];
        expect(tables.some(s, (v) => texts.push(canonicalJson(v)) < 0)).toBe(false);
        expect(texts.sort()).toEqual([...twin].sort());
        expect(tables.sizeOf(s)).toBe(twin.size);
      }
    }),
  );
});
