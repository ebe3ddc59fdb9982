"""Callbacks, called as Hugging Face's and Lightning's trainers call theirs; those two are stood in for."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch, whose models are watched, is not installed")

from told import Told  # noqa: E402

from gdtui.torch import Watcher, lightning_callback, trainer_callback  # noqa: E402


@pytest.fixture
def run() -> Told:
    return Told()


@pytest.fixture
def watch(run: Told) -> Watcher:
    probe = (torch.randn(5, 3), torch.randn(5, 1))
    return Watcher(torch.nn.Linear(3, 1), torch.nn.MSELoss(), probe, every=2, run=run, share=None)


def installed(monkeypatch: pytest.MonkeyPatch, module: str, **names: Any) -> None:
    """A module that has these names, and those above it."""
    parts = module.split(".")
    for k in range(1, len(parts) + 1):
        name = ".".join(parts[:k])
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    vars(sys.modules[module]).update(names)


def test_hugging_faces_trainer_steps_logs_and_ends(monkeypatch: pytest.MonkeyPatch, watch: Watcher, run: Told) -> None:
    class TrainerCallback:
        """Of whose methods the trainer calls all, with these arguments."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            pass

    installed(monkeypatch, "transformers", TrainerCallback=TrainerCallback)
    callback = trainer_callback(watch)
    assert isinstance(callback, TrainerCallback)
    args, control = SimpleNamespace(), SimpleNamespace()
    for step in range(101, 105):
        state = SimpleNamespace(global_step=step, epoch=step / 50, is_world_process_zero=True)
        callback.on_step_end(args, state, control, model=None, optimizer=None)
    callback.on_log(args, state, control, logs={"loss": 0.5, "learning_rate": 0.1, "epoch": 2.08}, model=None)
    callback.on_train_end(args, state, control, model=None)
    assert run.steps == [101, 102, 104]
    assert run.moments[-1]["epoch"] == 2.08
    assert run.logs == [{"step": 104, "epoch": 2.08, "loss": 0.5, "learning_rate": 0.1}]


def test_only_the_first_of_many_processes_records(monkeypatch: pytest.MonkeyPatch, watch: Watcher, run: Told) -> None:
    installed(monkeypatch, "transformers", TrainerCallback=object)
    callback = trainer_callback(watch)
    state = SimpleNamespace(global_step=1, epoch=0.1, is_world_process_zero=False)
    callback.on_step_end(None, state, None)
    callback.on_log(None, state, None, logs={"loss": 1.0})
    assert run.moments == run.logs == []


@pytest.mark.parametrize("module", ["lightning.pytorch.callbacks", "pytorch_lightning.callbacks"])
@pytest.mark.parametrize("as_dict", [True, False])
def test_lightnings_trainer_steps_once_an_update(
    monkeypatch: pytest.MonkeyPatch, watch: Watcher, run: Told, module: str, as_dict: bool
) -> None:
    class Callback:
        pass

    for name in ("lightning", "lightning.pytorch", "lightning.pytorch.callbacks"):
        monkeypatch.setitem(sys.modules, name, None)
    installed(monkeypatch, module, Callback=Callback)
    callback = lightning_callback(watch)
    assert isinstance(callback, Callback)
    for batch in range(8):  # two batches an update
        trainer = SimpleNamespace(
            global_step=(batch + 1) // 2, current_epoch=3, num_training_batches=8, is_global_zero=True
        )
        outputs = {"loss": torch.tensor(float(batch))} if as_dict else torch.tensor(float(batch))
        callback.on_train_batch_end(trainer, None, outputs, None, batch)
    callback.on_train_end(trainer, None)
    assert run.steps == [1, 2, 4]
    assert [float(log["loss"]) for log in run.logs] == [1, 3, 5, 7]
    assert [log["epoch"] for log in run.logs] == [3.25, 3.5, 3.75, 4]


def test_without_the_library_python_says_so(monkeypatch: pytest.MonkeyPatch, watch: Watcher) -> None:
    for name in ("transformers", "lightning", "lightning.pytorch.callbacks", "pytorch_lightning.callbacks"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match="transformers"):
        trainer_callback(watch)
    with pytest.raises(ImportError, match="lightning"):
        lightning_callback(watch)
