"""Peers: time of an SGD update, batch size 1, against loops by hand, scikit-learn and PyTorch.

gdtui records all it does: each visit's loss and gradient, θ before each update, and after each epoch f over all samples
(so it evaluates the model twice an update); every sample's loss and gradient then are kept of a slice's last epoch. The
peers keep nothing unless it is said. All in float64 and on one thread; each starts from the same θ and is checked to
reach the same one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from gdtui.descent.snapshot import Epoch
from gdtui.descent.trainer import Trainer
from tests.benchmarks.cases import HIDDEN, Case, case, compiled_trainer, epochs_of, installed, same, tutorial_case
from tests.benchmarks.clock import in_turn
from tests.benchmarks.ratio import Ratio, TimesFaster

if TYPE_CHECKING:
    from gdtui.problems.datasets import Array

Descent = Callable[[int], "Array"]
"""So many epochs from the start; returns θ."""

OURS = "gdtui"


def bare_loop(case: Case) -> Descent:
    """The tutorial's inlined loop, one feature; keeps nothing."""
    x_data, y_data, lr = case.x[:, 0].tolist(), case.y.tolist(), case.lr

    def descend(epochs: int) -> Array:
        w = float(case.start[0])
        for _ in range(epochs):
            for x, y in zip(x_data, y_data, strict=True):
                grad = 2 * x * (x * w - y)
                w = w - lr * grad
        return np.array([w])

    return descend


def keeping_loop(case: Case) -> Descent:
    """The same, and keeps an epoch's losses and gradients."""
    x_data, y_data, lr = case.x[:, 0].tolist(), case.y.tolist(), case.lr

    def descend(epochs: int) -> Array:
        w = float(case.start[0])
        for _ in range(epochs):
            losses, gradients = [], []
            for x, y in zip(x_data, y_data, strict=True):
                grad = 2 * x * (x * w - y)
                losses.append((x * w - y) ** 2)
                gradients.append(grad)
                w = w - lr * grad
        return np.array([w])

    return descend


def numpy_loop(case: Case) -> Descent:
    """A sample at a time in NumPy; keeps an epoch's losses and gradients."""
    losses, gradients = np.empty(case.problem.n), np.empty(case.x.shape)

    def descend(epochs: int) -> Array:
        w = case.start.copy()
        for _ in range(epochs):
            for i in range(case.problem.n):
                residual = case.x[i] @ w - case.y[i]
                losses[i] = residual * residual
                gradients[i] = 2 * residual * case.x[i]
                w -= case.lr * gradients[i]
        return w

    return descend


def scikit_learn(case: Case) -> Descent:
    """SGDRegressor, or SGDClassifier for classes: one call of `fit` for all epochs; keeps nothing."""
    from sklearn.linear_model import SGDClassifier, SGDRegressor

    def descend(epochs: int) -> Array:
        options = {
            "penalty": None, "learning_rate": "constant", "max_iter": epochs, "tol": None, "shuffle": False,
        }  # fmt: skip
        if case.problem.model.name == "logistic":
            model = SGDClassifier(loss="log_loss", eta0=case.lr, **options)
            model.fit(case.x, case.y, coef_init=case.start[:-1], intercept_init=case.start[-1:])
            return np.concatenate([model.coef_.ravel(), model.intercept_])
        # Its squared loss has a half that ours has not.
        model = SGDRegressor(loss="squared_error", eta0=2 * case.lr, fit_intercept=False, **options)
        model.fit(case.x, case.y, coef_init=case.start)
        return model.coef_

    return descend


def torch_eager(case: Case) -> Descent:
    """PyTorch as its tutorials write it: a sample's loss, `backward`, `step`; keeps nothing."""
    import torch

    x, y = torch.tensor(case.x), torch.tensor(case.y)
    d = x.shape[1]

    def squared(theta: list[torch.Tensor], i: int) -> torch.Tensor:
        return (x[i] @ theta[0] - y[i]) ** 2

    def network(theta: list[torch.Tensor], i: int) -> torch.Tensor:
        return (torch.tanh(theta[0] @ x[i] + theta[1]) @ theta[2] + theta[3][0] - y[i]) ** 2

    def descend(epochs: int) -> Array:
        if case.problem.model.name == "mlp":
            loss, (w1, b1, w2, b2) = network, torch.tensor(case.start).split([HIDDEN * d, HIDDEN, HIDDEN, 1])
            theta = [w1.reshape(HIDDEN, d).clone(), b1.clone(), w2.clone(), b2.clone()]
        else:
            loss, theta = squared, [torch.tensor(case.start)]
        optimizer = torch.optim.SGD([one.requires_grad_() for one in theta], lr=case.lr)
        for _ in range(epochs):
            for i in range(case.problem.n):
                optimizer.zero_grad()
                loss(theta, i).backward()
                optimizer.step()
        return torch.cat([one.detach().ravel() for one in theta]).numpy()

    return descend


PEERS: dict[str, tuple[Callable[[Case], Descent], str, str]] = {
    "the tutorial's loop, bare": (bare_loop, "", ""),
    "the tutorial's loop, keeping all": (keeping_loop, "", "≥ 10"),
    "NumPy, keeping all": (numpy_loop, "", ""),
    "scikit-learn": (scikit_learn, "sklearn", "≥ 1"),
    "PyTorch eager": (torch_eager, "torch", "≥ 1,000"),
}
"""By name: the descent, the module that it needs, and its budget (which is for d = 1)."""

BARE, KEEPING, NUMPY, SKLEARN, TORCH = PEERS


def against(case: Case, names: list[str]) -> list[Ratio]:
    """Nanoseconds an update on one case, against these peers."""
    there = [name for name in names if not PEERS[name][1] or installed(PEERS[name][1])]
    descents = {name: PEERS[name][0](case) for name in there}
    theta = Trainer(case.experiment, case.problem).advance(until=Epoch(2)).theta
    for name, descend in descents.items():
        same(theta, descend(2), name)
    seconds = in_turn({OURS: partial(epochs_of, compiled_trainer(case)), **descents})
    ns = {name: [1e9 * one / case.problem.n for one in of_pairs] for name, of_pairs in seconds.items()}
    budgets = {name: PEERS[name][2] if case.x.shape[1] == 1 else "" for name in names}
    what = f"{case.name}, ns an update"
    return [TimesFaster(what, name, ns[OURS], ns.get(name, []), budgets[name]) for name in names]


def measure() -> list[Ratio]:
    """How many times faster an update is."""
    plans = [
        (tutorial_case(), [BARE, KEEPING, NUMPY, SKLEARN, TORCH]),
        (case("linear", 1, 100), [BARE, KEEPING, NUMPY, SKLEARN, TORCH]),
        (case("linear", 1, 10_000), [BARE, KEEPING, SKLEARN]),
        (case("linear", 1, 1_000_000), [KEEPING, SKLEARN]),
        *((case("linear", d, n), [NUMPY, SKLEARN, TORCH]) for d in (10, 100) for n in (3, 100)),
        *((case("linear", d, 10_000), [SKLEARN]) for d in (10, 100)),
        *((case("logistic", d, 10_000), [SKLEARN]) for d in (1, 10, 100)),
        (case("mlp", 2, 100), [TORCH]),
    ]
    return [ratio for one, names in plans for ratio in against(one, names)]
