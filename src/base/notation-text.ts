/** Arguments of calls in a notation of its own, as a model writes them: without recursion, in time that grows with the text. */
import { byName, type Notation } from './call-form.js';
import { parseJson } from './parse-json.js';

/** A value, or a text that is written as it is. */
type Part = { readonly value: unknown } | string;

/** Arguments (JSON text) as a model writes them; what is no object, which calls of other models may have, stays JSON. */
export function notationText(notation: Notation, json: string): string {
  const given = parseJson(json);
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return json;
  const out: string[] = [];
  const open: Part[] = [{ value: given }];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    if (typeof part === 'string') out.push(part);
    else if (typeof part.value !== 'object' || part.value === null) out.push(scalar(notation, part.value));
    else {
      const parts = Array.isArray(part.value) ? items(part.value) : members(notation, part.value);
      for (let i = parts.length - 1; i >= 0; i--) open.push(parts[i]!);
    }
  }
  return out.join('');
}

function scalar({ open, close, words }: Notation, value: unknown): string {
  if (typeof value === 'string') return open + value + close;
  const json = JSON.stringify(value);
  return json === 'true' || json === 'false' || json === 'null' ? words[json] : json;
}

const items = (list: readonly unknown[]): readonly Part[] => [
  '[',
  ...list.flatMap((value, i): Part[] => (i === 0 ? [{ value }] : [',', { value }])),
  ']',
];

function members({ sorted }: Notation, object: object): readonly Part[] {
  const entries = Object.entries(object);
  if (sorted) entries.sort(([a], [b]) => byName(a, b));
  return ['{', ...entries.flatMap(([name, value], i): Part[] => [`${i === 0 ? '' : ','}${name}:`, { value }]), '}'];
}
