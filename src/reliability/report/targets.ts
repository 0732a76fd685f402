/** What the suite holds the engine to, and whether this run shows it. */
import { METHOD_LIST } from '../methods.js';
import type { Summary } from '../summary.js';
import type { Extras } from './extras.js';
import { count, percent, times } from './format.js';

export interface Target {
  readonly name: string;
  readonly wanted: string;
  readonly got: string;
  readonly note: string;
  /** Undefined where the run did not measure it. */
  readonly met: boolean | undefined;
}

const FASTER = 1.3;
const LARGE_SHARE = 0.01;

export function targets(summary: Summary, extras: Extras): Target[] {
  const guarded = summary.all.filter((f) => f.source === 'all' && isGuarded(f.method));
  const answers = guarded.reduce((n, f) => n + f.fits.of, 0);
  const fit = guarded.reduce((n, f) => n + f.fits.count, 0);
  const deadEnds = guarded.reduce((n, f) => n + f.deadEnds, 0);
  const errors = summary.all.filter((f) => f.source === 'all').reduce((n, f) => n + f.errors, 0);
  const { speed } = summary;
  const large = extras.largeVocabulary;
  return [
    {
      name: 'Methods 5 to 8 fit',
      wanted: '100.00%',
      got: percent(answers === 0 ? Number.NaN : fit / answers, 2),
      note: `${count(fit)} of ${count(answers)} answers`,
      met: answers === 0 ? undefined : fit === answers,
    },
    { name: 'Dead ends', wanted: '0', got: count(deadEnds), note: 'masks that allowed nothing', met: deadEnds === 0 },
    { name: 'Exceptions', wanted: '0', got: count(errors), note: 'all methods, timeouts included', met: errors === 0 },
    {
      name: 'Same text, against unconstrained',
      wanted: `≥ ${FASTER}× as fast`,
      got: speed === undefined ? '–' : times(speed.unconstrained),
      note:
        speed === undefined
          ? 'not measured'
          : `${speed.unconstrained.low.toFixed(2)} to ${speed.unconstrained.high.toFixed(2)}, ${count(speed.requests)} records, batch 1`,
      met: speed === undefined ? undefined : speed.unconstrained.value >= FASTER,
    },
    {
      name: 'Mask in a step, 100k vocabulary',
      wanted: '< 1%',
      got: large === undefined ? '–' : percent(large.share.value, 2),
      note:
        large === undefined
          ? 'not part of this run'
          : `known grammars, ${count(large.steps)} steps, ${(large.parameters / 1e6).toFixed(0)} M parameters; ${percent(large.coldShare.value)} where each is new`,
      met: large === undefined ? undefined : large.share.value < LARGE_SHARE,
    },
  ];
}

function isGuarded(method: string): boolean {
  return METHOD_LIST.some((m) => m.name === method && m.number >= 5);
}
