/** The keys and unique items that a state is in the midst of. */
import { CAPTURE, DYN, END, FRAME, ITEM, UNLIKE_ITEM } from './layout.js';
import type { Recognizer } from './recognizer.js';

/** The keys and items in progress, as the beginnings of JSON texts; undefined for one that is not known. */
export function textsInProgress(recognizer: Recognizer, state: number): readonly (string | undefined)[] {
  const { configs, states, captures } = recognizer;
  const texts: (string | undefined)[] = [];
  const capture = recognizer.captureOf(state);
  const seen = new Set<number>();
  for (let i = states.offsets[state]!, end = states.offsets[state + 1]!; i < end; i++) {
    const o = configs.offsets[states.data[i]!]!;
    const kind = configs.data[o]!;
    const read = configs.data[o + 2]!;
    if (kind === DYN && read !== captures.none) {
      const key = captures.text(read);
      texts.push(key === undefined ? undefined : `"${key}`);
    } else if (kind === ITEM) texts.push(captures.text(read));
    if (capture >= 0 && kind !== CAPTURE && kind !== END)
      itemsBelow(recognizer, configs.data[o + 3]!, capture, seen, texts);
  }
  return texts;
}

function itemsBelow(
  recognizer: Recognizer,
  stack: number,
  capture: number,
  seen: Set<number>,
  texts: (string | undefined)[],
): void {
  if (seen.has(stack)) return;
  seen.add(stack);
  const { stacks, labels, grammar, captures } = recognizer;
  for (let i = stacks.offsets[stack]!, end = stacks.offsets[stack + 1]!; i < end; i += 2) {
    const l = labels.offsets[stacks.data[i]!]!;
    const parent = stacks.data[i + 1]!;
    if (labels.data[l] === FRAME.array) {
      const expr = grammar.exprs[labels.data[l + 1]!]!;
      const start = labels.data[l + 4]!;
      if (expr.op === 'array' && expr.unique && start !== UNLIKE_ITEM) texts.push(captures.text(capture, start));
    }
    if (parent >= 0) itemsBelow(recognizer, parent, capture, seen, texts);
  }
}
