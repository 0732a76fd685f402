/** A seed of its own for each request, whatever its place in the set: FNV-1a of the id, mixed with the run's seed. */
import { createRandom } from '../base/random.js';

export function seedOf(seed: number, id: string): number {
  let h = (seed ^ 0x811c9dc5) >>> 0;
  for (let i = 0; i < id.length; i++) h = Math.imul(h ^ id.charCodeAt(i), 0x01000193) >>> 0;
  return createRandom(h).next();
}
