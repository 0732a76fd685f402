/**
 * The form in which a chat template takes a conversation.
 *
 * Templates refuse what they do not expect (system messages, several calls in a turn, ids of another length, users that speak twice) or drop it in
 * silence, some only in some places (Mistral's has the system message at the last user message, if that ends the conversation). One flag a
 * habit would have to be probed for each place. So a copy of the conversation in which every content, name and argument is a word of its own
 * is rendered in one form after the other, and the first is taken whose prompt has all the words. Most templates take the first; conversations
 * without calls and results need no try at all.
 */

import { OUR_FORM } from '../base/call-form.js';
import { parseJson } from '../base/parse-json.js';
import { tried } from '../runtime/chat.js';
import type { Chat, ChatMessage, RenderOptions, TemplateMessage } from '../runtime/types.js';
import type { PlainTool } from './call-format.js';
import { schemaHint } from './hint.js';
import {
  asApisWrite,
  callsOf,
  isToolTurn,
  oneByOne,
  toolTurnsAsText,
  withoutAsides,
  withShortIds,
} from './tool-turns.js';

export interface Form {
  readonly turns: (messages: readonly ChatMessage[]) => readonly TemplateMessage[];
  /** Whether system messages stay such; else their text begins the first user message. */
  readonly takesSystem: boolean;
}

const NATIVE: readonly Form['turns'][] = [(messages) => messages, withShortIds, oneByOne, asApisWrite];
/** `options`: what the template gets beside the messages. `free`: calls stand behind text. */
export function formOf(messages: readonly ChatMessage[], options: RenderOptions, free: boolean, chat: Chat): Form {
  const { takesSystem } = chat;
  if (!messages.some(isToolTurn)) return { turns: (m) => m, takesSystem };
  const asText: Form['turns'] = (m) => toolTurnsAsText(m, free ? (chat.callForm ?? OUR_FORM) : undefined);
  const { copy, words, asides } = inWords(messages);
  const all = [...words, ...asides];
  const native = free && hasOtherCalls(chat) ? [] : NATIVE;
  // Some have no place for what is said beside a call, and drop it or the call.
  const alone = asides.length === 0 ? [] : native;
  const tries = [
    ...native.map((turns) => ({ turns, required: all })),
    ...alone.map((turns): { turns: Form['turns']; required: readonly string[] } => ({
      turns: (m) => turns(withoutAsides(m)),
      required: words,
    })),
    { turns: asText, required: all },
  ].flatMap((form) => [
    { ...form, takesSystem },
    { ...form, takesSystem: !takesSystem },
  ]);
  const shown = tries.find((form) => {
    const rendered = (of: readonly ChatMessage[]): string =>
      tried(chat.render, withSystem(form.turns(of), [SYSTEM], form.takesSystem), options);
    const text = rendered(copy);
    // The words stand for values of other types too, which a template may not take.
    return text.includes(SYSTEM) && hasAll(text, form.required) && rendered(messages) !== '';
  });
  return shown ?? { turns: asText, takesSystem };
}

/** Tools as the template shows them; undefined where it does not, or where it wants calls in another form behind text. */
export function toolsOf(
  tools: readonly PlainTool[],
  options: RenderOptions,
  free: boolean,
  chat: Chat,
): RenderOptions | undefined {
  if (free && hasOtherCalls(chat)) return undefined;
  const names = tools.map((_, i) => wordOf(i));
  // Some templates join the description to other text, and raise an error where there is none.
  const described = tools.map((tool) => ({ ...tool, description: tool.description ?? '' }));
  const shown = [tools, described].find((list) => {
    const named = given(list.map((t, i) => ({ ...t, name: names[i]! })));
    const text = tried(chat.render, [{ role: 'user', content: 'x' }], { ...options, ...named });
    return hasAll(text, names);
  });
  return shown === undefined ? undefined : given(shown);
}

/** Whether the template writes calls in a form that constraints cannot have. */
const hasOtherCalls = (chat: Chat): boolean => chat.writesCalls && chat.callForm === undefined;

/**
 * Puts lines after what the system messages say, into one system message at the start. Where the template takes none (Gemma and others), all
 * of it begins the first user message.
 */
export function withSystem(
  messages: readonly TemplateMessage[],
  parts: readonly string[],
  taken: boolean,
): readonly TemplateMessage[] {
  const isSystem = (m: TemplateMessage): boolean => m.role === 'system';
  const own = messages.filter(isSystem);
  // One in the midst of a conversation stays there where nothing is to be added.
  const leading = messages.slice(0, own.length).every(isSystem);
  if (parts.length === 0 && (own.length === 0 || (taken && (own.length === 1 || !leading)))) return messages;
  const rest = messages.filter((m) => !isSystem(m));
  const content = [...own.map((m) => m.content ?? ''), ...parts].join('\n');
  const asked = rest.findIndex((m) => m.role === 'user');
  if (taken || asked < 0) return [{ role: 'system', content }, ...rest];
  return rest.map((m, i) => (i === asked ? { ...m, content: `${content}\n\n${m.content}` } : m));
}

export function toolsJson(tools: readonly PlainTool[]): string {
  const listed = tools.map((tool) => {
    const { name, description, parameters } = tool;
    const head = description === undefined ? { name } : { name, description };
    return { ...head, parameters: parseJson(schemaHint(parameters)) };
  });
  return JSON.stringify(listed);
}

function given(tools: readonly PlainTool[]): RenderOptions {
  return { toolsJson: toolsJson(tools), tools: tools.map((tool) => ({ type: 'function', function: tool })) };
}

const SYSTEM = 'tokenloom-system';
const wordOf = (i: number): string => `tokenloom-${i}-`;
const WORD = /tokenloom-\d+-/g;

function hasAll(text: string, words: readonly string[]): boolean {
  const found = new Set(text.match(WORD));
  return words.every((word) => found.has(word));
}

/** A copy that has a word of its own for each content, name and argument; `asides` are those for contents beside calls. */
function inWords(messages: readonly ChatMessage[]): {
  readonly copy: readonly ChatMessage[];
  readonly words: readonly string[];
  readonly asides: readonly string[];
} {
  const words: string[] = [];
  const asides: string[] = [];
  const word = (list = words): string => list[list.push(wordOf(words.length + asides.length)) - 1]!;
  const copy = messages.map((m) => {
    const called = callsOf(m);
    const content = m.content === '' ? '' : word(called.length > 0 ? asides : words);
    if (called.length === 0) return { ...m, content };
    const calls = called.map((call) => {
      const value = typeof call.function.arguments === 'string' ? word() : { [word()]: word() };
      return { ...call, function: { ...call.function, name: word(), arguments: value } };
    });
    return { ...m, content, tool_calls: calls };
  });
  return { copy, words, asides };
}
