/** From the lines of a run to its figures. Every figure carries the number of requests behind it. */
import { readJournal } from './journal.js';
import { METHOD_LIST, type Method } from './methods.js';
import {
  mergeTimes,
  quantile,
  type Ratio,
  ratio,
  type Share,
  share,
  type TimeCounts,
  timeQuantile,
} from './statistics.js';
import type { AnswerLine, MethodName, RequestLine, RunLine, SpeedLine } from './types.js';

/** Milliseconds that a method spent, by where they went; sums over its answers. */
export interface TimeSplit {
  readonly model: number;
  readonly mask: number;
  readonly matcher: number;
  readonly compile: number;
  readonly prompt: number;
  readonly repair: number;
  /** Sampling, drafts, text, the loop. */
  readonly other: number;
}

export interface Figures {
  readonly method: MethodName;
  /** 'all', or a source. */
  readonly source: string;
  readonly requests: number;
  readonly json: Share;
  readonly fits: Share;
  /** Answers that ajv could not judge, and those that only its formats refuse (they count as fitting). */
  readonly unchecked: number;
  readonly disputed: number;
  /** Leaves of expected values that are right; the interval is over requests, since leaves of one answer hang together. */
  readonly fields: Ratio;
  /** Expected leaves. */
  readonly leaves: number;
  readonly cut: Share;
  readonly closed: Share;
  readonly deadEnds: number;
  readonly errors: number;
  /** Shortest value longer than the context: no answer was possible. */
  readonly long: number;
  readonly attempts: number;
  readonly tokens: number;
  readonly passesPerToken: Ratio;
  readonly tokensPerSecond: Ratio;
  readonly firstToken: Quantiles;
  readonly total: Quantiles;
  /** Of single masks. */
  readonly maskMs: { readonly count: number; readonly p50: number; readonly p99: number };
  /** Masks and the rest of the constraint, each as a share of the answer's time. */
  readonly maskShare: Ratio;
  readonly constraintShare: Ratio;
  readonly split: TimeSplit;
}

export interface Quantiles {
  readonly p5: number;
  readonly p25: number;
  readonly p50: number;
  readonly p75: number;
  readonly p95: number;
  readonly p99: number;
}

export interface Failure {
  readonly id: string;
  readonly method: MethodName;
  readonly what: string;
}

export interface GroupFigures {
  readonly source: string;
  readonly group: string;
  /** Fits by method. */
  readonly fits: Readonly<Partial<Record<MethodName, Share>>>;
}

export interface SchemaCost {
  readonly id: string;
  readonly coldMs: number;
  readonly maskMs: number;
  readonly slowestMaskMs: number;
  readonly masks: number;
}

export interface SpeedFigures {
  readonly requests: number;
  readonly same: number;
  readonly tokens: number;
  readonly passesPerToken: Ratio;
  /** Times as fast as the rival. */
  readonly unconstrained: Ratio;
  readonly lookup: Ratio;
  readonly bare: Ratio;
  /** Against `unconstrained`, with compiling the schema for the first time; with prefill on both sides; with both. */
  readonly withCompile: Ratio;
  readonly withPrefill: Ratio;
  readonly withBoth: Ratio;
  /** Milliseconds constrained and not, by request, for the chart. */
  readonly pairs: readonly (readonly [constrained: number, unconstrained: number])[];
}

export interface Summary {
  readonly run: RunLine;
  /** Requests with answers, and refused by name. */
  readonly requests: number;
  readonly expectedRequests: number;
  readonly refused: readonly {
    readonly id: string;
    readonly source: string;
    readonly name: string;
    readonly message: string;
  }[];
  readonly bySource: Readonly<Record<string, { readonly requests: number; readonly refused: number }>>;
  /** All methods on the requests that all of them got. */
  readonly compared: readonly Figures[];
  /** Each method on all its requests, and by source. */
  readonly all: readonly Figures[];
  readonly prefill: Quantiles;
  readonly compile: { readonly cold: Quantiles; readonly cached: Quantiles; readonly requests: number };
  readonly groups: readonly GroupFigures[];
  readonly failures: readonly Failure[];
  readonly failureCount: number;
  readonly costly: { readonly compile: readonly SchemaCost[]; readonly masks: readonly SchemaCost[] };
  readonly speed: SpeedFigures | undefined;
}

const MOST_FAILURES = 50;
const MOST_COSTLY = 10;

/** Reads a run's file. @throws OptionError where it is none */
export async function summarise(file: string): Promise<Summary> {
  let run: RunLine | undefined;
  const requests = new Map<string, RequestLine>();
  const answers: AnswerLine[] = [];
  const speed: SpeedLine[] = [];
  for await (const line of readJournal(file)) {
    if (line.type === 'run') run = line;
    else if (line.type === 'request') requests.set(line.request.id, line);
    else if (line.type === 'answer') answers.push(line);
    else speed.push(line);
  }
  if (run === undefined) throw new TypeError('a run without its first line');
  // Answers come in the order in which processes had them; figures must not depend on it.
  const order = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
  answers.sort(order);
  speed.sort(order);
  const known = [...requests.values()].sort((a, b) => order(a.request, b.request));
  // Those whose process was lost have no prompt: nothing of them was measured.
  const usable = known.filter((r) => r.refused === undefined && r.promptTokens > 0);
  const compared = answers.filter((a) => requests.get(a.id)?.request.compared === true);
  const wantsJson = (a: AnswerLine): boolean => requests.get(a.id)?.request.grammar === undefined;
  const sources = [...new Set(known.map((r) => r.request.source))];
  const failed = failures(answers);
  return {
    run,
    requests: known.length,
    expectedRequests: run.requests,
    refused: known.flatMap((r) =>
      r.refused === undefined ? [] : [{ id: r.request.id, source: r.request.source, ...r.refused }],
    ),
    bySource: Object.fromEntries(
      sources.map((s) => {
        const of = known.filter((r) => r.request.source === s);
        return [s, { requests: of.length, refused: of.filter((r) => r.refused !== undefined).length }];
      }),
    ),
    compared: METHOD_LIST.flatMap((m) => figures(m, 'all', compared, wantsJson)),
    all: METHOD_LIST.flatMap((m) => [
      ...figures(m, 'all', answers, wantsJson),
      ...sources.flatMap((s) =>
        figures(
          m,
          s,
          answers.filter((a) => a.source === s),
          wantsJson,
        ),
      ),
    ]),
    prefill: quantiles(usable.map((r) => r.prefillMs)),
    compile: {
      cold: quantiles(usable.map((r) => r.coldMs)),
      cached: quantiles(usable.map((r) => r.cachedMs)),
      requests: usable.length,
    },
    groups: groupFigures(compared, answers),
    failures: failed.slice(0, MOST_FAILURES),
    failureCount: failed.length,
    costly: costly(usable, answers),
    speed: speedFigures(speed),
  };
}

/** `wantsJson`: whether JSON was asked for, which an answer that failed does not tell. */
function figures(
  method: Method,
  source: string,
  lines: readonly AnswerLine[],
  wantsJson: (a: AnswerLine) => boolean,
): Figures[] {
  const all = lines.filter((a) => a.method === method.name);
  if (all.length === 0) return [];
  // What no method could answer says nothing of this one.
  const of = all.filter((a) => a.status !== 'long');
  const count = (test: (a: AnswerLine) => boolean): number => of.filter(test).length;
  const asked = of.filter((a) => a.json !== null || (a.status !== 'ok' && wantsJson(a)));
  const judged = of.filter((a) => a.fits !== null || a.status !== 'ok');
  const scored = of.filter((a) => a.fields !== undefined);
  const ran = of.filter((a) => a.status === 'ok');
  const masks: TimeCounts = new Map();
  for (const a of ran) mergeTimes(masks, a.maskTimes);
  const split = ran.reduce<TimeSplit>((s, a) => addSplit(s, a), NO_SPLIT);
  const masksMade = ran.filter((a) => a.counts.masks > 0);
  let maskCount = 0;
  for (const n of masks.values()) maskCount += n;
  return [
    {
      method: method.name,
      source,
      requests: of.length,
      json: share(asked.filter((a) => a.json === true).length, asked.length),
      fits: share(judged.filter((a) => a.fits === true).length, judged.length),
      unchecked: of.length - judged.length,
      disputed: count((a) => a.disputed !== undefined),
      fields: ratio(scored.map((a) => [a.right ?? 0, a.fields ?? 0])),
      leaves: scored.reduce((n, a) => n + (a.fields ?? 0), 0),
      cut: share(
        count((a) => a.cut),
        of.length,
      ),
      closed: share(
        count((a) => a.closed),
        of.length,
      ),
      deadEnds: of.reduce((n, a) => n + a.deadEnds, 0),
      errors: count((a) => a.status !== 'ok'),
      long: all.length - of.length,
      attempts: mean(ran.map((a) => a.counts.attempts)),
      tokens: mean(ran.map((a) => a.counts.tokens)),
      passesPerToken: ratio(ran.map((a) => [a.counts.passes, a.counts.tokens])),
      tokensPerSecond: ratio(ran.map((a) => [a.counts.tokens, a.ms.total / 1000])),
      firstToken: quantiles(ran.map((a) => a.ms.firstToken)),
      total: quantiles(ran.map((a) => a.ms.total)),
      maskMs: { count: maskCount, p50: timeQuantile(masks, 0.5), p99: timeQuantile(masks, 0.99) },
      maskShare: ratio(masksMade.map((a) => [a.ms.mask, a.ms.total])),
      constraintShare: ratio(ran.map((a) => [a.ms.mask + a.ms.matcher, a.ms.total])),
      split,
    },
  ];
}

const NO_SPLIT: TimeSplit = { model: 0, mask: 0, matcher: 0, compile: 0, prompt: 0, repair: 0, other: 0 };

function addSplit(sum: TimeSplit, { ms }: AnswerLine): TimeSplit {
  const other = Math.max(0, ms.total - ms.model - ms.mask - ms.matcher - ms.repair);
  return {
    model: sum.model + ms.model,
    mask: sum.mask + ms.mask,
    matcher: sum.matcher + ms.matcher,
    compile: sum.compile + ms.compile,
    prompt: sum.prompt + ms.prompt,
    repair: sum.repair + ms.repair,
    other: sum.other + other,
  };
}

/**
 * What must not happen, and makes the command's exit code 1: to constrained methods invalid, cut, dead end; to any method exception and too late, since
 * those are faults of the software. That answers of methods 1 to 4 do not fit is what the suite measures, and no failure.
 */
function failures(answers: readonly AnswerLine[]): Failure[] {
  const constrained = new Set(METHOD_LIST.filter((m) => m.number >= 5).map((m) => m.name));
  return answers.flatMap((a): Failure[] => {
    const { id, method } = a;
    if (a.status === 'error' || a.status === 'late')
      return [{ id, method, what: `${a.error?.name ?? a.status}: ${a.error?.message ?? ''}` }];
    if (!constrained.has(method) || a.status === 'long') return [];
    if (a.fits === false) return [{ id, method, what: a.why ?? 'does not fit' }];
    if (a.deadEnds > 0) return [{ id, method, what: `${a.deadEnds} empty masks` }];
    return a.cut ? [{ id, method, what: 'cut before it was complete' }] : [];
  });
}

function groupFigures(compared: readonly AnswerLine[], all: readonly AnswerLine[]): GroupFigures[] {
  const byGroup = new Map<string, { source: string; group: string; fits: Map<MethodName, [number, number]> }>();
  const take = (a: AnswerLine): void => {
    if (a.fits === null && a.status === 'ok') return;
    const key = `${a.source}\n${a.group}`;
    let of = byGroup.get(key);
    if (of === undefined) {
      of = { source: a.source, group: a.group, fits: new Map() };
      byGroup.set(key, of);
    }
    const n = of.fits.get(a.method) ?? [0, 0];
    of.fits.set(a.method, [n[0] + (a.fits === true ? 1 : 0), n[1] + 1]);
  };
  for (const a of compared) if (isCompared(a.method)) take(a);
  for (const a of all) if (!isCompared(a.method)) take(a);
  return [...byGroup.values()].map(({ source, group, fits }) => ({
    source,
    group,
    fits: Object.fromEntries([...fits].map(([m, [n, of]]) => [m, share(n, of)])),
  }));
}

function isCompared(method: MethodName): boolean {
  return METHOD_LIST.some((m) => m.name === method && m.number < 5);
}

function costly(requests: readonly RequestLine[], answers: readonly AnswerLine[]): Summary['costly'] {
  const plain = new Map(answers.filter((a) => a.method === 'constrained').map((a) => [a.id, a]));
  const costs = requests.map((r): SchemaCost => {
    const a = plain.get(r.request.id);
    const times: TimeCounts = new Map();
    mergeTimes(times, a?.maskTimes ?? []);
    return {
      id: r.request.id,
      coldMs: r.coldMs,
      maskMs: a?.ms.mask ?? 0,
      slowestMaskMs: times.size === 0 ? 0 : timeQuantile(times, 1),
      masks: a?.counts.masks ?? 0,
    };
  });
  const first = (by: (c: SchemaCost) => number): SchemaCost[] =>
    [...costs].sort((a, b) => by(b) - by(a)).slice(0, MOST_COSTLY);
  return { compile: first((c) => c.coldMs), masks: first((c) => c.maskMs) };
}

function speedFigures(lines: readonly SpeedLine[]): SpeedFigures | undefined {
  if (lines.length === 0) return undefined;
  const times = (
    rival: (s: SpeedLine) => number,
    extra: (s: SpeedLine) => readonly [theirs: number, ours: number] = () => [0, 0],
  ): Ratio => ratio(lines.map((s) => [rival(s) + extra(s)[0], s.constrainedMs + extra(s)[1]]));
  return {
    requests: lines.length,
    same: lines.filter((s) => s.same).length,
    tokens: lines.reduce((n, s) => n + s.tokens, 0),
    passesPerToken: ratio(lines.map((s) => [s.constrainedPasses, s.tokens])),
    unconstrained: times((s) => s.unconstrainedMs),
    lookup: times((s) => s.lookupMs),
    bare: times((s) => s.bareMs),
    withCompile: times(
      (s) => s.unconstrainedMs,
      (s) => [0, s.coldCompileMs],
    ),
    withPrefill: times(
      (s) => s.unconstrainedMs,
      (s) => [s.prefillMs, s.prefillMs],
    ),
    withBoth: times(
      (s) => s.unconstrainedMs,
      (s) => [s.prefillMs, s.prefillMs + s.coldCompileMs],
    ),
    pairs: lines.map((s) => [s.constrainedMs, s.unconstrainedMs]),
  };
}

function quantiles(values: readonly number[]): Quantiles {
  return {
    p5: quantile(values, 0.05),
    p25: quantile(values, 0.25),
    p50: quantile(values, 0.5),
    p75: quantile(values, 0.75),
    p95: quantile(values, 0.95),
    p99: quantile(values, 0.99),
  };
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : values.reduce((a, b) => a + b, 0) / values.length;
}
