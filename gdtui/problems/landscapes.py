"""Landscapes: test functions of a few parameters, each one function (θ, g) -> f that writes ∇f into g.

A landscape is plain arithmetic on indexed sequences, as a model's loss is, and never raises: where θ is so large that
f overflows, it is ∞ or nan. Formulas and minima: Jamil & Yang 2013, *A literature survey of benchmark functions*.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, MutableSequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gdtui.experiment import Value
from gdtui.hyperparameters import Hyperparameter

if TYPE_CHECKING:
    from gdtui.problems.models import Vector

Function = Callable[["Vector", MutableSequence[float]], float]
Point = tuple[float, ...]
Values = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Landscape:
    """A test function with what is known of it.

    Attributes:
        name: as in `--problem`.
        summary: its formula, for people.
        make: its hyperparameters' values -> (θ (p,), g (p,)) -> f(θ), which writes ∇f into g.
        dimensions: p.
        start: its hyperparameters' values -> θ at the start.
        minima: (θ, f(θ)) of its global minima, and after them of a local one that is named in books.
        hyperparameters: its own, and those of the noise.
        lr: a learning rate at which descent gets somewhere.
        is_quadratic: f is a quadratic in θ.
    """

    name: str
    summary: str
    make: Callable[[Values], Function]
    dimensions: int
    start: Callable[[Values], Point]
    minima: tuple[tuple[Point, float], ...]
    hyperparameters: tuple[Hyperparameter, ...]
    lr: float
    is_quadratic: bool = False

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the p parameters."""
        return ("x", "y")[: self.dimensions]


def quadratic(kappa: float) -> Function:
    """½(x² + κy²): a bowl whose condition number is κ."""

    def f(theta: Vector, g: MutableSequence[float]) -> float:
        x, y = theta[0], theta[1]
        g[0] = x
        g[1] = kappa * y
        return 0.5 * (x * x + kappa * y * y)

    return f


def double_well(theta: Vector, g: MutableSequence[float]) -> float:
    """x⁴/4 − x²/2 + 0.15x: the left well is the deeper one."""
    x = theta[0]
    g[0] = x * x * x - x + 0.15
    return x * x * x * x / 4 - x * x / 2 + 0.15 * x


def saddle(theta: Vector, g: MutableSequence[float]) -> float:
    """½x² − ½y² + ¼y⁴: on the line y = 0 descent ends in the saddle at 0."""
    x, y = theta[0], theta[1]
    g[0] = x
    g[1] = y * y * y - y
    return 0.5 * x * x - 0.5 * y * y + 0.25 * y * y * y * y


def monkey_saddle(theta: Vector, g: MutableSequence[float]) -> float:
    """x³ − 3xy² + ¾(x² + y²)²: three ways down from 0, where the second derivatives vanish too."""
    x, y = theta[0], theta[1]
    square = x * x + y * y
    g[0] = 3 * (x * x - y * y) + 3 * square * x
    g[1] = 3 * square * y - 6 * x * y
    return x * x * x - 3 * x * y * y + 0.75 * square * square


def rosenbrock(theta: Vector, g: MutableSequence[float]) -> float:
    """(1 − x)² + 100(y − x²)²: a curved, flat valley (Rosenbrock 1960)."""
    x, y = theta[0], theta[1]
    across = y - x * x
    g[0] = -2 * (1 - x) - 400 * x * across
    g[1] = 200 * across
    return (1 - x) * (1 - x) + 100 * across * across


def himmelblau(theta: Vector, g: MutableSequence[float]) -> float:
    """(x² + y − 11)² + (x + y² − 7)²: four equal minima (Himmelblau 1972)."""
    x, y = theta[0], theta[1]
    a = x * x + y - 11
    b = x + y * y - 7
    g[0] = 4 * x * a + 2 * b
    g[1] = 2 * a + 4 * y * b
    return a * a + b * b


def beale(theta: Vector, g: MutableSequence[float]) -> float:
    """(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²: plateaus and steep corners (Beale 1958)."""
    x, y = theta[0], theta[1]
    a = 1.5 - x + x * y
    b = 2.25 - x + x * y * y
    c = 2.625 - x + x * y * y * y
    g[0] = 2 * (a * (y - 1) + b * (y * y - 1) + c * (y * y * y - 1))
    g[1] = 2 * x * (a + 2 * b * y + 3 * c * y * y)
    return a * a + b * b + c * c


def rastrigin(theta: Vector, g: MutableSequence[float]) -> float:
    """10d + Σ(x² − 10 cos 2πx): a bowl full of local minima (Rastrigin 1974)."""
    value = 10.0 * len(theta)
    for j in range(len(theta)):
        x = theta[j]
        angle = math.tau * x
        if math.isinf(angle):  # has no cosine: it would raise
            angle = math.nan
        value += x * x - 10 * math.cos(angle)
        g[j] = 2 * x + 10 * math.tau * math.sin(angle)
    return value


def styblinski_tang(theta: Vector, g: MutableSequence[float]) -> float:
    """½Σ(x⁴ − 16x² + 5x): two wells along each axis (Styblinski & Tang 1990)."""
    value = 0.0
    for j in range(len(theta)):
        x = theta[j]
        value += 0.5 * (x * x * x * x - 16 * x * x + 5 * x)
        g[j] = 2 * x * x * x - 16 * x + 2.5
    return value


def ackley(theta: Vector, g: MutableSequence[float]) -> float:
    """−20e^(−0.2√(Σx²/d)) − e^(Σcos 2πx/d) + e + 20: a funnel with ripples (Ackley 1987).

    At its minimum, 0, is a cusp: there the gradient is 0 by definition.
    """
    d = len(theta)
    squares, cosines = 0.0, 0.0
    for j in range(d):
        x = theta[j]
        angle = math.tau * x
        if math.isinf(angle):  # has no cosine: it would raise
            angle = math.nan
        squares += x * x
        cosines += math.cos(angle)
        g[j] = math.sin(angle)
    radius = math.sqrt(squares / d)
    funnel, ripples = 20 * math.exp(-0.2 * radius), math.exp(cosines / d)
    for j in range(d):
        g[j] *= math.tau * ripples / d
        if radius > 0.0:
            g[j] += 0.2 * funnel * (theta[j] / radius) / d
    return 20 - funnel + (math.e - ripples)


_NOISE = (
    Hyperparameter("n", 32, "samples whose gradients are ∇f plus noise", least=2, most=10**6),
    Hyperparameter("rms", 1.0, "root mean square of the noise in each coordinate of a sample's gradient", 0.0, 1e100),
)


def _landscape(
    name: str,
    summary: str,
    f: Function,
    start: Point,
    minima: tuple[tuple[Point, float], ...],
    lr: float,
) -> Landscape:
    """One whose function and start are always the same."""
    return Landscape(name, summary, lambda _: f, len(start), lambda _: start, minima, _NOISE, lr)


_KAPPA = Hyperparameter("kappa", 10.0, "condition number: how many times steeper y is than x", 1.0, 1e12)

LANDSCAPES = {
    landscape.name: landscape
    for landscape in (
        Landscape(
            "quadratic",
            "½(x² + κy²)",
            lambda values: quadratic(float(values["kappa"])),
            2,
            lambda values: (float(values["kappa"]), 1.0),
            (((0.0, 0.0), 0.0),),
            (_KAPPA, *_NOISE),
            lr=0.1,
            is_quadratic=True,
        ),
        _landscape(
            "double-well",
            "x⁴/4 − x²/2 + 0.15x",
            double_well,
            start=(1.5,),
            minima=(((-1.0679230136896973,), -0.40525622983211224), ((0.9142973158662134,), -0.10612644741509158)),
            lr=0.1,
        ),
        _landscape(
            "saddle",
            "½x² − ½y² + ¼y⁴",
            saddle,
            start=(1.0, 0.0),
            minima=(((0.0, 1.0), -0.25), ((0.0, -1.0), -0.25)),
            lr=0.1,
        ),
        _landscape(
            "monkey-saddle",
            "x³ − 3xy² + ¾(x² + y²)²",
            monkey_saddle,
            start=(1.0, 0.001),
            minima=(
                ((-1.0, 0.0), -0.25),
                ((0.5, math.sqrt(0.75)), -0.25),
                ((0.5, -math.sqrt(0.75)), -0.25),
            ),
            lr=0.1,
        ),
        _landscape(
            "rosenbrock",
            "(1 − x)² + 100(y − x²)²",
            rosenbrock,
            start=(-1.2, 1.0),
            minima=(((1.0, 1.0), 0.0),),
            lr=0.001,
        ),
        _landscape(
            "himmelblau",
            "(x² + y − 11)² + (x + y² − 7)²",
            himmelblau,
            start=(0.0, 0.0),
            minima=(
                ((3.0, 2.0), 0.0),
                ((-2.805118086952745, 3.131312518250573), 0.0),
                ((-3.779310253377747, -3.2831859912861696), 0.0),
                ((3.5844283403304917, -1.8481265269644036), 0.0),
            ),
            lr=0.01,
        ),
        _landscape(
            "beale",
            "(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²",
            beale,
            start=(1.0, 1.0),
            minima=(((3.0, 0.5), 0.0),),
            lr=0.01,
        ),
        _landscape(
            "rastrigin",
            "10d + Σ(x² − 10 cos 2πx)",
            rastrigin,
            start=(-2.0, 3.5),
            minima=(((0.0, 0.0), 0.0),),
            lr=0.001,
        ),
        _landscape(
            "styblinski-tang",
            "½Σ(x⁴ − 16x² + 5x)",
            styblinski_tang,
            start=(0.0, 0.0),
            minima=(((-2.903534027771177, -2.903534027771177), -78.33233140754282),),
            lr=0.01,
        ),
        _landscape(
            "ackley",
            "−20e^(−0.2√(Σx²/2)) − e^(½Σcos 2πx) + e + 20",
            ackley,
            start=(2.5, -1.5),
            minima=(((0.0, 0.0), 0.0),),
            lr=0.01,
        ),
    )
}
"""Every landscape by the name of `--problem`."""
