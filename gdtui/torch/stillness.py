"""Stillness: a model can be measured in the middle of its training, and nothing of the training changes."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def still(model: nn.Module, device: torch.device) -> Iterator[None]:
    """In evaluation mode, with gradients; modes, random state and settings are as before when it ends.

    Flags are set one by one: a model's own `eval` may do more, as merging weights.
    """
    flags = [(module, module.training) for module in model.modules()]
    with ExitStack() as stack:
        has_generator = device.type not in ("cpu", "mps")
        stack.enter_context(
            torch.random.fork_rng([device], device_type=device.type) if has_generator else torch.random.fork_rng([])
        )
        stack.enter_context(torch.inference_mode(mode=False))
        stack.enter_context(torch.enable_grad())
        stack.enter_context(torch.autocast(device.type, enabled=False))
        stack.enter_context(sdpa_kernel(SDPBackend.MATH))  # the others cannot be differentiated twice
        if any(isinstance(module, nn.RNNBase) for module in model.modules()):
            stack.enter_context(torch.backends.cudnn.flags(enabled=False))  # it has no gradients in evaluation mode
        stack.callback(torch.backends.mha.set_fastpath_enabled, torch.backends.mha.get_fastpath_enabled())
        torch.backends.mha.set_fastpath_enabled(False)  # nor has this
        try:
            for module, _ in flags:
                module.training = False
            yield
        finally:
            for module, is_training in flags:
                module.training = is_training


def unwrapped(model: nn.Module) -> nn.Module:
    """The model itself, without what trains it on many devices or compiles it."""
    while True:
        if isinstance(model, nn.DataParallel | nn.parallel.DistributedDataParallel):
            inner: object = model.module
        else:
            inner = getattr(model, "_orig_mod", None)
        if not isinstance(inner, nn.Module):
            return model
        model = inner


class Off(NamedTuple):
    """What evaluation mode changes in a model that is being trained.

    Attributes:
        has_batch_norm: batch normalization, whose per-sample gradients are not defined in training mode.
        line: said in words; empty where nothing changes.
    """

    has_batch_norm: bool
    line: str


def off_in_evaluation(model: nn.Module) -> Off:
    """What evaluation mode changes in a model, as it is now."""
    training = [module for module in model.modules() if module.training]
    has_batch_norm = any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in training)
    has_dropout = any(isinstance(module, nn.modules.dropout._DropoutNd) and module.p for module in training)
    parts = ["batch normalization by its running statistics"] * has_batch_norm + ["dropout off"] * has_dropout
    return Off(has_batch_norm, "the probe is measured in evaluation mode: " + ", ".join(parts) if parts else "")
