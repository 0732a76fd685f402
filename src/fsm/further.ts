/**
 * Tokens that ask for a further member after a text that budgets forget.
 *
 * Budgets ask about states without the texts of keys and items in progress where the policy cannot want the same ones (budget.ts, `plain`). That
 * looks ahead to what is needed now. A token that ends the member and writes a comma too needs one more, and where the policy would take the
 * very same for it, the text decides. Trying all such tokens with the text at hand costs milliseconds. But what they and the policy write after
 * the comma depends on the state without texts only: it is written out once for each state that they lead to, and a token is tried only where
 * the text can become a key or an item in it.
 */
import { decodeUtf8 } from '../base/utf8.js';
import { isLexeme, othersOf } from './configs.js';
import { CAPTURE, DEAD, DYN, ITEM, LEX } from './layout.js';
import type { MaskShare } from './mask-share.js';
import { couldBecome, type Partial, readPartial, valuesFrom } from './partial-value.js';
import type { Recognizer } from './recognizer.js';
import type { Residual } from './residual.js';
import { textsInProgress } from './texts.js';
import { ASCII_GROUP } from './trie.js';
import type { Vocabulary } from './vocabulary.js';

const COMMA = 0x2c;
const COMMAS = 1 << ASCII_GROUP[COMMA]!;
/** States whose groups are remembered at a time. */
const KEPT = 256;
const NONE: Groups = { always: [], groups: [], values: [] };
/** What a character that is cut off decodes to. */
const CUT = '\uFFFD';

/** Tokens that write the same after the comma, in spirit: they lead to the same state. */
interface Group {
  readonly tokens: readonly number[];
  /** Keys and values that they and the policy write after it. */
  readonly values: readonly unknown[];
}

interface Groups {
  /** Tried whatever the text is. */
  readonly always: readonly number[];
  readonly groups: readonly Group[];
  /** The values of all groups, each once. */
  readonly values: readonly unknown[];
}

interface FoundGroup {
  readonly state: number;
  readonly tokens: number[];
  /** What is read after the comma, in each way; undefined where a text that the tokens begin has been forgotten. */
  readonly texts: (readonly number[])[] | undefined;
}

type Found = Map<number, FoundGroup>;

/** What happened on the way along a token. */
interface Way {
  /** Whether the text in progress at its start is forgotten. */
  readonly forgot: boolean;
  /** Whether a text that the token begins has been forgotten, and a comma came after that: such texts are the token's, so it is always tried. */
  readonly begun: boolean;
  readonly always: boolean;
  /** What was read since the first comma after something was forgotten, if any. */
  readonly text: readonly number[] | undefined;
}

export class Further {
  private readonly known = new Map<number, Groups>();
  /** Whether the grammar has keys or items that are remembered. */
  readonly exist: boolean;
  /** By token: what it adds to the text in progress, or the beginning of that. */
  private readonly heads = new Map<number, string>();

  /**
   * @param plain A state without the texts that the policy cannot want.
   * @param written What the policy writes from a state on; undefined where that is very much.
   */
  constructor(
    private readonly recognizer: Recognizer,
    private readonly share: MaskShare,
    private readonly vocabulary: Vocabulary,
    private readonly plain: (state: number) => number,
    private readonly written: (state: number) => readonly number[] | undefined,
  ) {
    const { exprs } = recognizer.grammar;
    this.exist = exprs.some(
      (e) => (e.op === 'array' && e.unique) || (e.op === 'object' && e.dynamic.length > 0 && e.maxProperties > 1),
    );
  }

  /** Visits the tokens after which the text of a state may decide; `plain` is the state without it. */
  each(state: number, plain: number, visit: (token: number) => void): void {
    if (!this.exist) return;
    let known = this.known.get(plain);
    if (known === undefined) {
      known = this.find(plain);
      if (this.known.size >= KEPT) this.known.clear();
      this.known.set(plain, known);
    }
    for (const t of known.always) visit(t);
    if (known.groups.length === 0) return;
    const { groups, values: all } = known;
    const texts = textsInProgress(this.recognizer, state);
    const parts = texts.map((text) => (text === undefined ? undefined : readPartial(text)));
    if (!parts.some((part) => isAmong(part, all))) return;
    for (const { tokens, values } of groups) {
      const near = texts.filter((_, i) => isAmong(parts[i], values));
      if (near.length > 0) for (const t of tokens) if (near.some((text) => this.decides(text, t, values))) visit(t);
    }
  }

  /** Whether a text, with what a token adds to it, can still become one of some values. */
  private decides(text: string | undefined, token: number, values: readonly unknown[]): boolean {
    if (text === undefined) return true;
    let head = this.heads.get(token);
    if (head === undefined) {
      const bytes = this.vocabulary.tokenBytes(token);
      head = decodeUtf8(bytes.subarray(0, bytes.indexOf(COMMA)));
      this.heads.set(token, head);
    }
    const more = text + head;
    if (more.includes(CUT)) return true;
    try {
      return isAmong(readPartial(more), values);
    } catch {
      // Another reading of the state takes the token.
      return true;
    }
  }

  /** Whether what is known of a plain state as a whole (reach.ts) leaves out the text of what is being read. */
  isBlurred(plain: number): boolean {
    if (!this.exist) return false;
    const { configs, states, captures } = this.recognizer;
    for (let i = states.offsets[plain]!, end = states.offsets[plain + 1]!; i < end; i++) {
      const o = configs.offsets[states.data[i]!]!;
      const kind = configs.data[o]!;
      if (kind !== DYN && kind !== ITEM) continue;
      if (configs.data[o + 2] !== captures.none && this.share.lexemes.isWide(configs.data[o + 1]!)) return true;
    }
    return this.forgets(plain);
  }

  private find(state: number): Groups {
    const { recognizer, share } = this;
    const { configs, captures } = recognizer;
    const found: Found = new Map();
    const narrow = othersOf(recognizer, state, (o) => {
      const kind = configs.data[o]!;
      const q = configs.data[o + 1]!;
      const capture = configs.data[o + 2]!;
      const wide = isLexeme(kind) && share.lexemes.isWide(q);
      const follow = wide ? recognizer.afterUnlike(kind, configs.data[o + 3]!) : DEAD;
      if (follow === DEAD) return false;
      const forgot = (kind !== LEX && capture !== captures.none) || this.forgets(follow);
      this.walk(share.lexemes.get(q).residual, follow, wayFrom(forgot), found);
      return true;
    });
    if (narrow !== DEAD) this.walk(share.lexemes.residuals.root, narrow, wayFrom(this.forgets(narrow)), found);
    return found.size === 0 ? NONE : this.groupsOf([...found.values()]);
  }

  /** Whether a state has forgotten a text in progress. */
  private forgets(state: number): boolean {
    const { configs, states, captures } = this.recognizer;
    for (let i = states.offsets[state]!, end = states.offsets[state + 1]!; i < end; i++) {
      const o = configs.offsets[states.data[i]!]!;
      const kind = configs.data[o]!;
      const capture = kind === CAPTURE ? configs.data[o + 1] : configs.data[o + 2];
      if (capture === captures.unlike && (kind === CAPTURE || kind === DYN || kind === ITEM)) return true;
    }
    return false;
  }

  private groupsOf(found: readonly FoundGroup[]): Groups {
    const always: number[] = [];
    const groups: Group[] = [];
    const distinct = new Map<string, unknown>();
    for (const { state, tokens, texts } of found) {
      const values = texts === undefined ? undefined : this.valuesAfter(state, texts);
      if (values === undefined) {
        always.push(...tokens);
        continue;
      }
      groups.push({ tokens, values });
      for (const value of values) distinct.set(JSON.stringify(value), value);
    }
    return { always, groups, values: [...distinct.values()] };
  }

  /** Keys and values in these texts with what the policy writes after them; undefined where it writes very much, or not only JSON. */
  private valuesAfter(state: number, texts: readonly (readonly number[])[]): readonly unknown[] | undefined {
    const rest = this.written(state);
    if (rest === undefined) return undefined;
    const values: unknown[] = [];
    for (const text of texts) {
      const more = valuesFrom(Uint8Array.from([...text, ...rest]));
      if (more === undefined) return undefined;
      values.push(...more);
    }
    return values;
  }

  private walk(residual: Residual, state: number, way: Way, found: Found): void {
    const { recognizer, share } = this;
    const { nodes } = share.trie;
    const bits = recognizer.nextBytes(state);
    for (const { byte, tokens, to } of share.lexemes.residuals.childrenOf(residual)) {
      if (((bits[byte >> 5]! >>> (byte & 31)) & 1) === 0) continue;
      const forgot = way.forgot || way.begun;
      const comma = forgot && byte === COMMA && !recognizer.inLexeme(state, byte);
      const asks = comma || way.text !== undefined;
      const below = to.nodes.length > 0 && (asks || to.nodes.some((n) => (nodes[n * 4 + 3]! & COMMAS) !== 0));
      if (!below && !(asks && tokens.length > 0)) continue;
      const next = recognizer.step(state, byte);
      if (next === DEAD) continue;
      const plain = this.plain(next);
      const always = way.always || (comma && way.begun);
      const text = way.text === undefined ? (comma ? [] : undefined) : [...way.text, byte];
      if (text !== undefined && tokens.length > 0) {
        const key = always ? -1 - plain : plain;
        let group = found.get(key);
        if (group === undefined) {
          group = { state: plain, tokens: [], texts: always ? undefined : [] };
          found.set(key, group);
        }
        group.tokens.push(...tokens);
        group.texts?.push(text);
      }
      if (below) this.walk(to, plain, { ...way, begun: way.begun || plain !== next, always, text }, found);
    }
  }
}

const wayFrom = (forgot: boolean): Way => ({ forgot, begun: false, always: false, text: undefined });

function isAmong(part: Partial | undefined, values: readonly unknown[]): boolean {
  return part === undefined || values.some((value) => couldBecome(part, value));
}
