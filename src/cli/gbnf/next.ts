/** `tokenloom gbnf next`: what may follow a prefix, as characters with the rules that allow them, and as tokens. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { compileGrammar, Matcher, Vocabulary } from '../../fsm/index.js';
import { spellTokens, Tracer } from '../../grammar/gbnf/trace.js';
import type { Grammar } from '../../grammar/ir.js';
import { EXIT } from '../exit.js';
import { type Finish, readGrammar, showRanges } from './input.js';
import { matchText } from './match.js';

interface Flags {
  readonly root?: string;
  readonly tokenizer?: string;
  readonly json?: boolean;
}

export function addNextCommand(parent: Command, finish: Finish): void {
  parent
    .command('next')
    .description('show what may come after a prefix')
    .argument('<grammar>', 'GBNF file')
    .argument('[prefix]', 'text so far', '')
    .option('--root <rule>', "start rule ('root' by default)")
    .option('--tokenizer <file>', 'tokenizer.json, or a folder that holds one: show tokens too')
    .option('--json', 'result as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ tokenloom gbnf next json.gbnf '{"a": '
  $ tokenloom gbnf next json.gbnf '[1' --tokenizer models/embedded/tokenizer.json`,
    )
    .action(async (file: string, prefix: string, flags: Flags) => {
      const { grammar, isGbnf } = await readGrammar(file, flags.root);
      const spelled = spellTokens(grammar);
      const tracer = isGbnf ? new Tracer(spelled) : undefined;
      const fits = tracer === undefined || [...prefix].every((c) => tracer.step(c.codePointAt(0) as number));
      if (!fits) {
        const failed = matchText(spelled, prefix, true);
        const where = `line ${failed.line}, column ${failed.column} (byte ${failed.byte})`;
        process.stdout.write(
          flags.json === true
            ? `${JSON.stringify({ fits: false, ...failed })}\n`
            : `the prefix does not fit: it fails at ${where}\n`,
        );
        finish(EXIT.mismatch);
        return;
      }
      const tokens = flags.tokenizer === undefined ? undefined : await allowedTokens(grammar, prefix, flags.tokenizer);
      const expected = tracer?.expected() ?? [];
      const complete = tracer?.accepting ?? false;
      if (flags.json === true) {
        const characters = expected.map(({ ranges, rules }) => ({ ranges, rules }));
        process.stdout.write(
          `${JSON.stringify({ fits: true, complete, characters, ...(tokens === undefined ? {} : { tokens }) })}\n`,
        );
      } else {
        const lines: string[] = [];
        if (complete) lines.push('the text may end here');
        for (const { ranges, rules } of expected) lines.push(`${rules.join(' > ')}:  ${showRanges(ranges)}`);
        if (expected.length === 0 && tracer !== undefined) lines.push('nothing may follow');
        if (tokens !== undefined) lines.push(...showTokens(tokens));
        process.stdout.write(`${lines.join('\n')}\n`);
      }
      finish(EXIT.ok);
    });
}

interface TokenGroup {
  readonly prefix: string;
  readonly count: number;
  readonly examples: readonly string[];
}
interface Tokens {
  readonly allowed: number;
  readonly of: number;
  readonly forced: string;
  readonly groups: readonly TokenGroup[];
}

async function allowedTokens(grammar: Grammar, prefix: string, given: string): Promise<Tokens> {
  const file = given.endsWith('.json') ? given : path.join(given, 'tokenizer.json');
  const vocabulary = Vocabulary.fromTokenizerJson(JSON.parse(await readFile(file, 'utf8')));
  const matcher = new Matcher(compileGrammar(grammar), vocabulary);
  matcher.acceptBytes(new TextEncoder().encode(prefix));
  const mask = new Uint32Array(Math.ceil(vocabulary.size / 32));
  matcher.fillMask(mask);
  const byFirst = new Map<string, string[]>();
  let allowed = 0;
  const decoder = new TextDecoder();
  for (let id = 0; id < vocabulary.size; id++) {
    if ((((mask[id >> 5] as number) >>> (id & 31)) & 1) === 0) continue;
    allowed++;
    const bytes = vocabulary.tokenBytes(id);
    const text = bytes.length === 0 ? `<[${id}]>` : decoder.decode(bytes);
    const first = [...text][0] as string;
    const list = byFirst.get(first) ?? [];
    list.push(text);
    byFirst.set(first, list);
  }
  const groups = [...byFirst]
    .map(([first, list]) => ({
      prefix: first,
      count: list.length,
      examples: list.sort((a, b) => a.length - b.length).slice(0, 6),
    }))
    .sort((a, b) => b.count - a.count);
  return { allowed, of: vocabulary.size, forced: decoder.decode(matcher.forcedBytes()), groups };
}

function showTokens(tokens: Tokens): string[] {
  const lines = [
    `tokens: ${tokens.allowed} of ${tokens.of}${tokens.forced === '' ? '' : `; forced: ${JSON.stringify(tokens.forced)}`}`,
  ];
  for (const { prefix, count, examples } of tokens.groups.slice(0, 40)) {
    lines.push(
      `  ${JSON.stringify(prefix)} ${count}: ${examples.map((e) => JSON.stringify(e)).join(' ')}${count > examples.length ? ' …' : ''}`,
    );
  }
  if (tokens.groups.length > 40) lines.push(`  and ${tokens.groups.length - 40} more groups`);
  return lines;
}
