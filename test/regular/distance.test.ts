/** Fewest bytes of a term, found by its parts and a guided search, against Dijkstra's algorithm over all derivatives. */
import { expect, it } from 'vitest';
import { LimitError } from '../../src/base/errors.js';
import { createRandom } from '../../src/base/random.js';
import { type Spelling, spelledBytes, TermDistances } from '../../src/regular/distance.js';
import { TermStore } from '../../src/regular/terms.js';
import { randomRegex } from '../oracle/random-grammar.js';

function naive(terms: TermStore, term: number, spelling: Spelling): number {
  const best = new Map<number, number>([[term, 0]]);
  const done = new Set<number>();
  for (;;) {
    let at = -1;
    for (const [t, d] of best) if (!done.has(t) && (at < 0 || d < best.get(at)!)) at = t;
    if (at < 0) return Number.POSITIVE_INFINITY;
    if (terms.nullable(at)) return best.get(at)!;
    done.add(at);
    const edges = terms.liveEdges(at);
    for (let e = 0; e < edges.length; e += 3) {
      const d = best.get(at)! + spelledBytes(spelling, edges[e]!, edges[e + 1]!);
      if (d < (best.get(edges[e + 2]!) ?? Number.POSITIVE_INFINITY)) best.set(edges[e + 2]!, d);
    }
  }
}

it.each(['text', 'string'] as const)('as searched without a guide: %s', (spelling) => {
  const random = createRandom(31);
  for (let n = 0; n < 600; n++) {
    const terms = new TermStore();
    const distances = new TermDistances(terms, spelling);
    const parts = [0, 1, 2].map(() => terms.intern(randomRegex(random, 1 + random.below(3), spelling, n % 4 === 0)));
    const both = terms.cat(parts[0]!, terms.and(parts[1]!, terms.cat(parts[2]!, terms.all)));
    for (const term of [...parts, both, terms.not(both)]) {
      if (terms.isEmpty(term)) continue;
      expect(distances.of(term), `${n}`).toBe(naive(terms, term, spelling));
    }
  }
});

it('many patterns that must all match are refused early, not after each of their subsets', () => {
  const terms = new TermStore();
  const any = { t: 'rep', item: { t: 'set', ranges: [0, 0x10ffff] }, min: 0, max: Number.POSITIVE_INFINITY } as const;
  const items = Array.from({ length: 22 }, (_, i) => {
    const letter = { t: 'lit', text: String.fromCharCode(97 + i) } as const;
    return { t: 'cat', items: [any, letter, any] } as const;
  });
  expect(() => new TermDistances(terms, 'string').of(terms.intern({ t: 'and', items }))).toThrow(LimitError);
  // After each subset they would be 2 ** 22 and more.
  expect(terms.size).toBeLessThan(400_000);
});
