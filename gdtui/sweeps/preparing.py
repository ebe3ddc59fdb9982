"""Preparing: sweeps are checked and kept, before anybody makes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gdtui.experiment import InputError
from gdtui.sweeps.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gdtui.sweeps.kept import KeptSweep
    from gdtui.sweeps.sweep import Sweep


def kept(sweep: Sweep, labels: Mapping[str, str], is_here: bool = True) -> KeptSweep:
    """Keep a new sweep, under these labels, to be made here or by machines whose files nobody knows here.

    Raises:
        InputError: if no point of it can be run, or the store cannot be used.
    """
    check(sweep, str(Path.cwd()) if is_here else None)
    ledger = Ledger()
    begun = ledger.begin(sweep, labels)
    ledger.let_go(begun)
    return ledger.named(begun)


def extend(name: str, wider: Sweep, is_here: bool = True) -> KeptSweep:
    """Make a kept sweep larger.

    Args:
        name: the sweep's.
        wider: what it is to be, as `Sweep.extended` has made it.
        is_here: it is made here.

    Raises:
        InputError: if no point of it can be run, or another process makes it.
    """
    ledger = Ledger()
    before = ledger.named(name)
    check(wider, before.folder if is_here else None)
    ledger.take(before, wider)
    ledger.let_go(before.id)
    return ledger.named(before.id)


def check(sweep: Sweep, folder: str | None) -> None:
    """Whether one of its points, at least, can be run.

    Args:
        sweep: the sweep.
        folder: where its experiments' relative file names begin; None: they are on other machines, and nobody knows
            here which files those have.

    Raises:
        InputError: what the first one says, if none can.
    """
    from gdtui.descent.method import Method, check_hyperparameters
    from gdtui.problems.loading import located
    from gdtui.sweeps.work import problem_of

    said: InputError | None = None
    for experiment in sweep.points().values():
        try:
            check_hyperparameters(experiment)
            Method.of(experiment)
            if folder is not None:
                problem_of(located(experiment, folder)).start(experiment.init)
            return
        except InputError as error:
            said = said or error
    if said:
        swept = {axis.option for axis in sweep.axes}
        option = said.setting.replace("_", "-")
        raise InputError(said.setting, f"--over {option}: {said}" if option in swept else str(said))
