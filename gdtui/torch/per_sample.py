"""Per-sample gradients of a PyTorch model: G's rows in chunks that fit, and what is wanted of them.

Of a chunk nothing stays but its rows' losses, norms, projections and sketches; only where all of G fits is it kept.
A sketch has the rows' inner products on average: each row times random signs, summed up in `SKETCH` heaps (Charikar,
Chen, Farach-Colton 2002, "Finding frequent items in data streams").
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gdtui.torch.probe import sample
from gdtui.torch.sample_loss import Batched, OneByOne, SampleLoss, Theta, Way, gradient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn

    from gdtui.torch.probe import Probe, Tree
    from gdtui.torch.sample_loss import LossFunction

SKETCH = 256
"""Numbers of a row's sketch."""

RANK, POWERS, POLISHES = 12, 3, 6


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Every sample at one θ; tensors on the model's device.

    Attributes:
        losses: ℓᵢ, shape (n,).
        norms: ‖gᵢ‖, shape (n,).
        along: gᵢ·g/‖g‖, shape (n,).
        across: gᵢ along the direction across g in which the rows vary the most, shape (n,); exact where G fits,
            else of its sketch.
        slopes: gᵢ·u along the direction asked for, shape (n,).
        mean: g, shape (p,).
    """

    losses: Tensor
    norms: Tensor
    along: Tensor
    across: Tensor
    slopes: Tensor
    mean: Tensor


class PerSample:
    """Losses and gradients of a probe's samples at any θ. To be called on a model that is `still`.

    Attributes:
        p: parameters.
        dtype: of sums: the parameters' own, float32 at least.
        problem: why the samples are measured one by one; empty where they are not.
    """

    def __init__(self, model: nn.Module, loss_fn: LossFunction, probe: Probe, memory: int) -> None:
        self._loss = SampleLoss(model, loss_fn)
        self._probe = probe
        self._memory = memory
        parameters = self._loss.parameters()
        self.p = sum(one.numel() for one in parameters)
        self.dtype = torch.float64 if any(one.dtype == torch.float64 for one in parameters) else torch.float32
        self.problem = ""
        self._found: tuple[Way, int] | None = None

    @property
    def n(self) -> int:
        """Samples."""
        return self._probe.n

    @property
    def device(self) -> torch.device:
        """Where the model is now."""
        return self._loss.parameters()[0].device

    def theta(self) -> Tensor:
        """A copy of θ, shape (p,)."""
        return torch.cat([one.to(self.dtype, copy=True).flatten() for one in self._loss.theta().values()])

    def named(self, theta: Tensor) -> Theta:
        """θ, shape (p,), as the model's parameters are."""
        now = self._loss.theta()
        parts = theta.to(self.device).split([one.numel() for one in now.values()])
        return {name: part.view_as(one).to(one.dtype) for part, (name, one) in zip(parts, now.items(), strict=True)}

    def samples(self, direction: Tensor) -> Samples:
        """Every sample at the θ of now, and its slope along a direction, shape (p,)."""
        theta = self._loss.theta()
        is_whole = 4 * self.n * self.p * self.dtype.itemsize <= self._memory
        chunks, mean = self._whole(theta) if is_whole else (self._chunks(theta), self._mean(theta))
        norm = torch.linalg.vector_norm(mean)
        unit = mean / torch.where(norm > 0, norm, 1)
        signs = _signs(self.p, mean)
        parts = []
        for losses, rows in chunks:
            along = rows @ unit
            norms, slopes = torch.linalg.vector_norm(rows, dim=1), rows @ direction
            rows.mul_(signs)  # of all rows alike: what they are to each other stays
            parts.append((losses, norms, along, slopes, rows if is_whole else folded(rows)))
        losses, norms, along, slopes, rows = (
            torch.cat(part) if len(parts) > 1 else part[0] for part in zip(*parts, strict=True)
        )
        axis = (unit * signs)[None]
        rows.addr_(along, (axis if is_whole else folded(axis))[0], alpha=-1)
        across = polished(principal(folded(rows)), rows) if is_whole else principal(rows)
        reach = (norms.square() - along.square()).clamp(min=0).sqrt()
        return Samples(losses, norms, along, across.clamp(-reach, reach), slopes, mean)

    def slopes(self, theta: Theta, direction: Tensor) -> tuple[Tensor, Tensor]:
        """Every loss and its slope along a direction, shape (p,), at any θ: shapes (n,)."""
        parts = self._slopes_forward(theta, direction) or [
            (losses, rows @ direction) for losses, rows in self._chunks(theta)
        ]
        losses, slopes = (torch.cat(part).to(self.dtype) for part in zip(*parts, strict=True))
        return losses, slopes

    def _slopes_forward(self, theta: Theta, direction: Tensor) -> list[tuple[Tensor, Tensor]]:
        """The same in batches, without the gradients; empty where the model cannot be differentiated forward."""
        way, of = self._way, self.named(direction)
        if not isinstance(way, Batched):
            return []
        try:
            return [way.slopes(theta, of, *self.rows(batch.start, batch.stop)) for batch in self.batches()]
        except (RuntimeError, NotImplementedError):
            return []

    def hessian_product(self) -> HessianProduct:
        """v (p,) -> Hv (p,), with H the Hessian of f = mean ℓᵢ at the θ of now.

        Raises:
            RuntimeError: if it cannot be had: autograd would take a function that is differentiable once for linear.
        """
        function = custom_function(self._first_loss())
        if function:
            raise RuntimeError(f"{function} may not be differentiable twice")
        return HessianProduct(self)

    def rows(self, start: int, stop: int) -> tuple[Tree, Tree]:
        """Inputs and targets of some samples, where the model is."""
        return self._probe.rows(start, stop, self.device)

    def mean_loss(self, theta: Theta, batch: slice) -> Tensor:
        """The part of some samples in f = mean ℓᵢ, which can be differentiated."""
        return self._way.total(theta, *self.rows(batch.start, batch.stop)) / self.n

    def batches(self, bytes_of_one: int = 0) -> list[slice]:
        """All samples, in batches that fit where each needs so many bytes besides its activations."""
        bytes_of_one += 2 * self._way_and_activations()[1]
        size = max(1, min(self.n, self._memory // 2 // max(bytes_of_one, 1)))
        return [slice(start, min(start + size, self.n)) for start in range(0, self.n, size)]

    @property
    def _way(self) -> Way:
        return self._way_and_activations()[0]

    def _way_and_activations(self) -> tuple[Way, int]:
        """How the gradients are had, and the bytes that a sample's activations take; found out when first wanted.

        Raises:
            RuntimeError: if they cannot be had.
        """
        if self._found is None:
            expected, activations = self._by_backward()
            try:
                way: Way = self._checked(Batched(self._loss), expected)
            except Exception as problem:  # whatever a model does that vmap cannot
                way = self._checked(OneByOne(self._loss), expected)
                self.problem = f"{type(self._loss.model).__name__} cannot be vmapped ({first_line(problem)})"
            self._found = way, activations
        return self._found

    def _by_backward(self) -> tuple[list[Tensor] | None, int]:
        """The first sample's gradient, by the model's own parameters, and the bytes that were kept for it.

        None where the parameters have hooks, which change it.
        """
        saved: dict[int, int] = {}

        def seen(one: Tensor) -> Tensor:
            if not one.is_sparse:
                saved[one.untyped_storage().data_ptr()] = one.untyped_storage().nbytes()
            return one

        with torch.autograd.graph.saved_tensors_hooks(seen, lambda one: one):
            loss = self._first_loss()
        known = {one.untyped_storage().data_ptr() for one in self._loss.model.parameters()}
        activations = sum(size for pointer, size in saved.items() if pointer not in known)
        parameters = self._loss.parameters()
        has_hooks = any(one._backward_hooks for one in parameters)
        return None if has_hooks else gradient(loss, list(parameters)), activations

    def _first_loss(self) -> Tensor:
        """The first sample's, by the model's own parameters."""
        x, y = self.rows(0, 1)
        return self._loss({}, self._loss.buffers(), sample(x, 0), sample(y, 0))

    def _checked(self, way: Way, expected: list[Tensor] | None) -> Way:
        """The same way, once it has given the first sample's gradient as it should be.

        Raises:
            RuntimeError: if it does not, as where a model keeps its parameters where they cannot be replaced.
        """
        _, found = way.gradients(self._loss.theta(), *self.rows(0, 1))
        if expected is None:
            return way
        wanted, row = self.flat(expected), self.flat(found)
        if not (wanted.isfinite().all() and row.isfinite().all()):
            return way
        rounding = min(0.5, 16 * math.sqrt(max(torch.finfo(one.dtype).eps for one in expected)))
        if not torch.linalg.vector_norm(row - wanted) <= rounding * torch.linalg.vector_norm(wanted):
            raise RuntimeError("its gradients differ from backward's")
        return way

    def _chunks(self, theta: Theta) -> Iterator[tuple[Tensor, Tensor]]:
        """Losses, shape (m,), and rows of G, shape (m, p), m at a time."""
        way = self._way
        for batch in self.batches(2 * self.p * self.dtype.itemsize):
            losses, gradients = way.gradients(theta, *self.rows(batch.start, batch.stop))
            yield losses.to(self.dtype), torch.cat([one.to(self.dtype).flatten(1) for one in gradients], dim=1)

    def _whole(self, theta: Theta) -> tuple[list[tuple[Tensor, Tensor]], Tensor]:
        parts = list(self._chunks(theta))
        losses, rows = parts[0] if len(parts) == 1 else (torch.cat(part) for part in zip(*parts, strict=True))
        return [(losses, rows)], rows.mean(dim=0)

    def _mean(self, theta: Theta) -> Tensor:
        """g, shape (p,), by backward passes over batches; of all rows where vmap has a model's gradients only."""
        leaf = {name: one.detach().requires_grad_() for name, one in theta.items()}
        mean = torch.zeros(self.p, dtype=self.dtype, device=self.device)
        try:
            for batch in self.batches():
                mean += self.flat(gradient(self.mean_loss(leaf, batch), list(leaf.values())))
        except (RuntimeError, NotImplementedError):
            mean.zero_()
            for _, rows in self._chunks(theta):
                mean += rows.sum(dim=0) / self.n
        return mean

    def flat(self, tensors: list[Tensor]) -> Tensor:
        """One number a parameter, shape (p,)."""
        return torch.cat([one.to(self.dtype).flatten() for one in tensors])


class HessianProduct:
    """v (p,) -> Hv (p,) at the θ of now; a probe that fits at once is differentiated once for all of them."""

    def __init__(self, per_sample: PerSample) -> None:
        self._of = per_sample
        self._leaf = {name: one.requires_grad_() for name, one in per_sample.named(per_sample.theta()).items()}
        self._batches = per_sample.batches()
        self._kept: list[Tensor] | None = None

    def __call__(self, v: Tensor) -> Tensor:
        """Hv, shape (p,)."""
        parts = list(self._of.named(v).values())
        product = torch.zeros_like(v)
        for batch in self._batches:
            pairs = [(g, part) for g, part in zip(self._gradient(batch), parts, strict=True) if g.requires_grad]
            if pairs:
                gradients, vectors = zip(*pairs, strict=True)
                found = torch.autograd.grad(
                    gradients,
                    list(self._leaf.values()),
                    vectors,
                    retain_graph=len(self._batches) == 1,
                    allow_unused=True,
                    materialize_grads=True,
                )
                product += self._of.flat(list(found))
        return product

    def _gradient(self, batch: slice) -> list[Tensor]:
        if self._kept is not None:
            return self._kept
        loss = self._of.mean_loss(self._leaf, batch)
        found = list(
            torch.autograd.grad(
                loss, list(self._leaf.values()), create_graph=True, allow_unused=True, materialize_grads=True
            )
        )
        if len(self._batches) == 1:
            self._kept = found
        return found


def folded(rows: Tensor) -> Tensor:
    """A sketch of rows whose signs are random: every `SKETCH`th number summed up, shapes (m, p) -> (m, k).

    k is p where that is no more than `SKETCH`, and nothing is summed.
    """
    m, p = rows.shape
    if p <= SKETCH:
        return rows.clone()
    whole = p // SKETCH * SKETCH
    heaps = rows[:, :whole].reshape(m, -1, SKETCH).sum(dim=1)
    heaps[:, : p - whole] += rows[:, whole:]
    return heaps


def principal(rows: Tensor) -> Tensor:
    """Coordinates along the direction in which rows of mean 0 vary the most, (n, q) -> (n,); the largest is above 0.

    By a randomized singular value decomposition (Halko, Martinsson, Tropp 2011), always from the same random numbers.
    """
    n, q = rows.shape
    if not rows.isfinite().all():
        return torch.full_like(rows[:, 0], math.nan)
    if n <= RANK:
        basis = torch.eye(n, dtype=rows.dtype, device=rows.device)
    else:
        generator = torch.Generator().manual_seed(0)
        basis = rows @ torch.randn(q, RANK, generator=generator, dtype=rows.dtype).to(rows.device)
        for _ in range(POWERS):
            basis = torch.linalg.qr(rows @ (rows.T @ basis)).Q
    within = basis.T @ rows
    squares, vectors = torch.linalg.eigh(within @ within.T)
    coordinates: Tensor = basis @ vectors[:, -1] * squares[-1].clamp(min=0).sqrt()
    return coordinates * coordinates[coordinates.abs().argmax()].sign()


def polished(coordinates: Tensor, rows: Tensor) -> Tensor:
    """The coordinates of rows, shape (n, q), along their first principal direction, from nearly these, shape (n,)."""
    for _ in range(POLISHES):
        direction = coordinates @ rows
        length = torch.linalg.vector_norm(direction)
        coordinates = rows @ (direction / torch.where(length > 0, length, 1))
    return coordinates


def custom_function(value: Tensor) -> str:
    """The name of a `torch.autograd.Function` of somebody's own that a value was made by; empty where there is none."""
    ahead: list[Any] = [value.grad_fn]
    seen: set[Any] = set()
    while ahead:
        node = ahead.pop()
        if node is None or node in seen:
            continue
        if isinstance(node, torch.autograd.function.BackwardCFunction):
            return type(node).__name__.removesuffix("Backward")
        seen.add(node)
        ahead += [before for before, _ in node.next_functions]
    return ""


def first_line(problem: BaseException) -> str:
    """What went wrong, on one line."""
    lines = str(problem).strip().splitlines()
    return lines[0].strip() if lines else type(problem).__name__


def _signs(p: int, like: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return (torch.randint(0, 2, (p,), generator=generator, dtype=torch.int8) * 2 - 1).to(like.device, like.dtype)
