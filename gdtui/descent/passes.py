"""Pass: one epoch under way, recorded in fresh buffers, so that what a snapshot shows of it never changes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gdtui.descent.kernel import BATCH_END, POSITION, UPDATES
from gdtui.descent.snapshot import Batches, Evaluation, Visits

if TYPE_CHECKING:
    from gdtui.descent.batching import Order
    from gdtui.descent.compiler import Kernel
    from gdtui.descent.kernel import Buffer
    from gdtui.problems.datasets import Array


class Pass:
    """An epoch's visits, then the evaluation of every sample at its end.

    Attributes:
        samples: the order of the visits, as a flat buffer; so are the kernel's other buffers.
        loss_sum: the losses of the visits so far, summed.
        evaluated: samples evaluated so far, at the epoch's end.
        now_sum: their losses, summed.
        is_closed: the visits and the evaluation are all made.
        first_update: the updates that were made before the epoch.
    """

    def __init__(self, kernel: Kernel, order: Order, p: int, first_update: int) -> None:
        n = len(order)
        self.order = order
        self.first_update = first_update
        self._losses, self._gradients, self._thetas = np.empty(n), np.empty((n, p)), np.empty((n, p))
        self._clipped = np.zeros(n, np.bool_)
        self._batches: tuple[Batches, ...] = ()
        self._now_losses, self._now_gradients = np.empty(n), np.empty((n, p))
        self.losses, self.gradients, self.thetas = map(kernel.flat, (self._losses, self._gradients, self._thetas))
        self.clipped = kernel.flat(self._clipped)
        self.now_losses, self.now_gradients = kernel.flat(self._now_losses), kernel.flat(self._now_gradients)
        self.samples = kernel.flat(order)
        self.cursor: Buffer = kernel.flat(np.zeros(4, np.int64))
        self.loss_sum = self.now_sum = 0.0
        self.evaluated = 0
        self.is_closed = n == 0

    def begin(self, batch_size: int) -> None:
        """Batches that begin from here on have so many samples, the epoch's last perhaps fewer."""
        if not self.is_in_batch and (not self._batches or self._batches[-1].size != batch_size):
            self._batches += (Batches(self.position, self.updates, batch_size),)

    @property
    def position(self) -> int:
        """Visits made."""
        return int(self.cursor[POSITION])

    @property
    def batch_end(self) -> int:
        """The visit after the last of the batch under way, or of the last one."""
        return int(self.cursor[BATCH_END])

    @property
    def updates(self) -> int:
        """Updates made in this epoch."""
        return int(self.cursor[UPDATES])

    @property
    def is_in_batch(self) -> bool:
        """A batch has begun and has not made its update."""
        return self.position != self.batch_end

    @property
    def is_complete(self) -> bool:
        """Every visit is made."""
        return self.position == len(self.order)

    def has_moved(self, theta: Array) -> bool:
        """θ (p,) is not, to the bit, what it was at the epoch's first visit."""
        return bool(self._thetas[0].tobytes() != theta.tobytes())

    def visits(self, n: int) -> Visits:
        """The visits so far, as applied."""
        m = self.position
        visits = Visits(
            samples=self.order[:m],
            losses=self._losses[:m],
            gradients=self._gradients[:m],
            clipped=self._clipped[:m],
            batches=self._batches,
            thetas=self._thetas[:0],
            first_update=self.first_update,
            n=n,
        )
        return replace(visits, thetas=self._thetas[: visits.update_at(m - 1) + 1]) if m else visits

    def evaluation(self) -> Evaluation:
        """Every sample at the θ of the epoch's end, once it is closed."""
        return Evaluation(self._now_losses, self._now_gradients, self.now_sum / len(self.order))
