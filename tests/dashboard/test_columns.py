"""The samples table's columns: which fit, how wide they are, how their cells are written."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from labs import moment, problem_of
from rich.cells import cell_len

from gdtui.dashboard.columns import Column, choose_columns, cosine, data_columns, number, title
from gdtui.dashboard.figures import WIDTH, figure
from gdtui.dashboard.rows import Row, read_rows

NAMES = ("petal length (cm), raw", "[red]b[/]", "数据数据数据", "d", "e\x1b[0m")


def chosen(width: int, d: int = 1, p: int = 1, n: int = 3, is_read: bool = True, whole: bool = True) -> list[Column]:
    values = np.arange(1.0, 4)[:, None] * np.ones(d) * (1 if whole else 1.2345)
    x, y = data_columns(problem_of(values, [2, 4, 6], features=(NAMES * 2)[:d] if d > 1 else ("x",)).dataset)
    return choose_columns(width, x, y, tuple(f"w{j}" for j in range(p)), n, is_read)


def keys(*arguments: int, is_read: bool = True) -> list[str]:
    return ["bar" if column.is_bar else column.key for column in chosen(*arguments, is_read=is_read)]


@pytest.mark.parametrize("is_read", [True, False])
@pytest.mark.parametrize("p", [1, 2, 33])
@pytest.mark.parametrize("d", [1, 2, 7])
@pytest.mark.parametrize("n", [3, 272, 1_000_000])
def test_the_columns_fit_at_every_width(n: int, d: int, p: int, is_read: bool) -> None:
    for width in range(17, 250):
        columns = chosen(width, d, p, n, is_read, whole=False)
        assert sum(column.width + 1 for column in columns) <= width
        assert columns[0].key == "sample"
        assert "norm" in {column.key for column in columns} or "g0" in {column.key for column in columns}
        assert all(column.width > cell_len(column.title) for column in columns)


def test_a_wide_table_has_every_column() -> None:
    assert keys(120) == ["sample", "x0", "y", "y_hat", "loss", "g0", "norm", "bar", "share", "cos"]
    assert keys(160, 2, 3) == [
        "sample", "x0", "x1", "y", "y_hat", "loss", "g0", "g1", "g2", "norm", "bar", "share", "cos"
    ]  # fmt: skip
    assert "share" not in keys(160, 2, 3, is_read=False)


def test_a_narrow_table_keeps_the_loss_and_who_conflicts_the_longest() -> None:
    assert keys(51) == ["sample", "x0", "y", "loss", "g0", "bar", "cos"]
    assert keys(54, 1, 2, 272) == ["sample", "x0", "y", "y_hat", "loss", "norm", "bar", "cos"]
    assert keys(27) == ["sample", "y", "loss", "g0"]
    assert keys(40, 3, 33) == ["sample", "y", "loss", "norm", "bar", "cos"]


def test_with_one_parameter_the_bar_may_stand_for_the_norm() -> None:
    assert [column.title for column in chosen(51) if column.is_bar] == ["|g|"]
    assert [column.title for column in chosen(120) if column.key == "norm"] == ["|g|", ""]


@given(st.floats())
def test_no_number_is_wider_than_its_column(value: float) -> None:
    row = Row(3, (value,), value, value, value, (value,), abs(value), value, None, is_largest=True)
    assert len(number(value)) <= WIDTH
    for key in ("x0", "y", "y_hat", "loss", "g0", "norm"):
        assert cell_len(Column(key, key).cell(row)) == WIDTH
        assert cell_len(Column(key, key, is_whole=True).cell(row)) in range(WIDTH, 320)
    assert cell_len(Column("share", "share", WIDTH + 1).cell(row)) == WIDTH + 1


@given(st.floats(min_value=-1, max_value=1))
def test_a_cosine_has_seven_cells_and_its_sign(value: float) -> None:
    text = cosine(value) if abs(value) > 1e-99 else "0"
    assert len(text) <= 7
    assert float(text) == pytest.approx(value, abs=0.51e-4, rel=0.5)
    assert text.startswith("-") == (value < 0 and text != "0")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_whole_number_among_others_has_their_decimals(value: float) -> None:
    assert float(number(value)) == float(figure(value))
    digits = number(value).lstrip("-").replace(".", "")
    assert "e" in digits or len(digits) >= 5 or value == 0


def test_whole_data_is_written_whole_and_as_narrow_as_it_is() -> None:
    problem = problem_of([[1, 0.5, -10], [2, 7, 3], [0, 1, 2]], [10, 20, 30], features=("a", "b", "c"))
    x, y = data_columns(problem.dataset)
    row = read_rows(moment(problem), [1], applied=True)[0]
    assert [column.cell(row) for column in x] == [" 2", " 7.0000", "  3"]
    assert y is not None
    assert y.cell(row) == "20"


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
def test_data_of_any_size_fits_its_column(values: list[float]) -> None:
    problem = problem_of(values, values)
    x, _ = data_columns(problem.dataset)
    for value in values:
        row = Row(0, (value,), 0.0, None, None, None, None)
        assert cell_len(x[0].cell(row)) == x[0].width


def test_what_has_no_target_has_no_column_for_it() -> None:
    assert data_columns(problem_of([1], [2], target="").dataset)[1] is None


@given(st.text())
def test_any_name_makes_a_title(name: str) -> None:
    assert title(name).isprintable()
    assert cell_len(title(name)) <= 8
    for is_bar in (False, True):
        column = Column("x0", title(name), is_bar=is_bar)
        assert cell_len(column.head("↓")) == cell_len(column.head("")) == WIDTH
        assert f"↓{title(name)}" in column.head("↓")


def test_conflict_and_largest_share_have_marks() -> None:
    row = Row(0, (), 0.0, None, None, None, None, share=-0.75, cos=-0.5, is_largest=True)
    assert Column("cos", "cos", 8).cell(row) == "◂-0.5000"
    assert Column("share", "share", 10).cell(row) == "* -0.75000"
    plain = Row(0, (), 0.0, None, None, None, None, share=0.75, cos=0.5)
    assert Column("cos", "cos", 8).cell(plain) == "  0.5000"
    assert Column("share", "share", 10).cell(plain) == "   0.75000"
    assert Column("cos", "cos", 8).cell(Row(0, (), 0.0, None, None, None, None)) == "       –"
    assert math.isclose(row.value("share") or 0, -0.75)
