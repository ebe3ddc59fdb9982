"""Pinned runs: what they keep, what they look like, and where they stay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from labs import moment, trainer_of
from rich.cells import cell_len

from gdtui.dashboard.curves import XAxis, loss_plot
from gdtui.dashboard.pins import DRAWN, LOOKS, NOW, Pin, Pins
from gdtui.dashboard.themes import DARK, LIGHT
from gdtui.descent.history import Column, History
from gdtui.descent.snapshot import Epoch
from gdtui.experiment import Experiment


def history_of(losses: np.ndarray) -> History:
    history = History()
    for epoch, loss in enumerate(losses.tolist()):
        history.append((epoch, 3 * epoch, 3 * epoch, 0.1 * epoch, loss, loss, 0.01))
    return history


def pin_of(losses: np.ndarray, key: str = "kept") -> Pin:
    history = history_of(losses)
    return Pin(key, "", Experiment(), (), history.view(), 3, "finished", history.newest_epoch)


def test_a_pin_is_the_run_as_it_stood() -> None:
    trainer = trainer_of(batch_size=2)
    trainer.advance(Epoch(4))
    trainer.change(lr=0.02)
    snapshot = trainer.advance(Epoch(6))
    pin = Pin.of(snapshot, "here", "mine")
    trainer.advance(Epoch(20))
    assert (pin.key, pin.name, pin.n, pin.epoch, pin.state) == ("here", "mine", 3, 6, "running")
    assert (pin.experiment.lr, pin.events) == (0.02, snapshot.events)
    assert pin.loss == snapshot.loss
    x, y = pin.curve(XAxis.UPDATES)
    assert x.tolist() == [0, 2, 4, 6, 8, 10, 12]
    assert y.tolist() == [moment(epoch=epoch, batch_size=2).loss for epoch in range(5)] + y[5:].tolist()


def test_a_pin_of_what_lies_ahead_of_a_rewind_too_ends_where_the_run_did() -> None:
    trainer = trainer_of()
    end = trainer.advance(Epoch(9)).loss
    pin = Pin.of(trainer.rewind(4), "here")
    assert (pin.epoch, pin.loss) == (9, end)


def test_nothing_happened_between_two_pins_of_one_moment() -> None:
    one = moment(epoch=3)
    assert Pin.of(one, "a").is_like(Pin.of(one, "b"))
    assert not Pin.of(one, "a").is_like(Pin.of(moment(epoch=4), "a"))
    assert not Pin.of(one, "a").is_like(Pin.of(replace(one, experiment=Experiment(lr=0.5)), "a"))


def test_of_a_long_run_every_chart_gets_few_points_and_the_spike() -> None:
    losses = np.ones(60_000)
    losses[31_337] = 9.0
    pin = pin_of(losses)
    series = pin.series(XAxis.EPOCHS, LOOKS[0])
    assert len(series.x) <= DRAWN + 2
    assert (series.x[0], series.x[-1]) == (0, 59_999)
    assert series.x[series.y.argmax()] == 31_337
    assert series.y.max() == 9.0


def test_its_curve_is_made_once_for_each_axis_so_that_it_is_drawn_once() -> None:
    pins, now = Pins().put(pin_of(np.ones(9))), moment(epoch=2)
    one, other = (loss_plot(now, XAxis.EPOCHS, True, "#61afef", pins).series[1] for _ in range(2))
    assert one is other
    assert loss_plot(now, XAxis.SAMPLES, True, "#61afef", pins).series[1].x[-1] == 24


def test_every_pin_keeps_its_look_when_others_go_and_come() -> None:
    pins = Pins()
    for key in "abc":
        pins = pins.put(pin_of(np.ones(3), key))
    looks = {pin.key: look for look, pin in pins}
    pins = pins.without("b")
    assert {pin.key: look for look, pin in pins} == {"a": looks["a"], "c": looks["c"]}
    pins = pins.put(pin_of(np.ones(3), "d")).put(pin_of(np.ones(4), "c"))
    assert {pin.key: look for look, pin in pins} == {"a": looks["a"], "d": looks["b"], "c": looks["c"]}
    found = pins.get("c")
    assert found is not None
    assert found[1].epoch == 3


def test_there_are_eight_places() -> None:
    pins = Pins()
    for k in range(8):
        assert pins.has_room_for(f"{k}")
        pins = pins.put(pin_of(np.ones(3), f"{k}"))
    assert len(pins) == 8
    assert not pins.has_room_for("one more")
    assert pins.has_room_for("3")


def test_every_look_has_a_mark_of_its_own_and_a_colour_in_every_theme() -> None:
    marks = [NOW, *(look.mark for look in LOOKS)]
    assert len(set(marks)) == len(marks)
    assert {cell_len(mark) for mark in marks} == {1}
    assert {look.color for look in LOOKS} <= set(DARK.variables) & set(LIGHT.variables)


@pytest.mark.parametrize(("axis", "column"), [(axis, axis.column) for axis in XAxis])
def test_each_axis_has_its_own_column(axis: XAxis, column: Column) -> None:
    pin = pin_of(np.ones(5))
    assert pin.curve(axis)[0].tolist() == pin.history.column(column).tolist()
