/** Rebuilds terms of one store in another; the languages stay the same. */
import { EMPTY, INF, K_ALT, K_AND, K_CAT, K_DFA, K_LITS, K_NAME, K_NOT, K_REP, K_SET, NEVER } from './term-table.js';
import type { TermStore } from './terms.js';

export class TermCarrier {
  private readonly known = new Map<number, number>([
    [NEVER, NEVER],
    [EMPTY, EMPTY],
  ]);
  private readonly sets = new Map<number, number>();
  private readonly names = new Map<number, number>();

  constructor(
    private readonly from: TermStore,
    private readonly to: TermStore,
  ) {}

  /** Says that two tries of names, by their roots, are of the same names. */
  mapNames(from: number, to: number): void {
    const open: [number, number][] = [[from, to]];
    for (let pair = open.pop(); pair !== undefined; pair = open.pop()) {
      if (this.names.has(pair[0])) continue;
      this.names.set(pair[0], pair[1]);
      if (!this.from.names.isOpened(pair[0])) continue;
      const theirs = this.from.names.edges(pair[0]);
      const ours = this.to.names.edges(pair[1]);
      for (let i = 0; i < theirs.length; i += 2) open.push([theirs[i + 1]!, ours[i + 1]!]);
    }
  }

  /** The same set of strings. */
  literals(node: number): number {
    let made = this.sets.get(node);
    if (made === undefined) {
      made = this.to.literals.build(this.from.literals.words(node));
      this.sets.set(node, made);
    }
    return made;
  }

  /** The same language. Parts first, with an explicit stack: concatenations nest as deep as they are long. */
  term(root: number): number {
    const open = [root];
    while (open.length > 0) {
      const t = open[open.length - 1]!;
      if (this.known.has(t)) {
        open.pop();
        continue;
      }
      const { kind, fields } = this.from.parts(t);
      const parts = partsOf(kind, fields).filter((part) => !this.known.has(part));
      if (parts.length > 0) open.push(...parts);
      else {
        open.pop();
        this.known.set(t, this.build(kind, fields));
      }
    }
    return this.known.get(root)!;
  }

  private build(kind: number, fields: readonly number[]): number {
    const { to } = this;
    const part = (i: number): number => this.known.get(fields[i]!)!;
    switch (kind) {
      case K_SET:
        return to.set(fields);
      case K_CAT:
        return to.cat(part(0), part(1));
      case K_ALT:
        return to.orAll(fields.map((_, i) => part(i)));
      case K_AND:
        return fields.reduce((all, _, i) => to.and(all, part(i)), to.all);
      case K_NOT:
        return to.not(part(0));
      case K_REP:
        return to.repeat(part(0), fields[1]!, fields[2] === INF ? INF : fields[2]!);
      case K_LITS:
        return fields.length > 1
          ? to.spelledNode(this.literals(fields[0]!))
          : to.literalNode(this.literals(fields[0]!));
      case K_NAME:
        return to.nameNode(this.names.get(fields[0]!) ?? 0);
      case K_DFA:
        return to.automatonState(this.from.automaton(fields[0]!), fields[1]!);
      default:
        return NEVER;
    }
  }
}

/** The terms that a term is made of. */
function partsOf(kind: number, fields: readonly number[]): readonly number[] {
  if (kind === K_CAT || kind === K_ALT || kind === K_AND || kind === K_NOT) return fields;
  return kind === K_REP ? fields.slice(0, 1) : [];
}
