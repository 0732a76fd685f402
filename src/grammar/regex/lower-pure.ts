/** Parts of a pattern without assertions: they map to {@link Regex} node by node. */
import type { Regex } from '../../regular/regex.js';
import type { Node } from './ast.js';
import { alt, altAll, cat, catAll, lit, rep, set } from './build.js';
import type { CapturedGroup, captures } from './captures.js';
import { regexError } from './escapes.js';
import { finite } from './facts.js';
import { evaluateSet } from './sets.js';
import { dotRanges, foldRanges, type UnicodeCache } from './unicode.js';

/** Flags in force at a node. */
export interface Env {
  readonly ignoreCase: boolean;
  readonly multiline: boolean;
  readonly dotAll: boolean;
}

/** The flags inside of a group that changes some. */
export function changed(env: Env, add: string, remove: string): Env {
  const on = (flag: string, was: boolean): boolean => (was || add.includes(flag)) && !remove.includes(flag);
  return { ignoreCase: on('i', env.ignoreCase), multiline: on('m', env.multiline), dotAll: on('s', env.dotAll) };
}

export class PureParts {
  /** Literal values of captured groups, while references to them are expanded. */
  readonly bound = new Map<number, string>();
  private readonly pureCache = new WeakMap<Node, boolean>();

  constructor(
    private readonly source: string,
    private readonly unicode: boolean,
    private readonly sets: boolean,
    private readonly cache: UnicodeCache,
    private readonly groups: ReturnType<typeof captures>,
  ) {}

  /** Whether there is no assertion in it. */
  isPure(node: Node): boolean {
    const known = this.pureCache.get(node);
    if (known !== undefined) return known;
    const pure =
      'items' in node
        ? node.items.every((item) => this.isPure(item))
        : node.k === 'look' || node.k === 'assert'
          ? false
          : 'item' in node
            ? this.isPure(node.item)
            : true;
    this.pureCache.set(node, pure);
    return pure;
  }

  /** The language of a node without assertions. @throws GrammarError for one that has some */
  pure(node: Node, env: Env): Regex {
    switch (node.k) {
      case 'char': {
        const one = [node.cp, node.cp];
        return env.ignoreCase ? set(foldRanges(one, this.cache, this.unicode)) : set(one);
      }
      case 'dot':
        return set(dotRanges(env.dotAll));
      case 'set': {
        const { source, unicode, sets, cache } = this;
        const value = evaluateSet(node.set, { source, ignoreCase: env.ignoreCase, unicode, sets, cache });
        return alt(...value.texts.map((text) => this.literal(text, env)), set(value.ranges));
      }
      case 'seq':
        return catAll(node.items.map((item) => this.pure(item, env)));
      case 'alt':
        return altAll(node.items.map((item) => this.pure(item, env)));
      case 'repeat':
        return rep(this.pure(node.item, env), node.min, node.max);
      case 'flags':
        return this.pure(node.item, changed(env, node.add, node.remove));
      case 'group': {
        const value = this.bound.get(node.index);
        const item = this.pure(node.item, env);
        return value === undefined ? item : lit(value);
      }
      case 'backref': {
        const texts = this.groups.targets(node).map((index) => this.bound.get(index) ?? '');
        return this.literal(texts.join(''), env);
      }
      default:
        throw regexError(this.source, node.place, 'assertion in an unexpected place');
    }
  }

  private literal(text: string, env: Env): Regex {
    if (!env.ignoreCase) return lit(text);
    return cat(
      ...[...text].map((c) =>
        set(foldRanges([c.codePointAt(0) as number, c.codePointAt(0) as number], this.cache, this.unicode)),
      ),
    );
  }

  /** The values of a group that references may stand for. @throws GrammarError where they are too many */
  valuesOf(group: CapturedGroup, outer: Env): string[] {
    const env = group.modifiers.reduce((e, m) => changed(e, m.add, m.remove), outer);
    const values = this.isPure(group.node) ? finite(this.pure(group.node, env), 64) : undefined;
    if (values !== undefined) return values;
    throw regexError(
      this.source,
      group.place,
      `group ${group.index} has more than 64 values (or assertions), so a reference to it is not a regular expression`,
      'repeat the group instead of referring to it',
    );
  }
}
