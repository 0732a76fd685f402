/** Messages as callers give them, in the forms of chat APIs, to messages as chat templates take them. */
import { OptionError } from '../base/errors.js';
import { brief } from '../base/options.js';
import { parseJson } from '../base/parse-json.js';
import type { ChatMessage } from '../runtime/types.js';
import type { Message } from './types.js';

/** Messages from the two ways of giving them. @throws OptionError */
export function messagesOf(options: {
  readonly prompt?: string | undefined;
  readonly messages?: readonly Message[] | undefined;
  readonly system?: string | undefined;
}): readonly ChatMessage[] {
  const { prompt, messages, system } = options;
  if ((prompt === undefined) === (messages === undefined)) {
    throw new OptionError('prompt', "either 'prompt' or 'messages'", prompt === undefined ? 'none' : 'both');
  }
  if (prompt !== undefined && typeof prompt !== 'string') throw new OptionError('prompt', 'text', typeof prompt);
  const given: readonly unknown[] = messages ?? [{ role: 'user', content: prompt }];
  if (!Array.isArray(given) || given.length === 0) throw new OptionError('messages', 'at least one message', 'none');
  const read = given.map((message, i) => readMessage(message, `messages[${i}]`));
  return system === undefined ? read : [{ role: 'system', content: system }, ...read];
}

function readMessage(message: unknown, name: string): ChatMessage {
  if (typeof message !== 'object' || message === null || !('role' in message) || typeof message.role !== 'string')
    throw new OptionError('messages', 'messages of the form {role, content}, both text', brief(message));
  // What newer chat APIs call it; templates that know developers read system messages as theirs.
  const role = message.role === 'developer' ? 'system' : message.role;
  // Templates put roles between brackets: one with brackets of its own could pose as several.
  if (!/^[\p{L}\p{N}_.-]{1,64}$/u.test(role))
    throw new OptionError('messages', 'roles of letters, digits, _, . and -', brief(role));
  const calls = 'tool_calls' in message ? message.tool_calls : undefined;
  const hasCalls = Array.isArray(calls) && calls.length > 0;
  const content = contentOf('content' in message ? message.content : undefined, hasCalls);
  if (content === undefined)
    throw new OptionError(name, 'content that is text, or parts {type: "text", text}', brief(message));
  return {
    ...message,
    role,
    content,
    ...(hasCalls ? { tool_calls: calls.map((call, i) => readCall(call, `${name}.tool_calls[${i}]`)) } : {}),
  };
}

function contentOf(content: unknown, optional: boolean): string | undefined {
  if (typeof content === 'string') return content;
  if (content === undefined || content === null) return optional ? '' : undefined;
  if (!Array.isArray(content)) return undefined;
  const texts: unknown[] = content.map((part: unknown) =>
    typeof part === 'object' && part !== null && 'type' in part && part.type === 'text' && 'text' in part
      ? part.text
      : undefined,
  );
  return texts.every((text) => typeof text === 'string') ? texts.join('') : undefined;
}

/** A call as messages have it when they are read. */
export interface ReadCall {
  readonly id?: unknown;
  readonly type: 'function';
  readonly function: { readonly name: string; readonly arguments: unknown };
}

/** Templates print arguments as JSON, so they get the object where the caller has its text. */
function readCall(call: unknown, name: string): ReadCall {
  const wrapper = typeof call === 'object' && call !== null && 'function' in call ? call : undefined;
  const inner = wrapper === undefined ? call : wrapper.function;
  if (typeof inner !== 'object' || inner === null || !('name' in inner) || typeof inner.name !== 'string')
    throw new OptionError(name, 'a call {name, arguments}', brief(call));
  const given = 'arguments' in inner && inner.arguments !== undefined ? inner.arguments : {};
  return { ...wrapper, type: 'function', function: { ...inner, name: inner.name, arguments: parsed(given) } };
}

function parsed(given: unknown): unknown {
  if (typeof given !== 'string') return given;
  try {
    return parseJson(given);
  } catch {
    // What a model once wrote may be anything: it stays the text that it was.
    return given;
  }
}
