"""The digits: wrong labels have the largest gradients."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="PyTorch, whose models are watched, is not installed")
pytest.importorskip("sklearn", reason="scikit-learn, whose digits are learnt, is not installed")

from digits import PROBED, digits, precision, train
from told import Told


@pytest.mark.filterwarnings("ignore:gdtui. the probe is measured in evaluation mode")
def test_the_largest_gradients_are_mostly_those_of_wrong_labels() -> None:
    data, run = digits(mislabel=0.1), Told()
    train(data, epochs=5, every=115, run=run, share=0.0001)
    is_wrong = data.is_wrong[:PROBED]
    assert run.steps[0] == 1
    assert 0.08 < is_wrong.mean() < 0.16
    assert precision(run.moments[-1]["norms"], is_wrong) > 0.8
