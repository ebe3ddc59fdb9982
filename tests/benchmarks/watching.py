"""Watching a PyTorch model: per-sample gradients against BackPACK and Opacus, and a loop's throughput against itself.

All on one thread and in float32. gdtui's time has the norms, the projections and all that is made of the gradients;
the peers' has the gradients alone, and each is checked to give the same.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from time import perf_counter, process_time
from typing import Any

from tests.benchmarks.cases import installed
from tests.benchmarks.clock import PAIRS, Work, in_turn
from tests.benchmarks.ratio import Ratio, TimesFaster

N = 256
SECONDS = 6.0

Gradients = Callable[[], list[Any]]
"""G in pieces, one tensor a parameter, shape (n, ...)."""


def mlp() -> tuple[Any, Any]:
    import torch
    from torch import nn

    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    return model, torch.randn(N, 64)


def cnn() -> tuple[Any, Any]:
    import torch
    from torch import nn

    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(288, 10),
    )
    return model, torch.randn(N, 1, 8, 8)


def backpack(model: Any, x: Any, y: Any) -> Gradients:
    """BackPACK's BatchGrad, of losses summed."""
    import torch
    from backpack import backpack as extended
    from backpack import extend, extensions

    extend(model)
    loss = extend(torch.nn.CrossEntropyLoss(reduction="sum"))

    def gradients() -> list[Any]:
        model.zero_grad()
        with extended(extensions.BatchGrad()):
            loss(model(x), y).backward()
        return [one.grad_batch for one in model.parameters()]

    return gradients


def opacus(model: Any, x: Any, y: Any) -> Gradients:
    """Opacus' GradSampleModule, of losses summed."""
    import torch
    from opacus import GradSampleModule

    module = GradSampleModule(model, loss_reduction="sum")
    loss = torch.nn.CrossEntropyLoss(reduction="sum")

    def gradients() -> list[Any]:
        module.zero_grad()
        loss(module(x), y).backward()
        return [one.grad_sample for one in module.parameters()]

    return gradients


PEERS = {"BackPACK": (backpack, "backpack"), "Opacus": (opacus, "opacus")}
OURS, OURS_REDUCED = "gdtui, gradients", "gdtui, all"


def against(name: str, made: Callable[[], tuple[Any, Any]]) -> list[Ratio]:
    """Milliseconds for all samples of one model, against each peer that is installed."""
    import torch

    from gdtui.torch.per_sample import PerSample
    from gdtui.torch.probe import Probe
    from gdtui.torch.stillness import still

    model, x = made()
    state, y = model.state_dict(), torch.randint(0, 10, (N,))
    of = PerSample(model, torch.nn.CrossEntropyLoss(), Probe.of((x, y)), 2**28)
    theta, direction = of.named(of.theta()), torch.randn(of.p)

    def ours(work: Callable[[], object]) -> Work:
        def again(times: int) -> None:
            for _ in range(times):
                with still(model, torch.device("cpu")):
                    work()

        return again

    expected = torch.cat([rows for _, rows in of._chunks(theta)])
    works = {OURS: ours(lambda: list(of._chunks(theta))), OURS_REDUCED: ours(lambda: of.samples(direction))}
    for peer, (gradients_of, module) in PEERS.items():
        if installed(module):
            other, _ = made()
            other.load_state_dict(state)
            gradients = gradients_of(other, x, y)
            pieces = torch.cat([one.detach().flatten(1) for one in gradients()], dim=1)
            torch.testing.assert_close(pieces, expected, rtol=1e-3, atol=1e-5)
            works[peer] = lambda times, gradients=gradients: [gradients() for _ in range(times)]
    ms = {work: [1e3 * one for one in seconds] for work, seconds in in_turn(works).items()}
    return [
        TimesFaster(
            f"{name}, p = {of.p:,}, n = {N}, {what.removeprefix('gdtui, ')}, ms",
            peer,
            ms[what],
            ms.get(peer, []),
            "≥ 1",
        )
        for what in (OURS, OURS_REDUCED)
        for peer in PEERS
    ]


class Unkept:
    """A run that keeps nothing: what is measured is the watching."""

    def log(self, **values: Any) -> None:
        """Nothing."""

    def samples(self, *numbers: Any, **others: Any) -> None:
        """Nothing."""

    def text(self, line: str) -> None:
        """Nothing."""


def rates(made: Callable[[], tuple[Any, Any]], options: dict[str, Any]) -> tuple[float, float]:
    """Steps of Adam on batches of 64 in a second of CPU time, with the watching and without the time that it takes.

    A first measurement is made before.
    """
    import torch

    from gdtui.torch import Watcher

    torch.manual_seed(0)
    model, x = made()
    y, loss_fn = torch.randint(0, 10, (N,)), torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters())
    watch = Watcher(model, loss_fn, (x, y), every=50, run=Unkept(), **options)
    watch.step()
    steps, watching, began, cpu_began = 0, 0.0, perf_counter(), process_time()
    while perf_counter() < began + SECONDS:
        batch = torch.randint(0, N, (64,))
        optimizer.zero_grad()
        loss = loss_fn(model(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
        steps += 1
        came = process_time()
        watch.step(loss=loss.detach())
        watching += process_time() - came
    seconds = process_time() - cpu_began
    if watch.problem:
        raise RuntimeError(watch.problem)
    return steps / seconds, steps / (seconds - watching)


WAYS: dict[str, dict[str, Any]] = {
    "every=50": {},
    "every=50, share=None, curvature=False": {"share": None, "curvature": False},
}


def throughput(name: str, made: Callable[[], tuple[Any, Any]]) -> list[Ratio]:
    """Steps a second, watched and not."""
    ratios = []
    for (way, options), budget in zip(WAYS.items(), ("≥ 0.95", ""), strict=True):
        watched, alone = zip(*(rates(made, options) for _ in range(PAIRS)), strict=True)
        what = f"{name} loop, {way}, steps a CPU second"
        ratios.append(Ratio(what, "without", list(watched), list(alone), budget))
    return ratios


def measure() -> list[Ratio]:
    """Times of per-sample gradients, and rates of loops."""
    if installed("torch") is None:
        return []
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a hook fires where no input needs a gradient: it is meant
            models = {"mlp": mlp, "cnn": cnn}
            return [
                *(ratio for name, made in models.items() for ratio in against(name, made)),
                *(ratio for name, made in models.items() for ratio in throughput(name, made)),
            ]
    finally:
        torch.set_num_threads(threads)
