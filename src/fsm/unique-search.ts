/**
 * Whether an object or array item in progress can still end as a new one.
 *
 * An item that could only end as a duplicate must never begin, and that is not seen at its bracket. So where an item so far could
 * become one that was used, a search looks for some other end. Ways that differ in spelling only (whitespace, escapes, zeros of a
 * fraction) are one way, and a way that has left all used items has found its end; so the search is bounded by the used items. Past its limit
 * it gives up as "yes".
 */
import type { Grammar } from '../grammar/ir.js';
import { BOTTOM, CAPTURE, DEAD, END, FRAME, PHASE, UNLIKE_ITEM } from './layout.js';
import { plainPrefix } from './partial-value.js';
import { someEdge } from './stack-search.js';
import type { Structures } from './structure.js';
import type { Tables } from './tables.js';
import type { UniqueItems } from './unique-items.js';

/** States after which the search for a new ending is taken for successful. */
const SEARCH_STATES = 20_000;

/** Bytes that end things soonest. */
const LIKELY: readonly number[] = [...'"}],:{[0123456789tfnab'].map((c) => c.charCodeAt(0));

/**
 * Which items count as open, so that they can always end as new ones: none (-1), or those to which something may be added without end, and those
 * whose optional members are enough, even when so many of them are chosen or passed by.
 */
type Open = number;
const NOTHING_OPEN = -1;

/** What may be added to an object or array. */
interface Room {
  /** Members that may each come or stay away. */
  readonly members: number;
  /** Whether they come in a given order. */
  readonly inOrder: boolean;
}

const ENDLESS: Room = { members: Number.POSITIVE_INFINITY, inOrder: false };
const FULL: Room = { members: Number.NEGATIVE_INFINITY, inOrder: false };

/** The automaton being searched. */
export interface Steps {
  nextBytes(state: number): Int32Array;
  /** Whether some lexeme in progress takes the byte, so that it is not whitespace between lexemes. */
  inLexeme(state: number, byte: number): boolean;
  /** One uncached step. */
  compute(state: number, byte: number): number;
}

export class UniqueSearch {
  private readonly endsAnew: (boolean | undefined)[] = [];
  /** By label. */
  private readonly rooms: (Room | undefined)[] = [];

  constructor(
    private readonly grammar: Grammar,
    private readonly tables: Tables,
    private readonly structures: Structures,
    private readonly unique: UniqueItems,
    private readonly steps: Steps,
  ) {}

  /** Whether a state must not be entered, because some item in progress could only end as a duplicate. */
  isTrap(state: number): boolean {
    return this.mightTrap(state) && !this.canEndAnew(state);
  }

  private mightTrap(state: number): boolean {
    return this.isKept(state) && this.someRepeats(state, 0);
  }

  /**
   * Whether an item in progress, whose text is known, could become one that its array has, and might be unable to end otherwise once so many members
   * more are chosen.
   */
  leadsToTraps(state: number, members: number): boolean {
    return this.isKept(state) && this.someRepeats(state, members);
  }

  private isKept(state: number): boolean {
    const capture = this.tables.captureOf(state);
    return capture >= 0 && this.tables.captures.isKept(capture);
  }

  /** Whether an object or array item in progress could end as one that its array already has. */
  couldRepeat(state: number): boolean {
    return this.someRepeats(state, NOTHING_OPEN);
  }

  /** {@link couldRepeat} of items that are not open. */
  private someRepeats(state: number, open: Open): boolean {
    const { configs, states, captures } = this.tables;
    const capture = this.tables.captureOf(state);
    if (capture < 0 || capture === captures.apart || capture === captures.unlike) return false;
    if (capture === captures.none) return true;
    const seen = new Set<number>();
    const used = new Map<number, number>();
    for (let i = states.offsets[state]!, end = states.offsets[state + 1]!; i < end; i++) {
      const o = configs.offsets[states.data[i]!]!;
      const kind = configs.data[o]!;
      if (kind === END || kind === BOTTOM || kind === CAPTURE) continue;
      // The top frame is being read itself; items in progress are below it.
      if (this.repeatsIn(configs.data[o + 3]!, open, capture, seen, used)) return true;
    }
    return false;
  }

  /** Whether some frame of a stack, or below, is an item that is not open and could end as one that the array below it has. */
  private repeatsIn(stack: number, open: Open, capture: number, seen: Set<number>, used: Map<number, number>): boolean {
    return someEdge(this.tables.stacks, stack, seen, (label, parent) => {
      if (parent < 0 || !this.unique.isBelow(parent)) return 'not below';
      let most = used.get(parent);
      if (most === undefined) {
        most = this.mostUsed(parent, capture);
        used.set(parent, most);
      }
      return most > 0 && !(open !== NOTHING_OPEN && this.staysOpen(label, open, most));
    });
  }

  /** The most values that an array on top of a stack has, of those of which one could come again; 0 where none could. */
  private mostUsed(stack: number, capture: number): number {
    const { stacks, labels } = this.tables;
    let most = 0;
    for (let i = stacks.offsets[stack]!, end = stacks.offsets[stack + 1]!; i < end; i += 2) {
      const l = labels.offsets[stacks.data[i]!]!;
      if (!this.unique.isFrame(l) || labels.data[l + 4] === UNLIKE_ITEM) continue;
      const states = this.structures.arrayStates(labels.data[l + 1]!);
      const a = labels.data[l + 3]!;
      const count = states.valueCount(a);
      if (count > most && states.hasValues(a) && states.couldRepeat(a, capture, labels.data[l + 4]!)) most = count;
    }
    return most;
  }

  /** Whether in some reading of a state none of the items in progress, of all those around one another, could end as one that is there. */
  private isFree(state: number): boolean {
    const { configs, states, stacks, captures } = this.tables;
    const capture = this.tables.captureOf(state);
    if (capture < 0 || capture === captures.apart || capture === captures.unlike) return true;
    if (capture === captures.none) return false;
    const known = new Map<number, boolean>();
    for (let i = states.offsets[state]!, end = states.offsets[state + 1]!; i < end; i++) {
      const o = configs.offsets[states.data[i]!]!;
      const kind = configs.data[o]!;
      if (kind === END) return true;
      if (kind === BOTTOM || kind === CAPTURE) continue;
      const stack = configs.data[o + 3]!;
      for (let j = stacks.offsets[stack]!; j < stacks.offsets[stack + 1]!; j += 2) {
        const parent = stacks.data[j + 1]!;
        if (parent < 0 || this.isFreeBelow(parent, capture, known)) return true;
      }
    }
    return false;
  }

  private isFreeBelow(root: number, capture: number, known: Map<number, boolean>): boolean {
    const { stacks, labels } = this.tables;
    const open = [root];
    for (let stack = open.at(-1); stack !== undefined; stack = open.at(-1)) {
      let free = !this.unique.isBelow(stack) || known.get(stack) === true;
      let unknown = -1;
      const end = known.has(stack) ? stacks.offsets[stack]! : stacks.offsets[stack + 1]!;
      for (let i = stacks.offsets[stack]!; i < end && !free && unknown < 0; i += 2) {
        const l = labels.offsets[stacks.data[i]!]!;
        const parent = stacks.data[i + 1]!;
        const below = parent < 0 ? true : known.get(parent);
        if (below === undefined) unknown = parent;
        else free = below && !this.repeatsFrame(l, capture);
      }
      if (unknown >= 0) open.push(unknown);
      else {
        known.set(stack, free);
        open.pop();
      }
    }
    return known.get(root)!;
  }

  /** Whether the item in progress of an array with unique items, its label at offset l, could end as one that is there. */
  private repeatsFrame(l: number, capture: number): boolean {
    const { labels } = this.tables;
    if (!this.unique.isFrame(l) || labels.data[l + 4] === UNLIKE_ITEM) return false;
    return this.structures
      .arrayStates(labels.data[l + 1]!)
      .couldRepeat(labels.data[l + 3]!, capture, labels.data[l + 4]!);
  }

  /**
   * Whether an item (the frame right above its array's) can always be made different from the used ones: by one more member or element, or by
   * those of its members that may come or stay away, which are enough for more values than were used.
   */
  private staysOpen(label: number, open: Open, used: number): boolean {
    let room = this.rooms[label];
    if (room === undefined) {
      room = this.roomOf(label);
      this.rooms[label] = room;
    }
    // In a given order, members before a name in progress or to come can not come any more, and which it is, is not known.
    const chosen = room.inOrder && open > 0 ? room.members : open;
    return 2 ** (room.members - chosen) > used;
  }

  private roomOf(label: number): Room {
    const { labels } = this.tables;
    const l = labels.offsets[label]!;
    const id = labels.data[l + 1]!;
    const expr = this.grammar.exprs[id]!;
    if (labels.data[l] === FRAME.object && expr.op === 'object') {
      const states = this.structures.objectStates(id);
      if (expr.maxProperties === Number.POSITIVE_INFINITY && expr.dynamic.length > 0 && !states.beginningDependsOnKeys)
        return ENDLESS;
      const inOrder = expr.order === 'schema';
      return inOrder && labels.data[l + 2] === PHASE.key
        ? FULL
        : { members: states.freeMembers(labels.data[l + 3]!), inOrder };
    }
    const endless =
      labels.data[l] === FRAME.array &&
      expr.op === 'array' &&
      !expr.unique &&
      expr.rest.length > 0 &&
      expr.maxItems === Number.POSITIVE_INFINITY &&
      expr.counters.every((c) => c.max === Number.POSITIVE_INFINITY);
    return endless ? ENDLESS : FULL;
  }

  /** Depth-first, most likely bytes first. */
  private canEndAnew(state: number): boolean {
    if (this.endsAnew[state] === true) return true;
    const path: { readonly state: number; readonly bytes: readonly number[]; next: number }[] = [];
    const seen = new Set<string>([this.meaning(state)]);
    path.push({ state, bytes: this.likelyBytes(state), next: 0 });
    let budget = SEARCH_STATES;
    while (path.length > 0) {
      const top = path[path.length - 1]!;
      if (top.next >= top.bytes.length) {
        path.pop();
        continue;
      }
      const next = this.steps.compute(top.state, top.bytes[top.next++]!);
      if (next === DEAD) continue;
      const free = this.endsAnew[next] === true || this.isFree(next);
      if (free || --budget === 0) {
        for (const p of path) this.endsAnew[p.state] = true;
        return true;
      }
      const meaning = this.meaning(next);
      if (seen.has(meaning)) continue;
      seen.add(meaning);
      path.push({ state: next, bytes: this.likelyBytes(next), next: 0 });
    }
    return false;
  }

  /** A state by what it is in the midst of and what its items so far are, however they are spelled. */
  private meaning(state: number): string {
    const { configs, states, captures } = this.tables;
    const ids: number[] = [];
    let text = '';
    for (let i = states.offsets[state]!, end = states.offsets[state + 1]!; i < end; i++) {
      const id = states.data[i]!;
      const o = configs.offsets[id]!;
      if (configs.data[o] === CAPTURE) text = captures.text(configs.data[o + 1]!) ?? '';
      else ids.push(id);
    }
    return `${ids.join()} ${plainPrefix(text)}`;
  }

  private likelyBytes(state: number): readonly number[] {
    const bits = this.steps.nextBytes(state);
    const has = (b: number): boolean => ((bits[b >> 5]! >>> (b & 31)) & 1) === 1;
    const out = LIKELY.filter(has);
    for (let b = 0x21; b < 256; b++) if (has(b) && !LIKELY.includes(b)) out.push(b);
    if (has(0x20) && (out.length === 0 || this.steps.inLexeme(state, 0x20))) out.push(0x20);
    return out;
  }
}
