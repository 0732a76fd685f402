/** Numbers for people. */
import type { Ratio, Share } from '../statistics.js';

export function count(n: number): string {
  return n.toLocaleString('en-US');
}

/** 99.97% must not read 100%, and 0.02% not 0%. */
export function percent(share: number, digits = 1): string {
  if (Number.isNaN(share)) return '–';
  const value = 100 * share;
  for (let d = digits; d <= 4; d++) {
    const text = value.toFixed(d);
    const whole = Number(text);
    if ((whole < 100 || share === 1) && (whole > 0 || share === 0)) return `${text}%`;
  }
  return share > 0.5 ? '>99.99%' : '<0.01%';
}

/** With as many digits as it takes to tell its ends apart. */
export function interval(s: Share | Ratio, digits = 1): string {
  const [low, high] = [(100 * s.low).toFixed(digits), (100 * s.high).toFixed(digits)];
  return low === high && s.low < s.high && digits < 4 ? interval(s, digits + 1) : `${low}–${high}%`;
}

/** Milliseconds in the unit that suits them. */
export function time(ms: number): string {
  if (Number.isNaN(ms)) return '–';
  if (ms < 1) return `${precise(ms * 1000)} µs`;
  return ms < 1000 ? `${precise(ms)} ms` : `${precise(ms / 1000)} s`;
}

export function times(r: Ratio): string {
  return Number.isNaN(r.value) ? '–' : `${r.value.toFixed(2)}×`;
}

/** Two or three figures that matter. */
export function precise(n: number): string {
  if (Number.isNaN(n)) return '–';
  if (n === 0) return '0';
  if (n >= 100) return count(Math.round(n));
  return n.toFixed(n >= 10 ? 1 : 2).replace(/\.?0+$/, '');
}

/** `1 answer`, `2 answers`. */
export function plural(n: number, word: string): string {
  return `${count(n)} ${word}${n === 1 ? '' : 's'}`;
}
