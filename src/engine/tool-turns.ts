/** Turns with calls and results of tools, in the forms that chat templates take. */

import type { CallForm } from '../base/call-form.js';
import type { ChatMessage, TemplateMessage } from '../runtime/types.js';
import { callText } from './call-format.js';
import type { ReadCall } from './messages.js';

export const callsOf = (message: TemplateMessage): readonly ReadCall[] =>
  Array.isArray(message.tool_calls) ? (message.tool_calls as readonly ReadCall[]) : [];

export const isToolTurn = (message: ChatMessage): boolean => message.role === 'tool' || callsOf(message).length > 0;

/** The call that each result answers: the one with its id, else the next of the turn before. */
function answered(messages: readonly ChatMessage[]): ReadonlyMap<ChatMessage, ReadCall> {
  const found = new Map<ChatMessage, ReadCall>();
  let open: ReadCall[] = [];
  for (const message of messages) {
    if (message.role !== 'tool') open = [...callsOf(message)];
    else {
      const named = open.findIndex((call) => call.id !== undefined && call.id === message.tool_call_id);
      const [call] = open.splice(Math.max(0, named), 1);
      if (call !== undefined) found.set(message, call);
    }
  }
  return found;
}

/** Ids of nine letters and digits: Mistral's templates refuse others. */
export function withShortIds(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const calls = answered(messages);
  const ids = new Map<ReadCall | ChatMessage, string>();
  const idOf = (call: ReadCall | ChatMessage): string => {
    const id = ids.get(call) ?? `call${String(ids.size).padStart(5, '0')}`;
    ids.set(call, id);
    return id;
  };
  return messages.map((m) => {
    if (m.role === 'tool') return { ...m, tool_call_id: idOf(calls.get(m) ?? m) };
    return callsOf(m).length === 0 ? m : { ...m, tool_calls: callsOf(m).map((call) => ({ ...call, id: idOf(call) })) };
  });
}

/** Each call in a turn of its own, with its result behind it: Llama's templates refuse several in one. */
export function oneByOne(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const results = new Map([...answered(messages)].map(([result, call]) => [call, result]));
  const placed = new Set<ChatMessage>();
  return messages.flatMap((m): readonly ChatMessage[] => {
    if (placed.has(m)) return [];
    if (callsOf(m).length < 2) return [m];
    return callsOf(m).flatMap((call, i) => {
      const result = results.get(call);
      if (result !== undefined) placed.add(result);
      const turn = { ...m, content: i === 0 ? m.content : '', tool_calls: [call] };
      return result === undefined ? [turn] : [turn, result];
    });
  });
}

export function withoutAsides(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  return messages.map((m) => (callsOf(m).length === 0 ? m : { ...m, content: '' }));
}

/** No content beside calls, arguments as text, as chat APIs write them: DeepSeek's templates show no others. */
export function asApisWrite(messages: readonly ChatMessage[]): readonly TemplateMessage[] {
  return messages.map((m) => {
    if (callsOf(m).length === 0) return m;
    const calls = callsOf(m).map((call) => {
      const given = call.function.arguments;
      return {
        ...call,
        function: { ...call.function, arguments: typeof given === 'string' ? given : JSON.stringify(given) },
      };
    });
    return { ...m, content: m.content === '' ? null : m.content, tool_calls: calls };
  });
}

/**
 * For templates that show no calls, or results: calls as the text that a model answers with (in a form, or as JSON), results as the user's words, in
 * one message with what follows of the user.
 */
export function toolTurnsAsText(messages: readonly ChatMessage[], form?: CallForm): readonly ChatMessage[] {
  const calls = answered(messages);
  const out: ChatMessage[] = [];
  for (const [i, message] of messages.entries()) {
    const { role, content } = message;
    if (role === 'tool') {
      const name = message.name ?? calls.get(message)?.function.name;
      out.push({ role: 'user', content: `Result${typeof name === 'string' ? ` of ${name}` : ''}: ${content}` });
    } else if (callsOf(message).length > 0) {
      const { tool_calls: _, ...rest } = message;
      const written = callsOf(message).map(({ function: call }) => call);
      const plain = written.map((call) => JSON.stringify({ name: call.name, arguments: call.arguments }));
      const text =
        form === undefined
          ? plain.join('\n')
          : callText(
              form,
              written.map((call) => ({ name: call.name, arguments: JSON.stringify(call.arguments) })),
              (k) => (form.id === 'number' ? String(k) : `call${String(k).padStart(5, '0')}`),
            );
      out.push({ ...rest, content: [...(content === '' ? [] : [content]), text].join('\n') });
    } else out.push(message);
    const follows = messages[i - 1]?.role === 'tool' && (role === 'tool' || role === 'user');
    if (!follows) continue;
    const last = out.pop()!;
    const before = out.pop()!;
    out.push({ ...last, content: `${before.content}\n${last.content}` });
  }
  return out;
}
