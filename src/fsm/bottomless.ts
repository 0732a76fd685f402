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

/** Edges of stacks side by side from which on stacks are cut together. */
const MANY_EDGES = 64;
/** Most frames between two stacks that are kept for the sake of what lies on top of them both. */
const LONGEST_GAP = 8;

export class Bottomless {
  private readonly cutStacks = new PairMap(64);
  /** By cut stack: most edges of any one stack in it. */
  private readonly widths: (number | undefined)[] = [];
  private readonly outlines: (number | undefined)[] = [];
  private readonly bottom: number;

  constructor(private readonly recognizer: Recognizer) {
    this.bottom = recognizer.stacks.intern([recognizer.labels.intern([FRAME.bottom], 1), -1], 2);
    this.widths[this.bottom] = 0;
  }

  /** The state with stacks cut to `depth` frames and remembered key texts dropped where only the stack matters. */
  truncate(state: number, depth: number): number {
    const { recognizer } = this;
    const { states, configs } = recognizer;
    const together = this.cutTogether(state, depth);
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
      const cut = together?.get(stack) ?? this.cut(stack, depth);
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
    const made = this.image(stack, (parent) => this.cut(parent, depth - 1));
    this.cutStacks.set(stack, depth, made);
    return made;
  }

  /**
   * Where many frames are read side by side, the stacks of a state and those less than `depth` frames below any of them, each cut the same way
   * wherever it occurs; undefined where there are few. Cut by depth, n frames that lie above one another and are all on top (rules nested n deep that
   * may end together) would be n stacks of their own, and a step makes n more of each.
   */
  private cutTogether(state: number, depth: number): ReadonlyMap<number, number> | undefined {
    const { states, configs } = this.recognizer;
    const tops: number[] = [];
    let width = 0;
    for (let i = states.offsets[state]!, end = states.offsets[state + 1]!; i < end; i++) {
      const o = configs.offsets[states.data[i]!]!;
      const kind = configs.data[o]!;
      if (kind === END || kind === BOTTOM || kind === CAPTURE) continue;
      tops.push(configs.data[o + 3]!);
      width += this.widths[this.cut(configs.data[o + 3]!, depth)]!;
    }
    if (width < MANY_EDGES) return undefined;
    const kept = this.keptBelow(tops, depth);
    const images = new Map<number, number>([[this.bottom, this.bottom]]);
    const below = (parent: number): number => images.get(parent) ?? this.bottom;
    for (const stack of ascending(kept)) if (stack !== this.bottom) images.set(stack, this.image(stack, below));
    return images;
  }

  /** Stacks less than `depth` frames below some, and those on a short way between two of them. */
  private keptBelow(tops: readonly number[], depth: number): ReadonlySet<number> {
    const { stacks } = this.recognizer;
    const kept = new Set(tops);
    const passed = new Set<number>();
    let level: readonly number[] = [...kept];
    for (let d = 1; d < depth + LONGEST_GAP && level.length > 0; d++) {
      const below: number[] = [];
      const into = d < depth ? kept : passed;
      for (const stack of level)
        for (let i = stacks.offsets[stack]! + 1, end = stacks.offsets[stack + 1]!; i < end; i += 2) {
          const parent = stacks.data[i]!;
          if (parent < 0 || kept.has(parent) || passed.has(parent)) continue;
          into.add(parent);
          below.push(parent);
        }
      level = below;
    }
    for (const stack of ascending(passed))
      for (let i = stacks.offsets[stack]! + 1, end = stacks.offsets[stack + 1]!; i < end; i += 2)
        if (kept.has(stacks.data[i]!)) kept.add(stack);
    return kept;
  }

  /** A stack in outline, with what `below` says in place of the stacks below it. */
  private image(stack: number, below: (parent: number) => number): number {
    const { stacks } = this.recognizer;
    const pairs: [number, number][] = [];
    let width = 0;
    for (let i = stacks.offsets[stack]!, end = stacks.offsets[stack + 1]!; i < end; i += 2) {
      const label = stacks.data[i]!;
      const parent = stacks.data[i + 1]!;
      const cut = parent < 0 ? parent : below(parent);
      if (cut >= 0) width = Math.max(width, this.widths[cut] ?? 0);
      pairs.push([this.outlined(label), cut]);
    }
    pairs.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    const flat: number[] = [];
    for (const [l, p] of pairs) {
      const n = flat.length;
      if (n > 0 && flat[n - 2] === l && flat[n - 1] === p) continue;
      flat.push(l, p);
    }
    const made = stacks.intern(flat, flat.length);
    this.widths[made] = Math.max(width, flat.length >> 1);
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

/** Stacks with those first that lie below others: they were made first. */
function ascending(stacks: ReadonlySet<number>): readonly number[] {
  return [...stacks].sort((a, b) => a - b);
}
