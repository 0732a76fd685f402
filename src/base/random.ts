/**
 * Seeded random numbers: xoshiro128** seeded through splitmix32 (Blackman and Vigna, 2018). Same seed, same sequence, on every
 * platform; not for secrets.
 */
export interface Random {
  /** Uniform 32-bit unsigned integer. */
  next(): number;
  /** Uniform in [0, 1) with 32 random bits. */
  float(): number;
  /** Uniform integer in [0, n). */
  below(n: number): number;
}

export function createRandom(seed: number): Random {
  let h = seed >>> 0;
  const split = (): number => {
    h = (h + 0x9e3779b9) >>> 0;
    let z = h;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  let a = split();
  let b = split();
  let c = split();
  let d = split();
  const next = (): number => {
    const r = Math.imul(b, 5);
    const out = Math.imul((r << 7) | (r >>> 25), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = (d << 11) | (d >>> 21);
    return out;
  };
  return { next, float: () => next() / 0x1_0000_0000, below: (n) => Math.floor((next() / 0x1_0000_0000) * n) };
}
