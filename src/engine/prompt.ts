/**
 * From messages to prompt tokens: the schema hint and the tools go into the system message, the model's template does the rest.
 *
 * The schema never costs a request: where the full hint does not leave room for the answer it is shortened, then left out, with a warning.
 * Only the user's own messages can be too long.
 *
 * What callers give (messages, schema, tools) is text: control tokens spelled out in it are not read as such. Template variables are
 * the caller's own and trusted.
 */

import { OUR_FORM } from '../base/call-form.js';
import { LimitError } from '../base/errors.js';
import { tried } from '../runtime/chat.js';
import type { Chat, ChatMessage, TextTokenizer } from '../runtime/types.js';
import { callText, type PlainTool } from './call-format.js';
import { formOf, toolsJson, toolsOf, withSystem } from './forms.js';
import { schemaHint, shorterHints } from './hint.js';
import { ANSWERED, openingOf } from './opening.js';

const SCHEMA_TEXT = 'Answer in JSON that fits this schema:\n';
const TOOLS_TEXT = 'Call one of the tools. Answer in JSON: {"name":…,"arguments":{…}}';
/** For models whose template does not say it. */
const FREE_CALLS_TEXT = 'You may call tools. To call one, end the answer with';
const TOO_LONG = 'shorten the messages, or take a model with a longer context';
const OR_TEXT = 'Or answer in JSON that fits this schema:\n';

export interface PromptInput {
  readonly messages: readonly ChatMessage[];
  /** Schema to show; undefined: none. */
  readonly schema?: unknown;
  readonly tools?: readonly PlainTool[] | undefined;
  /** Whether calls of the tools are the model's choice, behind text. */
  readonly freeCalls?: boolean | undefined;
  /** Whether a constraint holds from the first token. */
  readonly atOnce?: boolean | undefined;
  readonly variables?: Readonly<Record<string, unknown>> | undefined;
  /** Tokens to leave for the answer where that is possible. */
  readonly reserve: number;
  /** Read control tokens that messages, schema and tools spell out as such (default false: they are text). */
  readonly parseSpecials?: boolean | undefined;
}

export interface BuiltPrompt {
  readonly tokens: number[];
  readonly text: string;
  readonly warnings: readonly string[];
}

interface Rendered {
  readonly text: string;
  readonly ended?: string | undefined;
  readonly tokens: number[];
}

/** See the module's header. @throws LimitError where the user's own messages are too long */
export function buildPrompt(
  input: PromptInput,
  chat: Chat,
  tokenizer: TextTokenizer,
  contextLength: number,
): BuiltPrompt {
  const free = input.freeCalls === true;
  const hasTools = input.tools !== undefined && input.tools.length > 0;
  // What callers give is marked before anything of ours is added: marks of calls that we write are the model's.
  const own = <T>(value: T): T => (input.parseSpecials === true ? value : tokenizer.mark(value));
  const said = input.messages.map((m) => ({ ...own(m), role: m.role }));
  /** The conversation with the tools, or without. */
  const rendering = (tools: readonly PlainTool[] | undefined): ((hint: string | undefined) => Rendered) => {
    const options = input.variables === undefined ? {} : { variables: input.variables };
    const shown = tools === undefined ? undefined : toolsOf(tools, options, free, chat);
    const { turns, takesSystem } = formOf(said, { ...options, ...shown }, free && tools !== undefined, chat);
    const messages = turns(said);
    return (hint) => {
      const parts = [
        ...(tools === undefined ? [] : toolsText(tools, free, shown !== undefined, chat)),
        ...(hint === undefined ? [] : [`${tools === undefined ? SCHEMA_TEXT : OR_TEXT}${own(hint)}`]),
      ];
      const all = withSystem(messages, parts, takesSystem);
      const prompt = chat.render(all, { ...shown, ...options });
      const more = { ...shown, ...options, addGenerationPrompt: false };
      const opening =
        input.atOnce === true
          ? openingOf(prompt, tried(chat.render, [...all, ANSWERED], more), free && tools !== undefined)
          : undefined;
      const text = prompt + (opening?.text ?? '');
      return {
        text: tokenizer.unmark(text),
        tokens: tokenizer.encode(text, { specials: false }),
        ended: opening?.ended,
      };
    };
  };
  const render = rendering(hasTools ? own(input.tools) : undefined);
  const most = contextLength - 1;
  const roomy = Math.max(1, contextLength - input.reserve);
  const warnings: string[] = [];
  for (const { content } of input.messages) {
    const some = tokensOfStart(content, most, tokenizer);
    if (some > most) throw new LimitError('tokens of the start of a message alone', some, most, undefined, TOO_LONG);
  }
  const mayFit = (hint: string): boolean => tokensOfStart(hint, roomy, tokenizer) <= roomy;
  let full: string | undefined;
  if (input.schema !== undefined) full = schemaHint(input.schema);
  const built = ({ text, tokens, ended }: Rendered): BuiltPrompt => {
    if (ended !== undefined)
      warnings.push(
        `the template begins the model's thinking, which was ended at once; to let it think: reasoning: { end: '${ended}' }`,
      );
    return { text, tokens, warnings };
  };
  if (full !== undefined || hasTools) {
    const whole = full === undefined || mayFit(full) ? render(full) : undefined;
    if (whole !== undefined && whole.tokens.length <= roomy) return built(whole);
    if (full !== undefined) {
      let last = full;
      for (const hint of shorterHints(input.schema)) {
        if (hint.length >= last.length) continue;
        last = hint;
        if (!mayFit(hint)) continue;
        const short = render(hint);
        if (short.tokens.length > roomy) continue;
        warnings.push(
          'the schema was shortened in the prompt: in full it leaves no room for the answer (it is enforced in full)',
        );
        return built(short);
      }
    }
    warnings.push(
      hasTools
        ? 'tools and schema were left out of the prompt: they leave no room for the answer (they are enforced)'
        : 'the schema was left out of the prompt: it leaves no room for the answer (it is enforced)',
    );
  }
  const bare = rendering(undefined)(undefined);
  if (bare.tokens.length > most) throw new LimitError('prompt tokens', bare.tokens.length, most, undefined, TOO_LONG);
  return built(bare);
}

/** Characters for a token, from which on a text is not encoded as a whole before it is known to fit. */
const LONG = 64;
/** Tokens by which the start of a text may differ from what it becomes within the text. */
const AT_THE_CUT = 16;

/**
 * Of a text much longer than so many tokens, those that its start takes at least; else 0. To encode a text of megabytes takes minutes (2 of
 * them 4 MB), in which nothing can be interrupted.
 */
function tokensOfStart(text: unknown, most: number, tokenizer: TextTokenizer): number {
  const end = LONG * (most + 1);
  if (typeof text !== 'string' || text.length <= end) return 0;
  return tokenizer.encode(text.slice(0, end), { specials: false }).length - AT_THE_CUT;
}

/** What the template does not say of the tools by itself. */
function toolsText(tools: readonly PlainTool[], free: boolean, shown: boolean, chat: Chat): readonly string[] {
  const list = shown ? [] : [`Tools: ${toolsJson(tools)}`];
  if (!free) return [TOOLS_TEXT, ...list];
  if (shown && chat.callForm !== undefined) return list;
  const form = chat.callForm ?? OUR_FORM;
  const given = form.parameters === undefined && form.notation === undefined ? '{…}' : '{"…":"…"}';
  const call = callText(form, [{ name: '…', arguments: given }], () => '…');
  return [`${FREE_CALLS_TEXT}\n${call}`, ...list];
}
