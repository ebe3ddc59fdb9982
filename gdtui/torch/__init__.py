"""gdtui.torch: watches the training of any PyTorch model, and every sample of a probe in it.

Example:
    watch = gdtui.torch.Watcher(model, loss_fn, probe=(x, y), every=50)
    for batch in loader:
        ...
        optimizer.step()
        watch.step(loss=loss)
"""

try:
    import torch as _torch  # noqa: F401
except ImportError as missing:
    raise ImportError("gdtui.torch needs PyTorch: pip install 'gdtui[torch]'") from missing

from gdtui.torch.callbacks import lightning_callback, trainer_callback
from gdtui.torch.watcher import Watcher

__all__ = ["Watcher", "lightning_callback", "trainer_callback"]
