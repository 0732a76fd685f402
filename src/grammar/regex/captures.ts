/**
 * Which groups are referred to, and whether a reference denotes something regular: the group must have matched exactly once
 * whenever the reference is reached, so between the group and the nearest node above both stands no alternative, repeat or
 * lookaround, and no repeat stands above both. A reference in front of or inside its own group matches the empty string.
 */
import type { Node, Pattern, Place } from './ast.js';
import { regexError } from './escapes.js';

export interface Captures {
  /** Groups with a reference that sees their value. */
  readonly referenced: readonly CapturedGroup[];
  /** Numbers of the groups that a reference may see (in order; none: it matches the empty string). */
  targets(node: Node & { k: 'backref' }): readonly number[];
}

export interface CapturedGroup {
  readonly index: number;
  readonly node: Node;
  readonly place: Place;
  /** Modifier nodes around the group, from the outside in. */
  readonly modifiers: readonly (Node & { k: 'flags' })[];
}

export function captures(pattern: Pattern, source: string): Captures {
  const paths = new Map<number, readonly Node[]>();
  const references: { node: Node & { k: 'backref' }; path: readonly Node[] }[] = [];
  const visit = (node: Node, path: readonly Node[]): void => {
    const here = [...path, node];
    if (node.k === 'group') paths.set(node.index, here);
    if (node.k === 'backref') references.push({ node, path: here });
    if ('items' in node) for (const item of node.items) visit(item, here);
    else if ('item' in node) visit(node.item, here);
  };
  const none: Captures = { referenced: [], targets: () => [] };
  if (!mentionsReference(pattern.root)) return none;
  visit(pattern.root, []);
  const seen = new Map<Node, number[]>();
  const referenced = new Map<number, CapturedGroup>();
  for (const { node, path } of references) {
    const indices = typeof node.to === 'number' ? [node.to] : (pattern.names.get(node.to) ?? []);
    const visible: number[] = [];
    for (const index of indices) {
      const groupPath = paths.get(index) ?? [];
      const group = groupPath[groupPath.length - 1];
      if (group?.k !== 'group' || group.place.end > node.place.start) continue;
      let common = 0;
      while (groupPath[common] !== undefined && groupPath[common] === path[common]) common++;
      const above = groupPath.slice(0, common);
      const between = groupPath.slice(common, -1);
      const plain = between.every((n) => n.k === 'seq' || n.k === 'group' || n.k === 'flags');
      const lowest = above[common - 1];
      if (!plain || lowest?.k === 'alt' || above.some((n) => n.k === 'repeat' || n.k === 'look')) {
        throw regexError(
          source,
          node.place,
          'this reference is not a regular expression: its group is in an alternative, repeat or lookaround of its own',
          'write the alternatives out',
        );
      }
      visible.push(index);
      const modifiers = groupPath.filter((n): n is Node & { k: 'flags' } => n.k === 'flags');
      referenced.set(index, { index, node: group.item, place: group.place, modifiers });
    }
    seen.set(node, visible);
  }
  return { referenced: [...referenced.values()], targets: (node) => seen.get(node) ?? [] };
}

function mentionsReference(node: Node): boolean {
  if (node.k === 'backref') return true;
  if ('items' in node) return node.items.some(mentionsReference);
  return 'item' in node && mentionsReference(node.item);
}
