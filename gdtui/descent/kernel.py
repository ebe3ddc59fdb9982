"""Kernel: the inner loops of descent, over flat buffers; plain arithmetic that runs as it stands or compiled.

Every matrix is passed row after row in one flat buffer, so that a row is a slice whether the buffer is a memoryview
(fast to index in the interpreter) or an array (what a compiler wants). Sums run in the order of the visits: the result
does not depend on how the work is cut into calls.

`loss`, `update`, `clip`, `row`, `held` and `put_back` are names that `bind` gives their functions: a compiler then sees
through the calls. θ, the sum, the hyperparameters and the state are `held`: in a compiled kernel these few numbers are
then in registers, where they are safe from whatever is written to the long buffers.
"""

from __future__ import annotations

import math
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeVar

from gdtui.descent.clipping import clip
from gdtui.descent.updates import Update, sgd
from gdtui.problems.models import Loss, linear

if TYPE_CHECKING:
    from collections.abc import Callable

    F = TypeVar("F", bound="Callable[..., Any]")

Buffer = Any
"""A flat float64 or int64 memoryview or array."""

POSITION, BATCH_START, BATCH_END, UPDATES = range(4)
"""What a cursor holds: visits made in this epoch, the bounds of the batch under way, updates made in this epoch."""

loss: Loss = linear
update: Update = sgd

P = D = H = STATE = 0
"""The lengths of θ, of a sample's features, of h and of the state, in a kernel compiled for just those; else 0."""


def bind(function: F, **names: Any) -> F:
    """The same function, in which these global names stand for something else."""
    assert isinstance(function, FunctionType)
    bound = FunctionType(function.__code__, {**function.__globals__, **names}, function.__name__)
    bound.__doc__, bound.__module__ = function.__doc__, function.__module__
    return bound  # type: ignore[return-value]


def row(buffer: Buffer, start: int, count: int) -> Buffer:
    """So many numbers of a buffer, over the same memory; a compiled kernel has one that costs nothing."""
    return buffer[start : start + count]


def held(buffer: Buffer, _count: int) -> Buffer:
    """A buffer's numbers, where they may be changed until they are put back; here, where they are."""
    return buffer


def put_back(_held: Buffer, _buffer: Buffer) -> None:
    """What has become of the numbers held; here, they are there already."""


def descend(
    theta: Buffer,
    total: Buffer,
    h: Buffer,
    state: Buffer,
    d: int,
    x: Buffer,
    y: Buffer,
    lr: float,
    bound: float,
    batch_size: int,
    samples: Buffer,
    stop: int,
    cursor: Buffer,
    losses: Buffer,
    gradients: Buffer,
    clipped: Buffer,
    thetas: Buffer,
    loss_sum: float,
) -> tuple[float, bool]:
    """Visit the epoch's samples up to `stop`, and update θ wherever a batch is complete.

    Args:
        theta: θ, (p,); is changed.
        total: summed gradient of the batch under way, (p,); is changed.
        h: the update rule's hyperparameters.
        state: the update rule's state; is changed.
        d: features of a sample.
        x: features, (n·d,).
        y: targets, (n,).
        lr: learning rate.
        bound: the norm to which each sample's gradient is clipped; 0 for none.
        batch_size: samples in each batch that begins; the epoch's last may be smaller.
        samples: the epoch's order, (n,).
        stop: visit after the last, at most n.
        cursor: where the epoch stands, (4,); is changed.
        losses: gets ℓ of each visit, (n,).
        gradients: gets ∇ℓ of each visit, (n·p,).
        clipped: gets whether each visit's gradient was clipped, (n,); stays as it is where none is to be.
        thetas: gets the θ before each of the epoch's updates, (n·p,).
        loss_sum: the losses of the epoch's visits so far, summed.

    Returns:
        `loss_sum` plus the losses of these visits, one by one; and False where a loss or θ would no longer be finite:
        descent stops before it, at the last finite θ.
    """
    theta_there, total_there, state_there = theta, total, state
    theta, total, h, state = held(theta, P), held(total, P), held(h, H), held(state, STATE)
    n, p, d = len(y), len(theta), D or d
    position, batch_start, batch_end, updates = cursor[0], cursor[1], cursor[2], cursor[3]
    finite = True
    while position < stop:
        if position == batch_end:
            batch_start, batch_end = position, min(position + batch_size, n)
            for j in range(p):
                total[j] = 0.0
                thetas[updates * p + j] = theta[j]
        i = samples[position]
        g = row(gradients, position * p, p)
        value = loss(theta, row(x, i * d, d), y[i], g)
        finite = value - value == 0.0
        if not finite:
            break
        if bound > 0.0:
            clipped[position] = clip(g, bound)
        for j in range(p):
            total[j] += g[j]
        losses[position] = value  # after g is used: for all that a compiler knows, it may lie where g does
        loss_sum += value
        position += 1
        if position == batch_end:
            for j in range(p if batch_end - batch_start > 1 else 0):  # dividing by 1 takes its time as well
                total[j] /= batch_end - batch_start
            update(theta, total, lr, h, state)
            lost = False
            for j in range(p):
                lost |= theta[j] - theta[j] != 0.0
            finite = not lost
            if lost:
                for j in range(p):
                    theta[j] = thetas[updates * p + j]
                break
            updates += 1
    cursor[0], cursor[1], cursor[2], cursor[3] = position, batch_start, batch_end, updates
    put_back(theta, theta_there)
    put_back(total, total_there)
    put_back(state, state_there)
    return loss_sum, finite


def evaluate(
    theta: Buffer,
    d: int,
    x: Buffer,
    y: Buffer,
    start: int,
    stop: int,
    losses: Buffer,
    gradients: Buffer,
    total: float,
) -> float:
    """Every ℓᵢ and ∇ℓᵢ of the samples start to stop, at one θ; returns `total` plus their losses, one by one."""
    theta = held(theta, P)
    p, d = len(theta), D or d
    for i in range(start, stop):
        value = loss(theta, row(x, i * d, d), y[i], row(gradients, i * p, p))
        losses[i] = value
        total += value
    return total


def loss_sum_at(theta: Buffer, g: Buffer, d: int, x: Buffer, y: Buffer) -> float:
    """What `evaluate` returns for all samples, where nothing is kept; g (p,) is scribbled on."""
    theta, g, d = held(theta, P), held(g, P), D or d
    total = 0.0
    for i in range(len(y)):
        total += loss(theta, row(x, i * d, d), y[i], g)
    return total


def descend_epochs(
    theta: Buffer,
    total: Buffer,
    h: Buffer,
    state: Buffer,
    d: int,
    x: Buffer,
    y: Buffer,
    lrs: Buffer,
    bound: float,
    batch_size: int,
    orders: Buffer,
    cursor: Buffer,
    losses: Buffer,
    gradients: Buffer,
    clipped: Buffer,
    thetas: Buffer,
    now_losses: Buffer,
    now_gradients: Buffer,
    limit: float,
    sums: Buffer,
) -> tuple[int, float, bool]:
    """Whole epochs, one after the other: each is visited, then f is evaluated. What is recorded is the last one.

    Args:
        lrs: each epoch's learning rate, (epochs,).
        orders: each epoch's order, (epochs·n,); or of all of them the same, (n,).
        limit: a mean loss above this ends the descent.
        sums: gets each epoch's loss sums, as visited and at its end, (epochs·2,).

    The others are as in `descend` and `evaluate`.

    Returns:
        The epochs that are complete; the loss sum of an epoch in which a value was no longer finite; and False where
        there was such a one: it is the one recorded.
    """
    n = len(y)
    for epoch in range(len(lrs)):
        for k in range(4):
            cursor[k] = 0
        loss_sum, finite = descend(
            theta,
            total,
            h,
            state,
            d,
            x,
            y,
            lrs[epoch],
            bound,
            batch_size,
            row(orders, epoch * n if len(orders) > n else 0, n),
            n,
            cursor,
            losses,
            gradients,
            clipped,
            thetas,
            0.0,
        )
        if not finite:
            return epoch, loss_sum, False
        now_sum = loss_sum_at(theta, total, d, x, y) if epoch < len(lrs) - 1 else math.nan
        if not now_sum / n <= limit:  # the last one: of this, all is kept
            now_sum = evaluate(theta, d, x, y, 0, n, now_losses, now_gradients, 0.0)
        sums[2 * epoch], sums[2 * epoch + 1] = loss_sum, now_sum
        if not now_sum / n <= limit:
            return epoch + 1, loss_sum, True
    return len(lrs), loss_sum, True
