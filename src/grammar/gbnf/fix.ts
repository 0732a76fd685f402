/**
 * What `check --fix` changes: notation brought from elsewhere, names that llama.cpp cannot read, alternatives that are there
 * twice, and the layout. Never the language.
 */
import type { GbnfFile, GbnfNode, GbnfRule } from './ast.js';
import { formatGbnf, formatNode } from './format.js';
import { checkSize, tokenize } from './lexer.js';
import { BYTE_ORDER_MARK, type GbnfOptions, readGbnf } from './parser.js';

/** The file with everything mechanical repaired; as far as its notation where other faults remain. */
export function fixGbnf(source: string, options: GbnfOptions = {}): string {
  const text = fixNotation(source.replace(BYTE_ORDER_MARK, ''));
  const { file, issues } = readGbnf(text, options);
  if (issues.length > 0) return text;
  return formatGbnf(fixRules(file));
}

function fixNotation(source: string): string {
  checkSize(source);
  let out = '';
  let at = 0;
  for (const t of tokenize(source).wrong) {
    const end = t.startOffset + t.image.length;
    let replacement: string | undefined;
    if (t.tokenType.name === 'SingleQuoted')
      replacement = `"${t.image.slice(1, -1).replaceAll("\\'", "'").replaceAll('"', '\\"')}"`;
    else if (t.tokenType.name === 'SlashComment') replacement = `#${t.image.slice(2)}`;
    else if (t.tokenType.name === 'Separator') replacement = ' ';
    else if (t.tokenType.name === 'WrongDefine') {
      const line = source.slice(source.lastIndexOf('\n', t.startOffset - 1) + 1, t.startOffset);
      if (/^\s*[A-Za-z0-9_-]+\s*$/.test(line)) replacement = '::=';
    }
    if (replacement === undefined) continue;
    out += source.slice(at, t.startOffset) + replacement;
    at = end;
  }
  return out + source.slice(at);
}

function fixRules(file: GbnfFile): GbnfFile {
  const taken = new Set(file.rules.map((r) => r.name));
  const renamed = new Map<string, string>();
  for (const { name } of file.rules) {
    if (!name.includes('_')) continue;
    const wish = name.replaceAll('_', '-').replace(/^-+/, '') || 'rule';
    let free = wish;
    for (let n = 2; taken.has(free); n++) free = `${wish}-${n}`;
    taken.add(free);
    renamed.set(name, free);
  }
  const fix = (node: GbnfNode): GbnfNode => {
    switch (node.k) {
      case 'ref':
        return { ...node, name: renamed.get(node.name) ?? node.name };
      case 'seq':
        return { ...node, items: node.items.map(fix) };
      case 'alt': {
        const seen = new Set<string>();
        const items = node.items.map(fix).filter((item) => {
          const text = formatNode(item);
          return !seen.has(text) && seen.add(text) !== undefined;
        });
        return items.length === 1 ? (items[0] as GbnfNode) : { ...node, items };
      }
      case 'repeat':
        return { ...node, item: fix(node.item) };
      default:
        return node;
    }
  };
  const rules = file.rules.map((r): GbnfRule => ({ ...r, name: renamed.get(r.name) ?? r.name, body: fix(r.body) }));
  const byName = new Map(rules.map((rule, i) => [rule.name, i]));
  return { ...file, rules, byName, root: renamed.get(file.root) ?? file.root };
}
