/**
 * From messages to prompt tokens: the schema hint and the tools go into the system message, the model's template does the rest.
 *
 * The schema never costs a request: where the full hint does not leave room for the answer it is shortened, then left out, with a warning.
 * Only the user's own messages can be too long.
 *
 * What callers give (messages, schema, tools) is text: control tokens spelled out in it are not read as such. Template variables are
 * the caller's own and trusted.
 */
import { LimitError } from '../base/errors.js';
import type { Chat, ChatMessage, TextTokenizer } from '../runtime/types.js';
import { CALL_BEGIN, CALL_END, CALL_MARK } from './call-format.js';
import { schemaHint, shorterHints } from './hint.js';
import { toolTurnsAsText } from './messages.js';

const SCHEMA_TEXT = 'Answer in JSON that fits this schema:\n';
const TOOLS_TEXT = 'Call one of the tools. Answer in JSON: {"name":…,"arguments":{…}}';
/** For models whose template does not say it. */
const FREE_CALLS_TEXT = `You may call tools. To call one, end the answer with\n${CALL_BEGIN}{"name":…,"arguments":{…}}${CALL_END}`;
const OR_TEXT = 'Or answer in JSON that fits this schema:\n';

export interface PlainTool {
  readonly name: string;
  readonly description?: string | undefined;
  /** JSON Schema. */
  readonly parameters: unknown;
}

export interface PromptInput {
  readonly messages: readonly ChatMessage[];
  /** Schema to show; undefined: none. */
  readonly schema?: unknown;
  readonly tools?: readonly PlainTool[] | undefined;
  /** Whether calls of the tools are the model's choice, behind text. */
  readonly freeCalls?: boolean | undefined;
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

/** See the module's header. @throws LimitError where the user's own messages are too long */
export function buildPrompt(
  input: PromptInput,
  chat: Chat,
  tokenizer: TextTokenizer,
  contextLength: number,
): BuiltPrompt {
  const messages = chat.showsTools && chat.showsCalls ? input.messages : toolTurnsAsText(input.messages);
  const render = (hint: string | undefined, withTools: boolean): { text: string; tokens: number[] } => {
    const tools = withTools ? input.tools : undefined;
    const parts = [
      ...(tools === undefined ? [] : toolsText(tools, input.freeCalls === true, chat)),
      ...(hint === undefined ? [] : [`${tools === undefined ? SCHEMA_TEXT : OR_TEXT}${hint}`]),
    ];
    const own = <T>(value: T): T => (input.parseSpecials === true ? value : tokenizer.mark(value));
    const text = chat.render(
      withSystem(messages, parts, chat.takesSystem).map((m) => ({ ...own(m), role: m.role })),
      {
        ...(tools === undefined ? {} : { toolsJson: own(toolsJson(tools)), tools: own(tools.map(asFunction)) }),
        ...(input.variables === undefined ? {} : { variables: input.variables }),
      },
    );
    return { text: tokenizer.unmark(text), tokens: tokenizer.encode(text, { specials: false }) };
  };
  const most = contextLength - 1;
  const roomy = Math.max(1, contextLength - input.reserve);
  const hasTools = input.tools !== undefined && input.tools.length > 0;
  const warnings: string[] = [];
  let full: string | undefined;
  if (input.schema !== undefined) full = schemaHint(input.schema);
  if (full !== undefined || hasTools) {
    const whole = render(full, hasTools);
    if (whole.tokens.length <= roomy) return { ...whole, warnings };
    if (full !== undefined) {
      let last = full;
      for (const hint of shorterHints(input.schema)) {
        if (hint.length >= last.length) continue;
        last = hint;
        const short = render(hint, hasTools);
        if (short.tokens.length > roomy) continue;
        warnings.push(
          'the schema was shortened in the prompt: in full it leaves no room for the answer (it is enforced in full)',
        );
        return { ...short, warnings };
      }
    }
    warnings.push(
      hasTools
        ? 'tools and schema were left out of the prompt: they leave no room for the answer (they are enforced)'
        : 'the schema was left out of the prompt: it leaves no room for the answer (it is enforced)',
    );
  }
  const bare = render(undefined, false);
  if (bare.tokens.length > most) throw new LimitError('prompt tokens', bare.tokens.length, most);
  return { ...bare, warnings };
}

/**
 * Puts lines after what the system messages say, into one system message at the start. Where the template takes none (Gemma and others), all
 * of it begins the first user message.
 */
function withSystem(
  messages: readonly ChatMessage[],
  parts: readonly string[],
  taken: boolean,
): readonly ChatMessage[] {
  const own = messages.filter((m) => m.role === 'system').map((m) => m.content);
  if (parts.length === 0 && (taken || own.length === 0)) return messages;
  const rest = messages.filter((m) => m.role !== 'system');
  const content = [...own, ...parts].join('\n');
  const asked = rest.findIndex((m) => m.role === 'user');
  if (taken || asked < 0) return [{ role: 'system', content }, ...rest];
  return rest.map((m, i) => (i === asked ? { ...m, content: `${content}\n\n${m.content}` } : m));
}

/** What the template does not say of the tools by itself. */
function toolsText(tools: readonly PlainTool[], free: boolean, chat: Chat): readonly string[] {
  const list = chat.showsTools ? [] : [`Tools: ${toolsJson(tools)}`];
  if (!free) return [TOOLS_TEXT, ...list];
  return chat.toolPrompt.includes(CALL_MARK) ? list : [FREE_CALLS_TEXT, ...list];
}

function toolsJson(tools: readonly PlainTool[]): string {
  const listed = tools.map((tool) => {
    const { name, description, parameters } = tool;
    const head = description === undefined ? { name } : { name, description };
    return { ...head, parameters: JSON.parse(schemaHint(parameters)) as unknown };
  });
  return JSON.stringify(listed);
}

function asFunction(tool: PlainTool): unknown {
  return { type: 'function', function: tool };
}
