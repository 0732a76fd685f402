import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { Captures } from '../../src/fsm/captures.js';
import { couldBecome, readPartial } from '../../src/fsm/partial-value.js';
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
      const apart = new Captures();
      const others = new UsedValues(apart);
      const values = [...twin].map((text) => JSON.parse(text) as unknown);
      for (const [tables, within, s] of [
        [used, captures, set],
        [others, apart, others.carry(used, set)],
      ] as const) {
        expect(tables.sizeOf(s)).toBe(twin.size);
        // As far as each value goes, and one byte that leads away from it.
        for (const text of twin)
          for (let n = 0; n <= text.length; n++)
            for (const begun of [text.slice(0, n), `${text.slice(0, n)}9`]) {
              if (begun.length > n && !/[[,:]$/.test(text.slice(0, n))) continue;
              const part = readPartial(begun);
              const capture = captureOf(within, `[${begun}`);
              expect(tables.couldBecome(s, capture, 1)).toBe(values.some((v) => couldBecome(part, v)));
            }
      }
    }),
  );
});
