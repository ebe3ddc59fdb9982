"""Preparing: sweeps are checked and kept, before anybody makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gdtui.experiment import InputError
from gdtui.sweeps.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gdtui.sweeps.ledger import KeptSweep
    from gdtui.sweeps.sweep import Sweep


def kept(sweep: Sweep, labels: Mapping[str, str]) -> KeptSweep:
    """Keep a new sweep, under these labels.

    Raises:
        InputError: if no point of it can be run, or the store cannot be used.
    """
    check(sweep)
    ledger = Ledger()
    begun = ledger.begin(sweep, labels)
    ledger.let_go(begun)
    return ledger.named(begun)


def extend(name: str, wider: Sweep) -> KeptSweep:
    """Make a kept sweep larger.

    Args:
        name: the sweep's.
        wider: what it is to be, as `Sweep.extended` has made it.

    Raises:
        InputError: if no point of it can be run, or another process makes it.
    """
    check(wider)
    ledger = Ledger()
    kept = ledger.named(name)
    ledger.take(kept, wider)
    ledger.let_go(kept.id)
    return ledger.named(kept.id)


def check(sweep: Sweep) -> None:
    """Whether one of its points, at least, is an experiment that fits together.

    Raises:
        InputError: what the first one says, if none is.
    """
    from gdtui.descent.method import Method, check_hyperparameters

    said: InputError | None = None
    for experiment in sweep.points().values():
        try:
            check_hyperparameters(experiment)
            Method.of(experiment)
            return
        except InputError as error:
            said = said or error
    if said:
        swept = {axis.option for axis in sweep.axes}
        option = said.setting.replace("_", "-")
        raise InputError(said.setting, f"--over {option}: {said}" if option in swept else str(said))
