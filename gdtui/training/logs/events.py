"""Events: TensorBoard's event files, records of protocol buffers; read with the tensorboard package."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from gdtui.experiment import InputError
from gdtui.training.logs.formats import Told
from gdtui.training.logs.lines import LONGEST
from gdtui.training.logs.rows import Row, gather

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HEADER = struct.Struct("<QI")
"""A record's length and its checksum; then come so many bytes, and theirs."""

CHECKSUM = 4
POLYNOMIAL = 0x82F63B78
"""CRC-32C's, reflected."""


def is_events(head: bytes) -> bool:
    """The file begins with a record whose checksum is right."""
    if len(head) < HEADER.size:
        return False
    checksum: int = HEADER.unpack_from(head)[1]
    return masked(head[:8]) == checksum


def masked(data: bytes) -> int:
    """TFRecord's checksum: CRC-32C, rotated right by 15 bits, plus a constant."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (POLYNOMIAL if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


class Events:
    """One event file; where a record is damaged, what follows cannot be read."""

    is_seekable = False

    def __init__(self) -> None:
        self._decode: Callable[[bytes], Any] | None = None
        self.begin_again()

    def begin_again(self) -> None:
        """The file is written again from its beginning."""
        self._pending, self._to_skip, self._is_damaged = b"", 0, False

    def feed(self, data: bytes) -> Told:
        """What the records tell that are complete with these bytes."""
        decode = self._decode = self._decode or decoder()
        rows: list[Row] = []
        was_damaged, bad = self._is_damaged, 0
        for record in self._records(data):
            try:
                rows += _rows(decode(record))
            except Exception:  # protobuf has an error of its own in each of its implementations
                bad += 1
        return Told((gather(rows),) if rows else (), (), bad + (self._is_damaged and not was_damaged))

    def _records(self, data: bytes) -> Iterator[bytes]:
        skipped, data = data[: self._to_skip], data[self._to_skip :]
        self._to_skip -= len(skipped)
        data = b"" if self._is_damaged else self._pending + data
        at = 0
        while len(data) - at >= HEADER.size:
            length, checksum = HEADER.unpack_from(data, at)
            end = at + HEADER.size + length + CHECKSUM
            if masked(data[at : at + 8]) != checksum:
                self._is_damaged, at = True, len(data)
            elif length > LONGEST:  # an image, a graph: no scalar
                self._to_skip, at = max(0, end - len(data)), min(end, len(data))
            elif end > len(data):
                break
            else:
                yield data[at + HEADER.size : end - CHECKSUM]
                at = end
        self._pending = data[at:]

    def end(self) -> Told:
        """A record that is not complete tells nothing."""
        return Told()

    def cut(self) -> None:
        """What does not follow on what came before cannot be read: where a record begins is not known."""
        self._is_damaged = True


def decoder() -> Callable[[bytes], Any]:
    """What makes an event of a record.

    Raises:
        InputError: if tensorboard is not there.
    """
    try:
        from tensorboard.compat.proto.event_pb2 import Event
    except ImportError:
        text = "TensorBoard's event files need one more package: pip install 'gdtui[tensorboard]'"
        raise InputError("watch", text) from None
    return Event.FromString  # type: ignore[no-any-return]


def _rows(event: Any) -> Iterator[Row]:
    """A row for each scalar of an event."""
    for value in event.summary.value:
        kind = value.WhichOneof("value")
        scalar = value.simple_value if kind == "simple_value" else _scalar(value.tensor) if kind == "tensor" else None
        if scalar is not None:
            yield {"global_step": event.step, "wall_time": event.wall_time, value.tag or "–": scalar}


def _scalar(tensor: Any) -> float | None:
    """A tensor's number; None where it has more than one, or text."""
    from tensorboard.util.tensor_util import make_ndarray

    if any(dim.size != 1 for dim in tensor.tensor_shape.dim):
        return None
    array = make_ndarray(tensor)
    return float(array.reshape(-1)[0]) if array.size == 1 and array.dtype.kind in "fiub" else None
