"""Torch: per-sample gradients of a PyTorch model while it is trained; needs the extra `torch`."""
