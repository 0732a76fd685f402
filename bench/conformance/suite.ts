/** The JSON-Schema-Test-Suite part: each group is one schema, each test one instance. */
import { byteVocabulary, takes, tryCompile } from './check.js';
import type { SuiteGroup } from './data.js';

const DRAFT = { draft4: '4', draft6: '6', draft7: '7', 'draft2019-09': '2019-09', 'draft2020-12': '2020-12' } as const;

export interface GroupVerdict {
  readonly draft: string;
  readonly part: string;
  readonly file: string;
  readonly description: string;
  readonly right: number;
  /** Instances of schemas that were refused with a typed error. */
  readonly refused: number;
  readonly why?: string;
  /** A compiled schema's wrong answers, or a crash. */
  readonly wrong: readonly string[];
}

export function judgeGroup(g: SuiteGroup, remotes: Readonly<Record<string, unknown>>): GroupVerdict {
  const base = { draft: g.draft, part: g.part, file: g.file, description: g.description };
  const compiled = tryCompile(g.schema, {
    draft: DRAFT[g.draft as keyof typeof DRAFT],
    formats: g.part === 'format' ? 'assert' : 'annotate',
    whitespace: 'flexible',
    propertyOrder: 'any',
    schemas: remotes,
  });
  if (compiled.kind === 'crash') return { ...base, right: 0, refused: 0, wrong: [`crash: ${compiled.message}`] };
  if (compiled.kind === 'refused' && compiled.code !== 'UNSATISFIABLE') {
    return { ...base, right: 0, refused: g.tests.length, why: compiled.message, wrong: [] };
  }
  const vocabulary = byteVocabulary();
  const wrong: string[] = [];
  for (const test of g.tests) {
    try {
      // An unsatisfiable schema takes nothing.
      const taken = compiled.kind === 'ok' && takes(compiled.grammar, vocabulary, JSON.stringify(test.data));
      if (taken !== test.valid)
        wrong.push(`${test.description ?? ''} (${test.valid ? 'valid refused' : 'invalid accepted'})`);
    } catch (error) {
      wrong.push(
        `crash: ${error instanceof Error ? (error.stack ?? '').split('\n').slice(0, 3).join(' <') : String(error)}`,
      );
    }
  }
  return { ...base, right: g.tests.length - wrong.length, refused: 0, wrong };
}
