/**
 * A model of a few lines: logits are a hash of the tokens so far, so any mistake in what the cache holds changes the output. It
 * counts blocks as the paged runtime does, and checks every call. And a matcher over a finite list of texts.
 */
import { createRandom } from '../../src/base/random.js';
import type { TokenMatcher } from '../../src/decoder/matcher.js';
import type { OpenOptions, Sampled, SampleSpec, StepHandle, StepModel, StepRow } from '../../src/decoder/model.js';
import { Sampler } from '../../src/decoder/sampler.js';
import { Vocabulary } from '../../src/fsm/vocabulary.js';

const utf8 = new TextEncoder();

/** 256 byte tokens, some words, an end token. */
export function testVocabulary(words: readonly string[] = []): Vocabulary {
  const tokens: (Uint8Array | null)[] = [];
  for (let b = 0; b < 256; b++) tokens.push(Uint8Array.of(b));
  for (const w of words) tokens.push(utf8.encode(w));
  tokens.push(null);
  return Vocabulary.fromTokens(tokens, { eos: [tokens.length - 1] });
}

export interface FakeOptions {
  readonly vocabSize: number;
  readonly contextLength?: number;
  readonly maxRows?: number;
  readonly maxStepTokens?: number;
  readonly blocks?: { readonly size: number; readonly total: number };
  /** Logits by tokens so far; default a hash. */
  readonly logits?: (tokens: readonly number[], out: Float32Array) => void;
  readonly samples?: boolean;
  readonly restrictUpTo?: number;
  /** Throws on a step that this says is bad. */
  readonly fault?: (rows: readonly StepRow[], step: number) => Error | undefined;
  readonly experts?: {
    readonly count: number;
    readonly k: number;
    readonly pick: (token: number) => readonly number[];
  };
}

export function hashLogits(tokens: readonly number[], out: Float32Array): void {
  let h = 17;
  for (const t of tokens) h = (Math.imul(h, 31) + t) >>> 0;
  const random = createRandom(h);
  for (let i = 0; i < out.length; i++) out[i] = random.float() * 10 - 5;
}

export class FakeModel implements StepModel {
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly maxRows: number;
  readonly maxStepTokens: number;
  readonly samples: boolean;
  readonly restrictUpTo: number;
  readonly blocks?: { readonly size: number; readonly total: number; free(): number };
  steps = 0;
  tokens = 0;
  readonly planned: StepRow[][] = [];
  readonly #open = new Map<number, { tokens: number[]; suspended: boolean }>();
  #next = 1;

  constructor(readonly options: FakeOptions) {
    this.vocabSize = options.vocabSize;
    this.contextLength = options.contextLength ?? 512;
    this.maxRows = options.maxRows ?? 8;
    this.maxStepTokens = options.maxStepTokens ?? 256;
    this.samples = options.samples ?? false;
    this.restrictUpTo = options.restrictUpTo ?? 0;
    const { blocks } = options;
    if (blocks !== undefined) this.blocks = { ...blocks, free: () => blocks.total - this.#used([]) };
  }

  get openSequences(): number {
    return this.#open.size;
  }

  open(_options?: OpenOptions): { sequence: number; cached: number } {
    const sequence = this.#next++;
    this.#open.set(sequence, { tokens: [], suspended: false });
    return { sequence, cached: 0 };
  }

  length(sequence: number): number {
    return this.#get(sequence).tokens.length;
  }

  fits(rows: readonly { readonly sequence: number; readonly tokens: number }[]): boolean {
    if (rows.length > this.maxRows || rows.reduce((n, r) => n + r.tokens, 0) > this.maxStepTokens) return false;
    const { blocks } = this.options;
    return blocks === undefined || this.#used(rows) <= blocks.total;
  }

  async submit(rows: readonly StepRow[]): Promise<StepHandle> {
    this.steps++;
    this.planned.push(rows.map((r) => r));
    if (rows.length === 0 || new Set(rows.map((r) => r.sequence)).size !== rows.length) throw new Error('bad rows');
    if (!this.fits(rows.map((r) => ({ sequence: r.sequence, tokens: r.tokens.length }))))
      throw new Error('does not fit');
    const fault = this.options.fault?.(rows, this.steps);
    if (fault !== undefined) throw fault;
    const logits: Float32Array[][] = [];
    for (const row of rows) {
      const s = this.#get(row.sequence);
      if (s.suspended) throw new Error('suspended');
      if (row.tokens.length === 0 || row.logits > row.tokens.length) throw new Error('bad row');
      this.tokens += row.tokens.length;
      const out: Float32Array[] = [];
      row.tokens.forEach((token, i) => {
        s.tokens.push(token);
        if (i < row.tokens.length - row.logits) return;
        const full = new Float32Array(this.vocabSize);
        (this.options.logits ?? hashLogits)(s.tokens, full);
        out.push(row.allowed === undefined ? full : Float32Array.from(row.allowed, (id) => full[id] ?? 0));
      });
      if (s.tokens.length > this.contextLength) throw new Error('context overflow');
      logits.push(out);
    }
    const { experts } = this.options;
    return {
      logits: async (row, position) => logits[row]![position]!,
      restricted: (row) => rows[row]?.allowed !== undefined,
      sample: async (specs) => specs.map((spec) => sampleFake(logits[spec.row]![spec.position]!, spec)),
      experts: async () =>
        experts === undefined
          ? undefined
          : {
              k: experts.k,
              experts: experts.count,
              ids: [Uint16Array.from(rows.flatMap((r) => r.tokens.flatMap((t) => experts.pick(t))))],
            },
      modelMs: 1,
      release: () => {},
    };
  }

  suspend(sequence: number): void {
    this.#get(sequence).suspended = true;
  }

  resume(sequence: number): void {
    this.#get(sequence).suspended = false;
    if (this.options.blocks !== undefined && this.#used([]) > this.options.blocks.total)
      throw new Error('no room to resume');
  }

  truncate(sequence: number, length: number): void {
    const s = this.#get(sequence);
    if (length > s.tokens.length || length < 0) throw new Error('bad truncation');
    s.tokens.length = length;
  }

  fork(sequence: number): number {
    const copy = this.#next++;
    this.#open.set(copy, { tokens: [...this.#get(sequence).tokens], suspended: false });
    return copy;
  }

  close(sequence: number): void {
    this.#get(sequence);
    this.#open.delete(sequence);
  }

  async dispose(): Promise<void> {
    this.#open.clear();
  }

  #get(sequence: number): { tokens: number[]; suspended: boolean } {
    const s = this.#open.get(sequence);
    if (s === undefined) throw new Error(`no sequence ${sequence}`);
    return s;
  }

  #used(rows: readonly { readonly sequence: number; readonly tokens: number }[]): number {
    const size = this.options.blocks?.size ?? 1;
    const more = new Map(rows.map((r) => [r.sequence, r.tokens]));
    let used = 0;
    for (const [id, s] of this.#open) {
      if (s.suspended && !more.has(id)) continue;
      used += Math.ceil((s.tokens.length + (more.get(id) ?? 0)) / size);
    }
    return used;
  }
}

function sampleFake(logits: Float32Array, spec: SampleSpec): Sampled {
  const mask = new Uint32Array((logits.length + 31) >>> 5);
  if (spec.mask === undefined) mask.fill(0xffffffff);
  else if (spec.mask.kind === 'bits') mask.set(spec.mask.bits);
  else if (spec.mask.kind === 'allow') for (const id of spec.mask.ids) mask[id >>> 5]! |= 1 << (id & 31);
  const token = new Sampler(logits.length).choose(logits, mask, spec, createRandom(spec.seed));
  return { token, logprob: 0 };
}

/** Accepts exactly the given texts. */
export class TextsMatcher implements TokenMatcher {
  #history: { text: string; end: boolean }[] = [{ text: '', end: false }];

  constructor(
    readonly texts: readonly string[],
    readonly vocabulary: Vocabulary,
  ) {}

  get #now(): { text: string; end: boolean } {
    return this.#history[this.#history.length - 1]!;
  }

  get isFinished(): boolean {
    return this.#now.end;
  }

  get isAccepting(): boolean {
    return !this.#now.end && this.texts.includes(this.#now.text);
  }

  #allows(token: number): boolean {
    const { text, end } = this.#now;
    if (end) return false;
    if (this.vocabulary.isEos(token)) return this.texts.includes(text);
    if (this.vocabulary.isNull(token)) return false;
    const next = text + Buffer.from(this.vocabulary.tokenBytes(token)).toString('latin1');
    return this.texts.some((t) => t.startsWith(next));
  }

  fillMask(mask: Uint32Array): void {
    mask.fill(0);
    for (let id = 0; id < this.vocabulary.size; id++) if (this.#allows(id)) mask[id >>> 5]! |= 1 << (id & 31);
  }

  accept(token: number): boolean {
    if (!this.#allows(token)) return false;
    const { text } = this.#now;
    const bytes = Buffer.from(this.vocabulary.tokenBytes(token)).toString('latin1');
    this.#history.push({ text: text + bytes, end: this.vocabulary.isEos(token) });
    return true;
  }

  acceptBytes(bytes: Uint8Array): boolean {
    const next = this.#now.text + Buffer.from(bytes).toString('latin1');
    if (!this.texts.some((t) => t.startsWith(next))) return false;
    this.#history.push({ text: next, end: false });
    return true;
  }

  forcedBytes(): Uint8Array {
    const { text } = this.#now;
    const live = this.texts.filter((t) => t.startsWith(text));
    let n = text.length;
    if (!live.includes(text)) while (n < live[0]!.length && live.every((t) => t[n] === live[0]![n])) n++;
    return Uint8Array.from(Buffer.from(live[0]!.slice(text.length, n), 'latin1'));
  }

  forcedTokens(): number[] {
    const ids = this.vocabulary.encode(this.forcedBytes());
    const { text } = this.#now;
    const done = this.texts.filter((t) => t.startsWith(text)).length === 1;
    return done ? ids : ids.slice(0, -1);
  }

  rollback(n: number): void {
    this.#history.length -= n;
  }

  fork(): TextsMatcher {
    const copy = new TextsMatcher(this.texts, this.vocabulary);
    copy.#history = [...this.#history];
    return copy;
  }
}
