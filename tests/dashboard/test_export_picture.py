"""Pictures as SVG: of the loss, and of the whole lab without a terminal."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from labs import moment, table

from gdtui.dashboard.picture import lab_svg, loss_svg, title
from gdtui.experiment import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from gdtui.descent.snapshot import Snapshot

SPACE = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    """What is written in a picture, line by line."""
    lines: dict[float, list[str]] = {}
    for text in ET.fromstring(svg).iter(f"{SPACE}text"):
        lines.setdefault(float(text.get("y", 0)), []).append("".join(text.itertext()))
    return [" ".join(parts).replace("\xa0", " ") for _, parts in sorted(lines.items())]


def named(snapshot: Snapshot, name: str) -> Snapshot:
    problem = snapshot.problem
    return replace(snapshot, problem=replace(problem, dataset=replace(problem.dataset, name=name)))


def test_the_chart_has_its_curve_axes_marks_and_title() -> None:
    seen = "\n".join(texts(loss_svg(moment(epoch=42))))
    assert "linear · tutorial · sgd b=1 lr 0.01 · epoch 42" in seen
    assert "loss, log y · epochs" in seen
    assert re.search("[\u2801-\u28ff]", seen), "a curve in braille"
    assert "1e+0" in seen
    assert "100" in seen


@pytest.mark.parametrize("size", [(120, 36), (60, 16), (5, 3)])
def test_the_chart_is_as_large_as_it_is_asked_for(size: tuple[int, int]) -> None:
    root = ET.fromstring(loss_svg(moment(epoch=3), size))
    clips = [clip.get("id", "") for clip in root.iter(f"{SPACE}clipPath") if "-line-" in clip.get("id", "")]
    assert len(clips) == size[1] - 1  # between its lines
    assert max(float(text.get("y", 0)) for text in root.iter(f"{SPACE}text")) <= 24.4 * size[1]


@pytest.mark.parametrize("name", ["<script>x<∕script>", "[red]a & 'b\"", "\x1b[31m\0\udc80\ufffe.csv", "{0}"])
def test_a_title_is_text_and_nothing_else(name: str) -> None:
    snapshot = named(moment(epoch=1), name)
    svg = loss_svg(snapshot)
    svg.encode()
    root = ET.fromstring(svg)
    assert not list(root.iter(f"{SPACE}script"))
    heading = next(text for text in root.iter(f"{SPACE}text") if text.get("class", "").endswith("-title"))
    assert "".join(heading.itertext()).replace("\xa0", " ") == title(snapshot)


def test_a_file_of_data_is_named_without_its_folders() -> None:
    assert title(named(moment(epoch=1000, epochs=1000), "/home/me/it.csv")).startswith("linear · it.csv · sgd ")


def test_the_lab_is_drawn_without_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    snapshot = moment(epoch=42, lr=0.02)
    svg = lab_svg(snapshot)
    assert capfd.readouterr() == ("", "")
    seen = "\n".join(texts(svg))
    for text in ("1 Experiment", "2 Loss", "3 Samples", "4 Landscape", "5 Insight", "7 Log", " 42/100", "126", "0.02"):
        assert text in seen
    assert "Stable: lr 0.02" in seen, "it is measured too"
    assert f"loss= {snapshot.loss}" in seen


def test_the_lab_shows_the_moment_also_where_it_was_changed_or_diverged() -> None:
    seen = "\n".join(texts(lab_svg(moment(epoch=100, lr=0.3))))
    assert "✗ diverged" in seen
    assert "Diverged" in seen


def test_where_the_data_is_gone_it_is_said_so(tmp_path: Path) -> None:
    snapshot = moment(epoch=1, data=table(tmp_path / "here.csv"))
    (tmp_path / "here.csv").unlink()
    with pytest.raises(InputError, match="there is no file"):
        lab_svg(snapshot)
