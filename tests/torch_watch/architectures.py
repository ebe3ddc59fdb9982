"""Models of many kinds, each with a loss function and a probe, small and in float64; and what backward says of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

N = 7


@dataclass(frozen=True)
class Case:
    model: nn.Module
    loss_fn: Callable[[Any, Any], Tensor]
    x: Any
    y: Any
    is_vmapped: bool = True


class Attention(nn.Module):
    """Tokens to classes, by attention."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(11, 8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.norm = nn.LayerNorm(8)
        self.head = nn.Linear(8, 3)

    def forward(self, tokens: Tensor) -> Tensor:
        z = self.embedding(tokens)
        return self.head(self.norm(z + self.attention(z, z, z)[0]).mean(dim=1))


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(3, 5, batch_first=True)
        self.head = nn.Linear(5, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.gru(x)[0][:, -1])


class Tied(nn.Module):
    """One weight, used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(6, 4)
        self.out = nn.Linear(4, 6, bias=False)
        self.out.weight = self.embedding.weight

    def forward(self, tokens: Tensor) -> Tensor:
        return self.out(torch.tanh(self.embedding(tokens)))


class Branching(nn.Module):
    """Goes another way for some data, which vmap cannot."""

    def __init__(self) -> None:
        super().__init__()
        self.even, self.odd = nn.Linear(4, 2), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.even(x) if float(x.sum()) > 0 else self.odd(x)


class Cubed(torch.autograd.Function):
    """Has no rule for vmap."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return 3 * ctx.saved_tensors[0] ** 2 * grads[0]


class Cubic(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return Cubed.apply(self.linear(x))


class Counting(nn.Module):
    """Writes to a buffer whenever it is called."""

    calls: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 2)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return self.linear(x)


class Unused(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.used, self.unused = nn.Linear(4, 2), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.used(x)


class Two(nn.Module):
    """Takes two tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(4, 2), nn.Linear(3, 2)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return self.left(a) * self.right(b)


def vectors(d: int = 4) -> Tensor:
    return torch.randn(N, d)


def images() -> Tensor:
    return torch.randn(N, 2, 6, 6)


def classes(k: int) -> Tensor:
    return torch.randint(0, k, (N,))


def frozen() -> nn.Module:
    model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2))
    model[0].weight.requires_grad_(False)
    return model


def trained_batch_norm() -> nn.Module:
    """Running statistics as after some batches."""
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 3))
    for _ in range(3):
        model(images().to(torch.get_default_dtype()) * 2 + 1)
    return model


def cnn(*between: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Conv2d(2, 4, 3), *between, nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16, 3))


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 2))


CASES: dict[str, Callable[[], Case]] = {
    "linear": lambda: Case(nn.Linear(4, 2), nn.MSELoss(), vectors(), vectors(2)),
    "mlp": lambda: Case(mlp(), nn.CrossEntropyLoss(), vectors(), classes(2)),
    "cnn": lambda: Case(cnn(), nn.CrossEntropyLoss(), images(), classes(3)),
    "group norm": lambda: Case(cnn(nn.GroupNorm(2, 4)), nn.CrossEntropyLoss(), images(), classes(3)),
    "attention": lambda: Case(Attention(), nn.CrossEntropyLoss(), torch.randint(0, 11, (N, 5)), classes(3)),
    "transformer layer": lambda: Case(
        nn.Sequential(nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), nn.Flatten(), nn.Linear(12, 2)),
        nn.CrossEntropyLoss(),
        torch.randn(N, 3, 4),
        classes(2),
    ),
    "gru": lambda: Case(Recurrent(), nn.MSELoss(), torch.randn(N, 4, 3), vectors(1), is_vmapped=False),
    "lstm": lambda: Case(
        nn.LSTM(3, 2, batch_first=True),
        lambda output, y: (output[0][:, -1] - y).square().mean(),
        torch.randn(N, 4, 3),
        vectors(2),
        is_vmapped=False,
    ),
    "batch norm": lambda: Case(trained_batch_norm(), nn.CrossEntropyLoss(), images(), classes(3)),
    "dropout": lambda: Case(
        nn.Sequential(nn.Linear(4, 9), nn.Dropout(0.5), nn.ReLU(), nn.Linear(9, 1)),
        nn.BCEWithLogitsLoss(),
        vectors(),
        torch.randint(0, 2, (N, 1)).to(torch.get_default_dtype()),
    ),
    "shared weights": lambda: Case(Tied(), nn.CrossEntropyLoss(), torch.randint(0, 6, (N,)), classes(6)),
    "frozen": lambda: Case(frozen(), nn.MSELoss(), vectors(), vectors(2)),
    "weighted classes": lambda: Case(mlp(), nn.CrossEntropyLoss(torch.tensor([1.0, 5.0])), vectors(), classes(2)),
    "summed": lambda: Case(mlp(), nn.MSELoss(reduction="sum"), vectors(), vectors(2)),
    "two inputs": lambda: Case(Two(), nn.MSELoss(), (vectors(), vectors(3)), vectors(2)),
    "inputs by name": lambda: Case(Two(), nn.MSELoss(), {"b": vectors(3), "a": vectors()}, vectors(2)),
    "data-dependent": lambda: Case(Branching(), nn.MSELoss(), vectors(), vectors(2), is_vmapped=False),
    "custom function": lambda: Case(Cubic(), nn.MSELoss(), vectors(), vectors(2), is_vmapped=False),
    "counting": lambda: Case(Counting(), nn.MSELoss(), vectors(), vectors(2)),
    "unused parameter": lambda: Case(Unused(), nn.MSELoss(), vectors(), vectors(2)),
}


def case(name: str, dtype: torch.dtype = torch.float64) -> Case:
    """Always the same one, in training mode."""
    torch.manual_seed(1)
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        return CASES[name]()
    finally:
        torch.set_default_dtype(before)


def rows_of(tree: Any, i: int) -> Any:
    """A batch of sample i alone."""
    if isinstance(tree, dict):
        return {name: rows_of(one, i) for name, one in tree.items()}
    if isinstance(tree, tuple):
        return tuple(rows_of(one, i) for one in tree)
    return tree[i : i + 1]


def by_backward(case: Case) -> tuple[Tensor, Tensor]:
    """Losses (n,) and gradients (n, p) by a loop of backward passes over batches of one, as one would write it."""
    model = case.model.eval()
    parameters = [one for one in model.parameters() if one.requires_grad]
    losses, rows = [], []
    for i in range(N):
        x, y = rows_of(case.x, i), rows_of(case.y, i)
        model.zero_grad()
        output = model(**x) if isinstance(x, dict) else model(*x) if isinstance(x, tuple) else model(x)
        loss = case.loss_fn(output, y)
        loss.backward()
        losses.append(loss.detach())
        grads = [torch.zeros_like(one) if one.grad is None else one.grad for one in parameters]
        rows.append(torch.cat([one.flatten() for one in grads]))
    model.zero_grad()
    model.train()
    return torch.stack(losses), torch.stack(rows)
