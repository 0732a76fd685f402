"""One product for each expert, as one operator that torch.compile need not look into.

The sizes of the pieces are known only when it runs; to a compiler, which would make another program of every sizes there are,
the whole has one shape: N rows in, N rows out.
"""

import torch
from torch import Tensor


@torch.library.custom_op("tokenloom::grouped_product", mutates_args=())
def grouped_product(x: Tensor, weights: Tensor, sizes: Tensor) -> Tensor:
    """x [N, C], its rows sorted by expert, sizes [E] of them; weights [E, F, C]. Returns [N, F]."""
    out = x.new_empty(x.shape[0], weights.shape[1])
    pieces = sizes.tolist()
    for piece, into, weight in zip(x.split(pieces), out.split(pieces), weights.unbind(0)):
        torch.mm(piece, weight.T, out=into)
    return out


@grouped_product.register_fake
def _(x: Tensor, weights: Tensor, sizes: Tensor) -> Tensor:
    return x.new_empty(x.shape[0], weights.shape[1])


@torch.library.custom_op("tokenloom::grouped_product_backward", mutates_args=())
def grouped_product_backward(gradient: Tensor, x: Tensor, weights: Tensor, sizes: Tensor) -> tuple[Tensor, Tensor]:
    """The gradients of x [N, C] and weights [E, F, C] from that of the product [N, F]."""
    of_x, of_weights = torch.empty_like(x), torch.empty_like(weights)
    pieces = sizes.tolist()
    each = zip(gradient.split(pieces), x.split(pieces), weights.unbind(0), of_x.split(pieces), of_weights.unbind(0))
    for piece, rows, weight, into_rows, into_weight in each:
        torch.mm(piece, weight, out=into_rows)
        torch.mm(piece.T, rows, out=into_weight)
    return of_x, of_weights


@grouped_product_backward.register_fake
def _(gradient: Tensor, x: Tensor, weights: Tensor, sizes: Tensor) -> tuple[Tensor, Tensor]:
    return torch.empty_like(x), torch.empty_like(weights)


def _keep(ctx, inputs: tuple, output: Tensor) -> None:
    ctx.save_for_backward(*inputs)


def _backward(ctx, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
    return *grouped_product_backward(gradient.contiguous(), *ctx.saved_tensors), None


grouped_product.register_autograd(_backward, setup_context=_keep)
