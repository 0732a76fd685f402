/** The keys and unique items that a state is in the midst of. */
import { eachUniqueFrame } from './configs.js';
import { DYN, ITEM, UNLIKE_ITEM } from './layout.js';
import type { Recognizer } from './recognizer.js';

/** The keys and items in progress, as the beginnings of JSON texts; undefined for one that is not known. */
export function textsInProgress(recognizer: Recognizer, state: number): readonly (string | undefined)[] {
  const { configs, states, captures, labels } = recognizer;
  const texts: (string | undefined)[] = [];
  const capture = recognizer.captureOf(state);
  for (let i = states.offsets[state]!, end = states.offsets[state + 1]!; i < end; i++) {
    const o = configs.offsets[states.data[i]!]!;
    const kind = configs.data[o]!;
    const read = configs.data[o + 2]!;
    if (kind === DYN && read !== captures.none) {
      const key = captures.text(read);
      texts.push(key === undefined ? undefined : `"${key}`);
    } else if (kind === ITEM) texts.push(captures.text(read));
  }
  if (capture >= 0)
    eachUniqueFrame(recognizer, state, (l) => {
      const start = labels.data[l + 4]!;
      if (start !== UNLIKE_ITEM) texts.push(captures.text(capture, start));
    });
  return texts;
}
