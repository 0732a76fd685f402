/**
 * Code points that an unfinished UTF-8 sequence may become (RFC 3629, section 3): `prefix` holds the bits read so far, `n` continuation bytes are to
 * come. Overlong forms, surrogates and what is beyond U+10FFFF are none.
 */
export function leastOf(n: number, prefix: number): number {
  if (prefix === 0) return n === 3 ? 0x10000 : 0x800;
  return prefix << (6 * n);
}

export function greatestOf(n: number, prefix: number): number {
  if (n === 2 && prefix === 0xd) return 0xd7ff;
  if (n === 3 && prefix === 4) return 0x10ffff;
  return ((prefix + 1) << (6 * n)) - 1;
}
