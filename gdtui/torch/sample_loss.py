"""Sample loss: ℓ(θ; x, y), the loss of a batch of one sample, and its gradient for many samples, in two ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, jvp, vmap

from gdtui.torch.probe import arguments, each, leaves, sample

if TYPE_CHECKING:
    from gdtui.torch.probe import Tree

Theta = dict[str, Tensor]
"""Parameters by name."""

LossFunction = Callable[[Any, Any], Tensor]
"""(a model's output, targets) -> the mean loss."""


class SampleLoss:
    """ℓ as a function of θ: of the parameters that were trained when it was made.

    Attributes:
        model: whose parameters they are.
        names: of the parameters, in the model's order; one that is used in several places is there once.
    """

    def __init__(self, model: nn.Module, loss_fn: LossFunction) -> None:
        self.model = model
        self._loss_fn = loss_fn
        self.names = [name for name, one in model.named_parameters() if one.requires_grad]

    def parameters(self) -> list[nn.Parameter]:
        """The model's own."""
        by_name = dict(self.model.named_parameters())
        return [by_name[name] for name in self.names]

    def theta(self) -> Theta:
        """θ as it is now: the model's own memory, not a copy."""
        return {name: one.detach() for name, one in zip(self.names, self.parameters(), strict=True)}

    def buffers(self) -> Theta:
        """Copies of the model's buffers: what writes to them writes to these."""
        return {name: one.detach().clone() for name, one in self.model.named_buffers()}

    def __call__(self, theta: Theta, buffers: Theta, x: Tree, y: Tree) -> Tensor:
        """ℓ(θ; x, y) of one sample, whose tensors have no axis for samples.

        Raises:
            ValueError: if the loss function does not give one number.
        """
        args, kwargs = arguments(each(x, _batch_of_one))
        output = functional_call(self.model, (theta, buffers), args, kwargs)
        loss = self._loss_fn(output, each(y, _batch_of_one))
        if not isinstance(loss, Tensor) or loss.numel() != 1:
            shape = tuple(loss.shape) if isinstance(loss, Tensor) else type(loss).__name__
            raise ValueError(f"the loss must be one number, the mean over the batch, got {shape}")
        return loss.reshape(())


class Way(Protocol):
    """How losses and gradients of m samples are had."""

    def gradients(self, theta: Theta, x: Tree, y: Tree) -> tuple[Tensor, list[Tensor]]:
        """Every ℓᵢ, shape (m,), and every ∇ℓᵢ: a tensor a parameter, shape (m, ...)."""

    def total(self, theta: Theta, x: Tree, y: Tree) -> Tensor:
        """Σℓᵢ, which can be differentiated."""


class Batched:
    """All at once, by vmap."""

    def __init__(self, loss: SampleLoss) -> None:
        self._loss = loss
        self._losses = vmap(loss, in_dims=(None, None, 0, 0))
        self._gradients = vmap(grad_and_value(loss), in_dims=(None, None, 0, 0))

    def gradients(self, theta: Theta, x: Tree, y: Tree) -> tuple[Tensor, list[Tensor]]:
        """As of `Way`."""
        gradients, losses = self._gradients(theta, self._loss.buffers(), x, y)
        return losses, [gradients[name] for name in self._loss.names]

    def slopes(self, theta: Theta, direction: Theta, x: Tree, y: Tree) -> tuple[Tensor, Tensor]:
        """Every ℓᵢ and its slope ∇ℓᵢ·u along a direction, shapes (m,); costs two forward passes.

        Raises:
            RuntimeError: if the model cannot be differentiated forward.
        """

        def losses_at(theta: Theta) -> Tensor:
            losses: Tensor = self._losses(theta, self._loss.buffers(), x, y)
            return losses

        losses, slopes, *_ = jvp(losses_at, (theta,), (direction,))
        return losses, slopes

    def total(self, theta: Theta, x: Tree, y: Tree) -> Tensor:
        """As of `Way`."""
        losses: Tensor = self._losses(theta, self._loss.buffers(), x, y)
        return losses.sum()


class OneByOne:
    """One after the other, for models that vmap cannot do."""

    def __init__(self, loss: SampleLoss) -> None:
        self._loss = loss

    def gradients(self, theta: Theta, x: Tree, y: Tree) -> tuple[Tensor, list[Tensor]]:
        """As of `Way`."""
        leaf = {name: one.detach().requires_grad_() for name, one in theta.items()}
        losses, gradients = [], []
        for loss in self._each(leaf, x, y):
            losses.append(loss.detach())
            gradients.append(gradient(loss, list(leaf.values())))
        return torch.stack(losses), [torch.stack(of_one) for of_one in zip(*gradients, strict=True)]

    def total(self, theta: Theta, x: Tree, y: Tree) -> Tensor:
        """As of `Way`."""
        return torch.stack(list(self._each(theta, x, y))).sum()

    def _each(self, theta: Theta, x: Tree, y: Tree) -> Iterator[Tensor]:
        for i in range(len(leaves(x)[0])):
            yield self._loss(theta, self._loss.buffers(), sample(x, i), sample(y, i))


def gradient(loss: Tensor, parameters: list[Tensor]) -> list[Tensor]:
    """∇ of a loss, 0 for a parameter that it does not use."""
    if not loss.requires_grad:
        return [torch.zeros_like(one) for one in parameters]
    found = torch.autograd.grad(loss, parameters, allow_unused=True, materialize_grads=True)
    return [one.to_dense() if one.is_sparse else one for one in found]


def _batch_of_one(one: Tensor) -> Tensor:
    return one.unsqueeze(0)
