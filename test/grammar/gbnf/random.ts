import type { Random } from '../../../src/base/random.js';

/** The body of a random rule over 'a' and 'b' that refers to rules r0, r1, … */
export function randomRule(random: Random, depth: number, rules: number): string {
  const sub = (): string => randomRule(random, depth - 1, rules);
  const pick = (...options: readonly string[]): string => options[random.below(options.length)] as string;
  switch (random.below(depth <= 0 ? 5 : 12)) {
    case 0:
      return '"a"';
    case 1:
      return '"b"';
    case 2:
      return pick('[ab]', '""', '"ab"', '[^b]', '.');
    case 3:
    case 4:
      return `r${random.below(rules)}`;
    case 5:
    case 6:
    case 7:
      return `${sub()} ${sub()}`;
    case 8:
    case 9:
      return `(${sub()} | ${sub()})`;
    default: {
      const item = sub();
      return item === '""'
        ? item
        : `(${item === '("")' ? '"a"' : item})${pick('*', '+', '?', '{2}', '{0,2}', '{1,3}', '{2,}', '{0,9}')}`;
    }
  }
}
