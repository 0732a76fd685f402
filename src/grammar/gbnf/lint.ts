/**
 * What is suspicious about a GBNF file that can be read: rules that do nothing, repeats that loop, alternatives that say the
 * same, and what llama.cpp would refuse or read differently.
 *
 * Severities: `error` is what cannot be right, `warning` what is probably not meant, `note` what other readers do with it.
 */

import { LimitError } from '../../base/errors.js';
import type { Regex } from '../../regular/regex.js';
import { TermStore } from '../../regular/terms.js';
import { altAll, catAll, lit, rep } from '../regex/build.js';
import { components, leftCorners, nullableRules, productive } from './analyze.js';
import type { GbnfFile, GbnfNode, GbnfRule } from './ast.js';
import { formatNode } from './format.js';
import { classRanges, type MidGrammar, SCALARS, toMid } from './mid.js';

export interface Lint {
  readonly severity: 'error' | 'warning' | 'note';
  readonly rule: string;
  readonly message: string;
  readonly start: number;
  readonly end: number;
  readonly hint?: string;
}

/** llama.cpp refuses repeats beyond this. */
const LLAMA_REPEATS = 2_000;
/** Most alternatives that are compared with each other. */
const MAX_COMPARED = 24;

/** Findings of a file without faults (see readGbnf), in order of place. */
export function lintGbnf(file: GbnfFile): Lint[] {
  const linter = new Linter(file);
  linter.run();
  return linter.found.sort((a, b) => a.start - b.start || a.end - b.end);
}

class Linter {
  readonly found: Lint[] = [];
  private readonly store = new TermStore({ search: 2_000 });
  private readonly grammar: MidGrammar;
  /** The rule of each number of `grammar`. */
  private readonly rules: readonly GbnfRule[];

  constructor(private readonly file: GbnfFile) {
    // Every rule must be looked at, also those that the root does not reach.
    const all: GbnfNode = {
      k: 'alt',
      items: file.rules.map((r) => ({ k: 'ref', name: r.name, span: r.span })),
      span: { start: 0, end: 0 },
    };
    const top: GbnfRule = { name: '\0all', nameSpan: all.span, body: all, span: all.span };
    const byName = new Map([...file.byName, [top.name, file.rules.length] as const]);
    this.grammar = toMid({ ...file, rules: [...file.rules, top], byName, root: top.name });
    this.rules = this.grammar.rules.map((r) => this.ruleOf(r.name) ?? top);
  }

  private say(
    severity: Lint['severity'],
    rule: string,
    message: string,
    span: { start: number; end: number },
    hint?: string,
  ): void {
    const lint = { severity, rule, message, start: span.start, end: span.end };
    this.found.push(hint === undefined ? lint : { ...lint, hint });
  }

  run(): void {
    this.uses();
    this.languages();
    this.recursion();
    const visit = (node: GbnfNode, rule: GbnfRule): void => {
      this.node(node, rule);
      if (node.k === 'repeat') visit(node.item, rule);
      else if (node.k === 'seq' || node.k === 'alt') for (const item of node.items) visit(item, rule);
    };
    for (const rule of this.file.rules) {
      visit(rule.body, rule);
      if (rule.name.includes('_')) {
        this.say(
          'note',
          'portability',
          `llama.cpp reads no '_' in rule names ('${rule.name}')`,
          rule.nameSpan,
          `rename it to '${rule.name.replaceAll('_', '-')}'`,
        );
      }
    }
    const heads = new Set(this.file.rules.map((rule) => rule.nameSpan.start));
    for (const at of this.file.looseLines) {
      const [message, hint] = heads.has(at)
        ? ['llama.cpp wants each rule on a line of its own', 'break the line before it']
        : ['llama.cpp ends a rule with its line', "break lines after '|' or '::=', or inside parentheses"];
      this.say('note', 'portability', message, { start: at, end: at + 1 }, hint);
    }
  }

  private uses(): void {
    const used = new Map<string, Set<string>>();
    for (const rule of this.file.rules) {
      const names = new Set<string>();
      collectNames(rule.body, names);
      used.set(rule.name, names);
    }
    const reached = new Set([this.file.root]);
    const queue = [this.file.root];
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      for (const name of used.get(at) ?? []) {
        if (reached.has(name)) continue;
        reached.add(name);
        queue.push(name);
      }
    }
    const mentioned = new Set<string>();
    for (const [name, names] of used) for (const other of names) if (other !== name) mentioned.add(other);
    for (const rule of this.file.rules) {
      if (reached.has(rule.name)) continue;
      if (mentioned.has(rule.name)) {
        this.say(
          'warning',
          'unreachable',
          `rule '${rule.name}' cannot be reached from '${this.file.root}'`,
          rule.nameSpan,
          'remove it, or refer to it',
        );
      } else
        this.say('warning', 'unused', `rule '${rule.name}' is never used`, rule.nameSpan, 'remove it, or refer to it');
    }
  }

  private languages(): void {
    const able = productive(this.grammar);
    this.rules.forEach((rule, r) => {
      if (able[r] || rule.name === '\0all') return;
      const root = rule.name === this.file.root;
      const message = `rule '${rule.name}' derives no text${root ? ', so the grammar is empty' : ''}`;
      this.say(
        root ? 'error' : 'warning',
        'unproductive',
        message,
        rule.nameSpan,
        'give it an alternative that does not need itself',
      );
    });
  }

  private recursion(): void {
    const corners = leftCorners(this.grammar, nullableRules(this.grammar));
    for (const { members, loops } of components(corners)) {
      if (!loops) continue;
      const names = members.map((m) => this.rules[m]?.name as string);
      for (const m of members) {
        const rule = this.rules[m] as GbnfRule;
        const others =
          names.length > 1
            ? ` (through ${names
                .filter((n) => n !== rule.name)
                .slice(0, 5)
                .join(', ')})`
            : '';
        this.say(
          'note',
          'left-recursion',
          `rule '${rule.name}' is left-recursive${others}; llama.cpp refuses it`,
          rule.nameSpan,
          "write 'a ::= b c*' for 'a ::= a c | b'",
        );
      }
    }
  }

  private emptyOf = new Map<string, 'never' | 'may' | 'only'>();

  /** Whether a node never, possibly or only matches the empty text; inside its own rule a reference counts as non-empty. */
  private emptiness(node: GbnfNode, depth = 0): 'never' | 'may' | 'only' {
    const all = (items: readonly GbnfNode[]): ('never' | 'may' | 'only')[] =>
      items.map((item) => this.emptiness(item, depth));
    switch (node.k) {
      case 'literal':
        return node.text === '' ? 'only' : 'never';
      case 'seq': {
        const parts = all(node.items);
        return parts.includes('never') ? 'never' : parts.every((p) => p === 'only') ? 'only' : 'may';
      }
      case 'alt': {
        const parts = all(node.items);
        return parts.every((p) => p === 'never') ? 'never' : parts.every((p) => p === 'only') ? 'only' : 'may';
      }
      case 'repeat': {
        const item = this.emptiness(node.item, depth);
        return item === 'only' || node.max === 0 ? 'only' : node.min === 0 ? 'may' : item;
      }
      case 'ref': {
        const known = this.emptyOf.get(node.name);
        if (known !== undefined) return known;
        const rule = this.ruleOf(node.name);
        if (rule === undefined || depth > 200) return 'never';
        this.emptyOf.set(node.name, 'never');
        const value = this.emptiness(rule.body, depth + 1);
        this.emptyOf.set(node.name, value);
        return value;
      }
      default:
        return 'never';
    }
  }

  private ruleOf(name: string): GbnfRule | undefined {
    const index = this.file.byName.get(name);
    return index === undefined ? undefined : this.file.rules[index];
  }

  private node(node: GbnfNode, rule: GbnfRule): void {
    if (node.k === 'repeat') this.repeat(node);
    else if (node.k === 'alt') this.alternatives(node, rule);
    else if (node.k === 'class' && classRanges(node).length === 0) {
      this.say('warning', 'unproductive', 'this class matches no character', node.span);
    } else if (node.k === 'token' && node.text !== undefined) {
      this.say(
        'note',
        'portability',
        `${formatNode(node)} needs a vocabulary in which its text is one token`,
        node.span,
      );
    }
    if (
      (node.k === 'class' || node.k === 'literal') &&
      /\\-/.test(this.file.source.slice(node.span.start, node.span.end).replaceAll('\\\\', ''))
    ) {
      this.say(
        'note',
        'portability',
        "older llama.cpp knows no escape '\\-'",
        node.span,
        "put '-' last in the class, or write \\x2D",
      );
    }
  }

  private repeat(node: GbnfNode & { k: 'repeat' }): void {
    if (node.max === 0)
      this.say(
        'warning',
        'empty-repeat',
        'repeated zero times: it matches only the empty text',
        node.span,
        'remove it',
      );
    const empty = this.emptiness(node.item);
    if (empty === 'only') this.say('warning', 'empty-loop', 'repeats what is always empty', node.span, 'remove it');
    else if (empty === 'may' && node.max > 1) {
      this.say(
        'warning',
        'nullable-repeat',
        'repeats what may be empty, so the count means nothing and readers may loop',
        node.span,
        'make the item non-empty',
      );
    }
    const most = node.max === Number.POSITIVE_INFINITY ? node.min : node.max;
    if (most > LLAMA_REPEATS) {
      this.say(
        'note',
        'portability',
        `llama.cpp refuses repeat counts above ${LLAMA_REPEATS} or reads them as unbounded`,
        node.span,
        'nest two smaller repeats in rules of their own',
      );
    }
  }

  private alternatives(node: GbnfNode & { k: 'alt' }, rule: GbnfRule): void {
    const seen = new Map<string, GbnfNode>();
    const distinct: GbnfNode[] = [];
    for (const item of node.items) {
      const text = formatNode(item);
      if (seen.has(text))
        this.say(
          'warning',
          'duplicate-alternative',
          `alternative ${text.slice(0, 60)} is there twice`,
          item.span,
          'remove one',
        );
      else distinct.push(item);
      seen.set(text, item);
    }
    if (distinct.length > MAX_COMPARED) return;
    const terms = distinct.map((item) => {
      const re = this.regex(item, { left: 60 });
      return re === undefined ? undefined : this.store.intern(re);
    });
    for (let i = 0; i < distinct.length; i++) {
      for (let j = i + 1; j < distinct.length; j++) {
        const a = terms[i];
        const b = terms[j];
        if (a === undefined || b === undefined) continue;
        const witness = this.witness(a, b);
        if (witness === undefined) continue;
        const text = witness === '' ? 'the empty text' : JSON.stringify(witness);
        const message = `ambiguous in '${rule.name}': ${formatNode(distinct[i] as GbnfNode).slice(0, 40)} and ${formatNode(distinct[j] as GbnfNode).slice(0, 40)} both match ${text}`;
        this.say('warning', 'ambiguous', message, (distinct[j] as GbnfNode).span);
      }
    }
  }

  private witness(a: number, b: number): string | undefined {
    try {
      return this.store.shortest(this.store.and(a, b));
    } catch (error) {
      // Too large to decide cheaply.
      if (error instanceof LimitError) return undefined;
      throw error;
    }
  }

  /** The language of a node without references to rules that are large or recursive. */
  private regex(node: GbnfNode, budget: { left: number }): Regex | undefined {
    if (--budget.left < 0) return undefined;
    const all = (items: readonly GbnfNode[]): Regex[] | undefined => {
      const parts = items.map((item) => this.regex(item, budget));
      return parts.includes(undefined) ? undefined : (parts as Regex[]);
    };
    switch (node.k) {
      case 'literal':
        return lit(node.text);
      case 'class': {
        const ranges = classRanges(node);
        return ranges.length === 0 ? { t: 'never' } : { t: 'set', ranges };
      }
      case 'any':
        return { t: 'set', ranges: SCALARS };
      case 'seq': {
        const parts = all(node.items);
        return parts === undefined ? undefined : catAll(parts);
      }
      case 'alt': {
        const parts = all(node.items);
        return parts === undefined ? undefined : altAll(parts);
      }
      case 'repeat': {
        const item = this.regex(node.item, budget);
        return item === undefined || (node.max > 100 && node.max !== Number.POSITIVE_INFINITY)
          ? undefined
          : rep(item, node.min, node.max);
      }
      case 'ref': {
        const rule = this.ruleOf(node.name);
        return rule === undefined ? undefined : this.regex(rule.body, budget);
      }
      default:
        return undefined;
    }
  }
}

function collectNames(node: GbnfNode, out: Set<string>): void {
  if (node.k === 'ref') out.add(node.name);
  else if (node.k === 'repeat') collectNames(node.item, out);
  else if (node.k === 'seq' || node.k === 'alt') for (const item of node.items) collectNames(item, out);
}
