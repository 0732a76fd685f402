/**
 * How a model's template writes the calls of tools, learned from what it writes.
 *
 * Each family has marks of its own (`<tool_call>`, `[TOOL_CALLS]`, `<｜tool▁calls▁begin｜>`, …), and so have their revisions; a list of names would be
 * out of date with the next model. But nearly all write a name and the arguments as JSON between fixed texts. So turns with one, two and three calls
 * are rendered, and what stands before the first name, between name and arguments, between two calls and behind the last is read off. Where the
 * arguments are no JSON, they may be elements (parameter-form.ts) or an object in a notation of its own (notation-form.ts). Forms that have no such texts (calls as Python) are none.
 */
import { type CallForm, ID_SLOT } from '../base/call-form.js';
import { withNotation } from './notation-form.js';
import { KEY, type Rendered, VALUE, withElements } from './parameter-form.js';
import type { RenderOptions, TemplateMessage } from './types.js';

const NAMES = ['tokenloom-first', 'tokenloom-second', 'tokenloom-third'] as const;
const ARGUMENT = { [KEY]: VALUE };
const TEXTS = [JSON.stringify(ARGUMENT), `{"${KEY}": "${VALUE}"}`];
const ANSWER = 'tokenloom-answer';
const ASKED: TemplateMessage = { role: 'user', content: 'x' };
const MARKUP = /^(?:<[^<>\s{}"]+>?|\[[^[\]\s{}"]+\])/u;
const THOUGHT = /^\s*(?:<think>)?\s*<\/think>\s*/;
const OPEN_THOUGHT = /<think>\s*$/;

type Render = (messages: readonly TemplateMessage[], options: RenderOptions) => string;

/** How a caller's messages may have calls: Mistral's templates want ids of nine characters, DeepSeek's no content and arguments as text, Kimi's names in ids. */
const STYLES: readonly {
  readonly content: string | null;
  readonly asText: boolean;
  readonly id: (i: number) => string;
}[] = [
  { content: '', asText: false, id: (i) => `tlprobe0${i}` },
  { content: null, asText: true, id: (i) => `tlprobe0${i}` },
  { content: '', asText: false, id: (i) => `functions.${NAMES[i]}:${i}` },
];

/**
 * The form of a template's calls, and whether it writes any. `render` returns '' where the template raises an error; `ends`: names of the tokens that
 * end a turn.
 */
export function readCalls(
  render: Render,
  tools: RenderOptions,
  ends: readonly string[],
): { readonly form: CallForm | undefined; readonly any: boolean } {
  const prompt = render([ASKED], tools);
  const answer = render([ASKED, { role: 'assistant', content: ANSWER }], { ...tools, addGenerationPrompt: false });
  for (const style of STYLES) {
    const turn = (n: number, given: object): string => {
      const tool_calls = NAMES.slice(0, n).map((name, i) => ({
        id: style.id(i),
        type: 'function',
        function: { name, arguments: style.asText ? JSON.stringify(given) : given },
      }));
      const text = render([ASKED, { role: 'assistant', content: style.content, tool_calls }], {
        ...tools,
        addGenerationPrompt: false,
      });
      return NAMES.slice(0, n).reduce((out, name, i) => {
        const id = style.id(i);
        return id.includes(name) ? out.replaceAll(id, `functions.${name}:${ID_SLOT}`) : out.replaceAll(id, ID_SLOT);
      }, text);
    };
    // A template that takes calls in this style has no other form in the next.
    const one = turn(1, ARGUMENT);
    if (!one.includes(NAMES[0]) || !one.includes(KEY)) continue;
    const numbered = style.id(0).includes(NAMES[0]);
    const known = (texts: readonly string[]): CallForm | undefined =>
      formOf(prompt, answer, (n) => turn(n, ARGUMENT), texts, ends, numbered);
    const rendered: Rendered = (given) => {
      const text = turn(1, given);
      const at = text.indexOf(NAMES[0]);
      return at < 0 ? '' : withoutEnd(text.slice(at + NAMES[0].length), behindAnswer(answer), ends);
    };
    return { form: known(TEXTS) ?? withElements(known, rendered) ?? withNotation(known, rendered), any: true };
  }
  return { form: undefined, any: false };
}

function formOf(
  prompt: string,
  answer: string,
  turn: (n: number) => string,
  texts: readonly string[],
  ends: readonly string[],
  numbered: boolean,
): CallForm | undefined {
  const [one, two, three] = [1, 2, 3].map((n) => cut(turn(n), n, texts));
  if (one === undefined) return undefined;
  const start = startOf(prompt, answer, one.before);
  const before = one.before.slice(start).replace(THOUGHT, '');
  const mark = MARKUP.exec(before.trimStart())?.[0];
  const begin = mark === undefined ? before : before.trimStart();
  const at = answer.indexOf(ANSWER);
  const behind = behindAnswer(answer);
  const frame =
    at >= prompt.length && answer.startsWith(prompt) ? answer.slice(prompt.length, at).replace(THOUGHT, '') : '';
  const lead = frame.trim() === '' ? '' : frame;
  // What begins answers is not written before calls.
  const place: CallForm['place'] = mark === undefined || lead !== '' ? 'alone' : 'behind';
  const trigger = mark ?? begin;
  // What stands around answers too tells nothing.
  if (begin === '' || (lead + behind).includes(trigger)) return undefined;
  const end = withoutEnd(one.after, behind, ends);
  const single: CallForm = {
    trigger,
    begin,
    middle: one.middles[0]!,
    end,
    place,
    ...(place === 'alone' && lead !== '' ? { lead } : {}),
    id: numbered ? 'number' : 'letters',
  };
  // The end of one call alone may lack the mark that ends all of them (DeepSeek V3).
  const last = two === undefined ? '' : withoutEnd(two.after, behind, ends);
  if (two === undefined || three === undefined || two.before !== one.before || !last.startsWith(end)) return single;
  const middle = evenly(three.middles, 0);
  // DeepSeek V3's ends the turn behind each call but the first.
  const between = evenly(three.betweens, 1) ?? (/\d/.test(two.betweens[0]!) ? undefined : two.betweens[0]);
  if (middle === undefined || between === undefined || two.middles[0] !== one.middles[0]) return single;
  const counted = numbered || middle !== single.middle || between !== two.betweens[0];
  return { ...single, middle, between, end: last, id: counted ? 'number' : 'letters' };
}

function behindAnswer(answer: string): string {
  const at = answer.indexOf(ANSWER);
  return at < 0 ? '' : answer.slice(at + ANSWER.length);
}

/** The text that all are, up to a number that counts from `first`. */
function evenly(texts: readonly string[], first: number): string | undefined {
  const [text] = texts;
  if (text === undefined || texts.every((t) => t === text)) return text;
  const slots = texts.map((t, i) => t.replace(String(first + i), ID_SLOT));
  return slots.every((t) => t === slots[0]) ? slots[0] : undefined;
}

interface Cut {
  readonly before: string;
  readonly middles: readonly string[];
  readonly betweens: readonly string[];
  readonly after: string;
}

/** A rendered turn cut at names and arguments; undefined where they are not all there, once each and in order. */
function cut(text: string, n: number, texts: readonly string[]): Cut | undefined {
  const middles: string[] = [];
  const betweens: string[] = [];
  let before = '';
  let from = 0;
  for (const name of NAMES.slice(0, n)) {
    const at = text.indexOf(name, from);
    if (at < 0 || text.indexOf(name) !== at || text.indexOf(name, at + 1) >= 0) return undefined;
    if (from === 0) before = text.slice(0, at);
    else betweens.push(text.slice(from, at));
    const found = texts.map((t) => ({ at: text.indexOf(t, at), length: t.length })).filter((t) => t.at >= 0);
    const first = found.sort((a, b) => a.at - b.at)[0];
    if (first === undefined) return undefined;
    middles.push(text.slice(at + name.length, first.at));
    from = first.at + first.length;
  }
  if (NAMES.some((name) => middles.some((middle) => middle.includes(name)))) return undefined;
  return { before, middles, betweens, after: text.slice(from) };
}

/** Where the assistant's own text begins: behind what a turn with calls has in common with an answer, and behind the prompt. */
function startOf(prompt: string, answer: string, before: string): number {
  const most = Math.max(0, answer.indexOf(ANSWER));
  let n = 0;
  while (n < most && before[n] === answer[n]) n++;
  // Not within a mark: many begin alike.
  const at = Math.max(before.lastIndexOf('<', n - 1), before.lastIndexOf('[', n - 1));
  const mark = at < 0 ? undefined : MARKUP.exec(before.slice(at))?.[0];
  if (mark !== undefined && mark.length > n - at) n = at;
  const open = prompt.replace(OPEN_THOUGHT, '');
  const head = [prompt, open].find((text) => before.startsWith(text))?.length ?? 0;
  return Math.max(n, head);
}

/** Without what ends the turn: an end token and what follows it, or what follows an answer. */
function withoutEnd(after: string, behind: string, ends: readonly string[]): string {
  const found = ends.map((end) => after.indexOf(end)).filter((at) => at >= 0);
  if (found.length > 0) return after.slice(0, Math.min(...found)).trimEnd();
  return behind !== '' && after.endsWith(behind)
    ? after.slice(0, after.length - behind.length).trimEnd()
    : after.trimEnd();
}
