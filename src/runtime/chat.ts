/**
 * Chat templates: messages to the prompt's text through the model's Jinja template.
 */
import { Template } from '@huggingface/jinja';
import { ModelError } from '../base/errors.js';
import { readCalls } from './call-form.js';
import { tokenContent } from './folder.js';
import type { JsonObject } from './json.js';
import { makeLenient } from './lenient.js';
import type { Chat, RenderOptions, TemplateMessage } from './types.js';

const SPECIAL = ['bos_token', 'eos_token', 'pad_token', 'unk_token'] as const;

/**
 * Compiles the templates of a model folder (the one named 'tool_use' is taken for calls with tools). Throws ModelError for a
 * template that does not parse; `render` throws one where the template raises an error, for instance about the order of roles. `ends`: names of
 * the tokens that end a turn.
 */
export function createChat(
  source: string,
  templates: ReadonlyMap<string, string>,
  config: JsonObject,
  ends: readonly string[] = [],
): Chat {
  const compiled = new Map<string, Template>();
  for (const [name, text] of templates) compiled.set(name, compile(source, text));
  const fallback = compiled.get('default') ?? compiled.values().next().value;
  const specials: Record<string, string> = {};
  for (const key of SPECIAL) {
    const content = tokenContent(config[key]);
    if (content !== undefined) specials[key] = content;
  }
  const chat = (messages: readonly TemplateMessage[], options: RenderOptions = {}): string => {
    const tools = options.tools !== undefined || options.toolsJson !== undefined;
    const template = (tools ? compiled.get('tool_use') : undefined) ?? fallback;
    return template === undefined ? plain(messages, options) : render(source, template, messages, options, specials);
  };
  const endOf = specials.eos_token === undefined ? [] : [specials.eos_token];
  const answered = tried(chat, [ASKED, { role: 'assistant', content: PROBE }], { addGenerationPrompt: false });
  const calls = readCalls((messages, options) => tried(chat, messages, options), WITH_TOOLS, [...ends, ...endOf]);
  return {
    hasTemplate: fallback !== undefined,
    takesSystem: tried(chat, [{ role: 'system', content: PROBE }, ASKED]).includes(PROBE),
    behindAnswer: answered.split(PROBE)[1] ?? '',
    callForm: calls.form,
    writesCalls: calls.any,
    render: chat,
  };
}

/** A word that no template has by itself. */
const PROBE = 'tokenloom-probe';
const PROBE_TOOL = { name: PROBE, description: PROBE, parameters: { type: 'object', properties: {} } } as const;
const WITH_TOOLS = {
  tools: [{ type: 'function', function: PROBE_TOOL }],
  toolsJson: JSON.stringify([PROBE_TOOL]),
};
const ASKED: TemplateMessage = { role: 'user', content: 'x' };

/** The prompt of a try; nothing where the template raises an error. */
export function tried(render: Chat['render'], messages: readonly TemplateMessage[], options?: RenderOptions): string {
  try {
    return render(messages, options);
  } catch {
    return '';
  }
}

function compile(source: string, text: string): Template {
  try {
    const template = new Template(text);
    makeLenient(template.parsed);
    return template;
  } catch (error) {
    throw new ModelError(source, 'a chat template that parses', why(error), { cause: error });
  }
}

function render(
  source: string,
  template: Template,
  messages: readonly TemplateMessage[],
  options: RenderOptions,
  specials: Readonly<Record<string, string>>,
): string {
  try {
    return template.render({
      ...specials,
      // Templates are tried with transformers, which defines these always: some ask whether they are none, not whether they are defined.
      documents: null,
      ...options.variables,
      messages,
      tools: options.tools ?? null,
      ...(options.toolsJson === undefined ? {} : { tools_json: options.toolsJson }),
      add_generation_prompt: options.addGenerationPrompt ?? true,
    });
  } catch (error) {
    throw new ModelError(source, 'a chat template that takes these messages', why(error), { cause: error });
  }
}

/** For models without a template: one line per message, as base models were most likely to have seen it. */
function plain(messages: readonly TemplateMessage[], options: RenderOptions): string {
  const lines = messages.map((m) =>
    m.role === 'user' && messages.length === 1 ? m.content : `${m.role}: ${m.content ?? ''}`,
  );
  if (options.toolsJson !== undefined) lines.unshift(`tools: ${options.toolsJson}`);
  const end = (options.addGenerationPrompt ?? true) && messages.length > 1 ? 'assistant:' : '';
  return `${lines.join('\n')}\n${end}`;
}

const why = (error: unknown): string => (error instanceof Error ? error.message : String(error));
