"""Rules: against PyTorch, against Lion's paper, and the same bits whether interpreted or compiled."""

from __future__ import annotations

import inspect
import math
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gdtui.descent.optimizers import RULES, initial_state, rule_named
from gdtui.experiment import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gdtui.descent.optimizers import Rule
    from gdtui.hyperparameters import Hyperparameter

STEPS = 200
IN_PYTORCH = {
    "sgd": "SGD",
    "adagrad": "Adagrad",
    "rmsprop": "RMSprop",
    "adadelta": "Adadelta",
    "adam": "Adam",
    "adamw": "AdamW",
    "nadam": "NAdam",
}
USUAL = {
    "momentum": (0.0, 0.99),
    "dampening": (-0.5, 1.0),
    "weight_decay": (0.0, 0.1),
    "lr_decay": (0.0, 0.1),
    "initial_accumulator_value": (0.0, 1.0),
    "alpha": (0.5, 0.9999),
    "rho": (0.5, 0.999),
    "beta1": (0.0, 0.999),
    "beta2": (0.5, 0.9999),
    "momentum_decay": (0.0, 0.1),
    "eps": (1e-12, 1e-2),
}
"""Where people set them; nearer the edges a descent may be chaotic, and blow up the last place."""
BELOW_1 = math.nextafter(1.0, 0.0)
MAX = sys.float_info.max

finite = st.floats(allow_nan=False, allow_infinity=False)
each_rule = pytest.mark.parametrize("name", RULES)


@pytest.fixture(scope="module")
def torch() -> Iterator[Any]:
    """PyTorch in float64 throughout: else NAdam keeps its product of μ in float32."""
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle, and is not installed")
    dtype = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield torch
    torch.set_default_dtype(dtype)


@pytest.fixture(scope="module")
def compiled() -> dict[str, Callable[..., None]]:
    numba = pytest.importorskip("numba", reason="numba, the compiler, is not installed")
    vector = numba.float64[::1]
    signature = numba.void(vector, vector, numba.float64, vector, vector)
    return {name: numba.njit(signature)(rule.update) for name, rule in RULES.items()}


def usual(one: Hyperparameter) -> st.SearchStrategy[Any]:
    if isinstance(one.default, int):
        return st.integers(0, 1)
    return st.just(one.default) | st.floats(*USUAL[one.name])


def extreme(one: Hyperparameter) -> st.SearchStrategy[Any]:
    if isinstance(one.default, int):
        return st.integers(0, 1)
    most = BELOW_1 if one.name.startswith("beta") else min(one.most, MAX)
    return st.floats(max(one.least, -MAX), most)


@st.composite
def settings_of(draw: st.DrawFn, rule: Rule) -> dict[str, Any]:
    """Hyperparameters that go together and that people use."""
    values = {one.name: draw(usual(one)) for one in rule.hyperparameters}
    if values.get("nesterov"):
        values |= {"momentum": values["momentum"] or 0.9, "dampening": 0.0}
    if values.get("centered"):
        values["alpha"] = draw(st.floats(0.9, 0.9999))  # with less, v − m² is all rounding
    return values


class NoisyBowl:
    """½ θ·Aθ − b·θ, its gradient blurred by noise that is the same for everyone who descends it."""

    def __init__(self, seed: int, p: int) -> None:
        generator = np.random.default_rng(seed)
        root = generator.normal(size=(p, p))
        self.a, self.b = root @ root.T / p, generator.normal(size=p)
        self.noise = generator.normal(size=(STEPS, p))
        self.start = generator.normal(size=p)

    def gradient(self, theta: np.ndarray, t: int) -> np.ndarray:
        return self.a @ theta - self.b + self.noise[t]


bowls = st.builds(NoisyBowl, st.integers(0, 2**32), st.integers(1, 5))


def descend(rule: Rule, bowl: NoisyBowl, lr: float, values: dict[str, Any]) -> np.ndarray:
    theta, state, h = bowl.start.copy(), initial_state(rule, len(bowl.start)), rule.h(values)
    path = []
    for t in range(STEPS):
        rule.update(theta, bowl.gradient(theta, t), lr, h, state)
        path.append(theta.copy())
    return np.array(path)


def descend_in_pytorch(torch: Any, name: str, bowl: NoisyBowl, lr: float, values: dict[str, Any]) -> np.ndarray:
    theta = torch.tensor(bowl.start, requires_grad=True)
    optimizer = as_in_pytorch(torch, name, [theta], lr, values)
    path = []
    for t in range(STEPS):
        theta.grad = torch.from_numpy(bowl.gradient(theta.detach().numpy(), t))
        optimizer.step()
        path.append(theta.detach().numpy().copy())
    return np.array(path)


def as_in_pytorch(torch: Any, name: str, parameters: list[Any], lr: float, values: dict[str, Any]) -> Any:
    known = {one.name: one.default for one in RULES[name].hyperparameters}
    keywords = {key: bool(value) if isinstance(known[key], int) else value for key, value in values.items()}
    if "beta1" in known:
        full = known | keywords
        keywords = {key: value for key, value in keywords.items() if not key.startswith("beta")}
        keywords["betas"] = (float(full["beta1"]), float(full["beta2"]))
    return getattr(torch.optim, IN_PYTORCH[name])(parameters, lr=lr, foreach=False, **keywords)


def bits(numbers: np.ndarray) -> bytes:
    """Their bytes; one nan is like another."""
    return np.where(np.isnan(numbers), np.nan, numbers).tobytes()


def off_by(path: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference, relative to the largest |θⱼ| until then."""
    return float(np.max(np.abs(path - expected) / np.maximum.accumulate(np.abs(expected))))


class TestAgainstPyTorch:
    @pytest.mark.parametrize("name", IN_PYTORCH)
    @settings(max_examples=15)
    @given(data=st.data(), bowl=bowls, scale=st.floats(0.1, 50.0))
    def test_path_is_pytorchs(self, torch, name, data, bowl, scale):
        rule = RULES[name]
        values = data.draw(settings_of(rule))
        lr = min(rule.lr * scale, 1.0)
        expected = descend_in_pytorch(torch, name, bowl, lr, values)
        assert off_by(descend(rule, bowl, lr, values), expected) < 1e-12

    @pytest.mark.parametrize("name", IN_PYTORCH)
    def test_defaults_are_pytorchs(self, torch, name):
        theirs = inspect.signature(getattr(torch.optim, IN_PYTORCH[name])).parameters
        rule = RULES[name]
        assert rule.lr == theirs["lr"].default
        for one in rule.hyperparameters:
            if one.name in ("beta1", "beta2"):
                assert one.default == theirs["betas"].default[int(one.name[-1]) - 1]
            else:
                assert one.default == theirs[one.name].default

    @pytest.mark.parametrize(
        ("name", "wrong"),
        [
            ("sgd", {"momentum": -0.1}),
            ("sgd", {"weight_decay": -1.0}),
            ("sgd", {"nesterov": 1}),
            ("sgd", {"nesterov": 1, "momentum": 0.9, "dampening": 0.1}),
            ("adagrad", {"lr_decay": -1.0}),
            ("adagrad", {"initial_accumulator_value": -1.0}),
            ("rmsprop", {"alpha": -0.1}),
            ("rmsprop", {"eps": -1e-8}),
            ("adadelta", {"rho": 1.5}),
            ("adam", {"beta1": 1.0}),
            ("adamw", {"beta2": 1.0}),
            ("nadam", {"beta2": -0.1}),
            ("nadam", {"momentum_decay": -1.0}),
        ],
    )
    def test_what_pytorch_refuses_is_refused(self, torch, name, wrong):
        with pytest.raises(ValueError, match=r"."):
            as_in_pytorch(torch, name, [torch.zeros(1)], 0.1, wrong)
        with pytest.raises(InputError):
            RULES[name].h(wrong)

    @pytest.mark.parametrize(
        ("name", "before", "after"),
        [
            ("sgd", {"momentum": 0.0}, {"momentum": 0.9}),
            ("sgd", {"momentum": 0.9}, {"momentum": 0.5, "nesterov": 1}),
            ("adagrad", {"lr_decay": 0.0}, {"lr_decay": 0.1}),
            ("rmsprop", {"momentum": 0.5}, {"alpha": 0.9, "momentum": 0.5}),
            ("adam", {"weight_decay": 0.0}, {"weight_decay": 0.1}),
            ("nadam", {"momentum_decay": 0.004}, {"momentum_decay": 0.1}),
        ],
    )
    def test_change_in_mid_run_is_taken_up_as_pytorch_does(self, torch, name, before, after):
        bowl, rule = NoisyBowl(1, 3), RULES[name]
        theta, state = bowl.start.copy(), initial_state(rule, 3)
        theirs = torch.tensor(bowl.start, requires_grad=True)
        optimizer = as_in_pytorch(torch, name, [theirs], 0.05, before)
        for t in range(STEPS):
            if t == STEPS // 2:
                optimizer.param_groups[0].update(after)
            rule.update(theta, bowl.gradient(theta, t), 0.05, rule.h(before if t < STEPS // 2 else after), state)
            theirs.grad = torch.from_numpy(bowl.gradient(theirs.detach().numpy(), t))
            optimizer.step()
        np.testing.assert_allclose(theta, theirs.detach().numpy(), rtol=1e-12)


class TestLion:
    @settings(max_examples=30)
    @given(
        bowl=bowls, lr=st.floats(1e-4, 0.1), beta1=st.floats(0, 0.99), beta2=st.floats(0, 0.99), decay=st.floats(0, 1)
    )
    def test_path_is_that_of_the_papers_algorithm(self, bowl, lr, beta1, beta2, decay):
        theta, momentum, path = bowl.start.copy(), np.zeros_like(bowl.start), []
        for t in range(STEPS):
            g = bowl.gradient(theta, t)
            direction = np.sign(beta1 * momentum + (1 - beta1) * g)
            momentum = beta2 * momentum + (1 - beta2) * g
            theta = theta - lr * (direction + decay * theta)
            path.append(theta)
        values = {"beta1": beta1, "beta2": beta2, "weight_decay": decay}
        assert off_by(descend(RULES["lion"], bowl, lr, values), np.array(path)) < 1e-12

    def test_every_coordinate_moves_by_lr(self):
        theta = [1.0, 1.0, 1.0]
        RULES["lion"].update(theta, [1e-9, -5.0, 0.0], 0.125, RULES["lion"].h({}), initial_state(RULES["lion"], 3))
        assert theta == [0.875, 1.125, 1.0]


class TestBits:
    @each_rule
    @settings(max_examples=20)
    @given(data=st.data(), bowl=bowls)
    def test_are_the_same_over_lists_arrays_and_memoryviews_and_compiled(self, compiled, name, data, bowl):
        rule = RULES[name]
        h = np.array(rule.h(data.draw(settings_of(rule))))
        gradients = [bowl.gradient(bowl.start, t) for t in range(40)]

        def end(update: Callable[..., None], kind: Callable[[Any], Any]) -> list[float]:
            theta, state = kind(bowl.start.copy()), kind(initial_state(rule, len(bowl.start)))
            for g in gradients:
                update(theta, kind(g.copy()), 10 * rule.lr, kind(h), state)
            return [*theta, *state]

        expected = end(rule.update, np.ndarray.tolist)
        assert end(rule.update, np.asarray) == expected
        assert end(rule.update, memoryview) == expected
        assert end(compiled[name], np.asarray) == expected

    @each_rule
    @settings(max_examples=60)
    @given(data=st.data(), lr=st.floats(5e-324, MAX))
    def test_are_the_same_for_extreme_numbers_and_nothing_raises(self, compiled, name, data, lr):
        rule = RULES[name]
        p = 2
        h = np.array([float(data.draw(extreme(one))) for one in rule.hyperparameters])
        vector = st.lists(finite, min_size=p, max_size=p)
        theta, rows = np.array(data.draw(vector)), data.draw(st.lists(vector, min_size=1, max_size=4))
        state = initial_state(rule, p)
        compiled_theta, compiled_state = theta.copy(), state.copy()
        for row in rows:
            rule.update(memoryview(theta), memoryview(np.array(row)), lr, memoryview(h), memoryview(state))
            compiled[name](compiled_theta, np.array(row), lr, h, compiled_state)
        assert (bits(compiled_theta), bits(compiled_state)) == (bits(theta), bits(state))

    @each_rule
    def test_are_the_same_from_a_copied_state(self, name):
        rule, bowl = RULES[name], NoisyBowl(2, 3)
        h, theta, state = rule.h({}), bowl.start.copy(), initial_state(rule, 3)
        for t in range(50):
            if t == 20:
                copied_theta, copied_state = theta.copy(), state.copy()
            rule.update(theta, bowl.gradient(theta, t), rule.lr, h, state)
        for t in range(20, 50):
            rule.update(copied_theta, bowl.gradient(copied_theta, t), rule.lr, h, copied_state)
        assert (copied_theta.tobytes(), copied_state.tobytes()) == (theta.tobytes(), state.tobytes())


class TestCorners:
    @each_rule
    def test_coordinate_without_gradient_stays_even_where_eps_is_0(self, name):
        rule = RULES[name]
        values = {one.name: 0.0 for one in rule.hyperparameters if one.name in ("eps", "weight_decay")}
        theta, state = [3.0, 3.0], initial_state(rule, 2)
        for _ in range(5):
            rule.update(theta, [0.0, 1.0], 0.1, rule.h(values), state)
        assert theta[0] == 3.0
        assert theta[1] < 3.0 or name == "adadelta"  # whose steps all grow out of eps

    def test_centered_rmsprop_takes_no_root_of_what_rounding_makes_negative(self):
        rule = RULES["rmsprop"]
        theta, state = [0.0], initial_state(rule, 1)
        for _ in range(1000):
            rule.update(theta, [0.1], 1e-6, rule.h({"centered": 1, "alpha": 0.5}), state)
        assert math.isfinite(theta[0])

    @pytest.mark.parametrize("name", ["adam", "adamw"])
    def test_bias_correction_stays_exact_when_betas_change(self, name):
        rule = RULES[name]
        theta, state = [0.0], initial_state(rule, 1)
        for t in range(100):
            betas = {"beta1": 0.9, "beta2": 0.999} if t < 10 else {"beta1": 0.99, "beta2": 0.9}
            rule.update(theta, [2.0], 0.5, rule.h({**betas, "eps": 0.0, "weight_decay": 0.0}), state)
            assert theta[0] == pytest.approx(-0.5 * (t + 1), rel=1e-12)  # one lr a step under a steady gradient

    def test_unknown_rule_names_the_nearest(self):
        with pytest.raises(InputError, match=r"did you mean adamw\?"):
            rule_named("adamww")

    def test_unknown_hyperparameter_names_the_nearest(self):
        with pytest.raises(InputError, match=r"sgd: .*did you mean momentum\?"):
            RULES["sgd"].h({"momentun": 0.9})
