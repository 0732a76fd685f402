"""Weight quantization in the layouts of onnxruntime's MatMulNBits and QMoE.

Both store unsigned integers with an implied zero point of half the range. MatMulNBits takes
one scale for each block of 32 inputs, QMoE (row-wise) one for each output row.
"""

import numpy as np

BLOCK = 32


def _pack(levels: np.ndarray, bits: int) -> np.ndarray:
    """Signed levels [..., K] to bytes; 4-bit pairs go low nibble first."""
    unsigned = (levels + (1 << (bits - 1))).astype(np.uint8)
    if bits == 8:
        return unsigned
    return unsigned[..., 0::2] | (unsigned[..., 1::2] << 4)


def _levels(groups: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """groups [..., G]: rounded levels, and the scale of each group [...].

    8 bits: symmetric, from the largest magnitude. 4 bits: that value maps to -8, so that the
    whole range serves.
    """
    if bits == 8:
        scale = np.abs(groups).max(-1) / 127
    else:
        peak = np.take_along_axis(groups, np.abs(groups).argmax(-1, keepdims=True), -1)[..., 0]
        scale = peak / -8
    safe = np.where(scale == 0, 1, scale)[..., None]
    half = 1 << (bits - 1)
    return np.clip(np.rint(groups / safe), -half, half - 1), scale.astype(np.float32)


def blockwise(weight: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """weight [N, K] to bytes [N, K / 32, 32 * bits / 8] and scales [N, K / 32]."""
    rows, columns = weight.shape
    levels, scale = _levels(weight.reshape(rows, columns // BLOCK, BLOCK), bits)
    return _pack(levels, bits), scale


def rowwise(weight: np.ndarray, bits: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """weight [E, N, K] to bytes [E, N, K * bits / 8] and scales [E, N]."""
    levels, scale = _levels(weight, bits)
    return _pack(levels, bits), scale


def unpacked(packed: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """The 8-bit weight [N, K] that `blockwise` made bytes and scales of."""
    rows, blocks = scales.reshape(packed.shape[0], -1).shape
    levels = packed.reshape(rows, blocks, BLOCK).astype(np.float32) - 128
    return (levels * scales.reshape(rows, blocks, 1)).reshape(rows, blocks * BLOCK)


def rows_unpacked(packed: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """The 8-bit weight [E, N, K] that `rowwise` made bytes and scales of."""
    return (packed.astype(np.float32) - 128) * scales[..., None]
