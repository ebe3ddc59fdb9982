"""Kernel: the inner loops of descent, over flat buffers; plain arithmetic that runs as it stands or compiled.

Every matrix is passed row after row in one flat buffer, so that a row is a slice whether the buffer is a memoryview
(fast to index in the interpreter) or an array (what a compiler wants). Sums run in the order of the visits: the result
does not depend on how the work is cut into calls.

`loss`, `update` and `clip` are names that `bind` gives their functions: a compiler then sees through the calls.
"""

from __future__ import annotations

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


def bind(function: F, **names: Callable[..., Any]) -> F:
    """The same function, in which these global names are other functions."""
    assert isinstance(function, FunctionType)
    bound = FunctionType(function.__code__, {**function.__globals__, **names}, function.__name__)
    bound.__doc__, bound.__module__ = function.__doc__, function.__module__
    return bound  # type: ignore[return-value]


def descend(
    theta: Buffer,
    lr: float,
    h: Buffer,
    state: Buffer,
    bound: float,
    batch_size: int,
    x: Buffer,
    y: Buffer,
    samples: Buffer,
    stop: int,
    cursor: Buffer,
    total: Buffer,
    losses: Buffer,
    gradients: Buffer,
    clipped: Buffer,
    update_of: Buffer,
    thetas: Buffer,
    loss_sum: float,
) -> tuple[float, bool]:
    """Visit the epoch's samples up to `stop`, and update θ wherever a batch is complete.

    Args:
        theta: θ, (p,); is changed.
        lr: learning rate.
        h: the update rule's hyperparameters.
        state: the update rule's state; is changed.
        bound: the norm to which each sample's gradient is clipped; 0 for none.
        batch_size: samples in each batch that begins; the epoch's last may be smaller.
        x: features, (n·d,).
        y: targets, (n,).
        samples: the epoch's order, (n,).
        stop: visit after the last, at most n.
        cursor: where the epoch stands, (4,); is changed.
        total: summed gradient of the batch under way, (p,); is changed.
        losses: gets ℓ of each visit, (n,).
        gradients: gets ∇ℓ of each visit, (n·p,).
        clipped: gets 1 for each visit whose gradient was clipped, else 0, (n,).
        update_of: gets the epoch's update that each visit belongs to, (n,).
        thetas: gets the θ before each of the epoch's updates, (n·p,).
        loss_sum: the losses of the epoch's visits so far, summed.

    Returns:
        `loss_sum` plus the losses of these visits, one by one; and False where a loss or θ would no longer be finite:
        descent stops before it, at the last finite θ.
    """
    n = len(y)
    p = len(theta)
    d = len(x) // n
    position, batch_start, batch_end, updates = cursor[0], cursor[1], cursor[2], cursor[3]
    finite = True
    while position < stop:
        if position == batch_end:
            batch_start, batch_end = position, min(position + batch_size, n)
            for j in range(p):
                total[j] = 0.0
                thetas[updates * p + j] = theta[j]
        i = samples[position]
        g = gradients[position * p : position * p + p]
        value = loss(theta, x[i * d : i * d + d], y[i], g)
        finite = value - value == 0.0
        if not finite:
            break
        losses[position] = value
        loss_sum += value
        update_of[position] = updates
        clipped[position] = 1 if bound > 0.0 and clip(g, bound) else 0
        for j in range(p):
            total[j] += g[j]
        position += 1
        if position == batch_end:
            for j in range(p):
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
    return loss_sum, finite


def evaluate(
    theta: Buffer,
    x: Buffer,
    y: Buffer,
    start: int,
    stop: int,
    losses: Buffer,
    gradients: Buffer,
    total: float,
) -> float:
    """Every ℓᵢ and ∇ℓᵢ of the samples start to stop, at one θ; returns `total` plus their losses, one by one."""
    p = len(theta)
    d = len(x) // len(y)
    for i in range(start, stop):
        losses[i] = loss(theta, x[i * d : i * d + d], y[i], gradients[i * p : i * p + p])
        total += losses[i]
    return total


def descend_epochs(
    theta: Buffer,
    lrs: Buffer,
    h: Buffer,
    state: Buffer,
    bound: float,
    batch_size: int,
    x: Buffer,
    y: Buffer,
    orders: Buffer,
    cursor: Buffer,
    total: Buffer,
    losses: Buffer,
    gradients: Buffer,
    clipped: Buffer,
    update_of: Buffer,
    thetas: Buffer,
    now_losses: Buffer,
    now_gradients: Buffer,
    limit: float,
    sums: Buffer,
) -> tuple[int, float, bool]:
    """Whole epochs, one after the other: each is visited, then f is evaluated. What is recorded is the last one.

    Args:
        lrs: each epoch's learning rate, (epochs,).
        orders: each epoch's order, (epochs·n,).
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
            lrs[epoch],
            h,
            state,
            bound,
            batch_size,
            x,
            y,
            orders[epoch * n : epoch * n + n],
            n,
            cursor,
            total,
            losses,
            gradients,
            clipped,
            update_of,
            thetas,
            0.0,
        )
        if not finite:
            return epoch, loss_sum, False
        now_sum = evaluate(theta, x, y, 0, n, now_losses, now_gradients, 0.0)
        sums[2 * epoch], sums[2 * epoch + 1] = loss_sum, now_sum
        if not now_sum / n <= limit:
            return epoch + 1, loss_sum, True
    return len(lrs), loss_sum, True
