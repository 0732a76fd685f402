/**
 * Where a value begins. A template ends a prompt where the model goes on, which is not always where its answers begin: models that think do so first, gpt-oss
 * names the channel of a message. A constraint holds from the first token, so without `reasoning` the value would stand within the thinking. What the
 * template itself puts before an answer goes into the prompt then, and a thinking that it has begun is ended.
 */
import type { TemplateMessage } from '../runtime/types.js';

export interface Opening {
  /** To be put behind the prompt. */
  readonly text: string;
  /** The mark that ends a thinking that the template begins. */
  readonly ended?: string;
}

const NONE: Opening = { text: '' };
const ANSWER = 'tokenloom-answer';
const THINKING = /(?:<([\w:]*think\w*)>|\[THINK\])\s*$/i;
const THOUGHT = /^\s*<([\w:]*think\w*)>\s*<\/\1>\s*$/i;
export const ANSWERED: TemplateMessage = { role: 'assistant', content: ANSWER };

/**
 * `prompt`: a rendered conversation; `answered`: the same with {@link ANSWERED} behind it and without the beginning of a turn, '' where the template
 * takes no such conversation. `thoughtOnly`: calls may come in place of an answer, so nothing that begins only one of them.
 */
export function openingOf(prompt: string, answered: string, thoughtOnly: boolean): Opening {
  const begun = THINKING.exec(prompt);
  if (begun !== null) {
    const ended = begun[1] === undefined ? '[/THINK]' : `</${begun[1]}>`;
    return { text: `\n${ended}\n\n`, ended };
  }
  const at = answered.indexOf(ANSWER, prompt.length);
  if (at < 0 || !answered.startsWith(prompt)) return NONE;
  const text = answered.slice(prompt.length, at);
  return text.trim() === '' || (thoughtOnly && !THOUGHT.test(text)) ? NONE : { text };
}
