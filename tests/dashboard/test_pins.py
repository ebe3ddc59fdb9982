"""Pinned runs: what they keep, what they look like, and where they stay."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from labs import moment, trainer_of
from rich.cells import cell_len

from gdtui.dashboard.app import THEME
from gdtui.dashboard.curves import XAxis, loss_plot
from gdtui.dashboard.pins import DRAWN, LOOKS, NOW, Pin, Pins
from gdtui.descent.history import Column, History
from gdtui.descent.snapshot import Epoch
from gdtui.experiment import Experiment

# How eyes without red, green or blue see linear RGB (Machado, Oliveira and Fernandes 2009, severity 1).
EYES = [
    np.eye(3),
    np.array([[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]]),
    np.array([[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]]),
]


def history_of(losses: np.ndarray) -> History:
    history = History()
    for epoch, loss in enumerate(losses.tolist()):
        history.append((epoch, 3 * epoch, 3 * epoch, 0.1 * epoch, loss, loss, 0.01))
    return history


def pin_of(losses: np.ndarray, key: str = "kept") -> Pin:
    history = history_of(losses)
    return Pin(key, "", Experiment(), (), history.view(), 3, "finished", history.newest_epoch)


def linear(color: str) -> np.ndarray:
    c = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab_color(rgb: np.ndarray) -> np.ndarray:
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ np.clip(rgb, 0, 1)
    f = np.cbrt(xyz / np.array([0.9505, 1, 1.089]))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one: str, other: str) -> float:
    light, dark = sorted((float(np.array([0.2126, 0.7152, 0.0722]) @ linear(c)) for c in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


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


def test_every_look_is_legible_and_no_two_are_alike_to_any_eye() -> None:
    marks = [NOW, *(look.mark for look in LOOKS)]
    assert len(set(marks)) == len(marks)
    assert {cell_len(mark) for mark in marks} == {1}
    assert THEME.background is not None
    assert all(contrast(look.color, THEME.background) >= 4.5 for look in LOOKS)
    for eye in EYES:
        seen = [lab_color(eye @ linear(color)) for color in (THEME.primary, *(look.color for look in LOOKS))]
        assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 15


@pytest.mark.parametrize(("axis", "column"), [(axis, axis.column) for axis in XAxis])
def test_each_axis_has_its_own_column(axis: XAxis, column: Column) -> None:
    pin = pin_of(np.ones(5))
    assert pin.curve(axis)[0].tolist() == pin.history.column(column).tolist()
