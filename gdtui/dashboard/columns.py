"""Columns: what the samples table has beside each other, which of it fits, and how its cells are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len

from gdtui.dashboard.figures import WIDTH, figure, shortened
from gdtui.experiment import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gdtui.dashboard.rows import Row
    from gdtui.problems.datasets import Array, Dataset
    from gdtui.problems.problem import Problem

TITLE = 8
"""Cells of a title, at most; one more is for the arrow of what is sorted by."""

BAR = range(4, 13)
"""Cells of the bar at |g|."""

COSINE = 7
"""Cells of a cosine."""

CONFLICT, LARGEST = "◂", "*"
"""The marks before a cosine below 0, and before the share that is largest in size."""

DESCENDING_FIRST = ("loss", "norm", "share")
"""The columns of which the largest is what one looks for."""

MOST_FEATURES = 24
"""Features that have a column, at most; no more fit a screen."""

MEASURED = 20_000
"""The samples whose x and y are looked at for their columns' width."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table.

    Attributes:
        key: what it is sorted by.
        title: what stands at its head.
        width: cells of its numbers.
        is_whole: its values are whole numbers, and written so.
        is_bar: it shows a bar in place of numbers.
        is_text: it shows texts, from its left on.
    """

    key: str
    title: str
    width: int = WIDTH
    is_whole: bool = False
    is_bar: bool = False
    is_text: bool = False

    def head(self, arrow: str) -> str:
        """Its title, with the arrow where it is sorted by."""
        text = f"{arrow}{self.title}"
        blank = " " * (self.width - cell_len(text))
        return text + blank if self.is_bar or self.is_text else blank + text

    def cell(self, row: Row) -> str:
        """Its text for a sample, as wide as the column."""
        if self.is_text:
            text = shortened(printable(row.label), self.width) or "–"
            return text + " " * (self.width - cell_len(text))
        value = row.value(self.key)
        if self.key == "sample":
            return f"{row.sample:>{self.width}}"
        if self.key == "cos":
            return (CONFLICT if row.is_conflict else " ") + f"{cosine(value):>{self.width - 1}}"
        if self.key == "share":
            return (LARGEST if row.is_largest else " ") + f"{number(value):>{self.width - 1}}"
        text = f"{value:.0f}" if self.is_whole and value is not None and value.is_integer() else number(value)
        return f"{text:>{self.width}}"


def number(value: float | None) -> str:
    """A figure; a whole number has the decimals that its neighbours have.

    >>> number(5.0), number(6.2), number(-120.0), number(0.0)
    ('5.0000', '6.2000', '-120.00', '0')
    """
    text = figure(value)
    if not text.endswith(".0"):
        return text
    digits = len(text.lstrip("-")) - 2
    return (text[:-1] + "0" * (5 - digits)).rstrip(".")


def cosine(value: float | None) -> str:
    """A number from −1 to 1 in seven cells.

    >>> cosine(1.0), cosine(-0.25), cosine(-1.24e-5), cosine(0.0)
    ('1.0000', '-0.2500', '-1.2e-5', '0.0000')
    """
    if value is None:
        return "–"
    if value == 0 or abs(value) >= 0.001:
        return f"{value or 0.0:.4f}"
    mantissa, exponent = f"{value:.1e}".split("e")
    text = f"{mantissa}e{int(exponent):d}"
    return text if len(text) <= COSINE else f"{float(mantissa):.0f}e{int(exponent):d}"


def title(name: str) -> str:
    """A name as a title, its middle left out where it is long; some characters are two cells wide."""
    fitting = (shortened(printable(name), width) for width in range(TITLE, 0, -1))
    return next(text for text in fitting if cell_len(text) <= TITLE)


def data_columns(dataset: Dataset) -> tuple[list[Column], Column | None]:
    """The columns of x and y, no wider than their numbers, which do not change; None where nothing is predicted."""
    x = [_data_column(f"x{j}", name, dataset.x[:, j]) for j, name in enumerate(dataset.features[:MOST_FEATURES])]
    return x, _data_column("y", dataset.target, dataset.y) if dataset.target else None


def _data_column(key: str, name: str, values: Array) -> Column:
    import numpy as np

    head, few = title(name), values[:MEASURED]
    is_whole = bool(np.all((few == np.rint(few)) & (np.abs(few) < 99_999.5)))
    width = _width(few, is_whole) if len(values) <= MEASURED else WIDTH
    return Column(key, head, max(width, cell_len(head) + 1), is_whole)


def _width(values: Array, is_whole: bool) -> int:
    """Cells that these numbers need, or one or two more."""
    import numpy as np

    sizes, sign = np.abs(values[values != 0]), int(bool((values < 0).any()))
    least, most = (float(sizes.min()), float(sizes.max())) if len(sizes) else (1.0, 1.0)
    if is_whole:
        return len(f"{most:.0f}") + sign
    if not (least >= 0.001 and most < 99_999.5):
        return WIDTH
    return (6 if least >= 1 else 7 if least >= 0.1 else 8) + sign


def choose_columns(
    width: int, x: list[Column], y: Column | None, parameters: tuple[str, ...], n: int, is_read: bool
) -> list[Column]:
    """The columns that fit into so many cells, the more telling first; what is left over lengthens the bar.

    Args:
        width: cells for them, with a blank after each.
        x: the features' columns.
        y: the target's; None where nothing is predicted.
        parameters: the parameters' names.
        n: samples.
        is_read: there is a reading, with shares and cosines.
    """
    is_single = len(parameters) == 1  # then |g| is the gradient but for its sign
    sample = Column("sample", "#", max(2, len(str(n - 1))))
    y_hat, loss, norm = Column("y_hat", "ŷ"), Column("loss", "loss"), Column("norm", "|g|")
    some = parameters[: width // WIDTH + 1]  # too many to fit, where they are not all
    names = ["gradient"] if is_single else [title(f"∂{name}") for name in some]
    gradient = [Column(f"g{j}", name) for j, name in enumerate(names)]
    bar = Column("norm", "", BAR[0], is_bar=True)
    share, cos = Column("share", "share", WIDTH + 1), Column("cos", "cos", COSINE + 1)
    read = ([share], [cos]) if is_read else ([], [])
    predicted = ([y], [y_hat]) if y else ([], [])
    features = [[column] for column in x]
    first, last = (gradient, [norm]) if is_single else ([norm], [])
    order = [[sample], first, [loss], predicted[0], read[1]]
    order += [*features[:1], [bar], predicted[1], read[0], last, *features[1:]] if is_single else []
    order += [gradient, [bar], predicted[1], read[0], *features] if not is_single else []
    return fitted(width, order, [sample, *x, *predicted[0], *predicted[1], loss, *gradient, norm, bar, share, cos])


def fitted(width: int, groups: Sequence[Sequence[Column]], shown: Sequence[Column]) -> list[Column]:
    """The columns that fit into so many cells; what is left over lengthens the bar.

    Args:
        width: cells for them, with a blank after each.
        groups: those that stand or fall together, the more telling first.
        shown: all of them, as they stand beside each other.
    """
    chosen: list[Column] = []
    for group in groups:
        cost = sum(column.width + 1 for column in group)
        if cost <= width:
            chosen += group
            width -= cost
    columns = [column for column in shown if column in chosen]
    has_norm = any(column.key == "norm" and not column.is_bar for column in columns)
    bar = Column("norm", "" if has_norm else "|g|", min(BAR[-1], BAR[0] + width), is_bar=True)
    return [bar if column.is_bar else column for column in columns]


def column_names(problem: Problem) -> dict[str, str]:
    """What each column of a problem can be called in a filter -> its key; the first has a name that two share."""
    dataset, parameters = problem.dataset, problem.parameters
    is_single, is_predicted = len(parameters) == 1, bool(dataset.target)
    own = {"#": "sample", "loss": "loss", "|g|": "norm", "share": "share", "cos": "cos"}
    own |= {"ŷ": "y_hat"} if is_predicted else {}
    own |= {"gradient": "g0"} if is_single else {}
    x, y = [(name, f"x{j}") for j, name in enumerate(dataset.features)], [(dataset.target, "y"), ("ŷ", "y_hat")]
    gradient = [(f"∂{name}", f"g{j}") for j, name in enumerate(parameters)]
    pairs = [("#", "sample"), *x, *y[: 2 * is_predicted], ("loss", "loss"), *([] if is_single else gradient)]
    pairs += [*own.items(), *gradient]
    # Other names: such as a keyboard has, and for a feature that is called like another column.
    pairs += [("y", "y"), ("yhat", "y_hat"), ("y_hat", "y_hat")][: 3 * is_predicted]
    pairs += [("g", "norm"), ("norm", "norm"), ("sample", "sample")]
    pairs += [("x" if len(x) == 1 else f"x{j + 1}", key) for j, (_, key) in enumerate(x)]
    pairs += [(f"d{name}", f"g{j}") for j, name in enumerate(parameters)]
    names: dict[str, str] = {}
    for name, key in pairs:
        names.setdefault(printable(name), key)
    return names | own
