"""Terrain: f as it is drawn is f; the window holds what it must and stays; the work is bounded; nothing raises."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gdtui.descent.snapshot import Epoch, Evaluation, State, Update
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment
from gdtui.insight.instruments import distance
from gdtui.insight.knots import Surface, between
from gdtui.insight.terrain import KEPT, Curve, Map, Slice, Terrain, terrain
from gdtui.insight.tracked import newest_alpha
from gdtui.problems.catalog import FAMILIES
from gdtui.problems.landscapes import LANDSCAPES
from gdtui.problems.loading import load_problem

if TYPE_CHECKING:
    from pathlib import Path

    from gdtui.descent.snapshot import Snapshot
    from gdtui.problems.datasets import Array

TWO = {"lr": 0.01, "problem": "himmelblau"}
MANY = {"lr": 0.1, "problem": "mlp", "data": "moons"}


def trainer(**settings: Any) -> Trainer:
    experiment = Experiment().replace(**settings)
    return Trainer(experiment, load_problem(experiment))


def f(snapshot: Snapshot, *theta: float) -> float:
    return snapshot.evaluate(np.array(theta)).loss


def counted(snapshot: Snapshot) -> tuple[Snapshot, list[int]]:
    """A moment that counts how often it is evaluated, in samples."""
    calls: list[int] = []

    def evaluate(theta: Array) -> Evaluation:
        calls.append(snapshot.problem.n)
        return snapshot.evaluate(theta)

    return replace(snapshot, evaluate=evaluate), calls


def curve_of(drawn: Terrain) -> Curve:
    assert isinstance(drawn.shape, Curve)
    return drawn.shape


def map_of(drawn: Terrain) -> Map:
    assert isinstance(drawn.shape, Map)
    return drawn.shape


def slice_of(drawn: Terrain) -> Slice:
    assert isinstance(drawn.shape, Slice)
    return drawn.shape


# Between knots


def test_between_knots_a_cubic_is_itself() -> None:
    knots, x = np.array([-2.0, -1.0, 0.5, 3.0]), np.linspace(-2, 3, 41)
    cubic, slope = np.polynomial.Polynomial([1, -2, 0.5, 0.25]), np.polynomial.Polynomial([-2, 1, 0.75])
    assert between(knots, cubic(knots), slope(knots), x) == pytest.approx(cubic(x), abs=1e-12)


def test_a_quadratic_surface_of_three_knots_is_itself() -> None:
    x, y = np.linspace(-1, 2, 3), np.linspace(0, 4, 3)
    a, b = np.meshgrid(x, y)
    surface = Surface.of(x, y, a * a + 3 * a * b - b * b, 2 * a + 3 * b, 3 * a - 2 * b)
    at_x, at_y = np.linspace(-1, 2, 13), np.linspace(0, 4, 7)
    a, b = np.meshgrid(at_x, at_y)
    assert surface.at(at_x, at_y) == pytest.approx(a * a + 3 * a * b - b * b, abs=1e-12)


def test_what_is_not_finite_stays_between_its_neighbours() -> None:
    values = np.array([1.0, 1, math.inf, 1, 1, 1])
    read = between(np.arange(6.0), values, np.zeros(6), np.array([0.5, 1.5, 2.5, 3.5, 4.5]))
    assert np.isfinite(read).tolist() == [True, False, False, True, True]


# What is drawn is f


@pytest.mark.parametrize("settings", [{}, {"problem": "double-well"}], ids=["tutorial", "double-well"])
def test_the_curve_is_f_and_the_lines_are_samples(settings: dict[str, Any]) -> None:
    snapshot = trainer(**settings).snapshot()
    curve = curve_of(terrain(snapshot))
    w = np.linspace(*curve.window[0], 37)
    exact = [snapshot.evaluate(np.array([each])) for each in w]
    assert curve.f_at(w) == pytest.approx([each.loss for each in exact], rel=1e-4, abs=1e-4)
    losses = np.array([each.losses for each in exact])[:, list(curve.samples)]
    assert curve.losses_at(w) == pytest.approx(losses, rel=1e-4, abs=1e-4)
    assert len(curve.samples) == min(snapshot.problem.n, 12)


@pytest.mark.parametrize(
    "settings",
    [
        *({"problem": name} for name, one in LANDSCAPES.items() if one.dimensions == 2),
        {"problem": "affine", "data": "faithful"},
        {"problem": "huber", "data": "outlier-line"},
        {"problem": "deep-linear", "init": (0.5, -0.5)},
    ],
    ids=lambda settings: settings["problem"],
)
def test_the_map_is_f(settings: dict[str, Any]) -> None:
    snapshot = trainer(**settings).snapshot()
    shape = map_of(terrain(snapshot))
    x, y = (np.linspace(*ends, 23) for ends in shape.window)
    exact = np.array([[f(snapshot, a, b) for a in x] for b in y])
    error = np.abs(shape.surface.at(x, y) - exact)
    assert error.max() <= (0.03 if settings["problem"] == "ackley" else 0.004) * (exact.max() - exact.min())
    assert np.median(error) <= 1e-4 * (exact.max() - exact.min())


def test_of_a_quadratic_the_map_is_exact() -> None:
    snapshot = trainer(problem="affine", data="faithful").snapshot()
    shape = map_of(terrain(snapshot))
    x, y = (np.linspace(*ends, 9) for ends in shape.window)
    assert shape.surface.at(x, y) == pytest.approx(np.array([[f(snapshot, a, b) for a in x] for b in y]), rel=1e-9)


def test_bands_rise_with_f_and_the_lowest_is_small() -> None:
    shape = map_of(terrain(trainer(**TWO).snapshot()))
    x, y = (np.linspace(*ends, 40) for ends in shape.window)
    values, bands = shape.surface.at(x, y).ravel(), shape.bands(x, y).ravel()
    assert (np.diff(bands[values.argsort()]) >= 0).all()
    counts = np.bincount(bands)
    assert len(counts) == 10
    assert counts[0] < counts[-1]


def test_a_flat_f_has_one_band(tmp_path: Path) -> None:
    own = tmp_path / "flat.py"
    own.write_text("def flat(theta, x, y, g):\n    g[0] = g[1] = 0.0\n    return 1.0\nflat.parameters = 2\n")
    shape = map_of(terrain(trainer(problem=f"{own}:flat", data="tutorial").snapshot()))
    assert set(shape.bands(np.linspace(-1, 1, 9), np.linspace(-1, 1, 9)).ravel().tolist()) == {0}


def test_the_slice_is_f_along_the_newest_update() -> None:
    run = trainer(**MANY)
    snapshot = run.advance(Update(7))
    shape, before = slice_of(terrain(snapshot)), snapshot.visits.thetas[-1]
    step = snapshot.theta - before
    for tau in (-1.0, -0.3, 0.0, 0.5, 1.0, 2.2, 3.0):
        assert shape.f_at(np.array([tau]))[0] == pytest.approx(f(snapshot, *(before + tau * step)), rel=1e-6)
    assert shape.length == distance(snapshot.theta, before)
    assert shape.alpha == newest_alpha(snapshot)
    assert not shape.is_to_come


def test_the_fit_has_its_minimum_where_alpha_says() -> None:
    run = trainer(problem="linear", data="two-feature", lr=0.01, batch_size="full", init=(3.0, -1.0))
    snapshot = run.advance(Update(1))
    before, step = snapshot.visits.thetas[-1], snapshot.theta - snapshot.visits.thetas[-1]
    along = Slice(np.array([-1.0, 0, 1, 3]), np.zeros((2, 4)), 1.0, None, False)
    assert along.fitted_at(np.array([0.0])) is None
    f_of = [snapshot.evaluate(before + tau * step) for tau in (-1.0, 0, 1, 3)]
    values = np.array([[each.loss for each in f_of], [each.gradients.mean(axis=0) @ step for each in f_of]])
    fitted = replace(along, f=values, alpha=newest_alpha(snapshot)).fitted_at(np.linspace(-1, 3, 17))
    assert fitted == pytest.approx(along_f(snapshot, before, step), rel=1e-6)


def along_f(snapshot: Snapshot, before: Array, step: Array) -> list[float]:
    return [snapshot.evaluate(before + tau * step).loss for tau in np.linspace(-1, 3, 17)]


def test_before_the_first_update_the_slice_is_along_the_next() -> None:
    run = trainer(**MANY, batch_size="full", optimizer="adam")
    shape = slice_of(terrain(run.snapshot()))
    assert (shape.is_to_come, shape.alpha) == (True, None)
    assert shape.length == pytest.approx(distance(run.advance(Update(1)).theta, run.problem.start(())))


# The point and the step to come


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": "sgd", "momentum": 0.9},
        {"optimizer": "adam"},
        {"optimizer": "lion"},
        {"clip": 1.0},
        {"schedule": "exponential", "gamma": 0.5},
    ],
    ids=str,
)
def test_on_the_full_batch_the_step_to_come_comes(settings: dict[str, Any]) -> None:
    run = trainer(problem="affine", data="noisy-line", lr=0.01, batch_size="full", **settings)
    drawn = terrain(run.snapshot())
    for update in range(1, 6):
        assert drawn.to_come is not None
        snapshot = run.advance(Epoch(update))
        assert drawn.to_come == pytest.approx(snapshot.theta, rel=1e-12)
        drawn = terrain(snapshot, drawn)
        assert (drawn.height, drawn.slope.tolist()) == (snapshot.loss, snapshot.now.gradients.mean(axis=0).tolist())


def test_nothing_is_to_come_when_it_is_over() -> None:
    assert terrain(trainer(epochs=2).advance()).to_come is None


# The window


def held(drawn: Terrain) -> list[Array]:
    return [drawn.start, drawn.snapshot.theta, *drawn.objective.minima, *drawn.path[:, 1:]]


@pytest.mark.parametrize("name", [name for name, one in LANDSCAPES.items() if one.dimensions <= 2])
def test_the_window_holds_start_path_point_and_minima(name: str) -> None:
    run = trainer(problem=name, lr=FAMILIES[name].lr, batch_size=4)
    drawn = terrain(run.snapshot())
    for epoch in range(1, 6):
        drawn = terrain(run.advance(Epoch(epoch)), drawn)
        assert isinstance(drawn.shape, Curve | Map)
        low, high = drawn.shape.window.T
        assert all((low < point).all() and (point < high).all() for point in held(drawn))


def test_the_minimum_of_a_quadratic_is_found() -> None:
    assert terrain(trainer().snapshot()).objective.minima.tolist() == [pytest.approx([2.0])]
    faithful = terrain(trainer(problem="affine", data="faithful").snapshot()).objective.minima
    assert faithful[0] == pytest.approx([10.7296, 33.4744], rel=1e-5)
    assert not len(terrain(trainer(problem="deep-linear", init=(0.5, -0.5)).snapshot()).objective.minima)


def test_while_it_plays_the_window_stays_and_only_the_point_costs() -> None:
    run = trainer(**TWO, batch_size="full")
    drawn = first = terrain(run.snapshot())
    for epoch in range(1, 40):
        snapshot, calls = counted(run.advance(Epoch(epoch)))
        drawn = terrain(snapshot, drawn)
        assert drawn.shape is first.shape
        assert not calls


def test_a_window_that_is_left_is_left_at_once_and_with_room() -> None:
    run = trainer(lr=0.25, batch_size="full", epochs=60)
    drawn, windows = terrain(run.snapshot()), set()
    for epoch in range(1, 30):
        drawn = terrain(run.advance(Epoch(epoch)), drawn)
        curve = curve_of(drawn)
        windows.add(tuple(curve.window[0]))
        assert curve.window[0, 0] < drawn.snapshot.theta[0] < curve.window[0, 1]
    assert 2 <= len(windows) <= 20


def test_a_window_much_too_wide_is_left() -> None:
    wide = trainer(init=(1e6,)).snapshot()
    near = trainer().snapshot()
    near = replace(near, problem=wide.problem)
    assert curve_of(terrain(near, terrain(wide))).window[0, 1] < 100


# The path


def test_the_path_goes_where_theta_went_and_ends_now() -> None:
    run, drawn = trainer(**TWO, batch_size="full"), None
    thetas = []
    for epoch in range(6):
        snapshot = run.advance(Epoch(epoch))
        thetas.append([epoch, *snapshot.theta])
        drawn = terrain(snapshot, drawn)
    assert drawn is not None
    assert drawn.path.tolist() == thetas


def test_after_a_rewind_the_path_ends_where_theta_is() -> None:
    run = trainer(**TWO, batch_size="full")
    drawn = None
    for epoch in range(6):
        drawn = terrain(run.advance(Epoch(epoch)), drawn)
    drawn = terrain(run.rewind(3), drawn)
    assert drawn.path[:, 0].tolist() == [0, 1, 2, 3]


def test_another_way_from_a_rewind_forgets_the_old_one() -> None:
    """Even where no moment between was drawn."""
    run = trainer(**TWO, batch_size="full")
    drawn = None
    for epoch in range(9):
        drawn = terrain(run.advance(Epoch(epoch)), drawn)
    run.rewind(3)
    run.change(lr=0.001)
    drawn = terrain(run.advance(Epoch(7)), drawn)
    assert drawn.path[:, 0].tolist() == [0, 1, 2, 3, 6, 7]


def test_another_run_of_the_same_problem_has_its_own_path() -> None:
    one = trainer(**TWO)
    drawn = terrain(one.advance(Epoch(2)), terrain(one.advance(Epoch(1))))
    other = Trainer(one.experiment.replace(lr=0.002), one.problem)
    fresh = terrain(other.advance(Epoch(5)))
    assert terrain(other.snapshot(), drawn).path.tolist() == fresh.path.tolist()


def test_a_long_path_is_thinned_and_keeps_its_ends() -> None:
    run = trainer(**TWO, order="shuffle")
    drawn = None
    for epoch in range(60):
        drawn = terrain(run.advance(Epoch(epoch)), drawn)
    assert drawn is not None
    assert len(drawn.path) <= KEPT
    assert drawn.path[0].tolist() == [0.0, *drawn.start]
    assert drawn.path[-1, 1:].tolist() == drawn.snapshot.theta.tolist()
    assert (np.diff(drawn.path[:, 0]) > 0).all()


# Work


@pytest.mark.parametrize(
    ("settings", "most"),
    [
        ({}, 20),
        ({"problem": "affine", "data": "faithful"}, 272 * 20),
        ({"problem": "huber", "data": "outlier-line", "n": 1000}, 100_000),
        ({"problem": "logistic", "data": "moons", "n": 900}, 900 * 20),
        (TWO, 100),
    ],
    ids=str,
)
def test_the_first_frame_evaluates_boundedly(settings: dict[str, Any], most: int) -> None:
    snapshot, calls = counted(trainer(**settings).snapshot())
    drawn = terrain(snapshot)
    assert drawn.objective.samples == snapshot.problem.n
    assert sum(calls) <= most


def test_of_many_samples_a_part_stands_for_all() -> None:
    snapshot, calls = counted(trainer(problem="affine", data="noisy-line", n=20_000).snapshot())
    drawn = terrain(snapshot)
    assert (drawn.objective.samples, len(calls)) == (1_000, 0)
    shape = map_of(drawn)
    assert shape.surface.f == pytest.approx(
        np.array([[f(snapshot, a, b) for a in shape.surface.x] for b in shape.surface.y]), rel=0.1
    )


def test_a_landscape_of_many_samples_is_drawn_exactly() -> None:
    snapshot = trainer(problem="saddle", n=5_000).snapshot()
    drawn = terrain(snapshot)
    assert drawn.objective.samples == 5_000
    assert drawn.height == pytest.approx(0.5)
    assert f(snapshot, *drawn.objective.minima[0]) == pytest.approx(-0.25)


# Whatever happens


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", FAMILIES)
def test_it_never_raises(name: str) -> None:
    generator = np.random.default_rng(0)
    data = {"data": FAMILIES[name].data} if FAMILIES[name].data else {}
    problem = load_problem(Experiment().replace(problem=name, **data))
    p, drawn = len(problem.start(())), None
    for size in (0.0, 1e-300, 1.0, 1e3, 1e60, 1e160):
        init = tuple((size * generator.standard_normal(p)).tolist())
        theta = np.array(init)
        snapshot = Trainer(Experiment().replace(problem=name, **data), problem).snapshot()
        moment = replace(snapshot, theta=theta, _now=None, experiment=snapshot.experiment.replace(init=init))
        terrain(moment)
        drawn = terrain(moment, drawn)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("settings", [{"lr": 3.0}, {"lr": 1e200}, TWO | {"lr": 1e5}, MANY | {"lr": 1e300}], ids=str)
def test_a_divergence_is_drawn_to_its_end(settings: dict[str, Any]) -> None:
    run, drawn = trainer(**settings, epochs=10_000), None
    snapshot = run.snapshot()
    while not snapshot.state.is_over:
        drawn = terrain(snapshot, drawn)
        snapshot = run.advance(Update(snapshot.updates + 1))
    assert snapshot.state is State.DIVERGED
    assert terrain(snapshot, drawn).to_come is None


def test_a_model_that_raises_far_away_is_a_gap(tmp_path: Path) -> None:
    own = tmp_path / "fence.py"
    own.write_text(
        "import math\n"
        "def fence(theta, x, y, g):\n"
        "    g[0] = -0.5 / math.sqrt(1.25 - theta[0])\n"
        "    return math.sqrt(1.25 - theta[0])\n"
    )
    curve = curve_of(terrain(trainer(problem=f"{own}:fence", data="tutorial").snapshot()))
    finite = np.isfinite(curve.f_at(np.linspace(*curve.window[0], 99)))
    assert finite.any()
    assert not finite.all()


def test_one_sample_is_enough() -> None:
    problem = load_problem(Experiment())
    one = replace(
        problem, dataset=replace(problem.dataset, x=problem.dataset.x[:1].copy(), y=problem.dataset.y[:1].copy())
    )
    assert curve_of(terrain(Trainer(Experiment(), one).advance(Epoch(3)))).samples == (0,)


def test_at_the_cusp_of_ackley_there_is_a_map() -> None:
    snapshot = trainer(problem="ackley", init=(0.0, 0.0)).snapshot()
    shape = map_of(terrain(snapshot))
    assert (shape.window[:, 0] < 0).all()
    assert (shape.window[:, 1] > 0).all()
    assert shape.surface.at(np.array([0.0]), np.array([0.0])) == pytest.approx(0.0, abs=0.5)
