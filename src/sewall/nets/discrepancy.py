"""How differently two sets of examples lie in an embedding: what alignment makes small."""

from __future__ import annotations

import torch
from torch import Tensor

WIDTHS = (0.25, 1.0, 4.0)  # of the kernels, in median squared distances


def discrepancy(first: Tensor, second: Tensor) -> Tensor:
    """Return the squared maximum mean discrepancy of two sets of embeddings, with kernels of three widths.

    Unbiased (Gretton et al. 2012, J Mach Learn Res 13:723), so it is 0 on average, and may be below, where both are
    drawn alike. Widths follow the median distance, which no gradient reaches.

    Args:
        first: ``(examples, features)``, two or more.
        second: ``(others, features)``, two or more.

    >>> torch.manual_seed(1) is None
    False
    >>> same, other = torch.randn(200, 4), torch.randn(200, 4)
    >>> abs(discrepancy(same, other).item()) < 0.02 < discrepancy(same, other + 1).item()
    True
    """
    both = torch.cat([first, second])
    square = torch.cdist(both, both).square()
    middle = square.detach()[~torch.eye(len(both), dtype=torch.bool, device=both.device)].median().clamp(min=1e-12)
    kernel = torch.stack([torch.exp(-square / (width * middle)) for width in WIDTHS]).mean(0)
    n, m = len(first), len(second)
    own = (kernel[:n, :n].sum() - n) / (n * (n - 1)) + (kernel[n:, n:].sum() - m) / (m * (m - 1))
    out: Tensor = own - 2 * kernel[:n, n:].mean()
    return out
