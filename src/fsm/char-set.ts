/** Characters as the tries and slices of a vocabulary tell them apart: by groups (trie.ts), and letters one by one. */
import { GROUP_NON_ASCII, LETTER_GROUPS } from './trie.js';

export interface CharSet {
  /** Character groups that are in it, those of letters where any of their letters is. */
  readonly groups: number;
  /** Small letters and capitals, one bit each. */
  readonly small: number;
  readonly capital: number;
}

export const ALL_LETTERS = (1 << 26) - 1;
/** a to f, the letters of a group of their own; the other letters are the group after it. */
const HEX_LETTERS = 0b111111;
const GROUP_SMALL_HEX = 1;
const GROUP_CAPITAL_HEX = 3;
const GROUP_SPACE = 5;
/** Groups without letters that most tokens have something of. */
const HEAVY = (1 << GROUP_SPACE) | (1 << GROUP_NON_ASCII);

export const NO_CHARS: CharSet = { groups: 0, small: 0, capital: 0 };

/** All characters of groups. */
export function charsOf(groups: number): CharSet {
  return { groups, small: lettersOf(groups, GROUP_SMALL_HEX), capital: lettersOf(groups, GROUP_CAPITAL_HEX) };
}

function lettersOf(groups: number, hex: number): number {
  return ((groups >>> hex) & 1 ? HEX_LETTERS : 0) | ((groups >>> (hex + 1)) & 1 ? ALL_LETTERS & ~HEX_LETTERS : 0);
}

/** A set of these letters and of the other groups of `groups`. */
export function charSet(groups: number, small: number, capital: number): CharSet {
  return {
    groups: (groups & ~LETTER_GROUPS) | groupsOf(small, GROUP_SMALL_HEX) | groupsOf(capital, GROUP_CAPITAL_HEX),
    small,
    capital,
  };
}

function groupsOf(letters: number, hex: number): number {
  return ((letters & HEX_LETTERS) !== 0 ? 1 << hex : 0) | ((letters & ~HEX_LETTERS) !== 0 ? 2 << hex : 0);
}

/** The characters of `a` that are not in `b`. */
export function less(a: CharSet, b: CharSet): CharSet {
  return charSet(a.groups & ~b.groups, a.small & ~b.small, a.capital & ~b.capital);
}

export function common(a: CharSet, b: CharSet): CharSet {
  return charSet(a.groups & b.groups, a.small & b.small, a.capital & b.capital);
}

export function either(a: CharSet, b: CharSet): CharSet {
  return charSet(a.groups | b.groups, a.small | b.small, a.capital | b.capital);
}

export function isEmptySet(a: CharSet): boolean {
  return a.groups === 0;
}

/** Whether letters matter: some letter is not in it while its group is. */
export function splitsLetters(a: CharSet): boolean {
  return lettersOf(a.groups, GROUP_SMALL_HEX) !== a.small || lettersOf(a.groups, GROUP_CAPITAL_HEX) !== a.capital;
}

/** Whether it has what most tokens are made of: some letter, the space, or characters beyond ASCII. */
export function isHeavy(a: CharSet): boolean {
  return isHeavyBesideLetters(a) || a.small !== 0 || a.capital !== 0;
}

export function isHeavyBesideLetters(a: CharSet): boolean {
  return (a.groups & HEAVY) !== 0;
}

export function keyOf(a: CharSet): string {
  return `${a.groups},${a.small},${a.capital}`;
}
