"""Callbacks: a watcher in the loops of Hugging Face's Trainer and of Lightning's, which one does not write oneself."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gdtui.torch.watcher import Watcher


def trainer_callback(watch: Watcher) -> Any:
    """A `transformers.TrainerCallback`, for `Trainer(..., callbacks=[...])`; what the trainer logs is recorded too.

    Example:
        watch = Watcher(model, lambda output, _: output.loss, probe=(batch, batch["labels"]))
        Trainer(model, ..., callbacks=[trainer_callback(watch)])

    Raises:
        ImportError: if transformers is not installed.
    """
    from transformers import TrainerCallback

    class Watching(TrainerCallback):  # type: ignore[misc, unused-ignore]
        """Measures after each step."""

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
            if state.is_world_process_zero:
                watch.step(epoch=state.epoch, step=state.global_step)

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:  # noqa: ARG002
            if state.is_world_process_zero:
                values = {name: value for name, value in (logs or {}).items() if name not in ("step", "epoch")}
                watch.run.log(step=state.global_step, epoch=state.epoch, **values)

        def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
            watch.close()

    return Watching()


def lightning_callback(watch: Watcher) -> Any:
    """A Lightning `Callback`, for `Trainer(..., callbacks=[...])`; the loss that `training_step` returns is recorded.

    Example:
        watch = Watcher(module.model, loss_fn, probe=(x, y))
        Trainer(..., callbacks=[lightning_callback(watch)])

    Raises:
        ImportError: if neither lightning nor pytorch_lightning is installed.
    """
    try:
        callbacks = import_module("lightning.pytorch.callbacks")
    except ModuleNotFoundError:
        callbacks = import_module("pytorch_lightning.callbacks")
    base: Any = callbacks.Callback

    class Watching(base):  # type: ignore[misc, unused-ignore]
        """Measures after each batch that made an update."""

        def __init__(self) -> None:
            super().__init__()
            self._steps = 0

        def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:  # noqa: ARG002
            if not trainer.is_global_zero or trainer.global_step == self._steps:
                return
            self._steps = trainer.global_step
            loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
            values = {} if loss is None else {"loss": loss}
            epoch = trainer.current_epoch + (batch_idx + 1) / trainer.num_training_batches
            watch.step(epoch=epoch, step=self._steps, **values)

        def on_train_end(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002
            watch.close()

    return Watching()
