/**
 * Format `regex`: ECMA-262 patterns (the grammar without flags) whose groups nest at most so deep.
 *
 * Nesting is not regular, nor is the order of the ends of a range or a quantifier where they are written at length. So ranges are
 * those of printable ASCII, those from NUL and those to the last code unit of an escape; counts in braces have at most three digits; a pattern
 * has at most one named group.
 */
import { anyString, type Regex } from '../../regular/regex.js';
import { alt, and, cat, chars, lit, lits, not, opt, rep, set, star } from './re.js';

const DIGIT = chars('09');
const ALPHA = chars('az', 'AZ');
const ALNUM = chars('az', 'AZ', '09');
const HEX = chars('09', 'af', 'AF');
const hex = (n: number): Regex => rep(HEX, n, n);
/** What an identity escape may stand for beside what has a meaning of its own. */
const IDENTITY = [...'^$\\.*+?()[]{}|/-,:;=!<>@#%&~"\'` _'];

const hexEscape = cat(lit('\\'), alt(cat(lit('x'), hex(2)), cat(lit('u'), hex(4))));
const classEscape = cat(lit('\\'), chars('d', 'D', 's', 'S', 'w', 'W'));
const otherEscape = cat(lit('\\'), alt(chars('b', 'f', 'n', 'r', 't', 'v', '0', ...IDENTITY), cat(lit('c'), ALPHA)));
const escaped = alt(hexEscape, classEscape, otherEscape, lit('\\B'));

/** Ranges of printable ASCII in order, without what is special in a class. */
function printableRanges(): Regex {
  const parts: Regex[] = [];
  for (let c = 0x20; c <= 0x7e; c++) {
    if (c === 0x2d || c === 0x5b || c === 0x5c || c === 0x5d || c === 0x5e) continue;
    const to = c <= 0x2c ? set(c, 0x2c, 0x2e, 0x5a, 0x5f, 0x7e) : c <= 0x5a ? set(c, 0x5a, 0x5f, 0x7e) : set(c, 0x7e);
    parts.push(cat(lit(String.fromCharCode(c)), lit('-'), to));
  }
  return alt(...parts);
}

function classRegex(): Regex {
  const single = alt(set(0, 0x2c, 0x2e, 0x5b, 0x5e, 0x10ffff), hexEscape, otherEscape);
  const range = alt(
    printableRanges(),
    cat(lits(['\\0', '\\x00', '\\u0000']), lit('-'), hexEscape),
    cat(hexEscape, lit('-'), lits(['\\uFFFF', '\\uffff'])),
  );
  const item = alt(single, range, cat(classEscape, opt(lit('-'))));
  return cat(lit('['), opt(lit('^')), opt(lit('-')), star(item), opt(lit('-')), lit(']'));
}

/** `{n}`, `{n,}` and `{n,m}` with n <= m. */
function countsRegex(): Regex {
  const pairs: string[] = [];
  for (let n = 0; n < 100; n++) for (let m = n; m < 100; m++) pairs.push(`${n},${m}`);
  const large = cat(chars('19'), DIGIT, DIGIT);
  const small = alt(DIGIT, cat(chars('19'), DIGIT));
  return cat(lit('{'), alt(lits(pairs), cat(small, lit(','), large), cat(alt(small, large), opt(lit(',')))), lit('}'));
}

/** Patterns with groups nested up to `depth` deep. */
export function patternRegex(depth: number): Regex {
  const cls = classRegex();
  const plain = set(0, 0x23, 0x25, 0x27, 0x2c, 0x2d, 0x2f, 0x3e, 0x40, 0x5a, 0x5f, 0x7a, 0x7e, 0x10ffff);
  const quantifier = cat(alt(chars('*', '+', '?'), countsRegex()), opt(lit('?')));
  const anchor = alt(chars('^', '$'));
  const single = alt(plain, lit('.'), escaped, cls);
  const named = cat(lit('?<'), alt(ALPHA, chars('_', '$')), star(alt(ALNUM, chars('_', '$'))), lit('>'));
  let body = star(alt(anchor, cat(single, opt(quantifier))));
  for (let i = 0; i < depth; i++) {
    const choice = cat(body, star(cat(lit('|'), body)));
    const group = cat(lit('('), opt(alt(lits(['?:', '?=', '?!']), named)), choice, lit(')'));
    // What looks behind takes no quantifier.
    const behind = cat(lits(['(?<=', '(?<!']), choice, lit(')'));
    body = star(alt(anchor, behind, cat(alt(single, group), opt(quantifier))));
  }
  const opened = cat(lit('(?<'), alt(ALPHA, chars('_', '$')));
  const twiceNamed = cat(anyString, opened, anyString, opened, anyString);
  return and(cat(body, star(cat(lit('|'), body))), not(twiceNamed));
}

/**
 * A language that holds all patterns: none begins with a quantifier or closes a group that nothing opened, and none opens one that nothing
 * closes.
 */
export function perhapsPattern(): Regex {
  const plain = star(set(0, 0x27, 0x29, 0x5a, 0x5d, 0x10ffff));
  const unopened = cat(star(set(0, 0x27, 0x2a, 0x5a, 0x5d, 0x10ffff)), lit(')'), anyString);
  const unclosed = cat(plain, lit('('), star(set(0, 0x28, 0x2a, 0x5a, 0x5d, 0x10ffff)));
  return not(alt(cat(chars('*', '+', '?'), anyString), unopened, unclosed));
}
