"""TensorBoard's event files: against its own writer, where it is installed; what is damaged; where it is not there."""

from __future__ import annotations

import importlib.util
import struct
import sys
from typing import TYPE_CHECKING, Any

import pytest

from gdtui.experiment import InputError
from gdtui.training.curves import Column
from gdtui.training.logs import events
from gdtui.training.logs.events import Events, masked
from gdtui.training.logs.follow import follow
from gdtui.training.logs.log import Log

if TYPE_CHECKING:
    from pathlib import Path

    from gdtui.training.training import Training


def record(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked(length)) + data + struct.pack("<I", masked(data))


def told(*chunks: bytes) -> Training:
    log, form = Log(), Events()
    for chunk in chunks:
        log = log.add(form.feed(chunk))
    return log.training("events")


def test_the_checksum_is_crc32c_of_rfc_3720() -> None:
    def unmasked(crc: int) -> int:
        rotated = crc - 0xA282EAD8 & 0xFFFFFFFF
        return (rotated >> 17 | rotated << 15) & 0xFFFFFFFF

    assert unmasked(masked(bytes(32))) == 0x8A9136AA
    assert unmasked(masked(b"\xff" * 32)) == 0x62A8AB43


def test_without_the_package_one_line_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    monkeypatch.setitem(sys.modules, "tensorboard.compat.proto.event_pb2", None)
    path = tmp_path / "events.out.tfevents.1"
    path.write_bytes(record(b"anything"))
    with pytest.raises(InputError, match=r"gdtui\[tensorboard\]"):
        follow(str(path)).look()


@pytest.fixture
def summary() -> Any:
    pytest.importorskip("tensorboard")
    from tensorboard.compat.proto import event_pb2, summary_pb2

    def event(step: int, /, wall_time: float = 1.7e9, **values: float) -> bytes:
        summary = summary_pb2.Summary(
            value=[summary_pb2.Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
        )
        return record(event_pb2.Event(step=step, wall_time=wall_time, summary=summary).SerializeToString())

    return event


def test_scalars_stand_over_their_step_and_their_time_of_day(summary: Any) -> None:
    training = told(summary(1, loss=3.0, epoch=1) + summary(2, wall_time=1.7e9 + 5, loss=2.5, step=7))
    assert training.curves["loss"][:, [Column.STEP, Column.SECONDS, Column.VALUE]].tolist() == [[1, 0, 3], [2, 5, 2.5]]
    assert training.curves["loss"][1, Column.EPOCH] == 1
    assert training.curves["step"][0, [Column.STEP, Column.VALUE]].tolist() == [2, 7]


def test_any_pieces_of_a_file_tell_the_same(summary: Any) -> None:
    file = b"".join(summary(step, loss=step / 2) for step in range(20))
    for size in (1, 7, 100, len(file)):
        training = told(*(file[at : at + size] for at in range(0, len(file), size)))
        assert training.curves["loss"][:, Column.VALUE].tolist() == [step / 2 for step in range(20)]
        assert training.bad_lines == 0


def test_a_large_record_is_skipped(summary: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "LONGEST", 1000)
    file = summary(1, loss=3) + record(b"image" * 1000) + summary(2, loss=2)
    for size in (50, len(file)):
        training = told(*(file[at : at + size] for at in range(0, len(file), size)))
        assert training.curves["loss"][:, Column.VALUE].tolist() == [3, 2]


def test_what_follows_on_damage_is_not_read_and_that_is_said(summary: Any) -> None:
    training = told(summary(1, loss=3), summary(2, loss=2)[:9] + b"damage" * 100, summary(3, loss=1))
    assert training.curves["loss"][:, Column.VALUE].tolist() == [3]
    assert training.bad_lines == 1


@pytest.mark.skipif(importlib.util.find_spec("tensorboard") is None, reason="tensorboard is not installed")
def test_pytorchs_own_writer_is_followed_in_its_folder(tmp_path: Path) -> None:
    board = pytest.importorskip("torch.utils.tensorboard")
    writer = board.SummaryWriter(str(tmp_path / "runs"))
    followed = follow_after(writer, tmp_path)
    training = followed.look()
    assert training is not None
    assert training.curves["train/loss"][:, [Column.STEP, Column.VALUE]].tolist() == [[0, 3], [10, 2]]
    writer.add_scalar("train/loss", 1.0, 20)
    writer.add_scalar("new/style", 0.5, 20, new_style=True)
    writer.add_text("notes", "no number", 20)
    writer.flush()
    training = followed.look()
    assert training is not None
    assert training.curves["train/loss"][-1, [Column.STEP, Column.VALUE]].tolist() == [20, 1]
    assert training.curves["new/style"][:, Column.VALUE].tolist() == [0.5]
    assert "notes" not in training.curves
    writer.close()


def follow_after(writer: Any, folder: Path) -> Any:
    writer.add_scalar("train/loss", 3.0, 0)
    writer.add_scalar("train/loss", 2.0, 10)
    writer.flush()
    return follow(str(folder))
