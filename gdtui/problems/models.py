"""Models: what is fitted, each one function (θ, x, y, g) -> ℓ that writes the gradient ∇ℓ into g.

A loss is plain arithmetic on indexed sequences: it runs as it stands over memoryviews and arrays alike, can be compiled
as it stands, and gives the same bits either way. Hence loops instead of array expressions, and `r * r`, not `r ** 2`.
"""

from __future__ import annotations

from collections.abc import Callable, MutableSequence, Sequence
from dataclasses import dataclass

Vector = Sequence[float]
Loss = Callable[[Vector, Vector, float, MutableSequence[float]], float]


@dataclass(frozen=True, slots=True)
class Model:
    """A parametric model with its loss.

    Attributes:
        name: as in `--problem`.
        summary: its formula, for people.
        loss: (θ (p,), x (d,), y, g (p,)) -> ℓ(θ; x, y); writes ∇ℓ into g.
        predict: (θ (p,), x (d,)) -> ŷ; None where nothing is predicted.
        parameters: the parameters' names for the given features' names.
        is_quadratic: each sample's loss is a quadratic in θ, whose Hessian is the same everywhere and has no negative
            eigenvalue.
        own: a person's own function as it stands, which may raise; `loss` is nan there. None for gdtui's models.
    """

    name: str
    summary: str
    loss: Loss
    predict: Callable[[Vector, Vector], float] | None
    parameters: Callable[[tuple[str, ...]], tuple[str, ...]]
    is_quadratic: bool = False
    own: Loss | None = None


def linear(theta: Vector, x: Vector, y: float, g: MutableSequence[float]) -> float:
    """Squared loss of ŷ = x·w, no intercept: ℓ = (ŷ − y)², ∇ℓ = 2x(ŷ − y)."""
    residual = predict_linear(theta, x) - y
    for j in range(len(x)):
        g[j] = 2 * x[j] * residual
    return residual * residual


def predict_linear(theta: Vector, x: Vector) -> float:
    """ŷ = x·w."""
    y_hat = x[0] * theta[0]
    for j in range(1, len(x)):
        y_hat += x[j] * theta[j]
    return y_hat


def affine(theta: Vector, x: Vector, y: float, g: MutableSequence[float]) -> float:
    """Squared loss of ŷ = x·w + b, θ = (w, b): ℓ = (ŷ − y)², ∇ℓ = 2(x, 1)(ŷ − y)."""
    residual = predict_affine(theta, x) - y
    for j in range(len(x)):
        g[j] = 2 * x[j] * residual
    g[len(x)] = 2 * residual
    return residual * residual


def predict_affine(theta: Vector, x: Vector) -> float:
    """ŷ = x·w + b, θ = (w, b)."""
    return predict_linear(theta, x) + theta[len(x)]


def _weights(features: tuple[str, ...]) -> tuple[str, ...]:
    if len(features) == 1:
        return ("w",)
    return tuple(f"w{j + 1}" for j in range(len(features)))


MODELS = {
    model.name: model
    for model in (
        Model("linear", "ŷ = x·w, squared loss", linear, predict_linear, _weights, is_quadratic=True),
        Model(
            "affine",
            "ŷ = x·w + b, squared loss",
            affine,
            predict_affine,
            lambda names: (*_weights(names), "b"),
            is_quadratic=True,
        ),
    )
}
