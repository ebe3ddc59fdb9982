"""What programs print: numbers by name, epochs, steps; and what only looks like one."""

from __future__ import annotations

import math

import pytest

from gdtui.training.logs.text import Reader

PRINTED = {
    "loss=0.53": {"loss": 0.53},
    "loss: 5.3e-1, lr = 1E-3": {"loss": 0.53, "lr": 0.001},
    "Train Loss: 0.5 Val Loss: 0.6 | acc: 64.9%": {"Train Loss": 0.5, "Val Loss": 0.6, "acc": 64.9},
    "Epoch 3/10 loss=1,234.5": {"epoch": 3, "loss": 1234.5},
    "Epoch [3/10], Step [100/600], Loss: 2.3": {"epoch": 3, "step": 100, "Loss": 2.3},
    "[3/10] loss: 0.25": {"step": 3, "loss": 0.25},
    "Epoch 3:  30%|██▌    | 30/100 [00:10<00:23,  3.00it/s, loss=0.53]": {"epoch": 3, "step": 30, "loss": 0.53},
    "12/100 [==>...] - loss: 0.5123 - accuracy: 0.81": {"step": 12, "loss": 0.5123, "accuracy": 0.81},
    "Train Epoch: 1 [640/60000 (1%)]\tLoss: 2.300039": {"epoch": 1, "step": 640, "Loss": 2.300039},
    "{'loss': 0.53, 'learning_rate': 2e-05, 'epoch': 0.1}": {"loss": 0.53, "learning_rate": 2e-05, "epoch": 0.1},
    "{'loss': '0.53', 'grad_norm': 'nan'}": {"loss": 0.53, "grad_norm": math.nan},
    "\x1b[32mloss\x1b[0m: \x1b[1;31m0.25\x1b[0m": {"loss": 0.25},
    "2026-01-01 12:00:00,123 - trainer - INFO - step=100 loss=-1.5 speed=3.2k tok/s": {
        "step": 100,
        "loss": -1.5,
        "speed": 3200,
    },
    "loss: tensor(0.5312, device='cuda:0')": {"loss": 0.5312},
    "loss: inf, a=-Infinity b=NaN c=1e400": {"loss": math.inf, "a": -math.inf, "b": math.nan, "c": math.inf},
    "time: 3.5 s loss: .25": {"time": 3.5, "loss": 0.25},
    "Epoch 0 w= 1.26 loss= 4.33": {"epoch": 0, "w": 1.26, "loss": 4.33},
    "step 100: train loss 2.5731, val loss 2.60": {"step": 100, "train loss": 2.5731, "val loss": 2.6},
    "it 100: G loss=1.0 D loss=2.0": {"step": 100, "G loss": 1.0, "D loss": 2.0},
}

NOT_PRINTED = (
    "TensorBoard on http://localhost:6006/ with cuda:0",
    "/home/me/train.py:35: UserWarning: it is old",
    "version: 2.1.0 from: 2026-01-02 at: 12:30:00",
    "comma=0,53 sha: 3fa9c2 right: 9834/10000",
    "python train.py --lr=0.1 --batch-size=3",
    "a loss of 3 people, no loss 3 at all",
    "no number here, infinite patience",
)


@pytest.mark.parametrize("line", PRINTED)
def test_numbers_are_found_by_name(line: str) -> None:
    assert Reader().read(line) == pytest.approx(PRINTED[line], nan_ok=True)


@pytest.mark.parametrize("line", NOT_PRINTED)
def test_what_looks_like_a_number_with_a_name_is_left_out(line: str) -> None:
    assert Reader().read(line) == {}


def test_a_counter_that_begins_again_in_each_epoch_counts_on() -> None:
    reader = Reader()
    bars = [
        f"{done}/{of}" for _ in range(3) for of, every in ((100, 50), (20, 10)) for done in range(every, of + 1, every)
    ]
    steps = [reader.read(f"{bar} loss=1")["step"] for bar in bars]
    assert steps == [50, 100, 110, 120, 170, 220, 230, 240, 290, 340, 350, 360]


def test_a_line_without_end_costs_little() -> None:
    assert Reader().read("loss=0.5 " + "a " * 10**6 + "b=3") == {"loss": 0.5}
