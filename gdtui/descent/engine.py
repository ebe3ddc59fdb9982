"""Engine: θ and the optimizer's state, and the kernel's calls on them; interpreted at first, compiled when it pays."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gdtui.descent.batching import samples_in_batch
from gdtui.descent.compiler import Compilation, Kernel, Sizes, compiled_now, interpreted
from gdtui.descent.passes import Pass
from gdtui.descent.snapshot import Evaluation

if TYPE_CHECKING:
    from gdtui.descent.batching import Order
    from gdtui.descent.method import Method
    from gdtui.problems.datasets import Array
    from gdtui.problems.problem import Problem

SLICE = 4096
"""Numbers of the data between two looks at the clock: a few milliseconds of interpreted work."""

COMPILED_FASTER = 32
"""How many times more of them compiled code does in that time, with a margin."""

WORTH_COMPILING = 50_000
"""A pass over so many numbers is compiled from the start."""

WORTH_COMPILING_S = 0.25
"""So many seconds of interpreted work are a sign that more will follow."""


class Engine:
    """What the kernel works on.

    Attributes:
        theta: θ, shape (p,).
        optimizer_state: the update rule's state, flat.
        kernel: what runs now.
    """

    def __init__(self, problem: Problem, method: Method, theta: Array) -> None:
        self._problem = problem
        self._update = method.rule.update
        self._method = method
        self.theta = theta
        self.optimizer_state = method.initial_state(len(theta))
        self._total = np.zeros_like(theta)
        self._d = problem.dataset.x.shape[1]
        self._compilation: Compilation | None = None
        self.use(interpreted(problem.model.loss, self._update))
        if problem.n * len(theta) >= WORTH_COMPILING:
            self.compile()

    @property
    def slice(self) -> int:
        """Samples between two looks at the clock."""
        return max(1, SLICE // len(self.theta)) * (COMPILED_FASTER if self.kernel.is_compiled else 1)

    def new_pass(self, order: Order, first_update: int) -> Pass:
        """An epoch to be run, with buffers as the kernel wants them."""
        return Pass(self.kernel, order, len(self.theta), first_update)

    def visit(self, current: Pass, method: Method, lr: float, stop: int) -> bool:
        """Visit a pass's samples up to `stop`; False where a value would no longer be finite."""
        flat, batch_size = self.kernel.flat, samples_in_batch(method.batch_size, self._problem.n)
        current.begin(batch_size)
        current.loss_sum, is_finite = self.kernel.descend(
            self._theta,
            self._flat_total,
            flat(method.h),
            self._state,
            self._d,
            self._x,
            self._y,
            lr,
            method.clip,
            batch_size,
            current.samples,
            stop,
            current.cursor,
            current.losses,
            current.gradients,
            current.clipped,
            current.thetas,
            current.loss_sum,
        )
        return bool(is_finite)

    def run_epochs(
        self, current: Pass, method: Method, lrs: Array, orders: Order, limit: float
    ) -> tuple[int, Array, bool]:
        """Whole epochs, the last of which the pass records.

        Args:
            current: gets the last epoch.
            method: how θ is updated.
            lrs: each epoch's learning rate, shape (m,).
            orders: their visits, shape (m·n,); or (n,) where all are the same.
            limit: a loss above this ends the descent.

        Returns:
            The epochs that are complete; their loss sums, as visited and at their end, shape (m, 2); and False where a
            value would no longer be finite in the epoch after them, which the pass then has.
        """
        sums, flat = np.empty((len(lrs), 2)), self.kernel.flat
        batch_size = samples_in_batch(method.batch_size, self._problem.n)
        current.begin(batch_size)
        done, current.loss_sum, is_finite = self.kernel.descend_epochs(
            self._theta,
            self._flat_total,
            flat(method.h),
            self._state,
            self._d,
            self._x,
            self._y,
            flat(lrs),
            method.clip,
            batch_size,
            flat(orders),
            current.cursor,
            current.losses,
            current.gradients,
            current.clipped,
            current.thetas,
            current.now_losses,
            current.now_gradients,
            limit,
            flat(sums),
        )
        return int(done), sums, bool(is_finite)

    def evaluate_some(self, current: Pass) -> None:
        """Go on with the evaluation of f at a pass's end, for a slice."""
        start, current.evaluated = current.evaluated, min(current.evaluated + self.slice, self._problem.n)
        current.now_sum = self.kernel.evaluate(
            self._theta,
            self._d,
            self._x,
            self._y,
            start,
            current.evaluated,
            current.now_losses,
            current.now_gradients,
            current.now_sum,
        )

    def evaluate(self, theta: Array) -> Evaluation:
        """Every sample at one θ (p,); may be asked for in any thread."""
        n, kernel = self._problem.n, self.kernel
        losses, gradients = np.empty(n), np.empty((n, len(theta)))
        x, y = kernel.flat(self._problem.dataset.x), kernel.flat(self._problem.dataset.y)
        total = kernel.evaluate(
            kernel.flat(theta), self._d, x, y, 0, n, kernel.flat(losses), kernel.flat(gradients), 0.0
        )
        return Evaluation(losses, gradients, total / n)

    # --- interpreted, then compiled ------------------------------------------------------------------------------

    def use(self, kernel: Kernel) -> None:
        """Run by this kernel from now on."""
        self.kernel = kernel
        self._theta, self._flat_total = kernel.flat(self.theta), kernel.flat(self._total)
        self._state = kernel.flat(self.optimizer_state)
        self._x, self._y = kernel.flat(self._problem.dataset.x), kernel.flat(self._problem.dataset.y)

    def adopt_compiled(self, seconds: float) -> None:
        """Between epochs: change over to the compiled kernel, or have it compiled once so many seconds show it pays."""
        if self.kernel.is_compiled:
            return
        if self._compilation is not None:
            if self._compilation.kernel is not None:
                self.use(self._compilation.kernel)
        elif seconds > WORTH_COMPILING_S:
            self._compilation = Compilation(self._problem.model.loss, self._update, self.sizes, self.warm_up)

    def compile(self) -> None:
        """Between epochs: change over to the compiled kernel at once; where there can be none, stay as it is."""
        if not self.kernel.is_compiled:
            compiled = compiled_now(self._problem.model.loss, self._update, self.sizes, self.warm_up)
            self.use(compiled or self.kernel)

    @property
    def sizes(self) -> Sizes:
        """What the kernel may be compiled for."""
        return Sizes(len(self.theta), self._d, len(self._method.h), len(self.optimizer_state))

    def warm_up(self, kernel: Kernel) -> None:
        """Call everything once, on one sample: numba compiles at the first call."""
        p, dataset, flat = len(self.theta), self._problem.dataset, kernel.flat
        x, y = dataset.x[:1].copy(), dataset.y[:1].copy()
        for array in (x, y):
            array.setflags(write=False)  # as a dataset's are: it makes another type for numba
        current = Pass(kernel, np.zeros(1, np.int64), p, first_update=0)
        visited = current.losses, current.gradients, current.clipped, current.thetas
        now = current.now_losses, current.now_gradients
        theta, total, h, state = np.ones(p), np.zeros(p), self._method.h, self._method.initial_state(p)
        held = flat(theta), flat(total), flat(h), flat(state)
        lrs, sums, samples, cursor = flat(np.full(1, 1e-3)), flat(np.empty((1, 2))), current.samples, current.cursor
        data, clip = (self._d, flat(x), flat(y)), self._method.clip
        kernel.descend_epochs(*held, *data, lrs, clip, 1, samples, cursor, *visited, *now, math.inf, sums)
        kernel.descend(*held, *data, 1e-3, clip, 1, samples, 0, cursor, *visited, 0.0)
        kernel.evaluate(held[0], *data, 0, 1, *now, 0.0)
