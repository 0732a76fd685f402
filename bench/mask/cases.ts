/** MaskBench instances as token ids of a vocabulary: what our engine and the peers all read. */
import { loadMaskBench, type Selection } from '../conformance/data.js';
import { ARBITRATED } from '../conformance/labels.js';
import { spaced } from '../conformance/raw.js';
import type { LoadedVocabulary } from './vocabulary.js';

export interface TokenTest {
  readonly valid: boolean;
  readonly tokens: Uint32Array;
}

export interface MaskCase {
  readonly source: string;
  readonly id: string;
  readonly schema: unknown;
  readonly tests: readonly TokenTest[];
}

/** `text`: 'compact' as JSON.stringify spells, 'spaced' as Python's json.dumps does. Arbitrated labels are left out. */
export function maskCases(
  dir: string,
  select: Selection,
  vocabulary: LoadedVocabulary,
  text: 'compact' | 'spaced',
): MaskCase[] {
  return loadMaskBench(dir, select).map((c) => ({
    source: c.source,
    id: c.id,
    schema: c.schema,
    tests: c.tests
      .filter((_, i) => !ARBITRATED.some((a) => a.id === c.id && a.test === i))
      .map((t) => {
        const compact = t.text ?? JSON.stringify(t.data);
        return { valid: t.valid, tokens: vocabulary.encode(text === 'compact' ? compact : spaced(compact)) };
      }),
  }));
}
