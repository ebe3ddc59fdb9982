"""Recorder: two lines in a training loop of one's own, and gdtui shows it."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import numpy as np

from gdtui.experiment import printable
from gdtui.runs import files
from gdtui.training.control import Control
from gdtui.training.ledger import Title
from gdtui.training.page import Probe, Taken
from gdtui.training.titles import child_of, title_of
from gdtui.training.writer import CLOSED, Writer, reason_of

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

NUMBERS = frozenset((float, int, bool, np.float64, np.float32, np.float16, np.int64, np.int32, np.bool_))
"""Numbers that nobody can change once they are handed over."""

LARGEST = 2.0**53
"""Steps and epochs stay within this: they are counted exactly."""

LONGEST_LINE = 10_000
LONGEST_LABEL = 80
BEGIN_S = 1.0
"""How long the beginning may wait for the run to be in the store."""

NAP_S = 0.02

_RECORDERS: WeakSet[Recorder] = WeakSet()


class Recorder:
    """Records a training as it goes: `gdtui watch` shows it, from any terminal of this machine.

    Nothing here raises into the loop, or makes it wait: a thread of its own writes, about twice a second. What cannot
    be kept is counted, and said once on standard error. A process that is forked from this one records a run of its own
    as soon as it logs something, and so does a copy of the recorder, as one that is sent to another process.

    Example:
        with gdtui.Recorder("cnn", config={"lr": 0.1, "batch_size": 64}) as run:
            for step, (x, y) in enumerate(batches):
                run.log(step=step, loss=train(x, y))
    """

    def __init__(
        self,
        name: str = "",
        config: object = None,
        *,
        tags: str | Iterable[str] = "",
        note: str = "",
        store: str | os.PathLike[str] | None = None,
    ) -> None:
        """Begin a run.

        Args:
            name: what to call it; where another run is called so, a number is added.
            config: what it is begun with: a mapping, a dataclass, or an object with attributes, as argparse has.
            tags: words to find it by.
            note: what there is to say of it.
            store: the file of runs; by default the one of `gdtui runs`.
        """
        fault, path, title = "", Path(os.devnull), Title()
        try:
            path = Path(store).expanduser().absolute() if store else files.store_path()
            title = title_of(name, config, tags, note)
        except Exception as error:  # whatever is given, the training is to begin
            fault = f"it is not kept: {reason_of(error)}"
        self._begin(path, title, fault)
        self._writer.start()
        self._writer.wait_until_begun(BEGIN_S)

    def _begin(self, path: Path, title: Title, fault: str = "") -> None:
        self._path, self._title = path, title
        self._writer = Writer(path, title, fault)
        self._step, self._epoch = 0.0, math.nan
        self._lrs_taken = 0
        _RECORDERS.add(self)

    @property
    def id(self) -> str:
        """The run's id."""
        return self._writer.run

    @property
    def name(self) -> str:
        """What the run is called."""
        return self._writer.name

    @property
    def problem(self) -> str:
        """Why not all is kept, in one line; empty where all is well."""
        return self._writer.problem

    @property
    def dropped(self) -> int:
        """Values that were not kept: they came too fast, could not be written, or were no numbers."""
        return self._writer.dropped

    def log(
        self,
        values: Mapping[str, Any] | float | None = None,
        /,
        step: float | None = None,
        epoch: float | None = None,
        **more: Any,
    ) -> None:
        """Record some values at one step.

        Args:
            values: values by names that no argument can have, as `{"loss/train": 0.5}`; a number is the step.
            step: of the training, also as `global_step`; one more than the last where it is not given.
            epoch: where it is not given, as it was given last.
            more: values by name. Numbers become curves, text becomes a line of text, None is nothing.
        """
        writer = self._writer
        try:
            if values is not None:
                if isinstance(values, Mapping):
                    more = {**values, **more}
                    step, epoch = more.pop("step", step), more.pop("epoch", epoch)
                else:
                    step = values
            if "global_step" in more:
                other = more.pop("global_step")
                step = other if step is None else step
            self._step = self._step + 1.0 if step is None else self._place("step", step, self._step + 1.0)
            if epoch is not None:
                self._epoch = self._place("epoch", epoch, self._epoch)
            for value in more.values():
                if value.__class__ not in NUMBERS:
                    more = self._numbers(more)
                    break
            writer.put((monotonic() - writer.began, self._step, self._epoch, more), len(more))
        except Exception as error:
            writer.refuse("log", f"log: {reason_of(error)}", len(more))

    def text(self, line: object) -> None:
        """Record a line of text, or several."""
        try:
            for one in str(line).splitlines():
                shown = printable(one.expandtabs())[:LONGEST_LINE]
                self._writer.put(shown, size=len(shown))
        except Exception as error:
            self._writer.refuse("text", f"text: {reason_of(error)}", 1)

    def samples(
        self,
        ids: ArrayLike,
        losses: ArrayLike | None = None,
        *,
        gradients: ArrayLike | None = None,
        norms: ArrayLike | None = None,
        cosines: ArrayLike | None = None,
        shares: ArrayLike | None = None,
        along: ArrayLike | None = None,
        across: ArrayLike | None = None,
        labels: Iterable[object] | None = None,
        step: float | None = None,
        epoch: float | None = None,
        instruments: Mapping[str, Any] | None = None,
    ) -> None:
        """Record some samples at one step: the samples' pane shows them.

        From gradients come norms, cosines, shares, places along and across the mean gradient, and the instruments,
        which become curves as well; computed by the thread that writes, from a copy.

        Args:
            ids: which samples they are, whole numbers of shape (n,).
            losses: ℓᵢ, shape (n,).
            gradients: gᵢ, shape (n, p).
            norms: ‖gᵢ‖, shape (n,).
            cosines: between gᵢ and their mean g, shape (n,).
            shares: of the step, gᵢ·g/(n‖g‖²), shape (n,).
            along: gᵢ·g/‖g‖, shape (n,).
            across: where gᵢ stands across g, shape (n,).
            labels: what each is called, as its class.
            step: of the training; that of the last `log` where it is not given.
            epoch: the same.
            instruments: scalars of the gradients by name, as `gdtui.insight.instruments` has them.
        """
        writer = self._writer
        try:
            names = "losses", "gradients", "norms", "cosines", "shares", "along", "across"
            given = zip(names, (losses, gradients, norms, cosines, shares, along, across), strict=True)
            copies = {name: _copy(values) for name, values in given if values is not None}
            probe = Probe(
                seconds=monotonic() - writer.began,
                step=self._step if step is None else self._place("step", step, self._step),
                epoch=self._epoch if epoch is None else self._place("epoch", epoch, self._epoch),
                samples=_copy(ids),
                labels=_labels(labels),
                given=copies,
                instruments=self._numbers(instruments or {}),
            )
            writer.put(probe, size=sum(copy.nbytes for copy in copies.values()) + sum(map(len, probe.labels)))
        except Exception as error:
            writer.refuse("samples", f"samples are left out: {error}", 1)

    def control(self, wait: bool = False) -> Control:
        """What is asked of the loop at the dashboard; from the first call on, it can be asked.

        Args:
            wait: where it is to pause, return when it is to go on, or to stop.
        """
        writer, lr = self._writer, None
        if not writer.is_controlled:
            writer.is_controlled = True
            writer.start()
        if wait and writer.wanted.pause:
            _wait(writer)
        wanted = writer.wanted
        writer.is_held = wanted.pause and not wanted.stop
        if wanted.asked != self._lrs_taken:
            self._lrs_taken, lr = wanted.asked, wanted.lr
            if lr is not None:
                writer.put(Taken(self._step, self._epoch, lr), values=0)
        return Control(wanted.pause, wanted.stop, lr)

    def close(self) -> None:
        """End the run: what is left is written, in five seconds at most."""
        self._end("finished", "stopped as asked" if self._writer.wanted.stop else "")

    def _end(self, state: str, reason: str) -> None:
        self._writer.end(state, reason)
        self._writer.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        is_exit = isinstance(error, SystemExit) and not error.code
        if error is None or is_exit:
            self.close()
        else:
            self._end("interrupted", reason_of(error))

    def __del__(self) -> None:
        writer = getattr(self, "_writer", None)
        if writer is not None:
            writer.end()

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy, in this process or another one, records a run of its own as soon as it logs something."""
        return _copied, (self._path, self._title, self.id, self.name)

    def _begin_in_a_child(self) -> None:
        parent, fault = self._writer, ""
        if parent.is_over:
            fault = parent.problem or CLOSED
        elif not parent.is_quiet:
            fault = "it is not kept: this process was forked while its parent's run was being written"
        self._begin(self._path, child_of(self._title, parent.run, parent.name, os.getpid()), fault)

    # --- values --------------------------------------------------------------------------------------------------

    def _place(self, what: str, value: Any, otherwise: float) -> float:
        """A step or an epoch as a number; where it is none, that is said."""
        try:
            place = float(value)
            if -LARGEST <= place <= LARGEST:
                return place
        except (TypeError, ValueError, OverflowError, RuntimeError):
            pass
        self._writer.refuse(what, f"{what} must be a number within ±2^53, got {_shown(value)}")
        return otherwise

    def _numbers(self, values: Mapping[Any, Any]) -> dict[str, Any]:
        """Those that are numbers; text is recorded as such, the rest refused."""
        numbers = {}
        for name, value in values.items():
            number = _scalar(value)
            if number.__class__ in NUMBERS or isinstance(number, int | float):
                numbers[name] = number
            elif isinstance(number, str):
                self.text(f"{name}: {number}")
            elif number is not None:
                self._writer.refuse("value", f"{name} must be a number or text, got {_shown(value)}", 1)
        return numbers


def _scalar(value: Any) -> Any:
    """What an array or a tensor of one number holds.

    At once: its owner may have changed it in place by the time the thread comes to it, and the loop alone knows when
    its device can be waited for.
    """
    if value.__class__ in NUMBERS:
        return value
    try:
        return value.item()
    except Exception:  # whatever it is, it is not that
        return value


def _copy(values: Any) -> NDArray[Any]:
    """An array of one's own, of what may be a tensor on any device."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        values = (values.float() if "bfloat16" in str(values.dtype) else values).numpy()  # NumPy has no bfloat16
    copy = np.array(values)
    if copy.dtype.kind not in "biuf":
        raise ValueError(f"numbers were expected, got {_shown(values)} of {copy.dtype}")
    return copy


def _labels(labels: Any) -> tuple[str, ...]:
    if labels is None:
        return ()
    labels = labels.tolist() if hasattr(labels, "tolist") else labels
    return tuple(printable(str(label))[:LONGEST_LABEL] for label in labels)


def _shown(value: Any) -> str:
    """What was given, in a few words: a text of it may be long, or fail."""
    if value.__class__ in NUMBERS:
        return str(value)
    shape = getattr(value, "shape", None)
    return f"{type(value).__name__} of shape {tuple(shape)}" if isinstance(shape, tuple) else type(value).__name__


def _wait(writer: Writer) -> None:
    """While the loop is to pause."""
    writer.is_held = True
    try:
        while writer.wanted.pause and not writer.wanted.stop and not writer.is_over:
            sleep(NAP_S)
    finally:
        writer.is_held = False


def _copied(path: Path, title: Title, run: str, name: str) -> Recorder:
    recorder = Recorder.__new__(Recorder)
    recorder._begin(path, child_of(title, run, name, os.getpid()))
    return recorder


def _begin_in_a_child() -> None:
    for recorder in list(_RECORDERS):
        recorder._begin_in_a_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_in_a_child)
