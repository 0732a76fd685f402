/** Arguments of calls that are elements, one for each parameter: written and read. */
import {
  type ArgumentKind,
  BARE_BRACKETS,
  BARE_NUMBER,
  BARE_WORDS,
  kindsBehind,
  kindsTaken,
  type ParameterForm,
  type ParameterKinds,
  WORDS,
} from '../base/call-form.js';
import { parseJson } from '../base/parse-json.js';
import { patternText } from '../base/pattern-text.js';
import { jsonEnd } from './json-end.js';
import { kindOf } from './parameter-kinds.js';

/** Arguments (JSON text) as a model writes them; what is no object, which calls of other models may have, stays JSON. */
export function elementsText(form: ParameterForm, json: string): string {
  const given = parseJson(json);
  if (kindOf(given) !== 'object') return json;
  return Object.entries(given as Readonly<Record<string, unknown>>)
    .map(([name, value]) => form.open + name + form.colons[kindOf(value)] + written(form, value) + form.close)
    .join(form.between);
}

/**
 * The elements that begin at a place, as JSON text of an object, and where they end. Of two with one name the last counts, as in JSON.
 * Undefined where an element that begins is not whole.
 */
export function readElements(
  form: ParameterForm,
  kinds: ParameterKinds,
  text: string,
  from: number,
): { readonly json: string; readonly end: number } | undefined {
  const colon = anyOf(Object.values(form.colons));
  const members: string[] = [];
  let at = from;
  for (;;) {
    const open = (members.length === 0 ? '' : form.between) + form.open;
    if (!text.startsWith(open, at)) break;
    const nameAt = at + open.length;
    colon.lastIndex = nameAt;
    const found = colon.exec(text);
    if (found === null) return undefined;
    const name = text.slice(nameAt, found.index);
    const begin = colon.lastIndex;
    const may = kindsBehind(form, found[0], kindsTaken(kinds, name));
    // A string may begin like anything where it can be nothing else.
    const bracketed = (['object', 'array'] as const).some(
      (kind) => may.includes(kind) && text.startsWith(BARE_BRACKETS[kind], begin),
    );
    const end = bracketed ? jsonEnd(text, begin) : text.indexOf(form.close, begin);
    if (end < 0 || !text.startsWith(form.close, end)) return undefined;
    const value = text.slice(begin, end);
    members.push(`${JSON.stringify(name)}:${bracketed ? value : bare(form, may, value)}`);
    at = end + form.close.length;
  }
  return { json: `{${members.join()}}`, end: at };
}

/** A pattern that finds the next of some texts, the longest where several begin there. */
function anyOf(texts: readonly string[]): RegExp {
  const longestFirst = [...new Set(texts)].sort((a, b) => b.length - a.length);
  return new RegExp(longestFirst.map(patternText).join('|'), 'g');
}

/** A value without brackets as JSON. */
function bare(form: ParameterForm, may: readonly ArgumentKind[], text: string): string {
  if (may.includes('number') && BARE_NUMBER.test(text)) return text;
  const word = WORDS.find((w) => may.includes(BARE_WORDS[w]) && (text === w || text === form.words[w]));
  return word ?? JSON.stringify(text);
}

function written(form: ParameterForm, value: unknown): string {
  if (typeof value === 'string') return value;
  const json = JSON.stringify(value);
  return json === 'true' || json === 'false' || json === 'null' ? form.words[json] : json;
}
