"""The filter language: what one can type, what it shows, and what is said of what it is not."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from labs import problem_of

from gdtui.dashboard.columns import column_names
from gdtui.dashboard.filters import FilterError, parse

COLUMNS: dict[str, Any] = {
    "sample": np.arange(6.0),
    "x0": np.array([1.0, 2, 3, -4, 5, 6]),
    "y": np.array([2.0, 4, 6, -8, 10, 2]),
    "y_hat": np.array([1.5, 4, math.nan, 0, -math.inf, 2]),
    "loss": np.array([0.25, 0, math.nan, 64, math.inf, 0.001]),
    "g0": np.array([-1.0, 0, math.nan, -64, math.inf, 1e-3]),
    "norm": np.array([1.0, 0, math.nan, 64, math.inf, 1e-3]),
    "share": np.array([0.5, 0.5, -0.25, 0.25, math.nan, 0.0]),
    "cos": np.array([1.0, -1, -0.5, 0, math.nan, 0.25]),
    "clipped": np.array([True, False, False, True, False, False]),
    "conflict": np.array([False, True, True, False, False, False]),
    "visited": np.array([True, True, False, True, True, True]),
    "newest": np.array([False, False, False, False, False, True]),
}
NAMES = column_names(problem_of([1, 2, 3], [2, 4, 6], features=("x",)))
ODD = ("petal length (cm), raw", "[red]a[/]", "cos", "a>1", "a", "not", "or")
ODD_NAMES = column_names(problem_of(np.zeros((1, 7)), [1], features=ODD, target="y [m]"))


def shown(text: str) -> list[int]:
    """The samples that a filter shows."""
    return np.flatnonzero(parse(text, NAMES).mask(COLUMNS.__getitem__)).tolist()


def error(text: str, names: dict[str, str] = NAMES) -> str:
    with pytest.raises(FilterError) as caught:
        parse(text, names)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "samples"),
    [
        ("", [0, 1, 2, 3, 4, 5]),
        ("  ", [0, 1, 2, 3, 4, 5]),
        ("|g|>0.5", [0, 3, 4]),
        ("g>0.5", [0, 3, 4]),
        ("norm>0.5", [0, 3, 4]),
        ("cos<0", [1, 2]),
        ("y>2", [1, 2, 4]),
        ("clipped", [0, 3]),
        ("conflict", [1, 2]),
        ("conflicts", [1, 2]),
        ("visited", [0, 1, 3, 4, 5]),
        ("newest", [5]),
        ("x >= 5", [4, 5]),
        ("X>=5", [4, 5]),
        ("COS < -.5", [1]),
        ("y=2", [0, 5]),
        ("y==2", [0, 5]),
        ("y!=2", [1, 2, 3, 4]),
        ("y≠2", [1, 2, 3, 4]),
        ("#<=1", [0, 1]),
        ("#≤1", [0, 1]),
        ("sample≥4", [4, 5]),
        ("loss<1e-3", [1]),
        ("loss<=1e-3", [1, 5]),
        ("loss=inf", [4]),
        ("loss<∞", [0, 1, 3, 5]),
        ("ŷ<-1e300", [4]),
        ("yhat>1", [0, 1, 5]),
        ("gradient<−1", [3]),
        ("dw<-1", [3]),
        ("share>0.4", [0, 1]),
    ],
)
def test_what_one_types_is_what_is_shown(text: str, samples: list[int]) -> None:
    assert shown(text) == samples


@pytest.mark.parametrize(
    ("text", "samples"),
    [
        ("cos<0 y>4", [2]),
        ("cos<0,y>4", [2]),
        ("cos<0 , y>4", [2]),
        ("cos<0 and y>4", [2]),
        ("cos<0, AND y>4", [2]),
        ("cos<0 or clipped", [0, 1, 2, 3]),
        ("cos<0, or clipped", [0, 1, 2, 3]),
        ("newest or cos<0 and y>4", [2, 5]),
        ("cos<0 and y>4 or newest", [2, 5]),
        ("not clipped", [1, 2, 4, 5]),
        ("!clipped", [1, 2, 4, 5]),
        ("! clipped", [1, 2, 4, 5]),
        ("not not clipped", [0, 3]),
        ("!!clipped", [0, 3]),
        ("y>2 !clipped", [1, 2, 4]),
        ("y>2 or!clipped", [1, 2, 4, 5]),
        ("clipped and not y<0", [0]),
    ],
)
def test_and_binds_closer_than_or_and_not_closest(text: str, samples: list[int]) -> None:
    assert shown(text) == samples


@pytest.mark.parametrize("compare", ["<", "<=", ">", ">=", "=", "!="])
def test_what_is_undefined_compares_with_nothing(compare: str) -> None:
    assert 2 not in shown(f"loss{compare}1")
    assert 2 in shown(f"not loss{compare}1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lss>2", "unknown column 'lss' (did you mean loss?)"),
        ("cliped", "unknown column 'cliped' (did you mean clipped?)"),
        ("cos", "cos needs a comparison, such as cos<0"),
        ("y>2 cos", "cos needs a comparison, such as cos<0"),
        ("y>", "a number is missing after y>"),
        ("y>2 and", "a condition is missing after and"),
        ("y>2,", "a condition is missing after ,"),
        ("y>2 or not", "a condition is missing after not"),
        ("or y>2", "a condition is missing before or"),
        ("y>2,,x>1", "a condition is missing before ,"),
        (">2", "a column is missing before >"),
        ("y>two", "'two' is not a number"),
        ("y>2x", "'2x' is not a number"),
        ("y=<2", "'<2' is not a number"),
        ("clipped>1", "clipped stands alone, without a comparison"),
        ("(y>2)", "there are no brackets: and binds closer than or"),
        ("1<y", "1 stands where a column should: the column comes first, as in loss>1"),
        ("y=nan", "nothing compares with nan; – is what no comparison finds"),
    ],
)
def test_an_error_says_what_was_not_understood_and_what_there_is(text: str, message: str) -> None:
    assert error(text) == message


def test_where_nothing_is_near_the_error_lists_what_there_is() -> None:
    assert error("qqqq>1") == "unknown column 'qqqq' (there is #, x, y, ŷ, loss, |g|, share, cos, …)"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("petal length (cm), raw>1", "x0"),
        ("PETAL LENGTH (cm), RAW>1", "x0"),
        ("[red]a[/]>1", "x1"),
        ("a>1", "x4"),
        ("a>1>1", "x3"),
        ("not>1", "x5"),
        ("y>2 or or>1", "x6"),
        ("y [m]>1", "y"),
        ("y>1", "y"),
        ("cos>1", "cos"),  # the table's own column
        ("x3>1", "x2"),  # and the feature that is called like it
        ("dw7>1", "g6"),
        ("∂w7>1", "g6"),
    ],
)
def test_names_of_any_characters_are_written_as_they_stand(text: str, key: str) -> None:
    assert parse(text, ODD_NAMES).alternatives[-1][0].key == key


def test_a_feature_called_y_is_meant_by_y() -> None:
    names = column_names(problem_of([1], [2], features=("y",), target="z"))
    assert [parse(f"{name}>1", names).alternatives[0][0].key for name in "yz"] == ["x0", "y"]


def test_names_with_what_a_terminal_obeys_are_typed_as_they_are_shown() -> None:
    names = column_names(problem_of([1], [2], features=("\x1b[31m",)))
    assert parse(r"\x1b[31m>1", names).alternatives[0][0].key == "x0"


@given(st.text() | st.text(alphabet="xy|g|cos<>=! ,orandt1.e-#ŷ()"))
@example("İ>1")
@example("!" * 5000)
@example("cos<0 " * 5000)
@example("\x00")
@example("y>" + "9" * 5000)
def test_any_text_is_a_filter_or_a_clear_error(text: str) -> None:
    for names in (NAMES, ODD_NAMES):
        with suppress(FilterError):
            parse(text, names)
            continue
        message = error(text, names)
        assert 5 < len(message) < 160
        assert message.isprintable()


conditions = st.tuples(
    st.sampled_from(["", "not ", "!"]),
    st.sampled_from(["x", "y", "loss", "|g|", "cos"]),
    st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
    st.sampled_from([-1.0, 0.0, 0.25, 2.0, 64.0, math.inf]),
)


@given(st.lists(st.tuples(conditions, st.sampled_from([" ", ",", " and ", " or "])), min_size=1, max_size=6))
def test_a_filter_means_what_python_would_make_of_it(parts: list[Any]) -> None:
    text = "".join(f"{negation}{name}{compare}{number}{joint}" for (negation, name, compare, number), joint in parts)
    text = text.removesuffix(parts[-1][1])
    expected = []
    for i in range(6):
        python = ""
        for (negation, name, compare, number), joint in parts:
            value = float(COLUMNS[NAMES[name]][i])
            holds = eval(f"a {compare} b", {"a": value, "b": number}) and not math.isnan(value)
            python += f"{holds != bool(negation)} {'or' if joint == ' or ' else 'and'} "
        if eval(python.rsplit(" ", 2)[0]):
            expected.append(i)
    assert shown(text) == expected
