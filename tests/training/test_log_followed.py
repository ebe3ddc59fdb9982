"""Followed logs: files that come, grow, are rotated, truncated, written again, deleted; long ones; folders."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from gdtui.experiment import InputError
from gdtui.training.curves import Column
from gdtui.training.logs import followed
from gdtui.training.logs.follow import follow
from gdtui.training.logs.followed import FollowedLog
from gdtui.training.training import Training


class Watched:
    """A log that a test writes, and what was seen of it last."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = FollowedLog(path)
        self.training: Training | None = None

    def see(self) -> Training:
        while (training := self.log.look()) is not None:
            self.training = training
        assert self.training is not None
        return self.training

    def losses(self, x: Column = Column.STEP) -> list[tuple[float, float]]:
        training = self.see()
        return [(point[x], point[Column.VALUE]) for point in training.curves.get("loss", np.empty((0, 4))).tolist()]

    def write(self, text: str, mode: str = "a") -> None:
        with self.path.open(mode) as file:
            file.write(text)


@pytest.fixture
def log(tmp_path: Path) -> Watched:
    return Watched(tmp_path / "log.jsonl")


@pytest.fixture
def rests(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file has rested as soon as it does not grow."""
    monkeypatch.setattr(followed, "REST_S", -1.0)


def rows(*losses: float, step: int | None = 1) -> str:
    steps = [{} if step is None else {"step": step + index} for index in range(len(losses))]
    return "".join(json.dumps(step | {"loss": loss}) + "\n" for step, loss in zip(steps, losses, strict=True))


def test_a_file_that_is_not_there_yet_is_waited_for(log: Watched) -> None:
    training = log.see()
    assert "not there yet" in training.notice
    assert log.log.look() is None
    log.write(rows(3, 2) + rows(1))
    assert log.losses() == [(1, 3), (2, 2), (1, 1)]
    assert log.see().notice == ""


def test_what_is_added_is_seen_and_nothing_else_makes_a_new_training(log: Watched) -> None:
    log.write(rows(3, 2))
    assert log.losses() == [(1, 3), (2, 2)]
    assert log.log.look() is None
    log.write(rows(1, step=3))
    assert log.losses() == [(1, 3), (2, 2), (3, 1)]


def test_seconds_are_known_of_rows_that_come_while_watching(log: Watched) -> None:
    log.write(rows(3, 2))
    log.see()
    log.write(rows(1, step=3))
    seconds = [time for time, _ in log.losses(Column.SECONDS)]
    assert np.isnan(seconds[:2]).all()
    assert 0 <= seconds[2] < 60


def test_a_line_without_its_end_is_waited_for(log: Watched) -> None:
    log.write(rows(3, 2) + '{"step": 3, "loss": 1')
    assert log.losses() == [(1, 3), (2, 2)]
    log.write("5}\n")
    assert log.losses() == [(1, 3), (2, 2), (3, 15)]


@pytest.mark.usefixtures("rests")
def test_a_last_line_that_rests_counts_and_is_not_held_for_the_whole_when_it_goes_on(tmp_path: Path) -> None:
    log = Watched(tmp_path / "metrics.csv")
    log.write("step,loss\n1,3\n2,0.5")
    assert log.losses() == [(1, 3), (2, 0.5)]
    log.write("3\n")
    assert log.losses() == [(1, 3), (2, 0.53)]


def test_a_rotated_log_goes_on(log: Watched) -> None:
    for step in (1, None):
        log.write(rows(3, 2, step=step), "w")
        log.see()
        log.write(rows(1.5, step=step and 3))  # written, and not seen, before it is rotated
        log.path.rename(log.path.with_suffix(f".{step}"))
        assert log.losses() == [(1, 3), (2, 2), (3, 1.5)]
        log.write(rows(1, step=step and 4))
        assert log.losses() == [(1, 3), (2, 2), (3, 1.5), (4, 1)]
        log = Watched(log.path)


def test_a_truncated_log_goes_on_where_its_steps_do(log: Watched) -> None:
    log.write(rows(3, 2, 1))
    log.see()
    os.truncate(log.path, 0)
    log.see()
    log.write(rows(0.5, step=4))
    assert log.losses() == [(1, 3), (2, 2), (3, 1), (4, 0.5)]


def test_zeros_left_by_a_writer_that_goes_on_at_its_own_position_are_no_line(log: Watched) -> None:
    with log.path.open("w") as writer:
        writer.write(rows(3, 2, 1))
        writer.flush()
        log.see()
        os.truncate(log.path, 0)
        log.see()
        writer.write(rows(0.5, step=4))
    assert log.losses() == [(1, 3), (2, 2), (3, 1), (4, 0.5)]
    assert log.see().bad_lines == 0


def test_a_run_that_begins_again_in_the_same_file_is_a_new_one(log: Watched) -> None:
    for step in (1, None):
        log.write(rows(3, 2, 1, step=step), "w")
        assert log.losses() == [(1, 3), (2, 2), (3, 1)]
        log.write(rows(9, 8, step=step), "w")
        assert log.losses() == [(1, 9), (2, 8)]
        log = Watched(log.path.with_name("other.jsonl"))


@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_table_written_again_with_one_more_column_has_no_row_twice(tmp_path: Path, is_replaced: bool) -> None:
    log = Watched(tmp_path / "metrics.csv")
    log.write("epoch,step,loss\n0,9,3\n0,19,2\n")
    assert log.losses() == [(9, 3), (19, 2)]
    again = "epoch,step,loss,val\n0,9,3,\n0,19,2,\n0,19,,7\n1,29,1,\n"
    if is_replaced:
        other = log.path.with_suffix(".new")
        other.write_text(again)
        other.replace(log.path)
    else:
        log.write(again, "w")  # longer than before: only its beginning tells that it is another
    assert log.losses() == [(9, 3), (19, 2), (29, 1)]
    assert log.see().curves["val"][:, [Column.STEP, Column.VALUE]].tolist() == [[19, 7]]


def test_a_deleted_log_is_still_shown_and_waited_for(log: Watched) -> None:
    log.write(rows(3, 2))
    log.see()
    log.path.unlink()
    assert "deleted" in log.see().notice
    assert log.losses() == [(1, 3), (2, 2)]
    log.write(rows(1, step=3))
    assert log.losses() == [(1, 3), (2, 2), (3, 1)]
    assert log.see().notice == ""


def test_a_log_that_has_been_quiet_for_long_says_so(log: Watched) -> None:
    log.write(rows(3))
    os.utime(log.path, (1e9, 1e9))
    assert "nothing has been written since 2001" in log.see().notice


def test_what_cannot_be_followed_is_said_in_one_line(tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40)
    with pytest.raises(InputError, match="is no log that can be read"):
        FollowedLog(picture).look()
    (tmp_path / "empty").mkdir()
    for text, words in (
        (str(tmp_path / "empty"), "no event file"),
        (str(tmp_path / "none" / "log"), "no folder"),
        ("/dev/null", "no file"),
        ("a\0b", "cannot read"),
    ):
        with pytest.raises(InputError, match=words) as caught:
            follow(text)
        assert "\n" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_said(log: Watched) -> None:
    log.write(rows(1))
    log.path.chmod(0)
    with pytest.raises(InputError, match="Permission denied"):
        log.see()


def test_a_log_cannot_be_asked(log: Watched) -> None:
    with pytest.raises(InputError, match="does not ask"):
        log.log.ask("lr", 0.1)


def test_the_newest_samples_can_be_looked_at_again(log: Watched) -> None:
    sample = {"type": "sample", "epoch": 1, "update": 3, "sample": 0, "loss": 2.0, "gradient": [1.0]}
    log.write(json.dumps(sample) + '\n{"type": "epoch", "epoch": 1, "updates": 3, "loss": 2.0}\n')
    assert log.see().moments == (3,)
    assert log.log.moment(3) is log.see().moment
    assert log.log.moment(4) is None


def test_in_a_folder_the_newest_log_is_followed(tmp_path: Path) -> None:
    for version in (0, 1):
        folder = tmp_path / "lightning_logs" / f"version_{version}"
        folder.mkdir(parents=True)
        (folder / "metrics.csv").write_text(f"step,loss\n0,{version}\n")
        (folder / "hparams.yaml").write_text("lr: 3\n")
        os.utime(folder / "metrics.csv", (1e9 + version, 1e9 + version))
    training = follow(str(tmp_path / "lightning_logs")).look()
    assert training is not None
    assert training.name == str(Path("lightning_logs", "version_1", "metrics.csv"))
    assert training.curves["loss"][0, Column.VALUE] == 1


def test_a_folder_without_a_log_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^there is no log in"):
        follow(str(tmp_path))


def test_a_last_row_of_a_long_log_and_its_peaks_are_there_at_once_and_all_of_it_in_the_end(
    log: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    n = 40_000
    losses = 1 / np.arange(1, n + 1)
    losses[n // 2] = 1000
    log.write(rows(*losses.tolist()))
    monkeypatch.setattr(followed, "LOOK_S", 0.0)  # a chunk a look
    first = log.log.look()
    assert first is not None
    assert first.read < 0.5
    points = first.curves["loss"]
    assert points[-1].tolist()[0] == n
    assert np.histogram(points[:, Column.STEP], bins=20, range=(0, n))[0].min() > 0
    assert first.lines[-1][1] == json.dumps({"step": n, "loss": losses[-1]})
    log.write(rows(0.5, step=n + 1))  # the newest is seen before all of it is read
    second = log.log.look()
    assert second is not None
    assert second.read < 0.5
    assert second.curves["loss"][-1, Column.STEP] == n + 1
    last = log.see()
    assert (last.read, last.values, last.bad_lines) == (1.0, n + 1, 0)
    points = last.curves["loss"]
    assert points[:, Column.STEP].tolist() == sorted(set(points[:, Column.STEP].tolist()))
    assert 1000 in points[:, Column.VALUE]
    assert last.lines[-1][0] == n + 1


def test_an_overview_of_a_table_knows_its_columns_and_its_rows_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Watched(tmp_path / "table.csv")
    n = 60_000
    log.write("loss,acc\n" + "".join(f"{row:08d},1\n" for row in range(1, n + 1)))
    monkeypatch.setattr(followed, "LOOK_S", 0.0)
    first = log.log.look()
    assert first is not None
    steps, values = first.curves["loss"][:, [Column.STEP, Column.VALUE]].T
    assert values[-1] == n
    np.testing.assert_allclose(steps, values, rtol=0.02, atol=60)
    points = log.see().curves["loss"]
    np.testing.assert_array_equal(points[:, Column.STEP], points[:, Column.VALUE])
