/** States without the texts of keys and unique items in progress: each is taken to differ from all that it is compared with. */
import { CAPTURE, DYN, END, ITEM } from './layout.js';
import type { Recognizer } from './recognizer.js';

export class Unlike {
  private readonly known: (number | undefined)[] = [];

  constructor(private readonly recognizer: Recognizer) {}

  /** A config without the texts of the objects and arrays in progress that are items. */
  item(config: number): number {
    const { recognizer } = this;
    const { configs, captures } = recognizer;
    const o = configs.offsets[config]!;
    const kind = configs.data[o]!;
    if (kind === END) return config;
    if (kind === CAPTURE) return configs.intern([CAPTURE, captures.unlike, 0, 0], 4);
    const stack = recognizer.unlikeStack(configs.data[o + 3]!);
    return configs.intern([kind, configs.data[o + 1]!, configs.data[o + 2]!, stack], 4);
  }

  /** A config without the text of the key or scalar item that it reads. */
  word(config: number): number {
    const { configs, captures } = this.recognizer;
    const o = configs.offsets[config]!;
    const kind = configs.data[o]!;
    if ((kind !== DYN && kind !== ITEM) || !captures.isKept(configs.data[o + 2]!)) return config;
    return configs.intern([kind, configs.data[o + 1]!, captures.unlike, configs.data[o + 3]!], 4);
  }

  /** A state without any text. Cached. */
  all(state: number): number {
    const known = this.known[state];
    if (known !== undefined) return known;
    const made = this.find(state);
    this.known[state] = made;
    return made;
  }

  private find(state: number): number {
    const { recognizer } = this;
    const { states, captures } = recognizer;
    const before = states.data.subarray(states.offsets[state]!, states.offsets[state + 1]!);
    const capture = recognizer.captureOf(state);
    const items = capture >= 0 && captures.isKept(capture);
    const ids = Array.from(before, (id) => this.word(items ? this.item(id) : id));
    if (ids.every((id, i) => id === before[i])) return state;
    ids.sort((x, y) => x - y);
    return recognizer.stateOf(ids.filter((id, i) => i === 0 || id !== ids[i - 1]));
  }
}
