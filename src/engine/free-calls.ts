/** Tools at the model's choice: text, and the calls that the model wants, in the form that it was trained to write. */
import { type CallForm, OUR_FORM } from '../base/call-form.js';
import { ValueError } from '../base/value-error.js';
import { readCalls } from './call-format.js';
import { readJson, shownSchema, validate } from './json-value.js';
import { parameterKinds } from './parameter-kinds.js';
import { plain } from './plain.js';
import type { Target } from './target.js';
import { type Call, callConstraint, readCall, shownTools } from './tools.js';

/** The value is `{text, calls}`. `parallel`: more than one call may come. @throws OptionError */
export function freeCallsTarget(
  calls: readonly Call[],
  parallel: boolean,
  showSchema: boolean,
  form: CallForm = OUR_FORM,
): Target {
  const content = callConstraint(calls, undefined);
  const tools = calls.map((call) => ({
    name: call.name,
    content: plain(call.parameters),
    kinds: form.parameters === undefined ? {} : parameterKinds(shownSchema(call.parameters.schema)),
  }));
  return {
    constraint: { kind: 'calls', form, tools, parallel },
    shown: undefined,
    tools: showSchema ? shownTools(calls) : undefined,
    freeCalls: true,
    isJson: false,
    finish: async (text, checker, warn) => {
      const read = readCalls(form, tools, text);
      if (read === undefined) throw new ValueError([`a call of a tool is not whole: ${text.slice(-80)}`]);
      const values: unknown[] = [];
      for (const { name, json } of read.calls) {
        const value = { name, arguments: readJson(json) };
        if (checker !== undefined) validate(content, value, checker, warn);
        values.push((await readCall(calls, value)) ?? value);
      }
      return { text: read.text.trim(), calls: values };
    },
  };
}
