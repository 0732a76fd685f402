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

const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const line = (x1: number, y1: number, x2: number, y2: number): string => `<path d="M${x1} ${y1}L${x2} ${y2}"/>`;

function leaf(text: string, kind: 'terminal' | 'rule' | 'token'): Box {
  const shown = text.length > 60 ? `${text.slice(0, 59)}…` : text;
  const width = shown.length * CHAR + 18;
  const box = (x: number, y: number): string => {
    const round = kind === 'rule' ? 0 : 11;
    const rect = `<rect class="${kind}" x="${x}" y="${y - 11}" width="${width}" height="22" rx="${round}"/>`;
    const label = `<text x="${x + width / 2}" y="${y + 4}">${escapeXml(shown)}</text>`;
    return kind === 'rule' ? `<a href="#rule-${escapeXml(text)}">${rect}${label}</a>` : rect + label;
  };
  return { width, up: ROW, down: ROW, draw: box };
}

function nothing(): Box {
  return { width: 16, up: 2, down: 2, draw: (x, y) => line(x, y, x + 16, y) };
}

function sequence(items: readonly Box[]): Box {
  if (items.length === 0) return nothing();
  const width = items.reduce((sum, b) => sum + b.width, GAP * (items.length - 1));
  return {
    width,
    up: Math.max(...items.map((b) => b.up)),
    down: Math.max(...items.map((b) => b.down)),
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

/** Branches below each other; the first stays on the line. */
function choice(items: readonly Box[]): Box {
  const inner = Math.max(...items.map((b) => b.width));
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
function loop(item: Box, label: string): Box {
  const side = ARC + 6;
  const width = Math.max(item.width, label.length * CHAR) + 2 * side;
  const below = item.down + 12;
  return {
    width,
    up: item.up,
    down: below + (label === '' ? 4 : 16),
    draw: (x, y) => {
      const left = x + side;
      const right = x + width - side;
      const back = `M${right} ${y}q${ARC} 0 ${ARC} ${ARC}V${y + below - ARC}q0 ${ARC} ${-ARC} ${ARC}H${left}q${-ARC} 0 ${-ARC} ${-ARC}V${y + ARC}q0 ${-ARC} ${ARC} ${-ARC}`;
      const text =
        label === '' ? '' : `<text class="count" x="${x + width / 2}" y="${y + below + 13}">${escapeXml(label)}</text>`;
      return `${line(x, y, left, y)}${item.draw(left, y)}${line(left + item.width, y, x + width, y)}<path d="${back}"/>${text}`;
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
      const label = unbounded
        ? min <= 1
          ? ''
          : `${min} times or more`
        : min === max
          ? `${min} times`
          : `${Math.max(1, min)} to ${max} times`;
      const looped = loop(item, label);
      return min === 0 ? choice([looped, nothing()]) : looped;
    }
    case 'literal':
      return node.text === '' ? nothing() : leaf(formatNode(node), 'terminal');
    default:
      return leaf(formatNode(node), 'terminal');
  }
}

const STYLE = `path{fill:none;stroke:#444;stroke-width:1.5}rect{stroke:#444;stroke-width:1.5}rect.terminal{fill:#e7f5e4}rect.rule{fill:#e4ecf9}rect.token{fill:#f9ecd9}text{font:12px ui-monospace,Menlo,Consolas,monospace;text-anchor:middle;fill:#111}text.count{font-size:10px;fill:#666}circle{fill:#444}a:hover rect{stroke:#06c}`;

/** One rule as a self-contained SVG element. */
export function ruleSvg(body: GbnfNode): string {
  const box = boxOf(body);
  const width = Math.ceil(box.width + 80);
  const height = Math.ceil(box.up + box.down + 20);
  const y = box.up + 10;
  const ends = `<circle cx="14" cy="${y}" r="5"/><circle cx="${width - 14}" cy="${y}" r="5"/>`;
  const lines = line(14, y, 40, y) + line(40 + box.width, y, width - 14, y);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"><style>${STYLE}</style>${lines}${box.draw(40, y)}${ends}</svg>`;
}

/** All rules as one page without outside references. */
export function railroadHtml(file: GbnfFile, title: string): string {
  const rules = [...file.rules].sort((a, b) => Number(b.name === file.root) - Number(a.name === file.root));
  const sections = rules.map(
    (r) => `<section id="rule-${escapeXml(r.name)}"><h2>${escapeXml(r.name)}</h2>${ruleSvg(r.body)}</section>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escapeXml(title)}</title>
<style>body{font:15px system-ui,sans-serif;margin:2em;color:#111;background:#fff}h1{font-size:1.4em}h2{font:600 14px ui-monospace,monospace;margin:1.6em 0 .3em}section{overflow-x:auto}</style>
</head><body><h1>${escapeXml(title)}</h1>
${sections.join('\n')}
</body></html>
`;
}
