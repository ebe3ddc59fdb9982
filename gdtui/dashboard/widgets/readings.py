"""Readings: what the numbers of another program's training mean, as far as it tells them."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import TYPE_CHECKING

from textual.content import Content

from gdtui.dashboard.figures import figure
from gdtui.dashboard.gauges import Line, wrapped
from gdtui.dashboard.momentsamples import MomentSamples
from gdtui.dashboard.widgets.blocks import (
    LABEL,
    SOURCES,
    Blocks,
    Sentences,
    align_lines,
    alpha_lines,
    grid,
    labelled,
    noise_lines,
    noise_parts,
    source_lines,
    stacked,
    verdict_lines,
)
from gdtui.dashboard.widgets.cloud import what_is_missing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gdtui.insight.instruments import Instruments
    from gdtui.training.moment import Moment
    from gdtui.training.training import Training

BATCH_SIZES = ("batch_size", "batch-size", "bs", "train_batch_size")
"""What the batch size is called in a training's config."""

RATES = ("lr", "learning_rate", "learning-rate", "train/lr", "train/learning_rate")
"""What the curve of the learning rate is called."""

OF_TRAININGS = ("noise B", "tests", "divers.", "align", "alpha")
"""The sources that are true whatever is trained."""

GROWTH = (
    *("verdict", "verdict", "noise", "align", "rate", "figures", "alpha", "noise"),
    *("verdict", "verdict", "align", "figures", "gap", "gap", "figures", "gap", "verdict", "gap", "gap"),
    *("noise",) * 6,
    *("verdict", "alpha", "figures", "figures", "gap"),
    *("sources",) * 2 * len(OF_TRAININGS),
)
"""Which block has each further line of the pane's height."""

GAPS = ("noise", "align", "rate", "figures", "alpha", "sources")
"""Which blocks have an empty line before them, as far as there are any."""

NEEDS = {
    "noise": {"noise_scale", "signal_to_noise"},
    "align": {"alignment", "conflicts", "largest_share"},
    "alpha": {"alpha"},
}
"""Without any of these instruments there is no such block."""

NOTHING: Sentences = (("Nothing stands out in these numbers.", "note"),)


class Readings(Blocks, can_focus=True):
    """What the newest moment's instruments mean; what is not known has no block."""

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._training: Training | None = None
        self._sentences: Sentences = ()
        self._status = ""

    def show(self, training: Training) -> None:
        """Show a training as it stands; only the lines that changed are sent."""
        goes_on = self._training is not None and self._training.state == training.state
        self._training, self._sentences = training, sentences_of(training)
        moment = training.moment
        status = f"{len(moment.samples):,} samples · step {moment.step:,}" if moment else ""
        if status != self._status:
            self._status = status
            self.border_subtitle = Content(status)
        if goes_on:
            self.redraw_in_turn()
        else:
            self.redraw()

    def lines(self, width: int, height: int) -> list[Line]:
        """The pane's lines at this size."""
        if self._training is None:
            return []
        return compose_lines(self._training, self._sentences, width, height)


def sentences_of(training: Training) -> Sentences:
    """What can be said of a training, each with its kind."""
    from gdtui.insight.advice import advise
    from gdtui.training.curves import Column

    moment, loss = training.moment, training.loss
    points = training.curves[loss] if "loss" in loss.lower() else None
    one = instruments_of(moment) if moment else None
    found = advise(
        known_of(moment),
        samples=one.samples if one else 0,
        largest=one.largest_share_sample if one else None,
        batch=batch_of(training),
        lr=rate_of(training),
        losses=None if points is None else points[:, [Column.STEP, Column.VALUE]],
    )
    return tuple((sentence.text, sentence.kind) for sentence in found)


def compose_lines(training: Training, sentences: Sentences, width: int, height: int) -> list[Line]:
    """The pane's lines at this size."""
    moment, known = training.moment, known_of(training.moment)
    if moment is None or not known:
        said = [line for line in verdict_lines(sentences, width, min(height, 6)) if line]
        missing: list[Line] = [[(text, "label")] for text in wrapped(what_is_missing(moment), width)]
        return [*said, *([[]] if said else []), *missing][:height]
    one = instruments_of(moment)
    blocks: dict[str, Callable[[int], list[Line]]] = {
        "verdict": lambda rows: verdict_lines(sentences or NOTHING, width, rows),
        "rate": lambda rows: rate_lines(rate_of(training), known, width)[:rows],
        "noise": lambda rows: probe_noise_lines(one, batch_of(training), width)[:rows],
        "align": lambda rows: align_lines(one, width)[:rows],
        "alpha": lambda rows: alpha_lines(known["alpha"], known.get("update_size"), width)[:rows],
        "figures": lambda rows: figure_lines(known, width)[:rows],
        "sources": lambda rows: source_lines([source for source in SOURCES if source[0] in OF_TRAININGS], width)[:rows],
    }
    blocks = {name: block for name, block in blocks.items() if name not in NEEDS or NEEDS[name] & known.keys()}
    return stacked(blocks, GROWTH, GAPS, width, height)


# --- blocks ----------------------------------------------------------------------------------------------------------


def rate_lines(lr: float | None, known: Mapping[str, float], width: int) -> list[Line]:
    """The learning rate against 2/λmax; nothing where neither is known."""
    from gdtui.insight.advice import stable_lr

    limit = stable_lr(known)
    if lr is None and limit is None:
        return []
    texts: tuple[str, ...] = ()
    if limit is not None:
        stands = f"2/λmax is {figure(limit)}"
        texts = (stands, "")
        if lr is not None:
            ratio = f"{100 * lr / limit:.3g} % of 2/λmax"
            texts = (
                f"is {ratio} = {figure(limit)}, plain descent's limit here",
                f"is {ratio} = {figure(limit)}",
                ratio,
            )
    return [labelled("lr", lr, texts, width)]


def probe_noise_lines(one: Instruments, batch: int | None, width: int) -> list[Line]:
    """The batch against the noise scale B; where it is not known, B alone."""
    if batch is None:
        texts = ("the batch size is not known: config={'batch_size': …}", "batch size not known", "")
        return [labelled("noise B", one.noise_scale, texts, width), *noise_parts(one, width)]
    furthest = max(one.of, batch, one.noise_scale or 0)
    end = 10 ** math.ceil(math.log10(min(furthest, 1e12)))  # a probe's size is no limit to what is trained on
    return noise_lines(one, batch, False, end, width)


def figure_lines(known: Mapping[str, float], width: int) -> list[Line]:
    """‖g‖, the update's size, the curvature, the way from the start, as far as they are known."""
    names = {"‖g‖": "grad_norm", "update": "update_size", "λmax": "sharpness", "λmin": "lambda_min"}
    names |= {"from θ₀": "distance"}
    return grid({label: known[name] for label, name in names.items() if name in known}, width, label=LABEL)


# --- what is known ---------------------------------------------------------------------------------------------------


def known_of(moment: Moment | None) -> dict[str, float]:
    """A moment's instruments, those that are numbers."""
    return {name: value for name, value in moment.instruments.items() if math.isfinite(value)} if moment else {}


def instruments_of(moment: Moment) -> Instruments:
    """A moment's scalars; None where they are not known."""
    from gdtui.insight.instruments import Instruments

    known, n = known_of(moment), len(moment.samples)
    counts = {"samples", "of", "conflicts", "largest_share_sample"}
    numbers = {field.name: known.get(field.name) for field in fields(Instruments) if field.name not in counts}
    measured, conflicts = int(known.get("samples", n)), known.get("conflicts")
    against = None if conflicts is None else int(conflicts)
    largest = MomentSamples(moment).largest_sample
    return Instruments(samples=measured, of=n, conflicts=against, largest_share_sample=largest, **numbers)


def batch_of(training: Training) -> int | None:
    """Samples in each of its batches, as its config has it; None where it does not say."""
    config = {name.lower(): text for name, text in training.config}
    text = next((config[name] for name in BATCH_SIZES if name in config), "")
    return int(text) if text.isdecimal() and 0 < int(text) < 10**12 else None


def rate_of(training: Training) -> float | None:
    """Its learning rate when the newest probe was taken, or else the newest; None where it is not told."""
    from gdtui.training.curves import Column

    points = next((training.curves[name] for name in RATES if name in training.curves), None)
    if points is None:
        return None
    until = points[points[:, Column.STEP] <= training.moment.step] if training.moment else points
    lr = float((until if len(until) else points)[-1, Column.VALUE])
    return lr if math.isfinite(lr) and lr > 0 else None
