/**
 * Measures what steps of a model cost (cost-model.ts), by steps of its own: rows without a past, rows with one, a long row among short
 * ones, chunks of a prompt, rows of different tokens where there are experts. All kinds by turns, so that a busy spell of the machine falls on all of
 * them; the fastest of each counts, and how far the second fastest lies from it is the noise.
 *
 * Bounded in time: kinds that do not fit are left out, the slowest first; with fewer than two widths nothing is known and the scheduler goes on
 * as without. Rows with a past are forks of one prompt, since prompts of their own would take most of the time.
 * Forks read the same blocks, which caches hold: attention over long rows comes out up to 1.8 times too cheap, and real steps correct it.
 */
import { StepCost } from './cost-model.js';
import type { StepModel, StepRow } from './model.js';

/** Widths of steps that are measured. */
const WIDTHS = [1, 2, 4, 8, 16, 32] as const;
/** Of these also with a past. */
const LONG_WIDTHS: readonly number[] = [4, 16, 32];
/** Positions of that past; a multiple of every block size. */
const PAST = 256;
/** Rows of the kinds that tell padding and experts. */
const ROWS = 8;
/** Rounds after one for warm-up, and how many of them the fastest must be the fastest of. */
const ROUNDS = 4;
const COUNTED = 2;
const BUDGET_MS = 300;
/** Share of the budget that one round may take, or making the past. */
const ROUND_SHARE = 1 / (COUNTED + 2);
/** A shorter chunk is taken where it makes a prompt cheaper by this share. */
const CHUNK_WORTH = 0.05;
const SHORT_CHUNK = 64;
/** Keeps the probe's blocks from being found by prompts. */
const SALT = 'tokenloom cost probe';

interface Kind {
  readonly rows: readonly StepRow[];
  /** Milliseconds by round, without the first. */
  readonly times: number[];
  /** Distinct experts, once it has run. */
  distinct: number;
}

export interface ProbeOptions {
  /** Milliseconds. */
  readonly now?: () => number;
  readonly budgetMs?: number;
}

/** Undefined where nothing can be learnt: one row a step, no time, no memory. All sequences it opens are closed. */
export async function measureStepCost(model: StepModel, options: ProbeOptions = {}): Promise<StepCost | undefined> {
  const probe = new Probe(model, options.now ?? (() => performance.now()), options.budgetMs ?? BUDGET_MS);
  try {
    return await probe.run();
  } finally {
    probe.close();
  }
}

class Probe {
  readonly #model: StepModel;
  readonly #now: () => number;
  readonly #budget: number;
  readonly #start: number;
  readonly #opened: number[] = [];
  #base: { readonly sequence: number; readonly past: number } | undefined;
  /** Experts over all layers, where the model tells which it uses. */
  #experts = 0;

  constructor(model: StepModel, now: () => number, budgetMs: number) {
    this.#model = model;
    this.#now = now;
    this.#budget = budgetMs;
    this.#start = now();
  }

  close(): void {
    for (const sequence of this.#opened) this.#model.close(sequence);
  }

  async run(): Promise<StepCost | undefined> {
    const most = Math.min(this.#model.maxRows, this.#model.maxStepTokens);
    const short = new Map<number, Kind>();
    // Milliseconds of one step of each width so far, and of the last.
    let [round, last] = [0, 0];
    for (const width of WIDTHS) {
      // A step of twice the rows takes at most twice as long.
      if (width > most || round + 2 * last > ROUND_SHARE * this.#left()) break;
      const kind = this.#kind(Array.from({ length: width }, () => this.#row(this.#token())));
      if (kind === undefined) break;
      // The very first step pays for memory and code that later ones find ready.
      if (width === 1) await this.#time(kind);
      last = await this.#time(kind);
      round += last;
      short.set(width, kind);
    }
    if (short.size < 2) return undefined;
    const kinds = [...short.values()];
    const chunks = await this.#makePast(round);
    const long = new Map<number, Kind>();
    let padded: Kind | undefined;
    if (this.#base !== undefined) {
      for (const width of LONG_WIDTHS) {
        if (!short.has(width)) continue;
        const kind = this.#kind(Array.from({ length: width }, () => this.#fork()));
        if (kind !== undefined) long.set(width, kind);
      }
      if (short.has(ROWS) && long.size > 0) {
        padded = this.#kind([this.#fork(), ...Array.from({ length: ROWS - 1 }, () => this.#row(this.#token()))]);
      }
      kinds.push(...long.values(), ...(padded === undefined ? [] : [padded]));
    }
    let different: Kind | undefined;
    const same = short.get(ROWS) ?? [...short.values()].at(-1);
    if (this.#experts > 0 && same !== undefined) {
      const rows = same.rows.length;
      const token = (i: number): number => Math.floor(((i + 0.5) * this.#model.vocabSize) / rows);
      different = this.#kind(Array.from({ length: rows }, (_, i) => this.#row(token(i))));
      if (different !== undefined) kinds.push(different);
    }
    await this.#rounds(kinds);
    // A step that takes no time by this clock would be taken for free, and no real step could correct that.
    const measured = (kind: Kind | undefined): Kind | undefined =>
      kind !== undefined && kind.times.length >= COUNTED && least(kind) > 0 ? kind : undefined;
    for (const widths of [short, long]) {
      for (const [width, kind] of widths) if (!measured(kind) || !short.has(width)) widths.delete(width);
    }
    if (short.size < 2) return undefined;
    return this.#cost(short, long, measured(padded), chunks, measured(same), measured(different));
  }

  /** Rounds of all kinds, the first for warm-up. Kinds of which the least rounds would not fit are left out, the slowest first. */
  async #rounds(kinds: readonly Kind[]): Promise<void> {
    let used = [...kinds];
    for (const kind of kinds) {
      kind.times.length = 0;
      // The past may have taken its room.
      if (this.#fits(kind) && (await this.#time(kind)) > this.#left()) break;
    }
    const first = (kind: Kind): number => kind.times[0] ?? Number.POSITIVE_INFINITY;
    const round = (): number => used.reduce((ms, kind) => ms + first(kind), 0);
    while (used.length > 0 && COUNTED * round() > this.#left()) {
      const slowest = Math.max(...used.map(first));
      used = used.filter((kind) => first(kind) < slowest);
    }
    for (const kind of kinds) kind.times.length = 0;
    for (let i = 0; i < ROUNDS; i++) {
      const began = this.#now();
      for (const kind of used) {
        if (this.#left() < 0) return;
        await this.#time(kind);
      }
      if (i + 1 >= COUNTED && this.#left() < this.#now() - began) return;
    }
  }

  /**
   * Makes the past that rows fork from, where that fits the budget and the memory; tells what chunks of a prompt cost on the way. `round`: a
   * step of each width.
   */
  async #makePast(round: number): Promise<{ readonly tokens: number; readonly ms: number }[]> {
    const { blocks, contextLength, maxStepTokens } = this.#model;
    const size = blocks?.size ?? 1;
    // Half of the memory at most: rows need some too.
    const room = blocks === undefined ? contextLength : blocks.free() * size;
    const past = Math.floor(Math.min(PAST, contextLength >> 1, room >> 1, maxStepTokens) / size) * size;
    if (past < 2 * SHORT_CHUNK) return [];
    const base = this.#open();
    const other = this.#open();
    const time = async (sequence: number, chunk: number): Promise<number | undefined> => {
      this.#model.truncate(sequence, 0);
      const began = this.#now();
      for (let at = 0; at < past; at += chunk) {
        const rows = [
          { sequence, tokens: Array.from({ length: Math.min(chunk, past - at) }, () => this.#token()), logits: 1 },
        ];
        if (!this.#model.fits(rows.map((r) => ({ sequence, tokens: r.tokens.length })))) return undefined;
        await this.#step(rows);
        // What the rounds need comes first; the first chunk tells of the others.
        if (((this.#now() - began) * past) / (at + chunk) > ROUND_SHARE * this.#left()) return undefined;
      }
      return this.#now() - began;
    };
    const first = await time(base, SHORT_CHUNK);
    if (first === undefined) {
      this.#model.truncate(base, 0);
      return [];
    }
    this.#base = { sequence: base, past };
    const times = { short: first, long: Number.POSITIVE_INFINITY };
    for (let i = 0; i < 2; i++) {
      // Rounds with a past take about three times as long as those without.
      if (this.#left() - 2.5 * first < 3 * (COUNTED + 1) * round) break;
      times.long = Math.min(times.long, (await time(other, past)) ?? Number.POSITIVE_INFINITY);
      times.short = Math.min(times.short, (await time(other, SHORT_CHUNK)) ?? Number.POSITIVE_INFINITY);
    }
    this.#model.truncate(other, 0);
    const parts = Math.ceil(past / SHORT_CHUNK);
    return [
      { tokens: SHORT_CHUNK, ms: times.short / parts },
      ...(Number.isFinite(times.long) ? [{ tokens: past, ms: times.long }] : []),
    ];
  }

  #cost(
    short: ReadonlyMap<number, Kind>,
    long: ReadonlyMap<number, Kind>,
    padded: Kind | undefined,
    chunks: readonly { readonly tokens: number; readonly ms: number }[],
    same: Kind | undefined,
    different: Kind | undefined,
  ): StepCost {
    const past = this.#base?.past ?? 0;
    // What one more position of every row adds, at the widths that were measured with a past; between them along a line through nothing.
    const slopes: [number, number][] = [[0, 0]];
    for (const [width, kind] of long) slopes.push([width, Math.max(0, least(kind) - least(short.get(width)!)) / past]);
    const slopeAt = (width: number): number => {
      const after = slopes.findIndex(([w]) => w >= width);
      const [b, a] = after < 1 ? [slopes.at(-1)!, slopes.at(-2)] : [slopes[after]!, slopes[after - 1]];
      if (a === undefined) return 0;
      return Math.max(0, a[1] + ((b[1] - a[1]) * (width - a[0])) / (b[0] - a[0]));
    };
    const points = [...short].map(([tokens, kind]) => ({ tokens, ms: least(kind), positionMs: slopeAt(tokens) }));
    const experts = same === undefined || different === undefined ? 0 : different.distinct - same.distinct;
    const expertMs = experts < 1 ? 0 : Math.max(0, least(different!) - least(same!)) / experts;
    const ownExperts = experts < 1 ? 0 : same!.distinct;
    // The measured chunks repeat one token; those of a real prompt touch about all experts, each chunk anew.
    const touched = expertMs * Math.max(0, this.#experts - ownExperts);
    const real = chunks.map(({ tokens, ms }) => ({ tokens, ms: ms + touched }));
    const [brief, whole] = real;
    const cheaper =
      brief !== undefined &&
      whole !== undefined &&
      (brief.ms * whole.tokens) / brief.tokens < (1 - CHUNK_WORTH) * whole.ms;
    return new StepCost({
      points,
      padding:
        padded === undefined || !short.has(ROWS)
          ? 1
          : paddingOf(least(padded) - least(short.get(ROWS)!), slopeAt(ROWS) * past),
      // None that took no time by this clock.
      chunks: real.filter(({ ms }) => ms > 0),
      chunk: cheaper && brief.ms > 0 ? brief.tokens : undefined,
      expertMs,
      ownExperts,
      noise: spread([...short.values(), ...long.values()]),
    });
  }

  #left(): number {
    return this.#budget - (this.#now() - this.#start);
  }

  #open(): number {
    const { sequence } = this.#model.open({ salt: SALT });
    this.#opened.push(sequence);
    return sequence;
  }

  /** Some token that every vocabulary has. */
  #token(): number {
    return this.#model.vocabSize >> 1;
  }

  #row(token: number): StepRow {
    return { sequence: this.#open(), tokens: [token], logits: 1 };
  }

  #fork(): StepRow {
    const sequence = this.#model.fork(this.#base!.sequence);
    this.#opened.push(sequence);
    return { sequence, tokens: [this.#token()], logits: 1 };
  }

  /** Undefined where its rows have no room in memory. */
  #kind(rows: readonly StepRow[]): Kind | undefined {
    const kind = { rows, times: [], distinct: 0 };
    return this.#fits(kind) ? kind : undefined;
  }

  #fits({ rows }: Kind): boolean {
    return this.#model.fits(rows.map(({ sequence, tokens }) => ({ sequence, tokens: tokens.length })));
  }

  /** Runs the kind once and takes its tokens back; milliseconds. */
  async #time(kind: Kind): Promise<number> {
    const lengths = kind.rows.map((r) => this.#model.length(r.sequence));
    const began = this.#now();
    kind.distinct = await this.#step(kind.rows);
    const ms = this.#now() - began;
    kind.times.push(ms);
    for (const [i, { sequence }] of kind.rows.entries()) this.#model.truncate(sequence, lengths[i]!);
    return ms;
  }

  /** Runs a step until something of it can be read: on a device it has ended then. Returns its distinct experts. */
  async #step(rows: readonly StepRow[]): Promise<number> {
    const handle = await this.#model.submit(rows);
    try {
      await handle.logits(0, 0);
      const trace = await handle.experts();
      if (trace === undefined) return 0;
      this.#experts = trace.experts * trace.ids.length;
      return trace.ids.reduce((n, ids) => n + new Set(ids).size, 0);
    } finally {
      handle.release();
    }
  }
}

function least(kind: Kind): number {
  return Math.min(...kind.times);
}

/** One long row among short ones: what of the time that all would take if they were as long, beyond its own, was taken. */
function paddingOf(added: number, whole: number): number {
  if (!(whole > 0)) return 1;
  const own = 1 / ROWS;
  return Math.max(0, Math.min(1, (added / whole - own) / (1 - own)));
}

/** The middle one of how far the second fastest lies from the fastest. */
function spread(kinds: readonly Kind[]): number {
  const gaps = kinds.map(({ times }) => {
    const [first = 0, second = first] = [...times].sort((a, b) => a - b);
    return first > 0 ? second / first - 1 : 0;
  });
  return gaps.sort((a, b) => a - b)[gaps.length >> 1] ?? 0;
}
