/**
 * Which remembered texts can matter to how a budget's policy ends things.
 *
 * Keys and items of arrays with unique items are remembered because they must not come again. The policy (budget.ts) adds what is
 * still needed and nothing else, and it takes the first free words of a fixed order (first-words.ts). So a text that is not
 * among the first n words, where n more are needed, leaves all its choices as they are, whatever it is.
 */
import type { ArrayExpr, ExprId } from '../grammar/ir.js';
import { eachUniqueFrame } from './configs.js';
import { FirstWords } from './first-words.js';
import { UNLIKE_ITEM } from './layout.js';
import { couldBecome, readPartial } from './partial-value.js';
import type { Recognizer } from './recognizer.js';
import { numberSpellings, uniqueNumbers } from './unique.js';

/** Array states whose words are remembered at a time. */
const KEPT = 256;

interface Leaf {
  readonly string: boolean;
  readonly words: FirstWords;
}

/** What scalar items an array's policy may take. */
interface Wanted {
  /** Decoded strings' beginnings. */
  readonly strings: ReadonlySet<string>;
  /** Term of all spellings of the other scalars. */
  readonly texts: number;
}

export class Remembered {
  private readonly leaves = new Map<ExprId, readonly Leaf[]>();
  private readonly structured = new Map<ExprId, boolean>();
  private readonly wanted = new Map<string, Wanted>();

  constructor(private readonly recognizer: Recognizer) {}

  /**
   * Whether the policy may have to write more than the shortest items because they would repeat others: where several unique items are
   * needed, or where one that has begun as an object or array must go on to be new.
   */
  get itemsMustDiffer(): boolean {
    return this.recognizer.grammar.exprs.some(
      (expr, id) =>
        expr.op === 'array' &&
        expr.unique &&
        (expr.minItems > 1 || expr.counters.some((c) => c.min > 0) || this.hasStructures(id)),
    );
  }

  /** Whether the dynamic key in progress can matter to one of the objects on top of the stack. */
  key(capture: number, stack: number): boolean {
    const { stacks, labels, captures } = this.recognizer;
    const prefix = captures.stringPrefix(capture);
    if (prefix === undefined) return false;
    for (let i = stacks.offsets[stack]!, end = stacks.offsets[stack + 1]!; i < end; i += 2) {
      const l = labels.offsets[stacks.data[i]!]!;
      if (this.recognizer.objectStates(labels.data[l + 1]!).policy.keyMatters(labels.data[l + 3]!, prefix)) return true;
    }
    return false;
  }

  /** Whether the scalar item in progress can matter to one of the arrays on top of the stack. */
  scalar(capture: number, stack: number): boolean {
    const { stacks, labels, captures } = this.recognizer;
    const { terms } = this.recognizer.pool;
    for (let i = stacks.offsets[stack]!, end = stacks.offsets[stack + 1]!; i < end; i += 2) {
      const l = labels.offsets[stacks.data[i]!]!;
      const id = labels.data[l + 1]!;
      const a = labels.data[l + 3]!;
      const states = this.recognizer.arrayStates(id);
      const n = states.stillNeeded(a);
      if (n === 0) continue;
      if (states.mustRemember) return true;
      const wanted = this.wantedBy(id, a, n);
      const text = captures.text(capture) ?? '';
      if (text === '') return true;
      if (text.startsWith('"')) {
        if (wanted.strings.has(captures.stringPrefix(capture, 1) ?? '')) return true;
      } else {
        let t = wanted.texts;
        for (let j = 0; j < text.length; j++) t = terms.step(t, text.charCodeAt(j));
        if (!terms.isEmpty(t)) return true;
      }
    }
    return false;
  }

  /**
   * Whether the objects and arrays in progress that are items of arrays with unique items can matter: as what an array has
   * already, or because a still needed item would become the same. `later` gives the objects and arrays that the policy writes from here on
   * where nothing is remembered, undefined where they are too many to tell.
   */
  values(state: number, later: () => readonly unknown[] | undefined): boolean {
    const { recognizer } = this;
    if (recognizer.couldRepeat(state)) return true;
    const texts = this.textsOfNeeded(state);
    if (texts.size === 0) return false;
    if (texts.has(undefined)) return true;
    const made = later();
    if (made === undefined) return true;
    for (const text of texts) {
      const part = readPartial(text!);
      if (made.some((value) => couldBecome(part, value))) return true;
    }
    return false;
  }

  /** The items in progress, which are objects or arrays, of arrays that still need more such items; undefined for one that matters whatever it is. */
  private textsOfNeeded(state: number): ReadonlySet<string | undefined> {
    const { recognizer } = this;
    const { labels, captures } = recognizer;
    const capture = recognizer.captureOf(state);
    const texts = new Set<string | undefined>();
    eachUniqueFrame(recognizer, state, (l) => {
      const id = labels.data[l + 1]!;
      const start = labels.data[l + 4]!;
      const array = recognizer.arrayStates(id);
      if (start === UNLIKE_ITEM || array.stillNeeded(labels.data[l + 3]!) === 0 || !this.hasStructures(id)) return;
      texts.add(array.mustRemember ? undefined : (captures.text(capture, start) ?? ''));
    });
    return texts;
  }

  private wantedBy(id: ExprId, a: number, n: number): Wanted {
    const key = `${id} ${a}`;
    const known = this.wanted.get(key);
    if (known !== undefined) return known;
    const { terms } = this.recognizer.pool;
    const states = this.recognizer.arrayStates(id);
    const strings = new Set<string>();
    const gone = terms.literalNode(states.usedStrings(a));
    let texts = 0;
    for (const leaf of this.leavesOf(id)) {
      let used = leaf.string ? gone : states.usedTexts(a);
      for (let i = 0, found = 0; found < n; i++) {
        const word = leaf.words.at(i);
        if (word === undefined) break;
        if (terms.matches(used, word)) continue;
        found++;
        if (leaf.string) for (let j = 0; j <= word.length; j++) strings.add(word.slice(0, j));
        else {
          const spelled = terms.intern(numberSpellings(word));
          used = terms.or(used, spelled);
          texts = terms.or(texts, spelled);
        }
      }
    }
    const made: Wanted = { strings, texts };
    if (this.wanted.size >= KEPT) this.wanted.clear();
    this.wanted.set(key, made);
    return made;
  }

  /** The scalar leaves of all items of an array. */
  private leavesOf(id: ExprId): readonly Leaf[] {
    const known = this.leaves.get(id);
    if (known !== undefined) return known;
    const { pool } = this.recognizer;
    const { terms } = pool;
    const found = new Map<number, Leaf>();
    this.eachItem(id, (item) => {
      const expr = this.recognizer.grammar.exprs[item]!;
      if (expr.op === 'string') {
        const start = pool.stringOpen(terms.intern(expr.re));
        found.set(item, { string: true, words: new FirstWords(pool, start, (text) => JSON.parse(text) as string) });
      } else if (expr.op === 'text') {
        const term = terms.and(terms.intern(expr.re), terms.intern(uniqueNumbers));
        found.set(item, { string: false, words: new FirstWords(pool, pool.textAt(term), (text) => text) });
      }
    });
    const leaves = [...found.values()];
    this.leaves.set(id, leaves);
    return leaves;
  }

  /** Whether items of an array may be objects or arrays. */
  private hasStructures(id: ExprId): boolean {
    let found = this.structured.get(id);
    if (found === undefined) {
      found = false;
      this.eachItem(id, (item) => {
        const { op } = this.recognizer.grammar.exprs[item]!;
        if (op === 'object' || op === 'array') found = true;
      });
      this.structured.set(id, found);
    }
    return found;
  }

  /** Visits the expressions that items of an array may be, below alternatives and rules. */
  private eachItem(id: ExprId, visit: (item: ExprId) => void): void {
    const { exprs } = this.recognizer.grammar;
    const { prefix, rest } = exprs[id] as ArrayExpr;
    const open = [...prefix.flat(), ...rest].map((v) => v.value);
    const seen = new Set<ExprId>();
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (seen.has(at)) continue;
      seen.add(at);
      const expr = exprs[at]!;
      if (expr.op === 'alt') open.push(...expr.items);
      else if (expr.op === 'rule') open.push(expr.body);
      else visit(at);
    }
  }
}
