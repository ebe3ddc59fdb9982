"""Sharpness of PyTorch models: against the whole Hessian, and against matrices whose eigenvalues are known."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="PyTorch, whose models are watched, is not installed")

from architectures import CASES, Case, case  # noqa: E402

from gdtui.torch.measuring import spectrum  # noqa: E402
from gdtui.torch.per_sample import PerSample  # noqa: E402
from gdtui.torch.probe import Probe  # noqa: E402
from gdtui.torch.sharpness import ends  # noqa: E402
from gdtui.torch.stillness import still  # noqa: E402

SMOOTH = ["mlp", "attention", "gru", "shared weights", "two inputs", "frozen", "cnn", "batch norm"]


def whole_hessian(of: Case) -> torch.Tensor:
    """Of the mean loss over batches of one, one sample after the other."""
    model = of.model.eval()
    names = [name for name, one in model.named_parameters() if one.requires_grad]
    shapes = [dict(model.named_parameters())[name].shape for name in names]
    theta = torch.cat([dict(model.named_parameters())[name].detach().flatten() for name in names])

    def f(theta: torch.Tensor) -> torch.Tensor:
        parts = theta.split([shape.numel() for shape in shapes])
        named = {name: part.view(shape) for name, part, shape in zip(names, parts, shapes, strict=True)}
        inputs = of.x if isinstance(of.x, tuple) else (of.x,)
        return of.loss_fn(torch.func.functional_call(model, named, inputs), of.y)

    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        return torch.autograd.functional.hessian(f, theta)


@pytest.mark.parametrize("memory", [2**28, 1], ids=["at once", "one by one"])
@pytest.mark.parametrize("name", SMOOTH)
def test_both_ends_are_those_of_the_whole_hessian(name: str, memory: int) -> None:
    assert name in CASES
    values = torch.linalg.eigvalsh(whole_hessian(case(name)))
    of = case(name)
    with still(of.model, torch.device("cpu")):
        found = spectrum(PerSample(of.model, of.loss_fn, Probe.of((of.x, of.y)), memory))
    size = float(values.abs().max())
    assert found["sharpness"] == pytest.approx(float(values[-1]), abs=1e-3 * size)
    assert found["lambda_min"] == pytest.approx(float(values[0]), abs=1e-3 * size)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_both_ends_of_a_large_matrix(dtype: torch.dtype) -> None:
    values = torch.linspace(-1, 1, 5000, dtype=dtype) ** 3
    values[17], values[18] = 9.0, -3.0
    assert ends(lambda v: values * v, values) == pytest.approx((9.0, -3.0), rel=1e-4)


def test_a_matrix_of_zeros_is_flat() -> None:
    assert ends(lambda v: 0 * v, torch.zeros(5)) == (0.0, 0.0)


def test_what_is_not_finite_has_no_ends() -> None:
    assert all(math.isnan(end) for end in ends(lambda v: v * math.inf, torch.zeros(5)))


def test_an_end_that_has_not_settled_is_not_told() -> None:
    values = torch.linspace(0, 1, 200_000, dtype=torch.float64) ** 0.01
    largest, _ = ends(lambda v: values * v, values)
    assert math.isnan(largest) or largest == pytest.approx(1, rel=0.02)
