"""Shipped tables: the published numbers."""

from __future__ import annotations

import numpy as np
import pytest

from gdtui.experiment import InputError
from gdtui.hyperparameters import with_defaults
from gdtui.problems.shipped import SHIPPED


def made(name, **given):
    source = SHIPPED[name]
    return source.make(with_defaults(name, source.hyperparameters, given), 0)


class TestIris:
    def test_is_150_flowers_of_three_species(self):
        dataset = made("iris")
        assert dataset.features == ("sepal_length", "sepal_width", "petal_length", "petal_width")
        assert dataset.target == "species"
        assert dataset.x.shape == (150, 4)
        assert dataset.y.tolist() == [0.0] * 50 + [1.0] * 50 + [2.0] * 50

    def test_has_fishers_means_of_each_species(self):
        dataset = made("iris")
        published = [[5.006, 3.428, 1.462, 0.246], [5.936, 2.770, 4.260, 1.326], [6.588, 2.974, 5.552, 2.026]]
        for species, means in enumerate(published):
            assert dataset.x[dataset.y == species].mean(axis=0) == pytest.approx(means)

    def test_has_fishers_sums_of_squares_within_setosa(self):
        x = made("iris").x[:50]
        assert ((x - x.mean(axis=0)) ** 2).sum(axis=0) == pytest.approx([6.0882, 7.0408, 1.4778, 0.5442])

    def test_rows_35_and_38_are_fishers(self):
        x = made("iris").x
        assert x[34].tolist() == [4.9, 3.1, 1.5, 0.2]
        assert x[37].tolist() == [4.9, 3.6, 1.4, 0.1]


class TestAnscombe:
    @pytest.mark.parametrize("quartet", [1, 2, 3, 4])
    def test_each_set_has_the_published_statistics(self, quartet):
        dataset = made("anscombe", quartet=quartet)
        x, y = dataset.x[:, 0], dataset.y
        assert len(y) == 11
        assert x.mean() == 9.0
        assert x.var(ddof=1) == pytest.approx(11.0)
        assert y.mean() == pytest.approx(7.50, abs=0.005)
        assert y.var(ddof=1) == pytest.approx(4.12, abs=0.01)
        assert np.polyfit(x, y, 1) == pytest.approx([0.5, 3.0], abs=0.005)
        assert np.corrcoef(x, y)[0, 1] == pytest.approx(0.816, abs=0.001)

    def test_sets_differ(self):
        sets = [made("anscombe", quartet=quartet) for quartet in (1, 2, 3, 4)]
        assert len({dataset.y.tobytes() for dataset in sets}) == 4
        assert sorted(sets[3].x[:, 0].tolist()) == [8.0] * 10 + [19.0]

    def test_there_is_no_fifth(self):
        with pytest.raises(InputError, match="quartet must be from 1 to 4, got 5"):
            made("anscombe", quartet=5)
