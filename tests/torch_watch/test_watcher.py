"""Watcher: what it tells of a training, and that the training is the same with it and without."""

from __future__ import annotations

import copy
import gc
import math
import warnings
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch, whose models are watched, is not installed")

from architectures import CASES, Case, Recurrent, by_backward, case  # noqa: E402
from told import Told  # noqa: E402

import gdtui  # noqa: E402
from gdtui.descent.snapshot import Evaluation  # noqa: E402
from gdtui.insight.alpha import step_alpha  # noqa: E402
from gdtui.insight.instruments import alignments, measure  # noqa: E402
from gdtui.torch import Watcher  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:gdtui. the probe is measured in evaluation mode")


def called(model: Any, x: Any) -> Any:
    return model(**x) if isinstance(x, dict) else model(*x) if isinstance(x, tuple) else model(x)


def train(of: Case, watch: Watcher | None, steps: int = 6) -> list[Any]:
    """Some steps of Adam with dropout on; gives θ, the buffers, and a random number drawn at the end."""
    torch.manual_seed(3)
    of.model.train()
    optimizer = torch.optim.Adam([one for one in of.model.parameters() if one.requires_grad], lr=0.05)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = of.loss_fn(called(of.model, of.x), of.y)
        loss.backward()
        optimizer.step()
        if watch is not None:
            watch.step(loss=loss)
    state = [one.detach().clone() for one in of.model.state_dict().values()]
    grads = [one.grad for one in of.model.parameters()]
    return [*state, *grads, torch.rand(3)]


def steps(watch: Watcher, count: int) -> None:
    for _ in range(count):
        watch.step(loss=1.0)


def watcher(of: Case, run: Told, every: int = 1, **options: Any) -> Watcher:
    return Watcher(of.model, of.loss_fn, (of.x, of.y), every, run=run, **({"share": None} | options))


@pytest.mark.filterwarnings("ignore:gdtui. .* cannot be vmapped", "ignore:gdtui. the sharpness cannot be measured")
@pytest.mark.parametrize("name", CASES)
def test_a_training_is_the_same_to_the_bit_with_it_and_without(name: str) -> None:
    run = Told()
    alone, watched = case(name), case(name)
    expected = train(alone, None)
    watch = watcher(watched, run)
    found = train(watched, watch)
    assert watch.problem == ""
    assert run.steps == [1, 2, 3, 4, 5, 6]
    for one, other in zip(expected, found, strict=True):
        assert (one is None and other is None) or torch.equal(one, other)
    assert all(module.training for module in watched.model.modules())


def test_modes_that_differ_among_modules_stay_so() -> None:
    of = case("batch norm")
    of.model[1].eval()
    watcher(of, Told()).step()
    assert [module.training for module in of.model.modules()] == [True, True, False, True, True, True]


def test_nothing_is_left_on_the_model_or_its_parameters() -> None:
    of = case("cnn")
    seen: list[int] = []
    of.model[0].weight.register_hook(lambda grad: seen.append(1))
    watch = watcher(of, run := Told())
    watch.step()
    watch.step()
    assert len(run.moments) == 2
    assert seen == []
    assert all(one.grad is None and one.requires_grad for one in of.model.parameters())
    assert not any(module._forward_hooks or module._backward_hooks for module in of.model.modules())


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_it_measures_within_other_modes_too(context: Any) -> None:
    of = case("mlp")
    watch = watcher(of, run := Told())
    with context():
        watch.step()
    assert watch.problem == ""
    assert len(run.moments) == 1


def test_samples_and_instruments_are_those_of_the_gradients() -> None:
    of = case("cnn")
    ids = [40, 41, 42, 43, 44, 45, 46]
    watch = watcher(of, run := Told(), ids=ids, labels=list("abcdefg"), curvature=False)
    start = torch.cat([one.detach().flatten() for one in of.model.parameters()]).numpy()
    before = by_backward(of)
    with torch.no_grad():
        for one in of.model.parameters():
            one.sub_(0.02 * torch.randn_like(one))
    watch.step(epoch=0.5)
    losses, gradients = (one.numpy() for one in by_backward(of))
    now = torch.cat([one.detach().flatten() for one in of.model.parameters()]).numpy()
    (moment,) = run.moments
    rated, scalars = alignments(gradients), measure(gradients)
    mean = gradients.mean(axis=0)
    assert moment["losses"] == pytest.approx(losses)
    assert moment["norms"] == pytest.approx(rated.norms)
    assert moment["cosines"] == pytest.approx(rated.cosines)
    assert moment["shares"] == pytest.approx(rated.shares)
    assert moment["along"] == pytest.approx(gradients @ mean / np.linalg.norm(mean))
    assert (list(moment["ids"]), moment["labels"], moment["epoch"]) == (ids, tuple("abcdefg"), 0.5)
    length = float(np.linalg.norm(now - start))
    expected = {
        name: getattr(scalars, name)
        for name in scalars.__dataclass_fields__
        if name not in ("samples", "of", "largest_share_sample") and getattr(scalars, name) is not None
    } | {
        "largest_share_sample": ids[scalars.largest_share_sample],
        "probe_loss": losses.mean(),
        "update_size": length,
        "distance": length,
        "alpha": step_alpha(
            start,
            now,
            Evaluation(before[0].numpy(), before[1].numpy(), float(before[0].mean())),
            Evaluation(losses, gradients, float(losses.mean())),
        ),
    }
    assert moment["instruments"] == pytest.approx(expected, rel=1e-6)


def test_the_update_that_is_measured_is_the_newest_and_the_distance_is_from_the_start() -> None:
    of = case("linear")
    watch = watcher(of, run := Told(), every=3)
    for _ in range(6):
        with torch.no_grad():
            of.model.bias += 0.5
        watch.step()
    assert run.steps == [1, 3, 6]
    moments = [moment["instruments"] for moment in run.moments]
    assert [one["update_size"] for one in moments] == pytest.approx([0.5 * math.sqrt(2)] * 3)
    assert [one["distance"] for one in moments] == pytest.approx([k * 0.5 * math.sqrt(2) for k in (1, 3, 6)])


def test_values_and_the_learning_rate_are_logged_at_every_step() -> None:
    of = case("linear")
    optimizer = torch.optim.SGD(of.model.parameters(), lr=0.25)
    watch = watcher(of, run := Told(), every=100, optimizer=optimizer)
    watch.step(epoch=1, loss=2.0)
    watch.step(epoch=2, step=70, loss=1.0, lr=0.1)
    assert run.logs == [
        {"step": 1, "epoch": 1, "loss": 2.0, "lr": 0.25},
        {"step": 70, "epoch": 2, "loss": 1.0, "lr": 0.1},
    ]


def test_where_gradients_all_vanish_what_is_undefined_is_left_out() -> None:
    of = case("linear")
    with torch.no_grad():
        of.y.copy_(of.model(of.x))
    watcher(of, run := Told()).step()
    (moment,) = run.moments
    assert moment["instruments"]["grad_norm"] == pytest.approx(0, abs=1e-15)
    assert "noise_scale" not in moment["instruments"]
    assert np.isnan(moment["shares"]).all()


def test_one_sample_is_a_probe_too() -> None:
    of = case("linear")
    Watcher(of.model, of.loss_fn, (of.x[:1], of.y[:1]), run=(run := Told()), share=None).step()
    (moment,) = run.moments
    assert moment["cosines"] == pytest.approx([1])
    assert moment["across"] == pytest.approx([0], abs=1e-9)


def test_arrays_make_a_probe() -> None:
    of = case("linear")
    Watcher(of.model, of.loss_fn, (of.x.numpy(), of.y.numpy()), run=(run := Told()), share=None).step()
    assert len(run.moments) == 1


# --- what goes wrong -------------------------------------------------------------------------------------------------


def test_a_model_that_fails_is_said_once_and_the_training_goes_on() -> None:
    of = case("linear")
    watch = Watcher(of.model, of.loss_fn, (of.x[:, :3], of.y), run=(run := Told()), every=1)
    with pytest.warns(RuntimeWarning, match="Linear is watched no longer: .*shapes"):
        steps(watch, 5)
    assert len(run.lines) == 1
    assert len(run.logs) == 5
    assert run.lines == [watch.problem]
    assert of.model.training


def test_a_loss_that_is_not_one_number_is_said() -> None:
    of = case("linear")
    watch = Watcher(of.model, torch.nn.MSELoss(reduction="none"), (of.x, of.y), run=Told())
    with pytest.warns(RuntimeWarning, match=r"the loss must be one number, the mean over the batch, got \(1, 2\)"):
        watch.step()


def test_where_warnings_are_errors_the_training_goes_on() -> None:
    of = case("linear")
    watch = Watcher(of.model, of.loss_fn, (of.x[:, :3], of.y), run=(run := Told()))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        watch.step()
    assert len(run.lines) == 1


def test_a_run_that_fails_is_no_fault_of_the_training() -> None:
    class Broken(Told):
        def log(self, **values: Any) -> None:
            raise OSError("disk full")

    of = case("linear")
    watch = watcher(of, Broken())
    with pytest.warns(RuntimeWarning, match="disk full"):
        watch.step(loss=1.0)
    watch.step(loss=1.0)
    assert "disk full" in watch.problem


@pytest.mark.parametrize("which", [0, 2])
def test_gradients_that_are_not_finite_are_measured_as_such(which: int) -> None:
    of = case("linear")
    of.x[which] = math.inf
    watcher(of, run := Told()).step()
    (moment,) = run.moments
    assert not np.isfinite(moment["norms"][which])
    assert np.isfinite(moment["norms"][1])
    assert all(math.isfinite(value) for value in moment["instruments"].values())


def test_batch_normalization_is_said_once_and_the_one_by_one_too() -> None:
    of = case("batch norm")
    watch = watcher(of, run := Told())
    line = "the probe is measured in evaluation mode: batch normalization by its running statistics"
    with pytest.warns(RuntimeWarning, match=line) as warned:
        steps(watch, 2)
    assert len(warned) == 1
    assert run.lines == [line]
    of = case("gru")
    watch = watcher(of, run := Told())
    with pytest.warns(RuntimeWarning, match=r"Recurrent cannot be vmapped \(.*\): its samples are measured one by one"):
        watch.step()
    assert len(run.moments) == 1


def test_a_model_that_is_random_when_it_is_evaluated_too_is_refused_and_draws_what_it_would_have_drawn() -> None:
    class Noisy(torch.nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(torch.nn.functional.dropout(x))

    def noisy() -> Case:
        torch.manual_seed(1)
        return Case(Noisy(40, 1), torch.nn.MSELoss(), torch.randn(5, 40), torch.randn(5, 1))

    expected = train(noisy(), None)
    watch = watcher(of := noisy(), Told())
    with pytest.warns(RuntimeWarning, match="Noisy is watched no longer: its gradients differ from backward's"):
        found = train(of, watch)
    assert all(torch.equal(one, other) for one, other in zip(expected, found, strict=True))


@pytest.mark.filterwarnings("ignore:gdtui. Model cannot be vmapped")
def test_a_sharpness_that_cannot_be_had_leaves_the_rest() -> None:
    class Once(torch.autograd.Function):
        """Cannot be differentiated twice."""

        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx: Any, grad: torch.Tensor) -> torch.Tensor:
            return 3 * ctx.saved_tensors[0] ** 2 * grad

    class Model(torch.nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return Once.apply(super().forward(x))

    watch = Watcher(
        Model(3, 1), torch.nn.MSELoss(), (torch.randn(4, 3), torch.randn(4, 1)), 1, run=(run := Told()), share=None
    )
    with pytest.warns(RuntimeWarning, match="sharpness cannot be measured: Once may not be differentiable twice"):
        steps(watch, 2)
    assert len(run.moments) == 2
    assert all("sharpness" not in moment["instruments"] for moment in run.moments)
    assert "grad_norm" in run.moments[1]["instruments"]


@pytest.mark.parametrize(
    ("options", "error", "line"),
    [
        ({"model": "cnn"}, TypeError, "model must be a torch.nn.Module, got str"),
        ({"loss_fn": 3}, TypeError, "loss_fn must be a function"),
        ({"probe": torch.zeros(3)}, TypeError, "must be a pair"),
        ({"probe": (torch.zeros(3, 4), ["a", "b", "c"])}, TypeError, "must be made of tensors, got str"),
        ({"probe": (torch.zeros(3, 4), torch.zeros(2, 2))}, ValueError, "of one length, got 2 and 3"),
        ({"probe": (torch.zeros(0, 4), torch.zeros(0, 2))}, ValueError, "at least one sample"),
        ({"every": 0}, ValueError, "every must be at least 1"),
        ({"share": 2.0}, ValueError, "share must be"),
        ({"memory": 0}, ValueError, "memory must be"),
        ({"ids": [1]}, ValueError, "ids must be 3"),
        ({"labels": ["a"] * 4}, ValueError, "labels must be 3"),
        ({"model": torch.nn.ReLU()}, ValueError, "no parameter that requires a gradient"),
        ({"model": torch.nn.LazyLinear(3)}, ValueError, "lazy"),
    ],
)
def test_what_is_wrong_from_the_start_is_said_at_once(options: dict[str, Any], error: type, line: str) -> None:
    right = {
        "model": torch.nn.Linear(4, 2),
        "loss_fn": torch.nn.MSELoss(),
        "probe": (torch.zeros(3, 4), torch.zeros(3, 2)),
        "run": Told(),
    }
    with pytest.raises(error, match=line) as raised:
        Watcher(**(right | options))
    assert "\n" not in str(raised.value)


# --- its own run, and what it costs ----------------------------------------------------------------------------------


def test_without_a_run_it_makes_a_recorder_named_after_the_model_and_closes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[str, dict[str, Any]]] = []
    run = Told()

    def recorder(name: str, config: dict[str, Any]) -> Told:
        made.append((name, config))
        return run

    monkeypatch.setattr(gdtui, "Recorder", recorder, raising=False)
    model = Recurrent()
    watch = Watcher(model, torch.nn.MSELoss(), (torch.zeros(3, 4, 3), torch.zeros(3, 1)))
    assert made == [
        ("Recurrent", {"parameters": sum(one.numel() for one in model.parameters()), "probe": 3, "every": 50})
    ]
    watch.close()
    assert run.is_closed


def test_a_run_that_was_given_is_left_open() -> None:
    of = case("linear")
    watch = watcher(of, run := Told())
    watch.close()
    watch.step(loss=1.0)
    assert not run.is_closed
    assert run.moments == []


class Clock:
    """Time passes as one says: so much within each measurement, so much between two steps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(("costs", "share", "least"), [(0.0004, 0.05, 10), (0.1, 0.05, 1900), (0.1, None, 10)])
def test_what_costs_too_much_is_measured_less_often(
    monkeypatch: pytest.MonkeyPatch, costs: float, share: float | None, least: int
) -> None:
    from gdtui.torch import watcher as module

    clock, measured = Clock(), module.measured
    known: list[Any] = []

    def slow(*arguments: Any) -> Any:
        clock.now += costs
        known[:] = known or [measured(*arguments)]
        return known[0]

    monkeypatch.setattr(module, "perf_counter", clock)
    monkeypatch.setattr(module, "measured", slow)
    of = case("linear")
    watch = watcher(of, run := Told(), every=10, share=share, curvature=False)
    for _ in range(10_000):
        clock.now += 0.001
        watch.step()
    gaps = [after - before for before, after in pairwise(run.steps[2:])]
    assert min(gaps) >= least
    assert max(gaps) <= least + 110
    assert share is None or costs * (len(run.moments) - 2) <= share * 10_000 * 0.001
    assert [line[:30] for line in run.lines] == (["a measurement takes 100 ms: mad"[:30]] if least > 10 else [])


def test_it_holds_no_more_than_its_copies_of_the_parameters() -> None:
    model = torch.nn.Linear(500, 400)
    watch = Watcher(
        model, torch.nn.MSELoss(), (torch.randn(6, 500), torch.randn(6, 400)), 2, run=Told(), share=None, memory=2**20
    )
    for _ in range(5):
        watch.step()
    gc.collect()
    size = 500 * 400  # of flat vectors
    kinds = (torch.Tensor, torch.nn.Parameter)
    held = {
        one.untyped_storage().data_ptr()
        for one in gc.get_objects()
        if type(one) in kinds and one.dim() == 1 and len(one) >= size
    }
    assert len(held) <= 2  # θ at the start, and before a step


def test_a_model_wrapped_or_copied_is_watched_itself() -> None:
    of = case("mlp")
    wrapped = torch.nn.DataParallel(copy.deepcopy(of.model))
    watch = Watcher(wrapped, of.loss_fn, (of.x, of.y), run=(run := Told()), share=None)
    watch.step()
    assert run.moments[0]["norms"] == pytest.approx(by_backward(of)[1].norm(dim=1).numpy())
