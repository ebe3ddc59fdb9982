"""A small network on scikit-learn's digits, some labelled wrongly on purpose: do their gradients tell which?

python -m tests.torch_watch.digits [--epochs N] [--mislabel 0.1] [--every N]
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

import gdtui
from gdtui.torch import Watcher

if TYPE_CHECKING:
    from torch import Tensor

PROBED = 300
BATCH = 64


@dataclass(frozen=True)
class Digits:
    """Images (n, 1, 8, 8) to train on, the labels that are given, what they are of, and which labels are wrong."""

    images: Tensor
    labels: Tensor
    digits: np.ndarray[Any, np.dtype[np.int64]]

    @property
    def is_wrong(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        return self.labels.numpy() != self.digits

    @property
    def told(self) -> list[str]:
        """The labels in words: `7`, or `7, is 1`."""
        pairs = zip(self.labels.tolist(), self.digits.tolist(), strict=True)
        return [str(label) if label == digit else f"{label}, is {digit}" for label, digit in pairs]


def digits(mislabel: float, seed: int = 0) -> Digits:
    from sklearn.datasets import load_digits

    rng = np.random.default_rng(seed)
    data = load_digits()
    order = rng.permutation(len(data.target))[:1500]
    images, true = data.images[order] / 16, data.target[order]
    is_wrong = rng.random(len(true)) < mislabel
    labels = np.where(is_wrong, (true + rng.integers(1, 10, len(true))) % 10, true)
    return Digits(torch.tensor(images, dtype=torch.float32)[:, None], torch.tensor(labels), true)


def cnn() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.25),
        nn.Linear(288, 10),
    )


def train(data: Digits, epochs: int, every: int, run: Any = None, share: float | None = None) -> nn.Module:
    """Trains on all digits and probes the first `PROBED` of them."""
    torch.manual_seed(0)
    model, loss_fn = cnn(), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
    watch = Watcher(
        model,
        loss_fn,
        probe=(data.images[:PROBED], data.labels[:PROBED]),
        every=every,
        run=run,
        labels=data.told[:PROBED],
        optimizer=optimizer,
        share=share,
    )
    for epoch in range(epochs):
        for batch in torch.randperm(len(data.labels)).split(BATCH):
            optimizer.zero_grad()
            loss = loss_fn(model(data.images[batch]), data.labels[batch])
            loss.backward()
            optimizer.step()
            watch.step(epoch=epoch, loss=loss.item())
    watch.close()
    return model


def precision(norms: Any, is_wrong: Any) -> float:
    """Of the k largest gradients, how many are of wrong labels: k is how many there are."""
    k = int(is_wrong.sum())
    largest = np.argsort(-np.asarray(norms))[:k]
    return float(is_wrong[largest].mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--mislabel", type=float, default=0.1)
    parser.add_argument("--every", type=int, default=50)
    given = parser.parse_args()
    config = {"batch_size": BATCH, "epochs": given.epochs, "labels wrong": given.mislabel}
    with gdtui.Recorder("digits", config) as run:
        train(digits(given.mislabel), given.epochs, given.every, run)


if __name__ == "__main__":
    main()
