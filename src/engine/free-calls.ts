/** Tools at the model's choice: text, and behind it the calls that the model wants. */
import { tags } from '../grammar/constraint/index.js';
import { CALL_BEGIN as BEGIN, CALL_MARK, CALL_END as END } from './call-format.js';
import { readJson, validate } from './json-value.js';
import type { Target } from './target.js';
import { type Call, callConstraint, readCall, shownTools } from './tools.js';

/** The value is `{text, calls}`. `parallel`: more than one call may come. @throws OptionError */
export function freeCallsTarget(calls: readonly Call[], parallel: boolean, showSchema: boolean): Target {
  const content = callConstraint(calls, undefined);
  return {
    constraint: tags([{ begin: BEGIN, content, end: END }], {
      triggers: [CALL_MARK],
      text: 'before',
      ...(parallel ? {} : { max: 1 }),
    }),
    shown: undefined,
    tools: showSchema ? shownTools(calls) : undefined,
    freeCalls: true,
    isJson: false,
    finish: async (text, checker, warn) => {
      const first = text.indexOf(BEGIN);
      const read: unknown[] = [];
      for (let at = first; at >= 0; ) {
        // Strings of JSON have no line breaks, and no value goes on with the mark behind one: so this is the end.
        const end = text.indexOf(END, at);
        const value = readJson(text.slice(at + BEGIN.length, end));
        if (checker !== undefined) validate(content, value, checker, warn);
        read.push((await readCall(calls, value)) ?? value);
        at = text.indexOf(BEGIN, end);
      }
      return { text: (first < 0 ? text : text.slice(0, first)).trim(), calls: read };
    },
  };
}
