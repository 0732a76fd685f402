/** The outcome of a method that gave none. */
import type { Counts, Spent } from './types.js';

const NO_TIME: Spent = {
  total: 0,
  cpu: 0,
  firstToken: 0,
  model: 0,
  mask: 0,
  matcher: 0,
  prompt: 0,
  compile: 0,
  repair: 0,
};

const NO_COUNTS: Counts = {
  attempts: 0,
  tokens: 0,
  passes: 0,
  forced: 0,
  sampled: 0,
  drafted: 0,
  acceptedDrafts: 0,
  optimistic: 0,
  masks: 0,
};

export const NO_OUTCOME = {
  text: '',
  finish: '',
  json: null,
  fits: null,
  cut: false,
  closed: false,
  deadEnds: 0,
  counts: NO_COUNTS,
  ms: NO_TIME,
  maskTimes: [],
} as const;
