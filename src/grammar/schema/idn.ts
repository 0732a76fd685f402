/**
 * Internationalised host names (IDNA2008) as a regular language.
 *
 * A U-label consists of letters, digits and marks that normalisation leaves alone (RFC 5892), with contextual rules for a few
 * characters and the Bidi rule (RFC 5893) once some label runs right to left; all of these are regular. Two things are not, or not at a
 * sane size: Punycode, so A-labels (`xn--…`) are left out, and the length of the A-label, for which a length of the U-label stands.
 * Character classes come from the Unicode tables of the runtime; finding them takes a moment, so it happens on first use only.
 */
import { anyChar, type Regex } from '../../regular/regex.js';
import { parseRegex, type UnicodeCache } from '../regex/index.js';
import { alt, and, cat, EMPTY_RE, lit, not, opt, rep, set, star } from './re.js';

/** A U-label of this many code points has an A-label of at most 63 octets, unless its script is very mixed. */
const MAX_LABEL = 56;

const DISALLOWED =
  '\\p{Changes_When_NFKC_Casefolded}\\p{Default_Ignorable_Code_Point}\\u0640\\u07fa\\u302e\\u302f\\u3031-\\u3035\\u303b' +
  '\\u1100-\\u11ff\\ua960-\\ua97f\\ud7b0-\\ud7ff\\u20d0-\\u20ff\\u{1d100}-\\u{1d24f}';
const CONTEXTUAL = '\\u00b7\\u0375\\u05f3\\u05f4\\u0660-\\u0669\\u06f0-\\u06f9\\u30fb\\u200c\\u200d';
const VALID = `[[\\p{Ll}\\p{Lo}\\p{Lm}\\p{Mn}\\p{Mc}\\p{Nd}]--[${DISALLOWED}]]\\u00df\\u03c2\\u06fd\\u06fe\\u0f0b\\u3007${CONTEXTUAL}\\-`;
const VIRAMA =
  '\\u094d\\u09cd\\u0a4d\\u0acd\\u0b4d\\u0bcd\\u0c4d\\u0ccd\\u0d4d\\u0dca\\u0e3a\\u0f84\\u1039\\u1714\\u1734\\u17d2\\u1a60\\u1b44\\u1baa' +
  '\\u1bf2\\u1bf3\\u2d7f\\ua806\\ua8c4\\ua953\\ua9c0\\uaaf6\\uabed';
/** Arabic letters that join on both sides. */
const JOINING = '\\u0628\\u062a-\\u062e\\u0633-\\u063f\\u0641-\\u0647\\u0649\\u064a\\u067e\\u0686\\u06a9\\u06af\\u06cc';
const RIGHT =
  '[[\\u0590-\\u08ff\\ufb1d-\\ufdff\\ufe70-\\ufeff\\u{10800}-\\u{10fff}\\u{1e800}-\\u{1efff}]--[\\p{Mn}\\p{Nd}]]';
const ARABIC_DIGIT = '\\u0660-\\u0669';
const EUROPEAN_DIGIT = '0-9\\u06f0-\\u06f9';

/** All internationalised host names, given the labels of plain host names. */
export function idnHostname(asciiLabel: Regex, cache: UnicodeCache): Regex {
  const cls = (body: string): Regex => parseRegex(`[${body}]`, { flags: 'v', anchored: true, cache });
  const rest = star(anyChar);
  const before = (body: string): Regex => opt(rest, cls(body));
  const after = (body: string): Regex => opt(cls(body), rest);
  const has = (body: string): Regex => cat(rest, cls(body), rest);

  const rules = [
    rep(cls(VALID), 1, MAX_LABEL),
    not(cat(cls('\\p{M}\\-'), rest)),
    not(cat(rest, lit('-'))),
    not(cat(anyChar, anyChar, lit('--'), rest)),
    has('^\\u0000-\\u007f'),
    not(cat(rest, lit('\u00b7'), after('^l'))),
    not(cat(before('^l'), lit('\u00b7'), rest)),
    not(cat(rest, lit('\u0375'), after('\\P{Script=Greek}'))),
    not(cat(before('\\P{Script=Hebrew}'), cls('\\u05f3\\u05f4'), rest)),
    alt(not(has('\\u30fb')), has('\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Han}')),
    not(and(has(ARABIC_DIGIT), has('\\u06f0-\\u06f9'))),
    not(cat(before(`^${VIRAMA}`), lit('\u200d'), rest)),
    not(cat(before(`^${VIRAMA}${JOINING}`), lit('\u200c'), rest)),
    not(cat(before(JOINING), lit('\u200c'), after(`^${JOINING}`))),
  ];
  const label = and(...rules);
  const rightToLeft = and(
    label,
    cat(cls(RIGHT), star(cls(`${RIGHT}${ARABIC_DIGIT}${EUROPEAN_DIGIT}\\p{Mn}\\-\\u200c\\u200d`))),
    cat(rest, cls(`${RIGHT}${ARABIC_DIGIT}${EUROPEAN_DIGIT}`), star(cls('\\p{Mn}'))),
    not(and(has(ARABIC_DIGIT), has(EUROPEAN_DIGIT))),
  );
  const leftOnly = not(has(`${RIGHT}${ARABIC_DIGIT}`));
  const leftToRight = and(
    alt(label, asciiLabel),
    leftOnly,
    not(cat(cls(EUROPEAN_DIGIT), rest)),
    cat(rest, cls(`[[\\p{L}\\p{Mc}\\p{N}]--${RIGHT}]`), star(cls('\\p{Mn}'))),
  );
  const plain = alt(asciiLabel, and(label, leftOnly));
  const dot = cls('.\\u3002\\uff0e\\uff61');
  const domain = (x: Regex): Regex => cat(x, star(cat(dot, x)));
  return and(alt(domain(plain), domain(alt(rightToLeft, leftToRight))), rep(anyChar, 1, 253), not(EMPTY_RE));
}

/** A language that holds all internationalised host names: none is empty, has a printable ASCII character that labels lack, or is longer in characters. */
export const perhapsIdnHostname = (): Regex =>
  rep(set(0x2d, 0x2e, 0x30, 0x39, 0x41, 0x5a, 0x61, 0x7a, 0x80, 0x10ffff), 1, 253);
