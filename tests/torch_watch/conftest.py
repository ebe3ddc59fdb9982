"""What holds for all tests of watching."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small work is slower on many threads, the more so beside other tests."""
    torch = pytest.importorskip("torch", reason="PyTorch, whose models are watched, is not installed")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
