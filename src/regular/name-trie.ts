/**
 * Tries over the declared property names of objects, whose nodes remember which names lie below them. Unlike
 * {@link LiteralTrie} equal suffixes are not shared, because the reader must know which name was spelled. Objects with the same set of
 * names share a trie, so that a hundred shapes of one object are read as one; names go by their place in sorted order, and what
 * stands there in an object's own order is the object's to know.
 *
 * Nodes are made when first touched: a schema with thousands of names pays for the paths that are walked. A node is a range
 * of the sorted names that share a prefix.
 */
interface Node {
  readonly trie: number;
  /** Range of the trie's sorted names. */
  readonly lo: number;
  readonly hi: number;
  /** UTF-16 offset at which the names of the range go on. */
  readonly depth: number;
  /** [code point, node, …], ascending, once asked for. */
  edges: readonly number[] | undefined;
}

interface Trie {
  /** Whether all names are of characters that JSON spells as themselves and in one byte. */
  readonly plain: boolean;
  readonly names: readonly string[];
}

/** Printable ASCII but for the quote and the backslash. */
const PLAIN = /^[ !#-[\]-~]*$/;

export class NameTries {
  private readonly tries: Trie[] = [];
  private readonly nodes: Node[] = [];
  /** Roots by their names. */
  private readonly roots = new Map<string, number>();
  private keyBytes = 0;

  get bytes(): number {
    return this.nodes.length * 120 + this.keyBytes;
  }

  /** The trie over different names in ascending order; returns its root node. */
  build(names: readonly string[]): number {
    const key = JSON.stringify(names);
    const known = this.roots.get(key);
    if (known !== undefined) return known;
    this.tries.push({ plain: names.every((name) => PLAIN.test(name)), names });
    const root = this.node(this.tries.length - 1, 0, names.length, 0);
    this.roots.set(key, root);
    this.keyBytes += key.length + 60;
    return root;
  }

  private node(trie: number, lo: number, hi: number, depth: number): number {
    return this.nodes.push({ trie, lo, hi, depth, edges: undefined }) - 1;
  }

  /** Place of the name that ends at this node, or -1. */
  nameAt(node: number): number {
    const n = this.nodes[node]!;
    const trie = this.tries[n.trie]!;
    return n.lo < n.hi && trie.names[n.lo]!.length === n.depth ? n.lo : -1;
  }

  /** Whether the edges of a node were asked for already. */
  isOpened(node: number): boolean {
    return this.nodes[node]!.edges !== undefined;
  }

  /** Whether all names of the node's trie are of characters that JSON spells as themselves and in one byte. */
  isPlain(node: number): boolean {
    return this.tries[this.nodes[node]!.trie]!.plain;
  }

  /** Names at and below a node are a range of places: its start and its end. */
  rangeStart(node: number): number {
    return this.nodes[node]!.lo;
  }

  rangeEnd(node: number): number {
    return this.nodes[node]!.hi;
  }

  /** UTF-16 offset in its names that a node stands for. */
  depthOf(node: number): number {
    return this.nodes[node]!.depth;
  }

  /** [code point, node, …] of a node. */
  edges(node: number): readonly number[] {
    const n = this.nodes[node]!;
    if (n.edges !== undefined) return n.edges;
    const { names } = this.tries[n.trie]!;
    const pairs: [number, number][] = [];
    let i = n.lo;
    if (i < n.hi && names[i]!.length === n.depth) i++;
    while (i < n.hi) {
      const cp = names[i]!.codePointAt(n.depth)!;
      let j = i + 1;
      while (j < n.hi && names[j]!.codePointAt(n.depth) === cp) j++;
      pairs.push([cp, this.node(n.trie, i, j, n.depth + (cp > 0xffff ? 2 : 1))]);
      i = j;
    }
    pairs.sort((a, b) => a[0] - b[0]);
    n.edges = pairs.flat();
    return n.edges;
  }
}
