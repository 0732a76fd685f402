/** Tools and their calls as prompts and outputs have them. */
import { type CallForm, ID_SLOT, nameIn } from '../base/call-form.js';

/** A tool as it is shown. */
export interface PlainTool {
  readonly name: string;
  readonly description?: string | undefined;
  /** JSON Schema. */
  readonly parameters: unknown;
}

/** Calls as a model writes them; `ids` go where the form has ids. */
export function callText(
  form: CallForm,
  calls: readonly { readonly name: string; readonly arguments: string }[],
  ids: (i: number) => string = String,
): string {
  let slots = 0;
  const filled = (text: string): string => text.replaceAll(ID_SLOT, () => ids(slots++));
  const texts = calls.map((call, i) => {
    const open = i === 0 || form.between === undefined ? form.begin : form.between;
    const close = form.between === undefined || i === calls.length - 1 ? form.end : '';
    return filled(open) + nameIn(form, call.name) + filled(form.middle) + call.arguments + filled(close);
  });
  return texts.join(form.between === undefined ? '\n' : '');
}

/** A call that a text begins with at a place, and where it goes on. */
interface Found {
  readonly name: string;
  readonly json: string;
  readonly end: number;
}

/** The text before the calls, and the calls with their arguments as they were written. Undefined where a call that begins is not whole. */
export function readCalls(
  form: CallForm,
  names: readonly string[],
  text: string,
): { readonly text: string; readonly calls: readonly Omit<Found, 'end'>[] } | undefined {
  const { lead = '' } = form;
  const first = form.place === 'alone' ? (text.startsWith(form.trigger) ? 0 : -1) : text.indexOf(form.trigger);
  if (first < 0) return { text: text.startsWith(lead) ? text.slice(lead.length) : text, calls: [] };
  const calls: Omit<Found, 'end'>[] = [];
  let at = after(form.begin, text, first);
  for (;;) {
    const found = at < 0 ? undefined : callAt(form, names, text, at);
    if (found === undefined) return undefined;
    calls.push({ name: found.name, json: found.json });
    // The end comes first: where it is empty, nothing is left.
    if (after(form.end, text, found.end) === text.trimEnd().length || form.between === undefined) break;
    at = after(form.between, text, found.end);
    if (at < 0) break;
  }
  return { text: text.slice(0, first), calls };
}

function callAt(form: CallForm, names: readonly string[], text: string, at: number): Found | undefined {
  for (const name of names) {
    const spelled = nameIn(form, name);
    if (!text.startsWith(spelled, at)) continue;
    const begin = after(form.middle, text, at + spelled.length);
    if (begin < 0) continue;
    const end = jsonEnd(text, begin);
    if (end >= 0) return { name, json: text.slice(begin, end), end };
  }
  return undefined;
}

/** Where a text of a form ends that begins at a place; -1 where it does not. */
function after(part: string, text: string, from: number): number {
  const source = part.split(ID_SLOT).map((piece) => piece.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'));
  const pattern = new RegExp(source.join('[A-Za-z0-9]{1,16}'), 'y');
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : -1;
}

const SCALAR = /"(?:[^"\\]|\\.)*"|-?[\d.eE+-]+|true|false|null/y;

/** Where the JSON value ends that begins at a place. */
function jsonEnd(text: string, from: number): number {
  SCALAR.lastIndex = from;
  if (SCALAR.test(text)) return SCALAR.lastIndex;
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const char = text[at];
    if (char === '"') {
      for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === '\\') at++;
    } else if (char === '{' || char === '[') depth++;
    else if ((char === '}' || char === ']') && --depth === 0) return at + 1;
  }
  return -1;
}
