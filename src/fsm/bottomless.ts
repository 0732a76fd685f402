/**
 * States cut off below their top frames, with what remains in outline.
 *
 * A token is a few bytes, so a mask hardly ever depends on more than the top frames of the stack, and the same situation at
 * another depth or under another parent has the same mask. A truncated state is the state with everything below replaced by a
 * marker; a walk that comes through the marker says so (`reachedBottom`). Objects whose member is being read keep only whether they
 * may close or go on afterwards (ObjectStates.outline): a walk that asks which key may follow comes to the marker too.
 */
import { PairMap } from '../base/tuple-table.js';
import { BOTTOM, CAPTURE, DYN, END, FRAME, ITEM, PHASE, STRUCT } from './layout.js';
import type { Recognizer } from './recognizer.js';

export class Bottomless {
  private readonly cutStacks = new PairMap(64);
  private readonly outlines: (number | undefined)[] = [];
  private readonly bottom: number;

  constructor(private readonly recognizer: Recognizer) {
    this.bottom = recognizer.stacks.intern([recognizer.labels.intern([FRAME.bottom], 1), -1], 2);
  }

  /** The state with stacks cut to `depth` frames and remembered key texts dropped where only the stack matters. */
  truncate(state: number, depth: number): number {
    const { recognizer } = this;
    const { states, configs } = recognizer;
    const ids: number[] = [];
    let changed = false;
    for (let i = states.offsets[state]!, end = states.offsets[state + 1]!; i < end; i++) {
      const id = states.data[i]!;
      const o = configs.offsets[id]!;
      const kind = configs.data[o]!;
      if (kind === END || kind === BOTTOM) {
        ids.push(id);
        continue;
      }
      if (kind === CAPTURE) {
        const forgotten = this.forgotten(state);
        changed ||= forgotten !== id;
        ids.push(forgotten);
        continue;
      }
      const stack = configs.data[o + 3]!;
      const cut = this.cut(stack, depth);
      const capture = configs.data[o + 2]!;
      const kept =
        kind === DYN || kind === ITEM
          ? recognizer.captures.none
          : kind === STRUCT
            ? recognizer.captures.empty
            : capture;
      if (cut === stack && kept === capture) ids.push(id);
      else {
        changed = true;
        ids.push(configs.intern([kind, configs.data[o + 1]!, kept, cut], 4));
      }
    }
    if (!changed) return state;
    ids.sort((a, b) => a - b);
    return recognizer.stateOf(ids.filter((c, i) => i === 0 || c !== ids[i - 1]));
  }

  /**
   * The state without the text of the items that are being read: the same one for all texts that no used item begins with. A walk says where it
   * comes to what the text decides.
   */
  withoutText(state: number): number {
    const { recognizer } = this;
    const capture = recognizer.captureOf(state);
    if (capture < 0 || !recognizer.captures.isKept(capture)) return state;
    const { states, configs } = recognizer;
    const ids: number[] = [];
    for (let i = states.offsets[state]!, end = states.offsets[state + 1]!; i < end; i++) {
      const id = states.data[i]!;
      ids.push(configs.data[configs.offsets[id]!] === CAPTURE ? this.forgotten(state) : id);
    }
    return recognizer.stateOf(ids.sort((a, b) => a - b));
  }

  /** Config of a captured text of which only is told whether it differs from the used items. */
  private forgotten(state: number): number {
    const { captures, configs } = this.recognizer;
    return configs.intern([CAPTURE, this.recognizer.couldRepeat(state) ? captures.none : captures.apart, 0, 0], 4);
  }

  private cut(stack: number, depth: number): number {
    if (stack === this.bottom) return stack;
    if (depth === 0) return this.bottom;
    const known = this.cutStacks.get(stack, depth);
    if (known >= 0) return known;
    const { stacks } = this.recognizer;
    const pairs: [number, number][] = [];
    for (let i = stacks.offsets[stack]!, end = stacks.offsets[stack + 1]!; i < end; i += 2) {
      const label = stacks.data[i]!;
      const parent = stacks.data[i + 1]!;
      pairs.push([this.outlined(label), parent < 0 ? parent : this.cut(parent, depth - 1)]);
    }
    pairs.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    const flat: number[] = [];
    for (const [l, p] of pairs) {
      const n = flat.length;
      if (n > 0 && flat[n - 2] === l && flat[n - 1] === p) continue;
      flat.push(l, p);
    }
    const made = stacks.intern(flat, flat.length);
    this.cutStacks.set(stack, depth, made);
    return made;
  }

  /** The label with an object's state in outline, where the member that it waits for is being read. */
  private outlined(label: number): number {
    let known = this.outlines[label];
    if (known === undefined) {
      known = this.outlineOf(label);
      this.outlines[label] = known;
    }
    return known;
  }

  private outlineOf(label: number): number {
    const { recognizer } = this;
    const { labels } = recognizer;
    const l = labels.offsets[label]!;
    if (labels.data[l] !== FRAME.object) return label;
    const id = labels.data[l + 1]!;
    const phase = labels.data[l + 2]!;
    const o = labels.data[l + 3]!;
    const last = labels.data[l + 4]!;
    const states = recognizer.objectStates(id);
    let outline = o;
    if (phase === PHASE.key) {
      if (last < 0) outline = states.outlineAfterDynamic(o, -1 - last);
    } else if (phase === PHASE.colon || phase === PHASE.value || phase === PHASE.after) outline = states.outline(o);
    return outline === o ? label : labels.intern([FRAME.object, id, phase, outline, last], 5);
  }
}
