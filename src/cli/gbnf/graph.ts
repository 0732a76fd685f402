/** `tokenloom gbnf graph`: a grammar as railroad diagrams or as the graph of its rules. */
import path from 'node:path';
import { type Command, Option } from 'commander';
import { nearest } from '../../base/nearest.js';
import type { GbnfFile, GbnfNode } from '../../grammar/gbnf/ast.js';
import { formatNode } from '../../grammar/gbnf/format.js';
import { parseGbnf } from '../../grammar/gbnf/index.js';
import { railroadHtml, ruleSvg } from '../../grammar/gbnf/railroad.js';
import { CliError, EXIT } from '../exit.js';
import { readText, writeText } from '../files.js';
import { type Finish, named, needsGbnf } from './input.js';

interface Flags {
  readonly format: string;
  readonly root?: string;
  readonly output?: string;
  readonly rule?: string;
}

export function addGraphCommand(parent: Command, finish: Finish): void {
  parent
    .command('graph')
    .description('draw a grammar')
    .argument('<grammar>', 'GBNF file')
    .addOption(
      new Option(
        '-f, --format <format>',
        'railroad: one HTML page; svg: one rule; dot, mermaid, json: which rule refers to which',
      )
        .choices(['railroad', 'svg', 'dot', 'mermaid', 'json'])
        .default('railroad'),
    )
    .option('--root <rule>', "start rule ('root' by default)")
    .option('--rule <rule>', 'the rule to draw with --format svg (the start rule by default)')
    .option('-o, --output <file>', 'write there instead of standard output')
    .addHelpText(
      'after',
      `
Examples:
  $ tokenloom gbnf graph json.gbnf -o json.html
  $ tokenloom gbnf graph json.gbnf --format dot | dot -Tsvg > json.svg
  $ tokenloom gbnf graph json.gbnf --format svg --rule value > value.svg`,
    )
    .action(async (file: string, flags: Flags) => {
      needsGbnf(file);
      const source = await readText(file);
      const grammar = named(file, () => parseGbnf(source, flags.root === undefined ? {} : { root: flags.root }));
      const text = draw(grammar, path.basename(file), flags);
      if (flags.output === undefined) process.stdout.write(text);
      else await writeText(flags.output, text);
      finish(EXIT.ok);
    });
}

function draw(file: GbnfFile, title: string, flags: Flags): string {
  switch (flags.format) {
    case 'svg': {
      const name = flags.rule ?? file.root;
      const rule = file.rules.find((r) => r.name === name);
      if (rule === undefined) {
        const near = nearest(name, file.byName.keys());
        throw new CliError(
          `${title}: there is no rule '${name}' to draw${near === undefined ? '' : `; did you mean '${near}'?`}`,
        );
      }
      return `${ruleSvg(rule.body)}\n`;
    }
    case 'dot':
      return dot(file);
    case 'mermaid':
      return mermaid(file);
    case 'json':
      return `${JSON.stringify({ root: file.root, rules: file.rules.map((r) => ({ name: r.name, body: formatNode(r.body), refers: [...refers(r.body)] })) }, null, 2)}\n`;
    default:
      return railroadHtml(file, title);
  }
}

function refers(node: GbnfNode, out = new Set<string>()): Set<string> {
  if (node.k === 'ref') out.add(node.name);
  else if (node.k === 'repeat') refers(node.item, out);
  else if (node.k === 'seq' || node.k === 'alt') for (const item of node.items) refers(item, out);
  return out;
}

function dot(file: GbnfFile): string {
  const lines = [
    'digraph grammar {',
    '  rankdir=LR;',
    '  node [shape=box, fontname="monospace"];',
    `  "${file.root}" [peripheries=2];`,
  ];
  for (const rule of file.rules) {
    const body = formatNode(rule.body);
    lines.push(`  "${rule.name}" [tooltip=${JSON.stringify(body.slice(0, 200))}];`);
    for (const name of refers(rule.body)) lines.push(`  "${rule.name}" -> "${name}";`);
  }
  return `${lines.join('\n')}\n}\n`;
}

function mermaid(file: GbnfFile): string {
  const ids = new Map(file.rules.map((r, i) => [r.name, `r${i}`]));
  const lines = ['flowchart LR'];
  for (const rule of file.rules) {
    const id = ids.get(rule.name);
    lines.push(rule.name === file.root ? `  ${id}([${rule.name}])` : `  ${id}[${rule.name}]`);
  }
  for (const rule of file.rules)
    for (const name of refers(rule.body)) lines.push(`  ${ids.get(rule.name)} --> ${ids.get(name)}`);
  return `${lines.join('\n')}\n`;
}
