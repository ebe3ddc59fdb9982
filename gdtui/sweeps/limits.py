"""Limits: the learning rate at which theory sees each of a sweep's experiments break, each kind worked out once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gdtui.experiment import Experiment


class Limits:
    """What the theory of stability says of a sweep's experiments, remembered."""

    def __init__(self, folder: str) -> None:
        """Of experiments whose relative file names begin in that folder."""
        self._folder = folder
        self._known: dict[Experiment, float] = {}

    def __call__(self, experiment: Experiment) -> float:
        """The limit on the learning rate that applies, where it is exact: of SGD on a quadratic; nan elsewhere.

        Not for an event loop: it loads the problem, and measures its curvature.
        """
        if experiment.optimizer != "sgd" or experiment.schedule != "constant":
            return math.nan
        kind = experiment.replace(lr=1.0, epochs=1)
        if kind not in self._known:
            try:
                self._known[kind] = self._limit(kind)
            except Exception:  # a model of one's own may raise anything
                self._known[kind] = math.nan
        return self._known[kind]

    def _limit(self, experiment: Experiment) -> float:
        from gdtui.descent.engine import Engine
        from gdtui.descent.method import Method, check_hyperparameters
        from gdtui.insight.reading import MOST_NUMBERS
        from gdtui.insight.stability import Kind, ladder
        from gdtui.problems.loading import located
        from gdtui.sweeps.work import problem_of

        check_hyperparameters(experiment)
        problem = problem_of(located(experiment, self._folder))
        if not problem.model.is_quadratic:
            return math.nan
        start = problem.start(experiment.init)
        evaluate = Engine(problem, Method.of(experiment), start).evaluate
        limit = ladder(problem, experiment, start, evaluate, most_numbers=MOST_NUMBERS).applies
        return limit.lr if limit.kind is Kind.EXACT and limit.lr is not None else math.nan
