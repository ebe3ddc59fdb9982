"""Kernel: the inner loops of descent, over flat buffers; plain arithmetic that runs as it stands or compiled.

Every matrix is passed row after row in one flat buffer, so that a row is a slice whether the buffer is a memoryview
(fast to index in the interpreter) or an array (what a compiler wants). Sums run in the order of the visits: the result
does not depend on how the work is cut into calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gdtui.descent.optimizers import Update
    from gdtui.problems.models import Loss

Buffer = Any
"""A flat float64 or int64 memoryview or array."""

POSITION, BATCH_START, BATCH_END, UPDATES = range(4)
"""What a cursor holds: visits made in this epoch, the bounds of the batch under way, updates made in this epoch."""


def descend(
    loss: Loss,
    update: Update,
    theta: Buffer,
    lr: float,
    batch_size: int,
    x: Buffer,
    y: Buffer,
    samples: Buffer,
    stop: int,
    cursor: Buffer,
    total: Buffer,
    losses: Buffer,
    gradients: Buffer,
    update_of: Buffer,
    thetas: Buffer,
    loss_sum: float,
) -> tuple[float, bool]:
    """Visit the epoch's samples up to `stop`, and update θ wherever a batch is complete.

    Args:
        loss: the model.
        update: the optimizer's rule.
        theta: θ, (p,); is changed.
        lr: learning rate.
        batch_size: samples in each batch that begins; the epoch's last may be smaller.
        x: features, (n·d,).
        y: targets, (n,).
        samples: the epoch's order, (n,).
        stop: visit after the last, at most n.
        cursor: where the epoch stands, (4,); is changed.
        total: summed gradient of the batch under way, (p,); is changed.
        losses: gets ℓ of each visit, (n,).
        gradients: gets ∇ℓ of each visit, (n·p,).
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
        for j in range(p):
            total[j] += g[j]
        position += 1
        if position == batch_end:
            for j in range(p):
                total[j] /= batch_end - batch_start
            update(theta, total, lr)
            for j in range(p):
                finite = finite and theta[j] - theta[j] == 0.0
            if not finite:
                for j in range(p):
                    theta[j] = thetas[updates * p + j]
                break
            updates += 1
    cursor[0], cursor[1], cursor[2], cursor[3] = position, batch_start, batch_end, updates
    return loss_sum, finite


def evaluate(
    loss: Loss,
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
