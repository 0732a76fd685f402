import type { Constraint } from '../grammar/constraint/index.js';

/** A constraint without the functions that cannot cross to another thread. */
export function plain<C extends Constraint>(constraint: C): C {
  if (constraint.kind === 'tags')
    return { ...constraint, tags: constraint.tags.map((tag) => ({ ...tag, content: plain(tag.content) })) };
  if (constraint.kind === 'calls')
    return { ...constraint, tools: constraint.tools.map((tool) => ({ ...tool, content: plain(tool.content) })) };
  if (constraint.kind !== 'json' || constraint.parse === undefined) return constraint;
  const { parse: _stays, ...rest } = constraint;
  return rest as C;
}
