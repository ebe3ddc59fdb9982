"""Watcher: watches the training of a PyTorch model with one line in its loop, and changes nothing in it."""

from __future__ import annotations

import math
import warnings
from contextlib import suppress
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from torch import nn

from gdtui.torch.measuring import measured, spectrum
from gdtui.torch.pace import Pace
from gdtui.torch.per_sample import PerSample, first_line
from gdtui.torch.probe import Probe
from gdtui.torch.stillness import off_in_evaluation, still, unwrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from gdtui.torch.probe import Tree
    from gdtui.torch.sample_loss import LossFunction

MEMORY = 256 * 2**20
"""Bytes that per-sample gradients and activations may take, about."""

SHARE = 0.05
"""Of the loop's time that watching may take."""

CURVATURE = 20
"""Measurements that a sharpness costs, about; the second one is judged by the first."""


class Run(Protocol):
    """What a training is recorded by: a `gdtui.Recorder`, or what does the same."""

    def log(self, *, step: int, epoch: float | None, **values: Any) -> None:
        """Add values."""

    def samples(self, ids: Any, losses: Any, **numbers: Any) -> None:
        """Add a probe's samples."""

    def text(self, line: str) -> None:
        """Add a line of text."""


class Watcher:
    """Watches a training: the values that its loop tells, and every k-th step what each sample of a probe says.

    A probe's loss and gradient of each sample are measured in evaluation mode, at the parameters that are trained
    when the watcher is made; ℓᵢ is the loss of a batch of that sample alone, and f their mean. Weights, modes, buffers,
    gradients and random state stay as they are: a training is the same, to the bit, with it and without. A copy of
    the parameters is kept, another before a step that is measured, and half a dozen more while it is.

    Whatever goes wrong after it is made is said once, as a warning and in the run, and ends the measuring; never the
    training. Construction raises.

    Example:
        watch = Watcher(model, loss_fn, probe=(x, y), every=50)
        for epoch in range(epochs):
            for batch, target in loader:
                ...
                optimizer.step()
                watch.step(epoch=epoch, loss=loss)

    Attributes:
        run: what it records by.
        problem: why nothing is measured any more; empty where it goes on.
    """

    def __init__(
        self,
        model: nn.Module,
        loss_fn: LossFunction,
        probe: tuple[Tree, Tree],
        every: int = 50,
        *,
        run: Run | None = None,
        ids: Sequence[int] | None = None,
        labels: Sequence[object] | None = None,
        optimizer: torch.optim.Optimizer | None = None,
        share: float | None = SHARE,
        memory: int = MEMORY,
        curvature: bool = True,
    ) -> None:
        """Begin to watch.

        Args:
            model: on any device; what wraps it for several devices, or compiles it, is looked through.
            loss_fn: (output, target) -> the mean loss over the batch, as the training has it.
            probe: inputs and targets of n samples; inputs that are a tuple or a dict are several arguments.
            every: steps from one measurement to the next, at least.
            run: what to record by; a `gdtui.Recorder` of its own, named after the model's class, where none is given.
            ids: which samples they are, n numbers; 0 to n − 1 where none are given.
            labels: what each is called, as its class; n of them.
            optimizer: its learning rate is recorded at each step.
            share: of the loop's time that measuring may take: it is done less often where it would take more; None
                where that does not matter. The first time, which finds out how to measure, is not counted.
            memory: bytes that the measuring may take, about; 256 MiB. At least one sample's gradient is needed.
            curvature: measure the sharpness too, now and then.

        Raises:
            TypeError: if the model is no module, or the probe is not made of tensors.
            ValueError: if there is nothing to train or to probe, or a number is out of its range.
        """
        if not isinstance(model, nn.Module):
            raise TypeError(f"model must be a torch.nn.Module, got {type(model).__name__}")
        if not callable(loss_fn):
            raise TypeError(f"loss_fn must be a function (output, target) -> loss, got {type(loss_fn).__name__}")
        self._probe = Probe.of(probe)
        self._model = unwrapped(model)
        n = self._probe.n
        _check(self._model, n, every, share, memory, ids, labels)
        self._ids = np.arange(n) if ids is None else np.asarray(ids, dtype=np.int64)
        self._labels = None if labels is None else tuple(str(label) for label in labels)
        self._gradients = PerSample(self._model, loss_fn, self._probe, memory)
        self._every, self._optimizer, self._has_curvature = every, optimizer, curvature
        # Half of the time each: a sharpness costs so much more that it would hold up the rest.
        half = share / 2 if share and curvature else share
        self._pace, self._curvature_pace = Pace(half), Pace(half)
        self._seconds = self._expected = self._curvature_seconds = 0.0
        self._start = self._gradients.theta()
        self._before: Tensor | None = self._start
        self._steps = 0
        self._is_measuring = True
        self._said: set[str] = set()
        self.problem = ""
        self._is_own = run is None
        self.run: Any = self._recorder() if run is None else run
        self._left = perf_counter()

    def step(self, epoch: float | None = None, *, step: int | None = None, **values: Any) -> None:
        """To be called after each update of the parameters.

        Args:
            epoch: where the training is.
            step: its number; calls are counted from 1 where it is not given.
            values: to be recorded, as of `Recorder.log`.
        """
        came = perf_counter()
        for pace in (self._pace, self._curvature_pace):
            pace.earned += came - self._left
        self._steps += 1
        step = self._steps if step is None else step
        try:
            if self._optimizer is not None and "lr" not in values:
                values["lr"] = self._optimizer.param_groups[0]["lr"]
            if values:
                self.run.log(step=step, epoch=epoch, **values)
            if self._is_measuring and self._before is not None:
                self._measure(step, epoch)
            if self._is_measuring and self._is_due(self._steps + 1):
                self._before = self._copy()
        except Exception as problem:
            self._end(problem)
        self._left = perf_counter()

    def close(self) -> None:
        """Measure no longer, and end the recording if it is the watcher's own; what was given as `run` is left open."""
        self._is_measuring, self._before = False, None
        if self._is_own:
            self.run.close()

    def _is_due(self, step: int) -> bool:
        """Whether the next step is measured; it must be known one step ahead, for θ before its update is needed."""
        if step % self._every:
            return False
        if self._pace.affords(self._expected):  # the first one took longer than those that come
            return True
        step_seconds = max(self._pace.earned / self._steps, 1e-9)
        every = math.ceil(self._seconds / (step_seconds * (self._pace.share or 1.0)))
        self._say(
            "pace",
            f"a measurement takes {1000 * self._seconds:.3g} ms: made every {every} steps or so, not every"
            f" {self._every}, to take no more than its share of the time",
        )
        return False

    def _copy(self) -> Tensor:
        began = perf_counter()
        theta = self._gradients.theta()
        self._pace.spent += perf_counter() - began
        return theta

    def _measure(self, step: int, epoch: float | None) -> None:
        device, before, self._before = self._gradients.device, self._before, None
        off = off_in_evaluation(self._model)
        if device.type != "cpu":
            torch.accelerator.synchronize(device)  # what is still to be computed is the loop's time, not ours
        began = perf_counter()
        with still(self._model, device):
            now = measured(self._gradients, self._start, before)
        seconds = perf_counter() - began
        if self._seconds:
            self._pace.spent += seconds
            self._expected = seconds
        self._seconds = seconds
        instruments = now.instruments | self._spectrum(device)
        if "largest_share_sample" in instruments:
            instruments["largest_share_sample"] = float(self._ids[int(instruments["largest_share_sample"])])
        self.run.samples(
            self._ids,
            now.losses,
            norms=now.alignments.norms,
            cosines=now.alignments.cosines,
            shares=now.alignments.shares,
            along=now.along,
            across=now.across,
            labels=self._labels,
            step=step,
            epoch=epoch,
            instruments=instruments,
        )
        if off.line:
            self._say("evaluation", off.line, is_warning=off.has_batch_norm)
        if self._gradients.problem:
            self._say("one by one", f"{self._gradients.problem}: its samples are measured one by one", is_warning=True)

    def _spectrum(self, device: torch.device) -> dict[str, float]:
        """The sharpness, where it is wanted and there is time for it."""
        estimate = self._curvature_seconds or CURVATURE * self._seconds
        if not self._has_curvature or not self._curvature_pace.affords(estimate):
            return {}
        began = perf_counter()
        try:
            with still(self._model, device):
                values = spectrum(self._gradients)
        except Exception as problem:
            self._has_curvature = False
            self._say("curvature", f"the sharpness cannot be measured: {first_line(problem)}", is_warning=True)
            return {}
        self._curvature_seconds = perf_counter() - began
        self._curvature_pace.spent += self._curvature_seconds
        return values

    def _end(self, problem: Exception) -> None:
        self._is_measuring, self._before = False, None
        if not self.problem:
            self.problem = f"{type(self._model).__name__} is watched no longer: {first_line(problem)}"
            self._say("end", self.problem, is_warning=True)

    def _say(self, kind: str, line: str, is_warning: bool = False) -> None:
        """Say something of its kind, once."""
        if kind in self._said:
            return
        self._said.add(kind)
        with suppress(Exception):  # a warning may be an error, and the training has to go on
            self.run.text(line)
        if is_warning:
            with suppress(Exception):
                warnings.warn(f"gdtui: {line}", RuntimeWarning, stacklevel=4)

    def _recorder(self) -> Any:
        import gdtui

        config: dict[str, Any] = {
            "parameters": self._gradients.p,
            "probe": self._probe.n,
            "every": self._every,
        }
        if self._optimizer is not None:
            config["optimizer"] = type(self._optimizer).__name__
        return gdtui.Recorder(type(self._model).__name__, config=config)


def _check(
    model: nn.Module,
    n: int,
    every: int,
    share: float | None,
    memory: int,
    ids: Sequence[int] | None,
    labels: Sequence[object] | None,
) -> None:
    parameters = list(model.parameters())
    if any(nn.parameter.is_lazy(one) for one in parameters):
        raise ValueError("model has lazy parameters: give it one batch before it is watched")
    if not any(one.requires_grad for one in parameters):
        raise ValueError("model has no parameter that requires a gradient")
    if every < 1:
        raise ValueError(f"every must be at least 1, got {every}")
    if share is not None and not 0 < share <= 1:
        raise ValueError(f"share must be above 0 and at most 1, or None, got {share}")
    if memory < 1:
        raise ValueError(f"memory must be a positive number of bytes, got {memory}")
    for name, given in (("ids", ids), ("labels", labels)):
        if given is not None and len(given) != n:
            raise ValueError(f"{name} must be {n}, one a sample of the probe, got {len(given)}")
