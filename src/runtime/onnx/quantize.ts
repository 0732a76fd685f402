/**
 * Weight quantisation in the layouts of MatMulNBits and QMoE: symmetric, unsigned storage with zero point 2^(bits-1), low
 * nibble first.
 */

export interface Quantized {
  /** [N, K / block, block * bits / 8]. */
  readonly data: Uint8Array;
  /** [N, K / block]. */
  readonly scales: Float32Array;
}

/**
 * Quantises rows of `w` [n, k] in blocks of `block` columns; k must be a multiple of `block`, and `block` even. With block = k
 * this is the row-wise layout of QMoE.
 */
export function quantizeRows(w: Float32Array, n: number, k: number, bits: 4 | 8, block: number): Quantized {
  const zero = 2 ** (bits - 1);
  const most = zero - 1;
  const perRow = k / block;
  const scales = new Float32Array(n * perRow);
  const data = new Uint8Array((n * k * bits) / 8);
  for (let b = 0; b < n * perRow; b++) {
    const at = b * block;
    let peak = 0;
    for (let i = 0; i < block; i++) peak = Math.max(peak, Math.abs(w[at + i]!));
    const scale = Math.fround(peak / most) || 1;
    scales[b] = scale;
    for (let i = 0; i < block; i++) {
      const q = Math.max(-zero, Math.min(most, Math.round(w[at + i]! / scale))) + zero;
      if (bits === 8) data[at + i] = q;
      else data[(at + i) >> 1]! |= i % 2 === 0 ? q : q << 4;
    }
  }
  return { data, scales };
}
