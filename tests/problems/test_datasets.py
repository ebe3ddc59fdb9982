"""The data that ships, standardizing, and choosing columns."""

from __future__ import annotations

import numpy as np
import pytest

from gdtui.experiment import InputError
from gdtui.problems.datasets import DATASETS, faithful, from_columns, tutorial


@pytest.mark.parametrize("name", DATASETS)
def test_shipped_data_is_finite_named_and_read_only(name):
    dataset = DATASETS[name]()
    assert dataset.name == name
    assert dataset.x.shape == (len(dataset.y), len(dataset.features))
    assert np.isfinite(dataset.x).all()
    assert np.isfinite(dataset.y).all()
    with pytest.raises(ValueError, match="read-only"):
        dataset.x[0, 0] = 1.0


def test_tutorial_is_three_samples_of_a_line():
    dataset = tutorial()
    assert dataset.x.tolist() == [[1.0], [2.0], [3.0]]
    assert dataset.y.tolist() == [2.0, 4.0, 6.0]


def test_faithful_is_the_published_table():
    dataset = faithful()
    assert (dataset.features, dataset.target) == (("eruptions",), "waiting")
    assert dataset.x.shape == (272, 1)
    assert dataset.x.mean() == pytest.approx(3.487783, abs=5e-7)
    assert dataset.y.mean() == pytest.approx(70.897059, abs=5e-7)


class TestStandardized:
    def test_features_have_mean_0_and_variance_1(self):
        x = faithful().standardized().x
        assert x.mean(axis=0) == pytest.approx(0.0, abs=1e-12)
        assert x.var(axis=0) == pytest.approx(1.0)

    def test_target_stays_as_it_is(self):
        assert np.array_equal(faithful().standardized().y, faithful().y)

    @pytest.mark.parametrize("constant", [0.0, 5.0, 0.1, -1e17])
    def test_constant_feature_becomes_0(self, constant):
        columns = {"x": [1.0, 2.0, 4.0], "constant": [constant] * 3, "y": [0.0, 1.0, 2.0]}
        assert from_columns("data", columns, "y").standardized().x[:, 1].tolist() == [0.0, 0.0, 0.0]

    def test_feature_too_large_is_refused_by_name(self):
        huge = from_columns("data", {"x": [1e308, -1e308], "y": [0.0, 1.0]}, "y")
        with pytest.raises(InputError, match="'x' is too large"):
            huge.standardized()


class TestSelect:
    def test_target_and_feature_change_places(self):
        dataset = faithful().select(("waiting",), "eruptions")
        assert (dataset.features, dataset.target) == (("waiting",), "eruptions")
        assert np.array_equal(dataset.x[:, 0], faithful().y)

    def test_nothing_named_changes_nothing(self):
        dataset = faithful().select((), "")
        assert (dataset.features, dataset.target) == (("eruptions",), "waiting")

    def test_unknown_column_names_the_nearest(self):
        with pytest.raises(InputError, match="did you mean waiting"):
            faithful().select((), "waitin")

    def test_target_is_not_a_feature(self):
        with pytest.raises(InputError, match="cannot be a feature too"):
            faithful().select(("waiting",), "waiting")
