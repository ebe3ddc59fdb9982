"""The readings of another program's training: what one reads, and that nothing is said that is not known."""

from __future__ import annotations

import math
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from probes import many, moment_of, moment_without_gradients, training_of
from rich.cells import cell_len
from textual.app import App, ComposeResult

from gdtui.dashboard.widgets.readings import Readings, batch_of, compose_lines, rate_of, sentences_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.pilot import Pilot

    from gdtui.training.training import Training

PROBE = many(256, sharpness=8.6, lambda_min=-0.3, update_size=0.01, distance=1.7, alpha=-0.4)
FALLING = np.exp(-np.arange(50) / 10)


def page(training: Training, size: tuple[int, int] = (42, 20)) -> list[str]:
    lines = compose_lines(training, sentences_of(training), *size)
    return ["".join(text for text, _ in line).rstrip() for line in lines]


def row(training: Training, start: str, size: tuple[int, int] = (42, 20)) -> str:
    """The words of the line that starts so; empty where there is none."""
    return next((" ".join(line.split()) for line in page(training, size) if line.startswith(start)), "")


# What one reads


def test_each_instrument_has_its_line() -> None:
    training = training_of(PROBE, FALLING, lr=0.1, batch_size="64")
    known = PROBE.instruments
    assert row(training, "lr") == "lr 0.10000 43 % of 2/λmax"
    assert row(training, "noise B").startswith(f"noise B {known['noise_scale']:.4f} b 64 is ")
    assert row(training, "align").split()[2:5] == [f"{known['conflicts']:.0f}", "of", "256"]
    assert row(training, "‖g‖") == f"‖g‖ {known['grad_norm']:.4f} update 0.010000"
    assert row(training, "λmax") == "λmax 8.6000 λmin -0.30000"
    assert row(training, "from θ₀") == "from θ₀ 1.7000"
    assert row(training, "alpha").endswith("short")


def test_the_largest_share_is_named_by_the_samples_own_number() -> None:
    probe = moment_of([(4, 0), (1, 1), (-2, 0), (1, -1)], samples=(900, 17, 4, 512))
    assert row(training_of(probe), "share") == "share 1.0 largest, sample 900"


def test_noise_leads_where_the_batch_is_smaller_than_b() -> None:
    noisy = replace(PROBE, instruments={**PROBE.instruments, "noise_scale": 1234.5})
    training = training_of(noisy, FALLING, bs="64")
    assert row(training, "noise leads").endswith("10,000")
    assert "batch 64 against B: b is 1/19 of B" in row(training, "noise B", (80, 30))
    assert row(training, "·", (90, 30)).startswith("· Batch 64 is well below the noise scale 1,200")


def test_without_a_batch_size_b_stands_alone() -> None:
    assert row(training_of(PROBE), "noise B").endswith("batch size not known")
    assert "config={'batch_size': …}" in row(training_of(PROBE), "noise B", (80, 30))
    assert not [line for line in page(training_of(PROBE)) if "leads" in line]


@pytest.mark.parametrize(
    ("config", "batch"),
    [
        ({"batch_size": "64"}, 64),
        ({"batch-size": "64"}, 64),
        ({"bs": "64"}, 64),
        ({"train_batch_size": "64"}, 64),
        ({"Batch_Size": "64"}, 64),
        ({"batch_size": "None"}, None),
        ({"batch_size": "0"}, None),
        ({"batch_size": "-3"}, None),
        ({"batch_size": "9" * 400}, None),
        ({"batch_size": "²"}, None),
        ({"batches": "64"}, None),
        ({}, None),
    ],
)
def test_the_batch_size_is_what_the_config_calls_so(config: dict[str, str], batch: int | None) -> None:
    assert batch_of(training_of(None, **config)) == batch


def test_the_learning_rate_is_that_of_the_probes_step() -> None:
    steps = np.array([0.0, 100, 200])
    points = np.column_stack([steps, steps, steps, [0.3, 0.2, 0.1]])
    training = replace(training_of(PROBE), curves={"learning_rate": points})
    assert rate_of(training) == 0.2
    assert rate_of(replace(training, moment=None)) == 0.1
    assert rate_of(training_of(PROBE, FALLING)) is None


def test_the_lr_is_read_against_its_limit_in_full_where_there_is_room() -> None:
    assert "lr 0.10000 is 43 % of 2/λmax = 0.23256" in row(training_of(PROBE, FALLING, 0.1), "lr", (80, 30))
    assert row(training_of(PROBE, FALLING), "lr", (80, 30)) == "lr – 2/λmax is 0.23256"
    flat = many(64)
    assert row(training_of(flat, FALLING, 0.1), "lr", (80, 30)) == "lr 0.10000"
    assert row(training_of(flat, FALLING), "lr", (80, 30)) == ""


def test_a_diverging_loss_is_said_first_and_marked_bad() -> None:
    training = training_of(PROBE, [1, 2, math.inf], lr=0.5)
    assert sentences_of(training)[0] == ("Diverging: the loss is not finite since step 20.", "bad")
    assert page(training)[0].startswith("✗ Diverging")
    assert page(replace(training, moment=None))[0].startswith("✗ Diverging")


def test_a_curve_that_is_no_loss_is_not_taken_for_one() -> None:
    training = training_of(None, np.ones(100))
    assert sentences_of(training)
    accuracy = replace(training, curves={"accuracy": training.curves["train/loss"]})
    assert sentences_of(accuracy) == ()


def test_where_nothing_is_to_be_said_that_is_said() -> None:
    agreeing = moment_of([(1, 0.01), (1, -0.01)] * 8)
    assert page(training_of(agreeing, FALLING))[0] == "· Nothing stands out in these numbers."


# What is not known


def test_what_is_not_known_has_no_block() -> None:
    bare = replace(PROBE, instruments={"grad_norm": 0.5})
    assert [line for line in page(training_of(bare)) if line and line[0] != "·"] == ["‖g‖       0.50000"]


def test_without_gradients_the_pane_says_what_brings_them() -> None:
    empty = "no gradients yet: gdtui.torch.Watcher records them"
    for moment in (None, moment_without_gradients([1, 2])):
        assert page(training_of(moment, FALLING), (80, 20)) == [empty]
    assert page(training_of(None, np.ones(100)), (80, 20))[-1] == empty
    assert page(training_of(moment_without_gradients([1], [1])), (80, 20))[0].startswith("no direction: ")


def test_at_the_minimum_what_is_undefined_is_a_dash() -> None:
    still = moment_of(np.zeros((4, 2)))
    assert row(training_of(still, batch_size="2"), "align") == "align – 0 of 4 against ────────"
    assert row(training_of(still, batch_size="2"), "noise") == ""


@pytest.mark.parametrize("value", [0.0, -1.0, 1e-300, 1e300, math.inf, math.nan])
@pytest.mark.parametrize("size", [(1, 1), (12, 5), (42, 20), (120, 50)])
def test_any_values_at_any_size(value: float, size: tuple[int, int]) -> None:
    wild = replace(
        PROBE, instruments={name: value for name in PROBE.instruments if name not in ("samples", "conflicts")}
    )
    training = training_of(wild, [value] * 30, lr=value, batch_size="64")
    lines = compose_lines(training, sentences_of(training), *size)
    assert len(lines) <= size[1]
    if size[0] >= 42:
        text = "\n".join("".join(text for text, _ in line) for line in lines)
        assert "nan" not in text.lower()
        assert max(cell_len(line) for line in text.splitlines()) <= size[0] + 2


# The pane


class Pane(App[None]):
    CSS = "Readings { border: round white; height: 1fr; }"
    AUTO_FOCUS = None

    def compose(self) -> ComposeResult:
        yield Readings()


@asynccontextmanager
async def pane(size: tuple[int, int] = (44, 18)) -> AsyncIterator[tuple[Pilot[None], Readings]]:
    async with Pane().run_test(size=size) as pilot:
        await pilot.pause()
        yield pilot, pilot.app.query_one(Readings)


async def test_the_border_says_of_which_step_and_how_many_samples() -> None:
    async with pane() as (_, readings):
        assert not "".join(readings.render_line(y).text for y in range(readings.size.height)).strip()
        readings.show(training_of(None, FALLING))
        assert readings.border_subtitle in (None, "")
        readings.show(training_of(replace(PROBE, step=12_800), FALLING))
        assert readings.border_subtitle == "256 samples · step 12,800"


async def test_blocks_stay_where_they_are_when_the_numbers_change() -> None:
    first = training_of(PROBE, FALLING, lr=0.1, batch_size="64")
    other = training_of(many(256, seed=5, sharpness=1e-5, alpha=0.2, update_size=9.0), FALLING, 0.5, batch_size="64")
    labels = [
        [line[:8] for line in page(training)[5:] if line[:8].strip() != "noise le"] for training in (first, other)
    ]
    assert labels[0][:6] == labels[1][:6]


async def test_only_changed_lines_are_sent() -> None:
    async with pane() as (_, readings):
        readings.show(training_of(PROBE, FALLING, batch_size="64"))
        sent: list[Any] = []
        readings.refresh = lambda *regions, **_: sent.extend(regions)  # type: ignore[method-assign]
        readings.show(training_of(PROBE, FALLING, batch_size="64"))
        readings.redraw()
        assert sent == []
        readings.show(training_of(replace(PROBE, instruments={**PROBE.instruments, "alpha": 0.3}), FALLING, bs="64"))
        readings.redraw()
        assert 1 <= len(sent) <= 2
