/**
 * The same language without left recursion and without repeats of items that may be empty.
 *
 * The textbook way (Paull) substitutes rules into each other and can grow exponentially. Here a strongly connected part S of
 * the left-corner graph is seen as a finite automaton: every derivation of A in S begins with some text `head` of a production
 * B -> head tail that leaves S, and climbs from B to A by productions D -> C tail. So
 *
 *     A          = head tail [B:A] | …        for every such production of every B in S
 *     [B:A]      = (empty, if B is A) | tail [D:A] | …   for every production D -> B tail
 *
 * which is right recursive and has |S| squared rules at most; where S is one rule, [A:A] is a plain repeat. Rules that may be
 * empty hide left corners (`a ::= b? a "x"`), so inside the construction every rule appears as its part without the
 * empty text, written `A+`; the empty text is added back outside.
 */
import { LimitError } from '../../base/errors.js';
import { components, corners, leftCorners, Nullables } from './analyze.js';
import { altOf, EMPTY_MID, isNever, type Mid, type MidGrammar, type MidRule, NEVER_MID, seqOf } from './mid.js';

/** Most left-recursive rules. */
const MAX_RECURSIVE = 20_000;
/** Most rules that the construction may add. */
const MAX_RULES = 100_000;
/** Most items copied, and steps taken over empty tails, while the empty text is taken out of sequences and productions. */
const MAX_TAILS = 1_000_000;

/** A production in the form "begins with this, goes on with these". */
interface Head {
  /** A rule of the same part, or text. */
  readonly first: { readonly rule: number } | { readonly node: Mid };
  readonly tail: readonly Mid[];
}

/** A production D -> B tail, seen from B. */
interface Climb {
  readonly to: number;
  readonly tail: Mid;
}

/** A left-recursive part of the rules. */
interface Part {
  readonly members: readonly number[];
  /** For every rule B: the productions D -> B tail. Made when first asked for. */
  climbs?: ReadonlyMap<number, readonly Climb[]>;
}

/** The rules keep their numbers; new ones follow. Rules that nothing refers to any more are left empty. */
export function withoutLeftRecursion(grammar: MidGrammar): MidGrammar {
  return new Rewriter(grammar).run();
}

class Rewriter {
  private readonly nullable: Nullables;
  /** The left-recursive part of a rule. */
  private readonly partOf: (Part | undefined)[];
  private recursive = 0;
  private readonly rules: MidRule[];
  /** Rules that were asked for with all their texts. */
  private readonly asked: Uint8Array;
  /** Rules without the empty text, and rules [B:A], by key. */
  private readonly numbers = new Map<string, number>();
  private readonly queue: (() => void)[] = [];
  private tails = 0;
  private readonly heads = new Map<number, readonly Head[]>();
  /** For a target, the rules of its part from which it is reached by climbing. */
  private readonly below = new Map<number, ReadonlySet<number>>();

  constructor(private readonly grammar: MidGrammar) {
    const { rules } = grammar;
    this.nullable = new Nullables(grammar);
    this.partOf = new Array<Part | undefined>(rules.length).fill(undefined);
    for (const { members, loops } of components(leftCorners(grammar, this.nullable.rule))) {
      if (!loops) continue;
      this.recursive += members.length;
      const part: Part = { members };
      for (const member of members) this.partOf[member] = part;
    }
    if (this.recursive > MAX_RECURSIVE) throw new LimitError('left-recursive rules', this.recursive, MAX_RECURSIVE);
    this.rules = rules.map(({ name }) => ({ name, body: EMPTY_MID }));
    this.asked = new Uint8Array(rules.length);
  }

  run(): MidGrammar {
    const { grammar } = this;
    if (this.recursive === 0 && !grammar.rules.some((rule) => this.repeatsNothing(rule.body))) return grammar;
    this.full(grammar.start);
    for (let next = this.queue.pop(); next !== undefined; next = this.queue.pop()) next();
    return { rules: this.rules, start: grammar.start };
  }

  /** Whether a repeat of something that may be empty is inside. */
  private repeatsNothing(node: Mid): boolean {
    if (node.op === 'seq' || node.op === 'alt') return node.items.some((item) => this.repeatsNothing(item));
    return node.op === 'repeat' && (this.nullable.holds(node.item) || this.repeatsNothing(node.item));
  }

  // ---- rules of the result, made on demand

  /** The rule with all its texts. */
  private full(r: number): number {
    if (this.asked[r] === 1) return r;
    this.asked[r] = 1;
    this.queue.push(() => {
      const rule = this.grammar.rules[r] as MidRule;
      const body = this.fullBody(r, rule.body);
      this.rules[r] = body === rule.body ? rule : { ...rule, body };
    });
    return r;
  }

  private fullBody(r: number, body: Mid): Mid {
    if (this.partOf[r] === undefined) return this.normal(body);
    if (this.nullable.rule[r] !== true) return this.climbing(r);
    return { op: 'alt', items: [{ op: 'ref', rule: this.nonEmpty(r) }, EMPTY_MID] };
  }

  /** The rule without the empty text. */
  private nonEmpty(r: number): number {
    if (this.nullable.rule[r] !== true) return this.full(r);
    const rule = this.grammar.rules[r] as MidRule;
    return this.added(`${r}+`, { ...rule, name: `${rule.name}+` }, () =>
      this.partOf[r] === undefined ? this.without(rule.body) : this.climbing(r),
    );
  }

  /** A rule that the file does not have; `like` gives its name and place. */
  private added(key: string, like: MidRule, body: () => Mid): number {
    const known = this.numbers.get(key);
    if (known !== undefined) return known;
    this.room(1);
    const n = this.rules.push({ ...like, body: EMPTY_MID }) - 1;
    this.numbers.set(key, n);
    this.queue.push(() => {
      this.rules[n] = { ...like, body: body() };
    });
    return n;
  }

  private room(more: number): void {
    const made = this.rules.length - this.grammar.rules.length + more;
    if (made > MAX_RULES) throw new LimitError('rules made while removing left recursion', made, MAX_RULES);
  }

  // ---- nodes

  /** The node with the references of the result and without repeats of what may be empty; itself where that changes nothing. */
  private normal(node: Mid): Mid {
    switch (node.op) {
      case 'ref':
        this.full(node.rule);
        return node;
      case 'repeat': {
        if (!this.nullable.holds(node.item)) {
          const item = this.normal(node.item);
          return item === node.item ? node : { ...node, item };
        }
        const item = this.without(node.item);
        return isNever(item) ? EMPTY_MID : { ...node, item, min: 0 };
      }
      case 'seq':
      case 'alt': {
        const items = this.normalAll(node.items);
        return items === node.items ? node : { ...node, items };
      }
      default:
        return node;
    }
  }

  private normalAll(items: readonly Mid[]): readonly Mid[] {
    let changed = false;
    const out = items.map((item) => {
      const made = this.normal(item);
      if (made !== item) changed = true;
      return made;
    });
    return changed ? out : items;
  }

  private spend(items: number): void {
    this.tails += items;
    if (this.tails > MAX_TAILS) {
      throw new LimitError('items copied while removing left recursion and empty repeats', this.tails, MAX_TAILS);
    }
  }

  /** The node without the empty text. */
  private without(node: Mid): Mid {
    if (!this.nullable.holds(node)) return this.normal(node);
    switch (node.op) {
      case 'ref':
        return { ...node, rule: this.nonEmpty(node.rule) };
      case 'repeat': {
        const first = this.without(node.item);
        if (isNever(first)) return NEVER_MID;
        const { min: _, ...rest } = node;
        return node.max === 1 ? first : { ...rest, item: first, min: 1 };
      }
      case 'alt':
        return altOf(node.items.map((item) => this.without(item)).filter((item) => !isNever(item)));
      case 'seq':
        return this.withoutSeq(node.items, 0, node.items.length);
      default:
        return node;
    }
  }

  /** Items from..to, all of which may be empty, without the empty text; halves keep it at n log n. */
  private withoutSeq(items: readonly Mid[], from: number, to: number): Mid {
    if (from === to) return NEVER_MID;
    if (to - from === 1) return this.without(items[from] as Mid);
    const mid = (from + to) >> 1;
    const left = this.withoutSeq(items, from, mid);
    const right = this.withoutSeq(items, mid, to);
    this.spend(to - mid);
    const rest = items.slice(mid, to).map((item) => this.normal(item));
    return altOf([...(isNever(left) ? [] : [seqOf([left, ...rest])]), ...(isNever(right) ? [] : [right])]);
  }

  // ---- left-recursive parts

  private touches(node: Mid, part: Part): boolean {
    const rules: number[] = [];
    corners(node, this.nullable.rule, rules);
    return rules.some((r) => this.partOf[r] === part);
  }

  /** Productions of a rule of a part, without the empty text. */
  private headsOf(r: number): readonly Head[] {
    let known = this.heads.get(r);
    if (known === undefined) {
      known = this.headsOfNode((this.grammar.rules[r] as MidRule).body, this.partOf[r] as Part);
      this.heads.set(r, known);
    }
    return known;
  }

  private headsOfNode(node: Mid, part: Part): Head[] {
    if (node.op === 'ref' && this.partOf[node.rule] === part) return [{ first: { rule: node.rule }, tail: [] }];
    if (!this.touches(node, part)) return this.textHead(node);
    switch (node.op) {
      case 'alt': {
        // Alternatives that leave the part stay together: what follows is copied per head.
        const leaving = node.items.filter((item) => !this.touches(item, part));
        const heads = leaving.length === 0 ? [] : this.textHead(altOf(leaving));
        for (const item of node.items)
          if (this.touches(item, part)) for (const head of this.headsOfNode(item, part)) heads.push(head);
        return heads;
      }
      case 'repeat': {
        const more: Mid = { op: 'repeat', item: node.item, min: Math.max(0, node.min - 1), max: node.max - 1 };
        const tail = node.max === 1 ? [] : [more];
        return this.headsOfNode(node.item, part).map((head) => ({ first: head.first, tail: [...head.tail, ...tail] }));
      }
      case 'seq': {
        const out: Head[] = [];
        for (let i = 0; i < node.items.length; i++) {
          const item = node.items[i] as Mid;
          const rest = node.items.slice(i + 1);
          for (const head of this.headsOfNode(item, part)) {
            this.spend(1 + rest.length);
            out.push({ first: head.first, tail: [...head.tail, ...rest] });
          }
          if (!this.nullable.holds(item)) break;
        }
        return out;
      }
      default:
        return [];
    }
  }

  private textHead(node: Mid): Head[] {
    const text = this.without(node);
    return isNever(text) ? [] : [{ first: { node: text }, tail: [] }];
  }

  private climbsOf(part: Part): ReadonlyMap<number, readonly Climb[]> {
    if (part.climbs !== undefined) return part.climbs;
    const climbs = new Map<number, Climb[]>();
    for (const to of part.members) {
      for (const { first, tail } of this.headsOf(to)) {
        if (!('rule' in first)) continue;
        const climb = { to, tail: seqOf(tail) };
        const list = climbs.get(first.rule);
        if (list === undefined) climbs.set(first.rule, [climb]);
        else list.push(climb);
      }
    }
    part.climbs = climbs;
    return climbs;
  }

  /** Rules of the part from which `target` is reached by climbing: the part is strongly connected, but some climbs derive nothing. */
  private belowOf(target: number): ReadonlySet<number> {
    const known = this.below.get(target);
    if (known !== undefined) return known;
    const back = new Map<number, number[]>();
    for (const [from, list] of this.climbsOf(this.partOf[target] as Part)) {
      for (const { to } of list) {
        const froms = back.get(to);
        if (froms === undefined) back.set(to, [from]);
        else froms.push(from);
      }
    }
    const seen = new Set([target]);
    for (const at of seen) for (const from of back.get(at) ?? []) seen.add(from);
    this.below.set(target, seen);
    return seen;
  }

  /** The texts of a left-recursive rule but the empty one. */
  private climbing(target: number): Mid {
    const part = this.partOf[target] as Part;
    if (part.members.length === 1) {
      const bottom = this.bottomOf(target);
      return bottom === undefined ? NEVER_MID : this.repeated(bottom, this.climbsOf(part).get(target) ?? []);
    }
    // Each of these gets a rule [from:target]; said before the work is done.
    this.room(this.belowOf(target).size);
    const items: Mid[] = [];
    for (const from of this.belowOf(target)) {
      const bottom = this.bottomOf(from);
      if (bottom !== undefined) items.push(seqOf([bottom, this.path(from, target)]));
    }
    return altOf(items);
  }

  /** What a rule derives without beginning with a rule of its part. */
  private bottomOf(r: number): Mid | undefined {
    const items: Mid[] = [];
    for (const { first, tail } of this.headsOf(r)) {
      if ('node' in first) items.push(seqOf([first.node, ...this.normalAll(tail)]));
    }
    return items.length === 0 ? undefined : altOf(items);
  }

  /** A rule that is a part on its own: its bottom, then tails of itself. */
  private repeated(bottom: Mid, climbs: readonly Climb[]): Mid {
    const tails = climbs.map(({ tail }) => this.without(tail)).filter((tail) => !isNever(tail));
    if (tails.length === 0) return bottom;
    return seqOf([bottom, { op: 'repeat', item: altOf(tails), min: 0, max: Number.POSITIVE_INFINITY }]);
  }

  /** [from:target], a rule. */
  private path(from: number, target: number): Mid {
    const like = this.grammar.rules[from] as MidRule;
    const name = `${like.name}:${(this.grammar.rules[target] as MidRule).name}`;
    const rule = this.added(`${from}:${target}`, { ...like, name }, () => this.pathBody(from, target));
    return { op: 'ref', rule };
  }

  private pathBody(from: number, target: number): Mid {
    const climbs = this.climbsOf(this.partOf[target] as Part);
    const useful = this.belowOf(target);
    // Climbs whose tail may be empty make further rules reachable without text.
    const reached = new Set([from]);
    const items: Mid[] = [];
    for (const at of reached) {
      for (const { to, tail } of climbs.get(at) ?? []) {
        if (!useful.has(to)) continue;
        this.spend(1);
        const text = this.without(tail);
        if (!isNever(text)) items.push(seqOf([text, this.path(to, target)]));
        if (this.nullable.holds(tail)) reached.add(to);
      }
    }
    if (reached.has(target)) items.push(EMPTY_MID);
    return altOf(items);
  }
}
