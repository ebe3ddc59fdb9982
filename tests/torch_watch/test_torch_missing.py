"""Without PyTorch: one clear line, and the rest of gdtui as ever."""

from __future__ import annotations

import subprocess
import sys


def test_the_error_names_the_extra() -> None:
    code = "import sys; sys.modules['torch'] = None; import gdtui.torch"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.stderr.splitlines()[-1] == "ImportError: gdtui.torch needs PyTorch: pip install 'gdtui[torch]'"


def test_nothing_else_imports_it() -> None:
    code = "import sys, gdtui.__main__, gdtui.dashboard.app, gdtui.training.training; print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False"]
