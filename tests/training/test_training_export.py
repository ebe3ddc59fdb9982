"""What is written of a training, read back by others."""

from __future__ import annotations

import csv
import json
import math

import duckdb
import numpy as np
import pytest

from gdtui.experiment import InputError
from gdtui.training.export import export
from gdtui.training.moment import Moment
from gdtui.training.training import Training


def curve(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows)


TOLD = Training(
    "cnn",
    (("lr", "0.1"), ("model", "small")),
    curves={
        "loss": curve((1, 0.5, 0.1, 2.0), (2, 1.0, 0.2, 1 / 3), (3, math.nan, 0.3, math.nan)),
        "Loss": curve((2, 1.0, 0.2, 7.0)),
    },
    moment=Moment(
        3,
        1.0,
        0.3,
        np.array([7, 9]),
        np.array([[1.0, 2.0, -0.5, 0.1, np.nan, np.nan], [3, 4, 0.5, 0.9, np.nan, np.nan]]),
        ("a", "b"),
    ),
    values=4,
)


def test_what_was_told_at_once_is_a_row(tmp_path) -> None:
    file = tmp_path / "history.csv"
    assert "3 rows" in str(export(TOLD, "history", str(file)))
    rows = list(csv.DictReader(file.open()))
    assert [row["step"] for row in rows] == ["1", "2", "3"]
    assert float(rows[1]["loss"]) == 1 / 3
    assert rows[1]["Loss_2"] == "7.0"  # case does not count
    assert (rows[0]["Loss_2"], rows[2]["epoch"]) == ("", "")


def test_samples_have_what_is_known_of_them(tmp_path) -> None:
    file = tmp_path / "samples.parquet"
    export(TOLD, "samples", str(file))
    rows = duckdb.sql(f"SELECT * FROM '{file}'")
    assert rows.columns == ["sample", "label", "loss", "grad_norm", "cos", "share"]
    assert rows.fetchall() == [(7, "a", 1.0, 2.0, -0.5, 0.1), (9, "b", 3.0, 4.0, 0.5, 0.9)]


def test_samples_with_labels_are_json_too(tmp_path) -> None:
    export(TOLD, "samples", str(tmp_path / "samples.json"))
    columns = json.loads((tmp_path / "samples.json").read_text())["columns"]
    assert (columns["label"], columns["sample"], columns["loss"]) == (["a", "b"], [7, 9], [1.0, 3.0])


def test_the_config_is_text_or_json(tmp_path) -> None:
    export(TOLD, "experiment", str(tmp_path / "config.txt"))
    assert (tmp_path / "config.txt").read_text() == "lr=0.1\nmodel=small\n"
    export(TOLD, "experiment", str(tmp_path / "config.json"))
    assert json.loads((tmp_path / "config.json").read_text())["config"] == {"lr": "0.1", "model": "small"}


def test_a_thinned_curve_says_how_much_of_it_there_is(tmp_path) -> None:
    from dataclasses import replace

    written = export(replace(TOLD, values=1_000), "history", str(tmp_path / "h.json"))
    assert "4 of 1,000 values" in str(written)
    columns = json.loads((tmp_path / "h.json").read_text())["columns"]
    assert columns["loss"] == [2.0, 1 / 3, None]


@pytest.mark.parametrize(
    ("what", "file", "why"),
    [
        ("samples", "s.csv", "told nothing of its samples"),
        ("history", "h.csv", "told no value yet"),
        ("chart", "c.svg", "in the dashboard"),
        ("history", "h.svg", ".svg holds"),
    ],
)
def test_what_is_not_there_is_said_and_nothing_is_written(tmp_path, what: str, file: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        export(Training("t"), what, str(tmp_path / file))
    assert not list(tmp_path.iterdir())
