/** The constructor of free text with tagged parts. */
import { OptionError } from '../../base/errors.js';
import { brief, checkNames } from '../../base/options.js';
import { json, LONE_SURROGATE } from './make.js';
import { isConstraint, type Tag, type TagsConstraint } from './types.js';

export interface TagSource {
  /** The mark that begins the part, e.g. `<tool_call>`. */
  readonly begin: string;
  /** What stands between the marks: a constraint, or whatever `json` takes. */
  readonly content: unknown;
  /** The mark that ends it; may be empty where the content ends by itself. */
  readonly end: string;
}

export interface TagOptions {
  /** Texts that bind the model to a tag as soon as it has written one (default: the tags' beginnings). Each tag begins with one of them. */
  readonly triggers?: readonly string[] | undefined;
  /** Fewest tags (default 0). */
  readonly min?: number | undefined;
  /** Most tags (default: any number). */
  readonly max?: number | undefined;
  /** Where free text may stand: anywhere but inside tags (default), or only before the first tag: after it there is blank space at most. */
  readonly text?: 'anywhere' | 'before' | undefined;
}

/**
 * Free text in which tagged parts follow a constraint of their own, like tool calls in a chat model's answer. The free text contains no trigger;
 * once a trigger is written the output goes on as one of the tags that begin with it.
 * @throws OptionError
 */
export function tags(list: readonly TagSource[], options: TagOptions = {}): TagsConstraint {
  if (!Array.isArray(list) || list.length === 0)
    throw new OptionError('tags', 'an array of at least one tag', brief(list));
  checkNames(options, ['triggers', 'min', 'max', 'text']);
  const read = list.map((tag, i) => readTag(tag, `tags[${i}]`));
  const { min = 0, max, text = 'anywhere' } = options;
  if (!Number.isInteger(min) || min < 0) throw new OptionError('min', 'a whole number, at least 0', String(min));
  const bounded = max !== undefined && max !== Number.POSITIVE_INFINITY;
  if (bounded && (!Number.isInteger(max) || max < Math.max(1, min)))
    throw new OptionError('max', `a whole number, at least ${Math.max(1, min)}`, String(max));
  if (text !== 'anywhere' && text !== 'before') throw new OptionError('text', "'anywhere' or 'before'", String(text));
  const triggers = readTriggers(options.triggers ?? read.map((tag) => tag.begin));
  for (const [i, { begin }] of read.entries()) {
    if (!triggers.some((trigger) => begin.startsWith(trigger)))
      throw new OptionError(`tags[${i}].begin`, 'a text that begins with a trigger', JSON.stringify(begin));
  }
  const idle = triggers.find((trigger) => !read.some(({ begin }) => begin.startsWith(trigger)));
  if (idle !== undefined) throw new OptionError('triggers', 'texts that some tag begins with', JSON.stringify(idle));
  return { kind: 'tags', tags: read, triggers, min, ...(bounded ? { max } : {}), text };
}

function readTag(tag: unknown, name: string): Tag {
  if (typeof tag !== 'object' || tag === null || !('begin' in tag) || !('content' in tag) || !('end' in tag))
    throw new OptionError(name, 'a tag {begin, content, end}', brief(tag));
  const { begin, content, end } = tag;
  if (!isMark(begin)) throw new OptionError(`${name}.begin`, 'a text that is not empty', brief(begin));
  if (end !== '' && !isMark(end)) throw new OptionError(`${name}.end`, 'a text', brief(end));
  const constraint = isConstraint(content) ? content : json(content);
  if (constraint.kind === 'tags' || constraint.kind === 'calls')
    throw new OptionError(`${name}.content`, 'no tags inside a tag', constraint.kind);
  return { begin, content: constraint, end };
}

/** Without those that have another one inside: text would be bound by that one first. */
function readTriggers(given: unknown): readonly string[] {
  const texts: readonly unknown[] = Array.isArray(given) ? given : [];
  if (texts.length === 0 || !texts.every(isMark))
    throw new OptionError('triggers', 'an array of texts that are not empty', brief(given));
  return [...new Set(texts)].filter((text) => !texts.some((other) => other !== text && text.includes(other)));
}

function isMark(text: unknown): text is string {
  return typeof text === 'string' && text !== '' && !LONE_SURROGATE.test(text);
}
