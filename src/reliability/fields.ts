/** Right fields: leaves of a JSON value by pointer, compared exactly. */

export interface FieldScore {
  readonly right: number;
  readonly fields: number;
}

/** Scalars (and empty objects and arrays) of a value by JSON pointer. */
export function leaves(value: unknown, pointer = '', out = new Map<string, unknown>()): Map<string, unknown> {
  const entries =
    typeof value === 'object' && value !== null ? Object.entries(value as Record<string, unknown>) : undefined;
  if (entries === undefined || entries.length === 0)
    out.set(pointer, entries === undefined ? value : JSON.stringify(value));
  else for (const [key, item] of entries) leaves(item, `${pointer}/${key}`, out);
  return out;
}

/** How many expected leaves the value has exactly. */
export function scoreFields(expected: unknown, value: unknown): FieldScore {
  const want = leaves(expected);
  const got = leaves(value);
  let right = 0;
  for (const [pointer, leaf] of want) if (got.has(pointer) && Object.is(got.get(pointer), leaf)) right++;
  return { right, fields: want.size };
}
