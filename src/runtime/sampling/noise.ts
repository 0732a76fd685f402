/**
 * Gumbel noise that depends on seed and token alone, cheap on a device: the greatest of logit / T + noise is distributed as
 * softmax(logit / T) (Gumbel 1954; Maddison et al. 2014, "A* sampling").
 *
 * Hashing every (seed, token) on a device takes some twenty kernels over the vocabulary, since logarithms near 1 lose all digits there
 * and integer operations are few; computing it on the host means an upload as large as the logits. So two tables of noise lie on
 * the device, and a seed chooses where to begin in each: the greater of two independent Gumbel values is a Gumbel value plus ln 2,
 * and a constant changes no choice. N^2 pairs of places make the sequence of a seed.
 *
 * Each table is a shuffle of the N quantiles at (i + 1/2) / N, so its distribution is exact down to tokens of probability 1/N; rarer
 * ones are taken somewhat less often than they should be. Price: two tables of (N + 2V) numbers.
 */
import { createRandom } from '../../base/random.js';

const LEAST = 2 ** 18;

/** See the module's header. Tables hold N numbers, their first V again (so that no index wraps around), and V zeros for greedy rows. */
export class Noise {
  readonly first: Float32Array;
  readonly second: Float32Array;
  private readonly size: number;

  constructor(private readonly columns: number) {
    let size = LEAST;
    while (size < columns) size *= 2;
    this.size = size;
    this.first = table(size, columns, 0x51ed270b);
    this.second = table(size, columns, 0x2545f491);
  }

  /** Where a seed begins in each table. */
  offsets(seed: number): readonly [number, number] {
    return [mix(seed, 0x9e3779b1) % this.size, mix(seed, 0x85ebca6b) % this.size];
  }

  /** Where nothing is added. */
  get silence(): number {
    return this.size + this.columns;
  }

  /** What a token gets. */
  at(seed: number, id: number): number {
    const [a, b] = this.offsets(seed);
    return Math.max(this.first[a + id]!, this.second[b + id]!);
  }
}

function table(size: number, columns: number, seed: number): Float32Array {
  const out = new Float32Array(size + 2 * columns);
  for (let i = 0; i < size; i++) out[i] = -Math.log(-Math.log((i + 0.5) / size));
  const random = createRandom(seed);
  for (let i = size - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const kept = out[i]!;
    out[i] = out[j]!;
    out[j] = kept;
  }
  out.copyWithin(size, 0, columns);
  return out;
}

/** A 32-bit hash of seed and salt (the finalizer of MurmurHash3). */
function mix(seed: number, salt: number): number {
  let h = Math.imul(seed ^ salt, 0x85ebca6b) ^ (salt >>> 7);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
