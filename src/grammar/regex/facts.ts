/** Facts that can be read off a {@link Regex} without an automaton. Each may answer "not plain to see". */
import type { Regex } from '../../regular/regex.js';
import type { Ranges } from './ranges.js';

/** The set, if the language is one of single characters. */
export function singleChars(re: Regex): Ranges | undefined {
  if (re.t === 'set') return re.ranges;
  if (re.t !== 'lit') return undefined;
  const cp = re.text.codePointAt(0) as number;
  return String.fromCodePoint(cp).length === re.text.length ? [cp, cp] : undefined;
}

/** A set that holds the last character of every text of a language without the empty one, where plain to see. */
export function trailingSet(re: Regex): Ranges | undefined {
  if (re.t === 'cat') return trailingSet(re.items[re.items.length - 1] as Regex);
  if (re.t === 'rep' && re.min > 0) return trailingSet(re.item);
  if (re.t === 'lit') {
    const last = [...re.text].at(-1)?.codePointAt(0) as number;
    return [last, last];
  }
  return re.t === 'set' ? re.ranges : undefined;
}

/** All strings of a finite language, or undefined where there are more than `limit` (or it is not plainly finite). */
export function finite(re: Regex, limit: number): string[] | undefined {
  const capped = (texts: Set<string>): string[] | undefined => (texts.size > limit ? undefined : [...texts]);
  switch (re.t) {
    case 'never':
      return [];
    case 'empty':
      return [''];
    case 'lit':
      return [re.text];
    case 'lits':
      return capped(new Set(re.texts));
    case 'set': {
      const out = new Set<string>();
      for (let i = 0; i < re.ranges.length; i += 2) {
        for (let cp = re.ranges[i] as number; cp <= (re.ranges[i + 1] as number); cp++) {
          out.add(String.fromCodePoint(cp));
          if (out.size > limit) return undefined;
        }
      }
      return [...out];
    }
    case 'alt': {
      const parts = re.items.map((item) => finite(item, limit));
      return parts.includes(undefined) ? undefined : capped(new Set((parts as string[][]).flat()));
    }
    case 'cat':
      return product(
        re.items.map((item) => finite(item, limit)),
        limit,
      );
    case 'rep': {
      if (re.max > limit) return undefined;
      const one = finite(re.item, limit);
      const out = new Set<string>();
      for (let n = re.min; n <= re.max; n++) {
        const texts = product(new Array<string[] | undefined>(n).fill(one), limit);
        if (texts === undefined) return undefined;
        for (const text of texts) out.add(text);
      }
      return capped(out);
    }
    default:
      return undefined;
  }
}

function product(parts: readonly (readonly string[] | undefined)[], limit: number): string[] | undefined {
  let out = new Set(['']);
  for (const part of parts) {
    if (part === undefined) return undefined;
    const grown = new Set<string>();
    for (const head of out) {
      for (const tail of part) {
        grown.add(head + tail);
        if (grown.size > limit) return undefined;
      }
    }
    out = grown;
  }
  return [...out];
}
