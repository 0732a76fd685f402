/** Tools and their calls as prompts and outputs have them. */
import { type CallForm, ID_SLOT, nameIn, type ParameterKinds } from '../base/call-form.js';
import { notationText } from '../base/notation-text.js';
import { patternText } from '../base/pattern-text.js';
import { elementsText, readElements } from './call-elements.js';
import { readNotation } from './call-notation.js';
import { jsonEnd } from './json-end.js';

/** A tool as it is shown. */
export interface PlainTool {
  readonly name: string;
  readonly description?: string | undefined;
  /** JSON Schema. */
  readonly parameters: unknown;
}

/** A tool as its calls are read. */
export interface CalledTool {
  readonly name: string;
  readonly kinds: ParameterKinds;
}

/** Calls (arguments as JSON text) as a model writes them; `ids` go where the form has ids. */
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
    return (
      filled(open) + nameIn(form, call.name) + filled(form.middle) + argumentsText(form, call.arguments) + filled(close)
    );
  });
  return texts.join(form.between === undefined ? '\n' : '');
}

function argumentsText({ parameters, notation }: CallForm, json: string): string {
  if (parameters !== undefined) return elementsText(parameters, json);
  return notation === undefined ? json : notationText(notation, json);
}

/** A call that a text begins with at a place, and where it goes on. */
interface Found {
  readonly name: string;
  readonly json: string;
  readonly end: number;
}

/** The text before the calls, and the calls with their arguments as JSON. Undefined where a call that begins is not whole. */
export function readCalls(
  form: CallForm,
  tools: readonly CalledTool[],
  text: string,
): { readonly text: string; readonly calls: readonly Omit<Found, 'end'>[] } | undefined {
  const { lead = '' } = form;
  const first = form.place === 'alone' ? (text.startsWith(form.trigger) ? 0 : -1) : text.indexOf(form.trigger);
  if (first < 0) return { text: text.startsWith(lead) ? text.slice(lead.length) : text, calls: [] };
  const calls: Omit<Found, 'end'>[] = [];
  const whole = text.trimEnd().length;
  let at = after(form.begin, text, first);
  for (;;) {
    const found = at < 0 ? undefined : callAt(form, tools, text, at);
    if (found === undefined) return undefined;
    calls.push({ name: found.name, json: found.json });
    // The end comes first: where it is empty, nothing is left.
    if (after(form.end, text, found.end) === whole || form.between === undefined) break;
    at = after(form.between, text, found.end);
    if (at < 0) break;
  }
  return { text: text.slice(0, first), calls };
}

function callAt(form: CallForm, tools: readonly CalledTool[], text: string, at: number): Found | undefined {
  for (const { name, kinds } of tools) {
    const spelled = nameIn(form, name);
    if (!text.startsWith(spelled, at)) continue;
    const begin = after(form.middle, text, at + spelled.length);
    if (begin < 0) continue;
    const found = argumentsAt(form, kinds, text, begin);
    // One name may begin another.
    if (
      found !== undefined &&
      [form.between, form.end].some((part) => part !== undefined && after(part, text, found.end) >= 0)
    )
      return { name, ...found };
  }
  return undefined;
}

function argumentsAt(
  form: CallForm,
  kinds: ParameterKinds,
  text: string,
  begin: number,
): Omit<Found, 'name'> | undefined {
  if (form.parameters !== undefined) return readElements(form.parameters, kinds, text, begin);
  if (form.notation !== undefined) return readNotation(form.notation, text, begin);
  const end = jsonEnd(text, begin);
  return end < 0 ? undefined : { json: text.slice(begin, end), end };
}

/** Where a text of a form ends that begins at a place; -1 where it does not. */
function after(part: string, text: string, from: number): number {
  const source = part.split(ID_SLOT).map(patternText);
  const pattern = new RegExp(source.join('[A-Za-z0-9]{1,16}'), 'y');
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : -1;
}
