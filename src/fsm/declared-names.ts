/** The names of an object's properties in a trie, where the place of a name among the sorted ones tells the property. */
import type { ObjectExpr } from '../grammar/ir.js';
import type { LexemePool } from './lexeme.js';

export class DeclaredNames {
  private rootNode = -1;
  /** Properties by the place of their names in sorted order. */
  private places = new Int32Array(0);

  constructor(
    private readonly properties: ObjectExpr['properties'],
    private readonly terms: LexemePool['terms'],
  ) {}

  /** Node of the trie below which all names lie; made when first asked for. */
  get root(): number {
    if (this.rootNode < 0) {
      const { properties } = this;
      const order = properties.map((_, p) => p).sort((a, b) => (properties[a]!.name < properties[b]!.name ? -1 : 1));
      this.places = Int32Array.from(order);
      this.rootNode = this.terms.names.build(order.map((p) => properties[p]!.name));
    }
    return this.rootNode;
  }

  /** The property whose name has a place among the sorted names. */
  at(place: number): number {
    return this.places[place]!;
  }

  /** The property whose name ends at a node, or -1. */
  ending(node: number): number {
    const place = this.terms.names.nameAt(node);
    return place < 0 ? -1 : this.places[place]!;
  }

  /** Whether some name at or below a node is of a property that passes. */
  someBelow(node: number, passes: (p: number) => boolean): boolean {
    const { names } = this.terms;
    for (let place = names.rangeStart(node), end = names.rangeEnd(node); place < end; place++)
      if (passes(this.places[place]!)) return true;
    return false;
  }
}
