/** The keyword table of docs/json-schema.md, made from the test cases. */
import { ASSERTIONS } from '../../../src/grammar/schema/vocabulary.js';

export interface KeywordCase {
  readonly keyword: string;
  readonly note?: string;
  readonly schema: unknown;
  readonly valid: readonly unknown[];
  readonly invalid: readonly unknown[];
  /** JSON texts that JSON.stringify does not produce. */
  readonly texts?: { readonly valid: readonly string[]; readonly invalid: readonly string[] };
}

const DRAFTS = ['4', '6', '7', '2019-09', '2020-12'];

/** When a keyword stopped being one. */
const UNTIL: Readonly<Record<string, string>> = { $recursiveRef: '2019-09' };

export function keywordTable(cases: readonly KeywordCase[]): string {
  const rows = new Map<string, { notes: string[]; values: number }>();
  for (const c of cases) {
    const row = rows.get(c.keyword) ?? { notes: [], values: 0 };
    rows.set(c.keyword, row);
    if (c.note !== undefined) row.notes.push(c.note);
    row.values +=
      c.valid.length + c.invalid.length + (c.texts === undefined ? 0 : c.texts.valid.length + c.texts.invalid.length);
  }
  const lines = ['| keyword | drafts | enforced | tested with |', '|---|---|---|---|'];
  for (const [keyword, { notes, values }] of [...rows].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const since = ASSERTIONS.get(keyword);
    const drafts =
      since === undefined ? 'where defined' : `${DRAFTS[since]}${UNTIL[keyword] === undefined ? ' on' : ' only'}`;
    lines.push(
      `| \`${keyword}\` | ${drafts} | yes | ${values} values${notes.length > 0 ? `; ${notes.join('; ')}` : ''} |`,
    );
  }
  return `${lines.join('\n')}\n`;
}
