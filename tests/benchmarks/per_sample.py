"""Per-sample gradients: every ℓᵢ and ∇ℓᵢ at one θ, against torch.func, BackPACK and Opacus.

gdtui evaluates them for a snapshot taken in mid-epoch, which is included. All in float64 and on one thread; each peer
is checked to give the same gradients.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from gdtui.descent.snapshot import Update
from gdtui.descent.trainer import Trainer
from tests.benchmarks.cases import HIDDEN, Case, case, compiled_trainer, installed, same
from tests.benchmarks.clock import Work, in_turn
from tests.benchmarks.ratio import Ratio, TimesFaster

if TYPE_CHECKING:
    from gdtui.problems.datasets import Array

Gradients = Callable[[], Any]
"""Computes G, shape (n, p), in the pieces in which the peer gives it: one tensor a parameter, samples first."""

OURS = "gdtui"


def ours(case: Case) -> Trainer:
    """A compiled trainer within an epoch, where nothing is known yet of every sample."""
    trainer = compiled_trainer(case)
    trainer.advance(until=Update(trainer.snapshot().updates + 1))
    return trainer


def _module(case: Case, theta: Array) -> Any:
    import torch
    from torch import nn

    d = case.x.shape[1]
    is_mlp = case.problem.model.name == "mlp"
    module = (
        nn.Sequential(nn.Linear(d, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, 1))
        if is_mlp
        else nn.Sequential(nn.Linear(d, 1, bias=False))
    ).double()
    nn.utils.vector_to_parameters(torch.tensor(theta), module.parameters())
    return module


def torch_func(case: Case, theta: Array) -> Gradients:
    """vmap of grad_and_value, as PyTorch's documentation has it."""
    import torch
    from torch.func import functional_call, grad_and_value, vmap

    module, x, y = _module(case, theta), torch.tensor(case.x), torch.tensor(case.y)
    parameters = {name: one.detach() for name, one in module.named_parameters()}

    def loss(parameters: dict[str, torch.Tensor], x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return (functional_call(module, parameters, (x,))[0] - y) ** 2

    of_all = vmap(grad_and_value(loss), in_dims=(None, 0, 0))

    def gradients() -> list[torch.Tensor]:
        of_parameters, _losses = of_all(parameters, x, y)
        return [of_parameters[name] for name in parameters]

    return gradients


def backpack(case: Case, theta: Array) -> Gradients:
    """BackPACK's BatchGrad, of losses summed."""
    import torch
    from backpack import backpack as extended
    from backpack import extend, extensions

    module, x, y = extend(_module(case, theta)), torch.tensor(case.x), torch.tensor(case.y)[:, None]
    loss = extend(torch.nn.MSELoss(reduction="sum"))

    def gradients() -> list[torch.Tensor]:
        module.zero_grad()
        with extended(extensions.BatchGrad()):
            loss(module(x), y).backward()
        return [one.grad_batch for one in module.parameters()]

    return gradients


def opacus(case: Case, theta: Array) -> Gradients:
    """Opacus' GradSampleModule, of losses summed."""
    import torch
    from opacus import GradSampleModule

    module = GradSampleModule(_module(case, theta), loss_reduction="sum")
    x, y, loss = torch.tensor(case.x), torch.tensor(case.y)[:, None], torch.nn.MSELoss(reduction="sum")

    def gradients() -> list[torch.Tensor]:
        module.zero_grad()
        loss(module(x), y).backward()
        return [one.grad_sample for one in module.parameters()]

    return gradients


PEERS: dict[str, tuple[Callable[[Case, Array], Gradients], str]] = {
    "torch.func, vmap of grad": (torch_func, "torch.func"),
    "BackPACK": (backpack, "backpack"),
    "Opacus": (opacus, "opacus"),
}
"""By name: its gradients, and the module that they need."""


def _again(gradients: Gradients) -> Work:
    def work(times: int) -> None:
        for _ in range(times):
            gradients()

    return work


def against(case: Case) -> list[Ratio]:
    """Nanoseconds a sample on one case, against each peer that is installed."""
    has_torch = installed("torch") is not None
    trainer = ours(case)
    theta, expected = trainer.snapshot().theta, trainer.snapshot().now.gradients
    works = {OURS: _again(lambda: trainer.snapshot().now)}
    for name, (peer, module) in PEERS.items():
        if has_torch and installed(module):
            gradients = peer(case, theta)
            pieces = [one.detach().numpy().reshape(case.problem.n, -1) for one in gradients()]
            same(expected, np.concatenate(pieces, axis=1), name)
            works[name] = _again(gradients)
    seconds = in_turn(works)
    ns = {name: [1e9 * one / case.problem.n for one in of_pairs] for name, of_pairs in seconds.items()}
    return [TimesFaster(f"{case.name}, ns a sample", name, ns[OURS], ns.get(name, []), "≥ 1") for name in PEERS]


def measure() -> list[Ratio]:
    """How many times faster every sample's gradient is; at most 10⁷ numbers."""
    plans = [
        *(("linear", 1, n) for n in (3, 100, 10_000, 1_000_000)),
        *(("linear", 10, n) for n in (3, 100, 10_000, 1_000_000)),
        *(("linear", 100, n) for n in (3, 100, 10_000, 100_000)),
        *(("mlp", 2, n) for n in (3, 100, 10_000, 100_000)),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a hook fires where no input needs a gradient: it is meant
        return [ratio for plan in plans for ratio in against(case(*plan))]
