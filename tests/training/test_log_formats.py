"""Formats: JSON lines, tables, text; the same curves however the bytes come."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gdtui.training.curves import Column
from gdtui.training.logs.formats import Format, JsonLines, Table, Text, decide
from gdtui.training.logs.log import NAMES, Log
from gdtui.training.moment import Number
from gdtui.training.training import Training


def told(form: Format, *chunks: bytes) -> Training:
    """What a log tells that comes in these pieces."""
    log = Log()
    for chunk in chunks:
        log = log.add(form.feed(chunk))
    return log.add(form.end()).training("log")


def json_lines(*rows: dict[str, Any]) -> Training:
    return told(JsonLines(), "".join(json.dumps(row) + "\n" for row in rows).encode())


def curve(training: Training, name: str, x: Column = Column.STEP) -> list[tuple[float, float]]:
    return [(point[x], point[Column.VALUE]) for point in training.curves[name].tolist()]


# --- JSON lines ---


def test_values_stand_over_the_step_and_the_epoch_that_their_row_tells() -> None:
    training = json_lines({"step": 10, "epoch": 0.5, "loss": 2.0, "lr": 0.1}, {"step": 20, "epoch": 1.0, "loss": 1.0})
    assert curve(training, "loss") == [(10, 2.0), (20, 1.0)]
    assert curve(training, "loss", Column.EPOCH) == [(0.5, 2.0), (1.0, 1.0)]
    assert curve(training, "lr") == [(10, 0.1)]
    assert list(training.curves) == ["loss", "lr"]


@pytest.mark.parametrize("name", ["step", "global_step", "trainer/global_step", "Iteration", "it", "_step", "batch"])
def test_a_step_has_many_names(name: str) -> None:
    assert curve(json_lines({name: 7, "loss": 1.0}), "loss") == [(7, 1.0)]


def test_without_a_step_a_value_stands_over_its_rows_number() -> None:
    assert curve(json_lines({"loss": 3}, {"acc": 1}, {"loss": 2}), "loss") == [(1, 3), (3, 2)]


def test_a_row_without_a_step_stands_over_the_newest() -> None:
    training = json_lines({"step": 10, "epoch": 1, "loss": 3}, {"val_loss": 2}, {"step": 11, "loss": 1})
    assert curve(training, "val_loss") == [(10, 2)]
    assert curve(training, "val_loss", Column.EPOCH) == [(1, 2)]


def test_batches_that_begin_again_with_each_epoch_count_on() -> None:
    training = json_lines(*({"epoch": e, "batch": b, "loss": 1} for e in range(2) for b in range(3)))
    assert [step for step, _ in curve(training, "loss")] == [0, 1, 2, 3, 4, 5]


def test_steps_that_fall_in_the_same_epoch_are_left_as_they_are() -> None:
    training = json_lines(*({"step": step, "loss": 1} for step in (0, 10, 20, 15, 25)))
    assert [step for step, _ in curve(training, "loss")] == [0, 10, 20, 15, 25]


def test_times_of_day_count_from_the_first_one() -> None:
    for first, second in ((1.7e9, 1.7e9 + 5), (1.7e12, 1.7e12 + 5e3), ("2026-01-01T10:00:00", "2026-01-01T10:00:05")):
        training = json_lines({"timestamp": first, "loss": 1}, {"timestamp": second, "loss": 2})
        assert curve(training, "loss", Column.SECONDS) == [(0, 1), (5, 2)]
        assert list(training.curves) == ["loss"]


def test_a_time_that_falls_is_how_long_something_took() -> None:
    training = json_lines(*({"time": time, "loss": 1} for time in (0.3, 0.4, 0.2, 0.5)))
    assert [value for _, value in curve(training, "time")] == [0.3, 0.4, 0.2, 0.5]
    assert np.isnan(training.curves["loss"][2:, Column.SECONDS]).all()


def test_what_is_not_finite_survives() -> None:
    line = b'{"a": NaN, "b": Infinity, "c": -Infinity, "d": null, "e": "nan", "f": 1e400, "g": true, "h": %s}\n' % (
        b"9" * 400
    )
    training = told(JsonLines(), line)
    values = {name: points[0, Column.VALUE] for name, points in training.curves.items()}
    inf, nan = math.inf, math.nan
    expected = {"a": nan, "b": inf, "c": -inf, "d": nan, "e": nan, "f": inf, "g": 1.0, "h": inf}
    assert values == pytest.approx(expected, nan_ok=True)


def test_nested_rows_are_joined_lists_are_left_out_text_is_the_config() -> None:
    training = json_lines(
        {"train": {"loss": 1, "top": {"k": 2}}, "weights": [1, 2], "one": [1], "phase": "warm-up"},
        {"config": {"lr": 0.1, "model": {"depth": 3}}, "train": {"loss": 0.5}, "phase": "main"},
    )
    assert list(training.curves) == ["train/loss", "train/top/k"]
    assert curve(training, "train/loss") == [(1, 1), (2, 0.5)]
    assert dict(training.config) == {"lr": "0.1", "model/depth": "3", "phase": "main"}


def test_lines_that_cannot_be_read_are_counted_and_change_nothing() -> None:
    lines = [
        b'{"loss": 1}',
        b'{"loss": 0.5, "st',
        b"[1, 2]",
        b'{"loss": 2} {"loss": 3}',
        b"\xff\xfe",
        b"[" * 10**5,
        b"",
        b'{"loss": 4}',
    ]
    training = told(JsonLines(), b"\r\n".join(lines) + b"\r\n")
    assert [value for _, value in curve(training, "loss")] == [1, 4]
    assert training.bad_lines == 5


def test_a_name_can_be_anything_and_is_made_printable() -> None:
    training = json_lines({"\x1b[31mred\n": 1, "": 2, "ŷ 🔥": 3, "n" * 10**4: 4})
    assert all(name.isprintable() and 0 < len(name) <= 80 for name in training.curves)
    assert {"red", "ŷ 🔥"} <= training.curves.keys()
    assert len(training.curves) == 4


def test_more_names_than_are_kept_are_counted_and_said() -> None:
    training = json_lines({f"name {index}": index for index in range(NAMES + 30)})
    assert len(training.curves) == NAMES
    assert "30 names" in training.notice


def test_a_line_that_is_too_long_is_skipped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gdtui.training.logs.lines.LONGEST", 100)
    lines = b'{"loss": 1}\n{"loss": 2, "x": "' + b"x" * 1000 + b'"}\n{"loss": 3}\n'
    for size in (7, 64, 5000):
        training = told(JsonLines(), *(lines[at : at + size] for at in range(0, len(lines), size)))
        assert [value for _, value in curve(training, "loss")] == [1, 3]
        assert training.bad_lines == 1


# --- tables ---


def test_a_table_has_a_point_only_where_it_says_something() -> None:
    table = b"epoch,step,train_loss,val_loss\r\n0,9,1.5,\r\n0,9,,1.25\r\n1,19,nan,\r\n"
    training = told(Table(","), table)
    np.testing.assert_array_equal(curve(training, "train_loss"), [(9, 1.5), (19, math.nan)])
    assert curve(training, "val_loss") == [(9, 1.25)]


def test_a_table_may_begin_again_with_other_columns() -> None:
    training = told(Table(","), b"step,loss\n1,3\nstep,loss\n2,2\nstep,loss,acc\n3,1,0.5\n4,oops\n5,0.5,0.6\n")
    assert curve(training, "loss") == [(1, 3), (2, 2), (3, 1), (5, 0.5)]
    assert curve(training, "acc") == [(3, 0.5), (5, 0.6)]
    assert training.bad_lines == 1


def test_a_table_quotes_names_with_commas() -> None:
    training = told(Table(","), b'"loss, mean","a ""b"""\n1,2\n')
    assert set(training.curves) == {"loss, mean", 'a "b"'}


# --- text ---


def test_a_progress_bar_tells_each_of_its_states_and_shows_the_last() -> None:
    bar = b"begin\n" + b"".join(b"\r%d/3 loss=%d" % (n, 9 - n) for n in range(1, 4)) + b"\ndone\n"
    training = told(Text(), bar)
    assert curve(training, "loss") == [(1, 8), (2, 7), (3, 6)]
    assert [line for _, line in training.lines] == ["begin", "3/3 loss=6", "done"]


def test_the_lines_that_are_shown_obey_nothing() -> None:
    training = told(Text(), b"\x1b[2J\x1b]0;title\x07a\tb\x07\nplain\n")
    assert [line for _, line in training.lines] == [r"a       b\x07", "plain"]


def test_json_between_other_lines_is_read() -> None:
    training = told(Text(), b'Loading data\n{"step": 1, "loss": 2.0}\nsaved\n{"step": 2, "loss": 1.0}\n')
    assert curve(training, "loss") == [(1, 2.0), (2, 1.0)]
    assert training.bad_lines == 0


# --- gdtui's own ---


def own(*losses: float, epoch: int = 1) -> list[dict[str, Any]]:
    experiment = {"problem": "linear", "lr": 0.01}
    rows: list[dict[str, Any]] = [{"type": "start", "experiment": experiment, "samples": 2, "parameters": 2}]
    for number, loss in enumerate(losses, start=epoch):
        for sample, gradient in ((0, [3.0, 4.0]), (1, [3.0, -4.0])):
            visit = {"epoch": number, "update": 2 * number + sample - 1, "sample": sample, "loss": loss + sample}
            rows.append({"type": "sample"} | visit | {"gradient": gradient})
        epoch_row = {"epoch": number, "updates": 2 * number, "loss": loss, "lr": 0.01, "theta": [1.0, 2.0]}
        rows.append({"type": "epoch"} | epoch_row)
    end = {"state": "converged", "epoch": len(losses), "updates": 2 * len(losses), "loss": losses[-1]}
    return [*rows, {"type": "end"} | end | {"theta": [0, 0], "verdict": "It is done."}]


def test_own_json_lines_tell_the_experiment_the_epochs_and_the_end() -> None:
    training = json_lines(*own(3.0, 2.0, 1.0))
    assert dict(training.config) == {"problem": "linear", "lr": "0.01", "samples": "2", "parameters": "2"}
    assert curve(training, "loss") == [(2, 3.0), (4, 2.0), (6, 1.0)]
    assert curve(training, "loss", Column.EPOCH) == [(1, 3.0), (2, 2.0), (3, 1.0)]
    assert (training.state, training.reason) == ("finished", "It is done.")


def test_own_samples_are_a_moment_of_the_last_epoch() -> None:
    moment = json_lines(*own(3.0, 1.0)).moment
    assert moment is not None
    assert (moment.step, moment.epoch, moment.samples.tolist()) == (4, 2, [0, 1])
    assert moment.column(Number.LOSS).tolist() == [1.0, 2.0]
    assert moment.column(Number.NORM) == pytest.approx([5, 5])
    assert moment.column(Number.COSINE) == pytest.approx([0.6, 0.6])
    assert moment.column(Number.SHARE) == pytest.approx([0.5, 0.5])


def test_a_second_run_in_the_same_log_begins_anew_one_that_goes_on_does_not() -> None:
    training = json_lines(*own(3.0, 2.0), *own(9.0))
    assert curve(training, "loss") == [(2, 9.0)]
    training = json_lines(*own(3.0, 2.0), *own(1.0, epoch=3))
    assert curve(training, "loss") == [(2, 3.0), (4, 2.0), (6, 1.0)]


# --- which format it is ---


@pytest.mark.parametrize(
    ("head", "suffix", "form"),
    [
        (b'{"loss": 1}\n{"loss": 2}\n', ".txt", JsonLines),
        (b'{"loss": 1}\nnothing\n', "", Text),
        (b"step,loss\n1,0.5\n", "", Table),
        (b"step\tloss\n1\t\n", "", Table),
        (b"loss\n", ".csv", Table),
        (b"loading, please wait\nloss=3, lr=2\n", "", Text),
        (b"Epoch 1 loss=0.5\n", ".log", Text),
        (b'\xef\xbb\xbf{"loss": 1}\n', "", JsonLines),
        (bytes(range(1, 32)) * 20, ".pt", None),
    ],
)
def test_what_a_log_is_says_its_beginning_then_its_name(head: bytes, suffix: str, form: type | None) -> None:
    assert type(decide(head, suffix)) is (type(None) if form is None else form)


# --- any bytes, in any pieces ---

JSON = (
    b'{"step": 1, "loss": 0.5}',
    b'{"loss": NaN, "epoch": 2, "phase": "b"}',
    b'{"phase": "a", "x": {"y": [1]}}',
    b'{"epoch": 3, "step": 0, "time": 1e9, "loss": "nan"}',
    b'{"time": 5, "step": 1e400}',
    b'{"type": "start", "experiment": {"lr": 1}, "samples": 1, "parameters": 2}',
    b'{"type": "sample", "epoch": 1, "update": 1, "sample": 0, "loss": 1, "gradient": [1, null]}',
    b'{"type": "epoch", "updates": 3, "loss": 1}',
)
PRINTED = b"step,loss", b"3,", b"1,0.5", b"Epoch 1/3", b" 5/9 loss: ", b"0.25", b"e-3", b"\x1b[1m"
ODD = b"\n", b"\n", b"\r", b"\r\n", b"\0", b'"', b"\xc3", b"\xa9", b",", b"{"
tokens = st.sampled_from((*JSON, *PRINTED, *ODD))
logs = st.lists(tokens | st.binary(max_size=5), max_size=60).map(b"".join)


@pytest.mark.parametrize("form", [JsonLines, Text, lambda: Table(",")])
@given(log=logs, cuts=st.lists(st.integers(0, 300), max_size=12))
@example(log=b'{"x": "1st"}\n{"x": "2nd", "y": 1}\n{"x": "3rd"}\n', cuts=[13, 33])
@example(log=b"a=1\r\nb=2\rb=3\r", cuts=[4, 9, 13])
def test_any_bytes_in_any_pieces_tell_the_same(form: Any, log: bytes, cuts: list[int]) -> None:
    ends = sorted({*cuts, len(log)})
    pieces = [log[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]
    whole, parts = told(form(), log), told(form(), *pieces, log[ends[-1] :])
    assert whole.curves.keys() == parts.curves.keys()
    for name in whole.curves:
        np.testing.assert_array_equal(whole.curves[name], parts.curves[name])
    assert dict(whole.config) == dict(parts.config)
    for name in ("lines", "values", "bad_lines", "state", "moments"):
        assert getattr(whole, name) == getattr(parts, name)
