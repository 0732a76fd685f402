/**
 * What one run over some cases found, in a form that can be written to a file and joined with others: so a long run can be done in
 * slices, each of them minutes long.
 */
import type { MaskCase } from './cases.js';
import type { OursResult, SchemaTimes, Worst } from './ours.js';
import type { PeerPart } from './peers.js';
import { Samples } from './stats.js';

/** One slice of one row: a vocabulary, a spelling of the texts, and some of the cases. */
export interface Part {
  readonly vocabulary: string;
  readonly text: string;
  /** Slices that this is made of: each [number from 1, how many there are]. */
  readonly slices: readonly (readonly [number, number])[];
  readonly setupMs: number;
  /** CPU time over wall time of the run: well below 1 where the machine was shared. */
  readonly coreShare: number;
  readonly replays: number;
  readonly schemas: readonly SchemaTimes[];
  /** Packed token times and compile times by source (stats.ts). */
  readonly mask: Readonly<Record<string, string>>;
  readonly compile: Readonly<Record<string, string>>;
  readonly worst: readonly Worst[];
  /** Live and resident megabytes above the start of the run. */
  readonly memoryMb: { readonly live: number; readonly rss: number };
  readonly peers: readonly PeerPart[];
}

/** Cases of slice k of n: every n-th, so that each slice has some of all sources. */
export function sliceOf(cases: readonly MaskCase[], [k, n]: readonly [number, number]): MaskCase[] {
  return cases.filter((_, i) => i % n === k - 1);
}

export function packed(samples: OursResult['mask']): Record<string, string> {
  return Object.fromEntries([...samples].map(([source, s]) => [source, s.pack()]));
}

const joinPacked = (all: readonly string[]): string => {
  const out = new Samples();
  for (const text of all) out.addAll(Samples.unpack(text));
  return out.pack();
};

function joinRecords(all: readonly Readonly<Record<string, string>>[]): Record<string, string> {
  const keys = new Set(all.flatMap((r) => Object.keys(r)));
  return Object.fromEntries([...keys].map((k) => [k, joinPacked(all.flatMap((r) => r[k] ?? []))]));
}

const mean = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0) / xs.length;

/** One part of several slices of the same row. Memory is that of the largest slice. */
export function joinParts(parts: readonly Part[]): Part {
  const [first] = parts;
  if (first === undefined) throw new Error('no parts to join');
  const engines = new Set(parts.flatMap((p) => p.peers.map((e) => e.engine)));
  return {
    vocabulary: first.vocabulary,
    text: first.text,
    slices: parts.flatMap((p) => p.slices),
    setupMs: Math.min(...parts.map((p) => p.setupMs)),
    coreShare: mean(parts.map((p) => p.coreShare)),
    replays: Math.min(...parts.map((p) => p.replays)),
    schemas: parts.flatMap((p) => p.schemas),
    mask: joinRecords(parts.map((p) => p.mask)),
    compile: joinRecords(parts.map((p) => p.compile)),
    worst: parts.flatMap((p) => p.worst).sort((a, b) => b.us - a.us),
    memoryMb: {
      live: Math.max(...parts.map((p) => p.memoryMb.live)),
      rss: Math.max(...parts.map((p) => p.memoryMb.rss)),
    },
    peers: [...engines].map((engine) => {
      const all = parts.flatMap((p) => p.peers.filter((e) => e.engine === engine));
      const sum = (f: (p: PeerPart) => number): number => all.reduce((n, p) => n + f(p), 0);
      const join = (f: (p: PeerPart) => string): string => joinPacked(all.map(f));
      return {
        engine,
        version: all[0]?.version ?? '?',
        setupMs: Math.min(...all.map((p) => p.setupMs)),
        given: sum((p) => p.given),
        reached: sum((p) => p.reached),
        compiled: sum((p) => p.compiled),
        right: sum((p) => p.right),
        both: sum((p) => p.both),
        theirs: { mask: join((p) => p.theirs.mask), compile: join((p) => p.theirs.compile) },
        ours: { mask: join((p) => p.ours.mask), compile: join((p) => p.ours.compile) },
      };
    }),
  };
}
