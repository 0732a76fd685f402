"""In which numbers products are computed."""

import torch


def reduced(device: str) -> torch.dtype:
    """bfloat16 where the device multiplies it; a CPU without AVX512-BF16 imitates that at an eighth of the speed of float32."""
    fast = device != "cpu" or torch.cpu._is_avx512_bf16_supported()
    return torch.bfloat16 if fast else torch.float32


def mixed(device: str) -> torch.autocast:
    """A forward pass with such products."""
    return torch.autocast(device, torch.bfloat16, enabled=reduced(device) == torch.bfloat16)
