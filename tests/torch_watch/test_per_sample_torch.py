"""Per-sample gradients of PyTorch models: against a loop of backward passes, one sample at a time."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch, whose models are watched, is not installed")

from architectures import CASES, Case, N, by_backward, case  # noqa: E402

from gdtui.torch.per_sample import PerSample, folded, polished, principal  # noqa: E402
from gdtui.torch.probe import Probe  # noqa: E402
from gdtui.torch.stillness import still  # noqa: E402

CPU = torch.device("cpu")
WHOLE, CHUNKED = 2**28, 1


def per_sample(case: Case, memory: int = WHOLE) -> PerSample:
    return PerSample(case.model, case.loss_fn, Probe.of((case.x, case.y)), memory)


@pytest.mark.parametrize("memory", [WHOLE, CHUNKED], ids=["whole", "chunked"])
@pytest.mark.parametrize("name", CASES)
def test_losses_and_gradients_are_those_of_backward(name: str, memory: int) -> None:
    watched = case(name)
    losses, gradients = by_backward(case(name))
    mean = gradients.mean(dim=0)
    direction = torch.randn(gradients.shape[1], dtype=torch.float64)
    of = per_sample(watched, memory)
    with still(watched.model, CPU):
        found = of.samples(direction)
        slopes = of.slopes(of.named(of.theta()), direction)
    expected = {
        "losses": losses,
        "norms": gradients.norm(dim=1),
        "mean": mean,
        "along": gradients @ mean / mean.norm(),
        "slopes": gradients @ direction,
    }
    for what, values in expected.items():
        torch.testing.assert_close(getattr(found, what), values, rtol=1e-6, atol=1e-12, msg=what)
    torch.testing.assert_close(slopes, (losses, gradients @ direction), rtol=1e-6, atol=1e-12)
    assert bool(of.problem) != watched.is_vmapped


@pytest.mark.parametrize("memory", [WHOLE, CHUNKED], ids=["whole", "chunked"])
@pytest.mark.parametrize("name", CASES)
def test_in_float32_they_differ_by_rounding_only(name: str, memory: int) -> None:
    watched = case(name, torch.float32)
    _, gradients = by_backward(case(name, torch.float32))
    of = per_sample(watched, memory)
    with still(watched.model, CPU):
        found = of.samples(torch.zeros(of.p))
    assert (found.norms - gradients.norm(dim=1)).norm() <= 1e-6 * gradients.norm()
    assert (found.mean - gradients.mean(dim=0)).norm() <= 1e-6 * gradients.norm() / N


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_sums_of_half_precision_are_float32(dtype: torch.dtype) -> None:
    single, half = case("mlp", torch.float32), case("mlp", torch.float32)
    half.model.to(dtype)
    of = PerSample(half.model, half.loss_fn, Probe.of((half.x.to(dtype), half.y)), WHOLE)
    _, gradients = by_backward(single)
    with still(half.model, CPU):
        found = of.samples(torch.zeros(of.p))
    assert found.norms.dtype == found.mean.dtype == torch.float32
    torch.testing.assert_close(found.norms, gradients.norm(dim=1), rtol=0.05, atol=0)


def test_gradients_of_a_model_that_keeps_its_weights_elsewhere_are_refused() -> None:
    class Hidden(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = torch.nn.Linear(4, 2)
            self.copies = [self.linear.weight]

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x @ self.copies[0].T

    of = PerSample(Hidden(), torch.nn.MSELoss(), Probe.of((torch.randn(3, 4), torch.randn(3, 2))), WHOLE)
    with pytest.raises(RuntimeError, match="differ from backward's"):
        of.samples(torch.zeros(of.p))


def test_memory_bounds_the_rows_held_at_once() -> None:
    model = torch.nn.Linear(1000, 10)
    probe = Probe.of((torch.randn(64, 1000), torch.randn(64, 10)))
    of = PerSample(model, torch.nn.MSELoss(), probe, memory=10 * 4 * 10_010)
    sizes = [len(losses) for losses, _ in of._chunks(of.named(of.theta()))]
    assert max(sizes) <= 5
    assert sum(sizes) == 64


@pytest.mark.parametrize("shape", [(60, 400), (400, 60), (20, 400)])
def test_across_is_the_coordinate_along_the_first_principal_direction(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal(shape)
    rows += 4 * np.outer(rng.standard_normal(shape[0]), rng.standard_normal(shape[1]))
    u, s, _ = np.linalg.svd(rows, full_matrices=False)
    expected = u[:, 0] * s[0]
    expected *= np.sign(expected[np.abs(expected).argmax()])
    assert principal(torch.from_numpy(rows)).numpy() == pytest.approx(expected, abs=1e-6 * s[0])


def test_polished_from_a_sketch_they_are_the_rows_own() -> None:
    rng = np.random.default_rng(0)
    rows = torch.from_numpy(rng.standard_normal((50, 3000)) * np.linspace(2, 0.1, 3000) ** 2)
    rows += 2 * torch.outer(*(torch.from_numpy(rng.standard_normal(size)) for size in rows.shape))
    signs = torch.from_numpy(rng.choice([-1.0, 1.0], 3000))
    exact, sketched = principal(rows), principal(folded(rows * signs))
    assert float((sketched - exact).norm()) > 0.01 * float(exact.norm())
    assert float((polished(sketched, rows) - exact).norm()) < 1e-5 * float(exact.norm())


def test_where_no_direction_stands_out_across_has_nearly_all_that_one_can_have() -> None:
    rows = np.random.default_rng(0).standard_normal((300, 1000))
    across = principal(torch.from_numpy(rows))
    assert 0.95 < float(across.norm()) / np.linalg.norm(rows, 2) <= 1 + 1e-12


@pytest.mark.parametrize("n", [2, 40])
def test_across_of_a_model_is_that_of_its_rows_and_no_longer_than_they_are(n: int) -> None:
    torch.manual_seed(0)
    model = torch.nn.Linear(30, 2).double()
    x, y = torch.randn(n, 30).double() * torch.linspace(3, 0.1, 30), torch.randn(n, 2).double()
    of = PerSample(model, torch.nn.MSELoss(), Probe.of((x, y)), WHOLE)
    found = of.samples(torch.zeros(of.p).double())
    rows = (x[:, :, None] * (model(x) - y)[:, None, :]).flatten(1)
    rows = torch.cat([rows, model(x) - y], dim=1).detach()
    unit = rows.mean(dim=0) / rows.mean(dim=0).norm()
    rest = rows - torch.outer(rows @ unit, unit)
    expected = torch.linalg.svdvals(rest)[0]
    assert float(found.across.norm()) == pytest.approx(float(expected), rel=1e-3)
    assert (found.across.abs() <= rest.norm(dim=1) * (1 + 1e-9)).all()
    assert float(found.across.sum()) == pytest.approx(0, abs=1e-9 * float(expected))


def test_across_of_rows_that_are_never_together_is_nearly_the_same() -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(60, 40), torch.nn.Tanh(), torch.nn.Linear(40, 1)).double()
    x = torch.randn(80, 60).double()
    probe = Probe.of((x, 3 * x[:, :1] + torch.randn(80, 1).double()))
    found = []
    for memory in (WHOLE, 10**6):
        of = PerSample(model, torch.nn.MSELoss(), probe, memory)
        found.append(of.samples(torch.zeros(of.p).double()).across)
    assert len(of.batches(16 * of.p)) > 1
    assert float(torch.corrcoef(torch.stack(found))[0, 1]) > 0.9
    assert float(found[1].norm() / found[0].norm()) == pytest.approx(1, abs=0.1)


def test_sketches_have_the_rows_inner_products_on_average() -> None:
    torch.manual_seed(0)
    rows = torch.randn(2, 5000, dtype=torch.float64)
    rows[1] += rows[0]
    products = []
    for _ in range(400):
        a, b = folded(rows * (torch.randint(0, 2, (5000,)) * 2 - 1))
        products.append(float(a @ b))
    mean, error = np.mean(products), np.std(products) / 20
    assert abs(mean - float(rows[0] @ rows[1])) < 4 * error
    assert 20 * error < 0.2 * float(rows[0].norm() * rows[1].norm())
