/**
 * The standard formats as regular languages.
 *
 * All are regular but for `regex` (nesting), which is enforced up to a nesting of groups, and Punycode: A-labels (`xn--…`) are left
 * out of `hostname` and `idn-hostname` (idn.ts). Leap seconds are admitted where they can occur: 23:59:60 in UTC, seen from offsets of
 * full and half hours. Names that the specifications do not define are annotations.
 *
 * Sources: RFC 3339 (date, time, duration), RFC 5321 and 6531 (mail), RFC 1123 (host names), RFC 4291 (IPv6), RFC 3986 and 3987 (URI,
 * IRI), RFC 6570 (URI templates), RFC 6901 (pointers), ECMA-262 (regex).
 */
import { anyChar, type Regex } from '../../regular/regex.js';
import type { Context } from './context.js';
import { patternRegex, perhapsPattern } from './format-regex.js';
import type { Location } from './load.js';
import { meantFormat } from './misspelled.js';
import { alt, and, cat, chars, lit, lits, not, opt, plus, rep, set, star } from './re.js';
import { between, regularStrings, type StringSet } from './strings.js';

const DIGIT = chars('09');
const ALPHA = chars('az', 'AZ');
const ALNUM = chars('az', 'AZ', '09');
const HEX = chars('09', 'af', 'AF');
const digits = (n: number): Regex => rep(DIGIT, n, n);

// ---- RFC 3339 -------------------------------------------------------------------------------------------------------

function dateRegex(): Regex {
  const year = digits(4);
  const upTo = (last: Regex): Regex => alt(cat(lit('0'), chars('19')), cat(chars('12'), DIGIT), last);
  const long = cat(lits(['01', '03', '05', '07', '08', '10', '12']), lit('-'), upTo(lits(['30', '31'])));
  const short = cat(lits(['04', '06', '09', '11']), lit('-'), upTo(lit('30')));
  const february = cat(lit('02-'), alt(cat(lit('0'), chars('19')), cat(lit('1'), DIGIT), cat(lit('2'), chars('08'))));
  const fours = (first: readonly string[]): Regex => lits(first.filter((t) => Number(t) % 4 === 0));
  const all = Array.from({ length: 100 }, (_, i) => String(i).padStart(2, '0'));
  const leap = alt(cat(digits(2), fours(all.slice(1))), cat(fours(all), lit('00')));
  return alt(cat(year, lit('-'), alt(long, short, february)), cat(leap, lit('-02-29')));
}

function timeRegex(): Regex {
  const hour = alt(cat(chars('01'), DIGIT), cat(lit('2'), chars('03')));
  const minute = cat(chars('05'), DIGIT);
  const fraction = opt(lit('.'), plus(DIGIT));
  const zone = alt(chars('z', 'Z'), cat(chars('+', '-'), hour, lit(':'), minute));
  const usual = cat(hour, lit(':'), minute, lit(':'), minute, fraction, zone);
  const leaps: Regex[] = [cat(lit('23:59:60'), fraction, chars('z', 'Z'))];
  const two = (n: number): string => String(n).padStart(2, '0');
  for (let offset = 0; offset < 24 * 60; offset += 30) {
    const text = `${two(Math.floor(offset / 60))}:${two(offset % 60)}`;
    for (const sign of [1, -1]) {
      const local = (24 * 60 - 1 + sign * offset + 24 * 60) % (24 * 60);
      leaps.push(
        cat(
          lit(`${two(Math.floor(local / 60))}:${two(local % 60)}:60`),
          fraction,
          lit(`${sign > 0 ? '+' : '-'}${text}`),
        ),
      );
    }
  }
  return alt(usual, ...leaps);
}

function durationRegex(): Regex {
  const n = plus(DIGIT);
  const unit = (u: string): Regex => cat(n, lit(u));
  const seconds = unit('S');
  const minutes = cat(unit('M'), opt(seconds));
  const time = cat(lit('T'), alt(seconds, minutes, cat(unit('H'), opt(minutes))));
  const days = unit('D');
  const months = cat(unit('M'), opt(days));
  const years = cat(unit('Y'), opt(months));
  return cat(lit('P'), alt(time, unit('W'), cat(alt(days, months, years), opt(time))));
}

// ---- names and addresses --------------------------------------------------------------------------------------------

const OCTET = alt(
  cat(lit('25'), chars('05')),
  cat(lit('2'), chars('04'), DIGIT),
  cat(lit('1'), DIGIT, DIGIT),
  cat(chars('19'), DIGIT),
  DIGIT,
);
const IPV4 = cat(OCTET, lit('.'), OCTET, lit('.'), OCTET, lit('.'), OCTET);

function ipv6Regex(): Regex {
  const group = rep(HEX, 1, 4);
  const colon = lit(':');
  const many = (n: number): Regex => rep(cat(group, colon), n, n);
  const last = alt(cat(group, colon, group), IPV4);
  const parts: Regex[] = [cat(many(6), last)];
  // k groups before the '::', at most 7 - k after it.
  for (let k = 0; k <= 7; k++) {
    const before = k === 0 ? lit(':') : many(k);
    const room = 7 - k;
    const tails: Regex[] = [];
    if (room >= 1) tails.push(cat(rep(cat(group, colon), 0, room - 1), group));
    if (room >= 2) tails.push(cat(rep(cat(group, colon), 0, room - 2), IPV4));
    parts.push(cat(before, colon, tails.length === 0 ? lit('') : opt(alt(...tails))));
  }
  return alt(...parts);
}
const IPV6 = ipv6Regex();

/** A label of letters, digits and inner hyphens, but no A-label. */
function labelRegex(letter: Regex): Regex {
  const inner = alt(letter, lit('-'));
  const label = cat(letter, opt(rep(inner, 0, 61), letter));
  return and(label, not(cat(chars('x', 'X'), chars('n', 'N'), lit('--'), star(anyChar))));
}
const LABEL = labelRegex(ALNUM);
const hostname = (label: Regex): Regex => and(cat(label, star(cat(lit('.'), label))), rep(anyChar, 1, 253));
const HOSTNAME = hostname(LABEL);
/** Labels that may be A-labels too. */
const HOSTNAME_PERHAPS = hostname(
  alt(LABEL, cat(chars('x', 'X'), chars('n', 'N'), lit('--'), rep(alt(ALNUM, lit('-')), 1, 59))),
);

/** Beyond ASCII, but no surrogate and none of the full stops that look like a dot. */
const BEYOND = set(0x80, 0x3001, 0x3003, 0xd7ff, 0xe000, 0xff0d, 0xff0f, 0xff1f, 0xff21, 0xff60, 0xff62, 0x10ffff);

function emailRegex(wide: boolean): Regex {
  const more = (x: Regex): Regex => (wide ? alt(x, BEYOND) : x);
  const atom = more(
    chars(
      'az',
      'AZ',
      '09',
      '!',
      '#',
      '$',
      '%',
      '&',
      "'",
      '*',
      '+',
      '-',
      '/',
      '=',
      '?',
      '^',
      '_',
      '`',
      '{',
      '|',
      '}',
      '~',
    ),
  );
  const dotted = cat(plus(atom), star(cat(lit('.'), plus(atom))));
  const quoted = cat(
    lit('"'),
    star(alt(more(set(0x20, 0x21, 0x23, 0x5b, 0x5d, 0x7e)), cat(lit('\\'), set(0x20, 0x7e)))),
    lit('"'),
  );
  const letter = more(ALNUM);
  const label = cat(letter, opt(star(alt(letter, lit('-'))), letter));
  const domain = cat(label, star(cat(lit('.'), label)));
  const literal = cat(lit('['), alt(IPV4, cat(lit('IPv6:'), IPV6)), lit(']'));
  return cat(alt(dotted, quoted), lit('@'), alt(domain, literal));
}

// ---- URI, IRI -------------------------------------------------------------------------------------------------------

function uriRegex(wide: boolean, relative: boolean): Regex {
  const unreserved = wide
    ? alt(
        chars('az', 'AZ', '09', '-', '.', '_', '~'),
        set(
          0xa0,
          0xd7ff,
          0xf900,
          0xfdcf,
          0xfdf0,
          0xffef,
          0x10000,
          0x1fffd,
          0x20000,
          0x2fffd,
          0x30000,
          0x3fffd,
          0x40000,
          0xdfffd,
          0xe1000,
          0xefffd,
        ),
      )
    : chars('az', 'AZ', '09', '-', '.', '_', '~');
  const escaped = cat(lit('%'), HEX, HEX);
  const sub = chars('!', '$', '&', "'", '(', ')', '*', '+', ',', ';', '=');
  const pchar = alt(unreserved, escaped, sub, chars(':', '@'));
  const query = star(
    alt(pchar, chars('/', '?'), ...(wide ? [set(0xe000, 0xf8ff, 0xf0000, 0xffffd, 0x100000, 0x10fffd)] : [])),
  );
  const fragment = star(alt(pchar, chars('/', '?')));
  const tail = cat(opt(lit('?'), query), opt(lit('#'), fragment));
  const segments = star(cat(lit('/'), star(pchar)));
  const future = cat(
    chars('v', 'V'),
    plus(HEX),
    lit('.'),
    plus(alt(chars('az', 'AZ', '09', '-', '.', '_', '~', ':'), sub)),
  );
  const host = alt(cat(lit('['), alt(IPV6, future), lit(']')), star(alt(unreserved, escaped, sub)));
  const authority = cat(opt(star(alt(unreserved, escaped, sub, lit(':'))), lit('@')), host, opt(lit(':'), star(DIGIT)));
  const absolute = cat(lit('/'), opt(plus(pchar), segments));
  const rootless = cat(plus(pchar), segments);
  const hier = alt(cat(lit('//'), authority, segments), absolute, rootless, lit(''));
  const full = cat(ALPHA, star(alt(ALNUM, chars('+', '-', '.'))), lit(':'), hier, tail);
  if (!relative) return full;
  const noColon = plus(alt(unreserved, escaped, sub, lit('@')));
  return alt(full, cat(alt(cat(lit('//'), authority, segments), absolute, cat(noColon, segments), lit('')), tail));
}

function uriTemplateRegex(): Regex {
  const escaped = cat(lit('%'), HEX, HEX);
  const literal = alt(
    set(
      0x21,
      0x21,
      0x23,
      0x24,
      0x26,
      0x3b,
      0x3d,
      0x3d,
      0x3f,
      0x5b,
      0x5d,
      0x5d,
      0x5f,
      0x5f,
      0x61,
      0x7a,
      0x7e,
      0x7e,
      0xa0,
      0xd7ff,
      0xe000,
      0x10ffff,
    ),
    escaped,
  );
  const varchar = alt(chars('az', 'AZ', '09', '_'), escaped);
  const name = cat(plus(varchar), star(cat(lit('.'), plus(varchar))));
  const spec = cat(name, opt(alt(lit('*'), cat(lit(':'), chars('19'), rep(DIGIT, 0, 3)))));
  const operator = opt(chars('+', '#', '.', '/', ';', '?', '&', '=', ',', '!', '@', '|'));
  return star(alt(literal, cat(lit('{'), operator, spec, star(cat(lit(','), spec)), lit('}'))));
}

// ---- others ---------------------------------------------------------------------------------------------------------

const POINTER = star(cat(lit('/'), star(alt(set(0, 0x2e, 0x30, 0x7d, 0x7f, 0x10ffff), cat(lit('~'), chars('01'))))));
const NATURAL = alt(lit('0'), cat(chars('19'), star(DIGIT)));
const RELATIVE_POINTER = cat(NATURAL, alt(lit('#'), POINTER));
const UUID = cat(rep(HEX, 8, 8), ...[4, 4, 4, 12].flatMap((n) => [lit('-'), rep(HEX, n, n)]));

const DATE = dateRegex();
const TIME = timeRegex();

const strings = (re: Regex): StringSet => regularStrings([re]);

const FORMATS: ReadonlyMap<string, StringSet> = new Map([
  ['date', strings(DATE)],
  ['date-time', strings(cat(DATE, chars('t', 'T'), TIME))],
  ['duration', strings(durationRegex())],
  ['email', strings(emailRegex(false))],
  ['hostname', between(HOSTNAME, HOSTNAME_PERHAPS)],
  ['idn-email', strings(emailRegex(true))],
  ['ipv4', strings(IPV4)],
  ['ipv6', strings(IPV6)],
  ['iri', strings(uriRegex(true, false))],
  ['iri-reference', strings(uriRegex(true, true))],
  ['json-pointer', strings(POINTER)],
  ['regex', between(patternRegex(3), perhapsPattern())],
  ['relative-json-pointer', strings(RELATIVE_POINTER)],
  ['time', strings(TIME)],
  ['uri', strings(uriRegex(false, false))],
  ['uri-reference', strings(uriRegex(false, true))],
  ['uri-template', strings(uriTemplateRegex())],
  ['uuid', strings(UUID)],
]);

/** The strings of a format; undefined where it is an annotation. */
export function formatStrings(context: Context, at: Location, name: string): StringSet | undefined {
  if (context.settings.formats === 'annotate') return undefined;
  const found = FORMATS.get(name);
  if (found === undefined) {
    if (name === 'idn-hostname') return context.idnHostname(LABEL);
    const meant = meantFormat(name, FORMATS.keys());
    const what = `unknown format '${name}': an annotation`;
    if (meant !== undefined)
      context.report(`${at.pointer}/format`, 'format', 'warning', `${what}; did you mean '${meant}'?`);
    else if (context.verbose) context.report(`${at.pointer}/format`, 'format', 'info', what);
  }
  return found;
}
