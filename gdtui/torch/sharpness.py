"""Sharpness: the two ends of the Hessian's spectrum, by Lanczos's iteration on Hessian-vector products.

Three vectors are kept, not all: the ends are the same, and only copies of them appear where rounding has spoilt the
vectors' orthogonality (Paige 1971).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

MOST_PRODUCTS = 48
FEWEST_PRODUCTS = 16
"""Before some products the nearest eigenvalue may not be the last."""

SETTLED, KNOWN = 0.001, 0.01
"""An end has settled, or is known at last, when ‖Hv − λv‖ is no more than this times the largest |λ|; its error is
less, mostly by far."""


def ends(product: Callable[[Tensor], Tensor], like: Tensor) -> tuple[float, float]:
    """λmax and λmin; nan for one that is not known after `MOST_PRODUCTS`, or not finite.

    Args:
        product: v (p,) -> Hv (p,).
        like: a vector of that shape (p,), of the same kind.
    """
    p = len(like)
    q = torch.randn(p, generator=torch.Generator().manual_seed(0), dtype=like.dtype).to(like.device)
    q /= torch.linalg.vector_norm(q)
    before, beta = torch.zeros_like(q), 0.0
    diagonal: list[float] = []
    beside: list[float] = []
    while True:
        w = product(q) - beta * before
        diagonal.append(float(q @ w))
        w -= diagonal[-1] * q
        beta = float(torch.linalg.vector_norm(w))
        if not math.isfinite(diagonal[-1] + beta):
            return math.nan, math.nan
        values, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1))
        size = float(abs(values).max())
        products = len(diagonal)
        is_all = products == p or beta <= 64 * torch.finfo(like.dtype).eps * size
        residuals = [beta * abs(vectors[-1, end]) for end in (-1, 0)]
        has_settled = max(residuals) <= SETTLED * size and products >= FEWEST_PRODUCTS
        if is_all or has_settled or products == MOST_PRODUCTS:
            is_known = [is_all or residual <= KNOWN * size for residual in residuals]
            largest, smallest = np.where(is_known, values[[-1, 0]], np.nan).tolist()
            return largest, smallest
        beside.append(beta)
        before, q = q, w / beta
