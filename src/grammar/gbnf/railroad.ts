/**
 * Railroad diagrams of GBNF rules as SVG.
 *
 * Every node is laid out once into a box with a line through it (width, height above and below the line) and a function that
 * draws it at a place; boxes compose, so the layout is linear in the size of the rule.
 */
import type { GbnfFile, GbnfNode } from './ast.js';
import { formatNode } from './format.js';

interface Box {
  readonly width: number;
  /** Above and below the line that enters on the left and leaves on the right. */
  readonly up: number;
  readonly down: number;
  draw(x: number, y: number): string;
}

const CHAR = 7.4;
const GAP = 10;
const ROW = 11;
const ARC = 8;
/** Sequences wider than this go on in a further row. */
const WRAP = 900;
/** Most branches of a choice that are drawn. */
const BRANCHES = 100;
/** Most columns of a label; the whole text is its tooltip. */
const COLUMNS = 60;

const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const line = (x1: number, y1: number, x2: number, y2: number): string => `<path d="M${x1} ${y1}L${x2} ${y2}"/>`;

/** The greatest of a number per box: lists of alternatives can be longer than an argument list may be. */
const greatest = (boxes: readonly Box[], of: (box: Box) => number): number =>
  boxes.reduce((most, box) => Math.max(most, of(box)), 0);

/** East Asian wide characters and emoji take two columns. */
const WIDE = /[\p{Emoji_Presentation}\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\u3000-\u303f\uff01-\uff60]/u;

/** A text cut to {@link COLUMNS}, and how many columns it takes. */
function label(text: string): { readonly shown: string; readonly columns: number } {
  let columns = 0;
  let shown = '';
  for (const c of text) {
    const width = WIDE.test(c) ? 2 : 1;
    if (columns + width > COLUMNS) return { shown: `${shown}…`, columns: columns + 1 };
    columns += width;
    shown += c;
  }
  return { shown, columns };
}

function leaf(text: string, kind: 'terminal' | 'rule' | 'token' | 'more'): Box {
  const { shown, columns } = label(text);
  const width = columns * CHAR + 18;
  const title = shown === text ? '' : `<title>${escapeXml(text)}</title>`;
  const box = (x: number, y: number): string => {
    const round = kind === 'rule' ? 0 : 11;
    const rect = `<rect class="${kind}" x="${x}" y="${y - 11}" width="${width}" height="22" rx="${round}"/>`;
    const body = `${rect}<text x="${x + width / 2}" y="${y + 4}">${escapeXml(shown)}</text>${title}`;
    return kind === 'rule' ? `<a href="#rule-${escapeXml(text)}">${body}</a>` : title === '' ? body : `<g>${body}</g>`;
  };
  return { width, up: ROW, down: ROW, draw: box };
}

function nothing(): Box {
  return { width: 16, up: 2, down: 2, draw: (x, y) => line(x, y, x + 16, y) };
}

function row(items: readonly Box[]): Box {
  return {
    width: items.reduce((sum, b) => sum + b.width, GAP * (items.length - 1)),
    up: greatest(items, (b) => b.up),
    down: greatest(items, (b) => b.down),
    draw: (x, y) => {
      let at = x;
      return items
        .map((b, i) => {
          const out = (i > 0 ? line(at, y, at + GAP, y) : '') + b.draw(at + (i > 0 ? GAP : 0), y);
          at += b.width + (i > 0 ? GAP : 0);
          return out;
        })
        .join('');
    },
  };
}

/** Items in rows; the line goes back below each row to the beginning of the next. */
function sequence(items: readonly Box[]): Box {
  if (items.length === 0) return nothing();
  const one = row(items);
  // A little more than a row is better than a row and a rest.
  if (one.width <= 1.3 * WRAP) return one;
  const rows: Box[][] = [[]];
  let width = 0;
  for (const item of items) {
    if (width > 0 && width + item.width > WRAP) {
      rows.push([]);
      width = 0;
    }
    rows[rows.length - 1]?.push(item);
    width += item.width + GAP;
  }
  return rows.length === 1 ? one : stacked(rows.map(row));
}

function stacked(rows: readonly Box[]): Box {
  const inner = greatest(rows, (b) => b.width);
  const offsets: number[] = [];
  let down = 0;
  rows.forEach((b, i) => {
    offsets.push(i === 0 ? 0 : down + 3 * ARC + b.up);
    down = (offsets[i] as number) + b.down;
  });
  return {
    width: inner + 5 * ARC,
    up: rows[0]?.up ?? 0,
    down,
    draw: (x, y) => {
      const left = x + 2 * ARC;
      const right = left + inner;
      const out = [line(x, y, left, y)];
      rows.forEach((b, i) => {
        const at = y + (offsets[i] as number);
        const end = left + b.width;
        out.push(b.draw(left, at));
        if (i === rows.length - 1) {
          // Up again to the line on which boxes end.
          const up = `q${ARC} 0 ${ARC} ${-ARC}V${y + ARC}q0 ${-ARC} ${ARC} ${-ARC}`;
          out.push(`<path d="M${end} ${at}H${right + ARC}${up}"/>`);
          return;
        }
        const between = at + b.down + ARC + 4;
        const next = y + (offsets[i + 1] as number);
        const back = `M${end} ${at}q${ARC} 0 ${ARC} ${ARC}V${between - ARC}q0 ${ARC} ${-ARC} ${ARC}H${left}`;
        out.push(`<path d="${back}q${-ARC} 0 ${-ARC} ${ARC}V${next - ARC}q0 ${ARC} ${ARC} ${ARC}"/>`);
        out.push(arrow((left + end) / 2, between));
      });
      return out.join('');
    },
  };
}

/** A head on a line that goes back to the left. */
function arrow(x: number, y: number): string {
  return `<path class="arrow" d="M${x - 4} ${y}l7 -4v8z"/>`;
}

/** Branches below each other; the first stays on the line. */
function choice(all: readonly Box[]): Box {
  const rest = all.length - BRANCHES;
  const items = rest > 1 ? [...all.slice(0, BRANCHES), leaf(`… and ${rest} more`, 'more')] : all;
  const inner = greatest(items, (b) => b.width);
  const offsets: number[] = [];
  let down = 0;
  items.forEach((b, i) => {
    offsets.push(i === 0 ? 0 : down + 8 + b.up);
    down = (offsets[i] as number) + b.down;
  });
  const side = 2 * ARC + 4;
  return {
    width: inner + 2 * side,
    up: items[0]?.up ?? 0,
    down,
    draw: (x, y) =>
      items
        .map((b, i) => {
          const at = y + (offsets[i] as number);
          const left = x + side;
          const right = left + inner;
          const body = b.draw(left, at) + line(left + b.width, at, right, at);
          if (i === 0) return line(x, y, left, y) + body + line(right, y, right + side, y);
          const enter = `M${x} ${y}q${ARC} 0 ${ARC} ${ARC}V${at - ARC}q0 ${ARC} ${ARC} ${ARC}H${left}`;
          const leave = `M${right} ${at}h4q${ARC} 0 ${ARC} ${-ARC}V${y + ARC}q0 ${-ARC} ${ARC} ${-ARC}`;
          return `<path d="${enter}"/>${body}<path d="${leave}"/>`;
        })
        .join(''),
  };
}

/** The item with a way back below it, which says how often. */
function loop(item: Box, times: string): Box {
  const side = ARC + 6;
  const width = Math.max(item.width, times.length * CHAR) + 2 * side;
  const below = item.down + 12;
  return {
    width,
    up: item.up,
    down: below + (times === '' ? 4 : 16),
    draw: (x, y) => {
      const left = x + side;
      const right = x + width - side;
      const back = `M${right} ${y}q${ARC} 0 ${ARC} ${ARC}V${y + below - ARC}q0 ${ARC} ${-ARC} ${ARC}H${left}q${-ARC} 0 ${-ARC} ${-ARC}V${y + ARC}q0 ${-ARC} ${ARC} ${-ARC}`;
      const text =
        times === '' ? '' : `<text class="count" x="${x + width / 2}" y="${y + below + 13}">${escapeXml(times)}</text>`;
      return `${line(x, y, left, y)}${item.draw(left, y)}${line(left + item.width, y, x + width, y)}<path d="${back}"/>${arrow(x + width / 2, y + below)}${text}`;
    },
  };
}

function boxOf(node: GbnfNode): Box {
  switch (node.k) {
    case 'ref':
      return leaf(node.name, 'rule');
    case 'token':
      return leaf(formatNode(node), 'token');
    case 'seq':
      return sequence(node.items.map(boxOf));
    case 'alt':
      return choice(node.items.map(boxOf));
    case 'repeat': {
      const { min, max } = node;
      if (max === 0) return nothing();
      const item = boxOf(node.item);
      if (min === 0 && max === 1) return choice([item, nothing()]);
      const unbounded = max === Number.POSITIVE_INFINITY;
      const times = unbounded
        ? min <= 1
          ? ''
          : `${min} times or more`
        : min === max
          ? `${min} times`
          : `${Math.max(1, min)} to ${max} times`;
      const looped = loop(item, times);
      return min === 0 ? choice([looped, nothing()]) : looped;
    }
    case 'literal':
      return node.text === '' ? nothing() : leaf(formatNode(node), 'terminal');
    default:
      return leaf(formatNode(node), 'terminal');
  }
}

const STYLE = `path{fill:none;stroke:#444;stroke-width:1.5}.arrow,circle{fill:#444;stroke:none}rect{stroke:#444;stroke-width:1.5}.terminal{fill:#e7f5e4}.rule{fill:#e4ecf9}.token{fill:#f9ecd9}.more{fill:none;stroke-dasharray:3}text{font:12px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;text-anchor:middle;fill:#111}.count{font-size:10px;fill:#666}a:hover rect{stroke:#06c}@media(prefers-color-scheme:dark){path,rect{stroke:#aaa}.arrow,circle{fill:#aaa}.terminal{fill:#1d3a1a}.rule{fill:#1c2d4d}.token{fill:#4a3512}text{fill:#eee}.count{fill:#aaa}a:hover rect{stroke:#6af}}`;

/** One rule as a self-contained SVG element. */
export function ruleSvg(body: GbnfNode): string {
  return svg(body, `<style>${STYLE}</style>`);
}

function svg(body: GbnfNode, style: string): string {
  const box = boxOf(body);
  const width = Math.ceil(box.width + 80);
  const height = Math.ceil(box.up + box.down + 20);
  const y = box.up + 10;
  const ends = `<circle cx="14" cy="${y}" r="5"/><circle cx="${width - 14}" cy="${y}" r="5"/>`;
  const lines = line(14, y, 40, y) + line(40 + box.width, y, width - 14, y);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${style}${lines}${box.draw(40, y)}${ends}</svg>`;
}

const PAGE = `:root{color-scheme:light dark}body{font:15px system-ui,sans-serif;margin:2em;color:#111;background:#fff}h1{font-size:1.4em}h2{font:600 14px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;margin:1.6em 0 .3em}h2 small{font:12px system-ui,sans-serif;color:#666;margin-left:1em}section{overflow-x:auto}section:target h2{color:#06c}nav{columns:14em;font:13px ui-monospace,monospace;line-height:1.6}nav a,h2 a{color:inherit}@media(prefers-color-scheme:dark){body{color:#eee;background:#1b1b1b}h2 small{color:#aaa}section:target h2{color:#6af}}`;
/** Users of a rule that its heading names. */
const USERS = 8;

/** All rules as one page without outside references: an index, and a diagram per rule with the rules that use it. */
export function railroadHtml(file: GbnfFile, title: string): string {
  const rules = [...file.rules].sort((a, b) => Number(b.name === file.root) - Number(a.name === file.root));
  const users = new Map<string, Set<string>>(rules.map((r) => [r.name, new Set()]));
  const visit = (node: GbnfNode, user: string): void => {
    if (node.k === 'ref') users.get(node.name)?.add(user);
    else if (node.k === 'repeat') visit(node.item, user);
    else if (node.k === 'seq' || node.k === 'alt') for (const item of node.items) visit(item, user);
  };
  for (const rule of rules) visit(rule.body, rule.name);
  const link = (name: string): string => `<a href="#rule-${escapeXml(name)}">${escapeXml(name)}</a>`;
  const sections = rules.map((r) => {
    const by = [...(users.get(r.name) as Set<string>)];
    const more = by.length > USERS ? ` and ${by.length - USERS} more` : '';
    const used = by.length === 0 ? '' : `<small>used by ${by.slice(0, USERS).map(link).join(', ')}${more}</small>`;
    return `<section id="rule-${escapeXml(r.name)}"><h2>${escapeXml(r.name)}${used}</h2>${svg(r.body, '')}</section>`;
  });
  const index = rules.length < 5 ? '' : `<nav>${rules.map((r) => link(r.name)).join('<br>')}</nav>\n`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeXml(title)}</title>
<style>${PAGE}${STYLE}</style>
</head><body><h1>${escapeXml(title)}</h1>
${index}${sections.join('\n')}
</body></html>
`;
}
