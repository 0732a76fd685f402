/** Arguments of calls that are elements, one for each parameter: written and read. */
import { type ArgumentKind, BARE_BRACKETS, BARE_NUMBER, type ParameterForm } from '../base/call-form.js';
import { jsonEnd } from './json-end.js';

/** Arguments (JSON text of an object) as a model writes them. */
export function elementsText(form: ParameterForm, json: string): string {
  return Object.entries(JSON.parse(json) as Readonly<Record<string, unknown>>)
    .map(([name, value]) => form.open + name + form.colons[kindOf(value)] + written(form, value) + form.close)
    .join(form.between);
}

/**
 * The elements that begin at a place, as JSON text of an object, and where they end. `strings`: parameters that are strings whatever they look like.
 * Undefined where an element that begins is not whole.
 */
export function readElements(
  form: ParameterForm,
  strings: readonly string[],
  text: string,
  from: number,
): { readonly json: string; readonly end: number } | undefined {
  const members = new Map<string, unknown>();
  let at = from;
  for (;;) {
    const open = (members.size === 0 ? '' : form.between) + form.open;
    if (!text.startsWith(open, at)) break;
    const found = readElement(form, strings, text, at + open.length);
    if (found === undefined) return undefined;
    members.set(found.name, found.value);
    at = found.end;
  }
  return { json: JSON.stringify(Object.fromEntries(members)), end: at };
}

function readElement(
  form: ParameterForm,
  strings: readonly string[],
  text: string,
  from: number,
): { readonly name: string; readonly value: unknown; readonly end: number } | undefined {
  const [colon] = [...new Set(Object.values(form.colons))]
    .map((part) => ({ part, at: text.indexOf(part, from) }))
    .filter((c) => c.at >= 0)
    .sort((a, b) => a.at - b.at || b.part.length - a.part.length);
  if (colon === undefined) return undefined;
  const name = text.slice(from, colon.at);
  const begin = colon.at + colon.part.length;
  const kinds = Object.entries(form.colons).flatMap(([kind, part]) => (part === colon.part ? [kind] : []));
  // A string may begin like anything where it can be nothing else.
  const isString = strings.includes(name) || (kinds.length === 1 && kinds[0] === 'string');
  if (!isString && BARE_BRACKETS.some((b) => text.startsWith(b, begin))) {
    const end = jsonEnd(text, begin);
    if (end < 0 || !text.startsWith(form.close, end)) return undefined;
    return { name, value: JSON.parse(text.slice(begin, end)) as unknown, end: end + form.close.length };
  }
  const end = text.indexOf(form.close, begin);
  if (end < 0) return undefined;
  const raw = text.slice(begin, end);
  return { name, value: isString ? raw : bare(form, raw), end: end + form.close.length };
}

function bare(form: ParameterForm, raw: string): unknown {
  for (const word of ['true', 'false', 'null'] as const)
    if (raw === word || raw === form.words[word]) return JSON.parse(word) as unknown;
  return BARE_NUMBER.test(raw) ? Number(raw) : raw;
}

function kindOf(value: unknown): ArgumentKind {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value as 'string' | 'number' | 'boolean' | 'object';
}

function written(form: ParameterForm, value: unknown): string {
  if (typeof value === 'string') return value;
  const json = JSON.stringify(value);
  return json === 'true' || json === 'false' || json === 'null' ? form.words[json] : json;
}
