"""An experiment as a value, and as one line of text."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdtui.experiment import MAX_COUNT, ORDERS, Experiment, InputError

if TYPE_CHECKING:
    from collections.abc import Callable

# Names may hold anything a file's name can: also the low surrogates that stand for bytes that are not UTF-8.
texts = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF, categories=["Cs"]),
        st.sampled_from(" \t\n\r\0\"'\\,=-#%[]\x1b\x85\u2028😀"),
    )
)
names = texts.filter(bool)
finite = st.floats(allow_nan=False, allow_infinity=False)
experiments = st.builds(
    Experiment,
    problem=names,
    data=names,
    features=st.lists(names, unique=True, max_size=4).map(tuple),
    target=texts,
    standardize=st.booleans(),
    drop_missing=st.booleans(),
    optimizer=names,
    lr=st.floats(min_value=0, exclude_min=True, allow_infinity=False),
    batch_size=st.just("full") | st.integers(1, MAX_COUNT),
    order=st.sampled_from(ORDERS),
    epochs=st.integers(1, MAX_COUNT),
    seed=st.integers(0, MAX_COUNT),
    init=st.lists(finite, max_size=4).map(tuple),
)


def refusal(error: pytest.ExceptionInfo[InputError]) -> str:
    """The message, which is for people: one line, printable."""
    message = str(error.value)
    assert message.isprintable()
    return message


def told(make: Callable[[], Experiment]) -> str:
    """What a person is told as an experiment is made: nothing if it is a right one."""
    try:
        make()
    except InputError as error:
        return str(error)
    return ""


class TestLine:
    @given(experiments)
    def test_line_reads_back_to_the_same_experiment(self, experiment):
        assert Experiment.from_line(experiment.to_line()) == experiment

    @given(experiments)
    def test_line_is_one_line_of_printable_ascii(self, experiment):
        line = experiment.to_line()
        assert line.isascii()
        assert line.isprintable()

    @pytest.mark.parametrize("text", ['"', "\\", '\\"', "a,b", '"a","b"', "lr=1", " ", "\n", "full", "-", "1.0", "NaN"])
    def test_text_that_looks_like_syntax_stays_text(self, text):
        experiment = Experiment(data=text, features=(text, text + text), target=text)
        assert Experiment.from_line(experiment.to_line()) == experiment

    def test_numpy_floats_are_written_as_numbers(self):
        experiment = Experiment(lr=np.float64(0.1), init=(np.float64(-2.5),))
        assert Experiment.from_line(experiment.to_line()) == Experiment(lr=0.1, init=(-2.5,))

    def test_empty_line_is_the_tutorial(self):
        assert Experiment.from_line("") == Experiment.from_line("  \n") == Experiment()

    def test_settings_come_in_any_order(self):
        assert Experiment.from_line("epochs=5  lr=0.5\tdata=faithful\n") == Experiment(
            data="faithful", lr=0.5, epochs=5
        )

    @pytest.mark.parametrize(
        ("line", "setting"),
        [
            ("lr", "experiment"),
            ("lr=", "experiment"),
            ("lr=0.1 surprise", "experiment"),
            ("'; drop table runs; --", "experiment"),
            ('data="open', "experiment"),
            ('data="a\nb"', "data"),
            (r'data="\q"', "data"),
            ('data="\\ud83d"', "data"),
            ('data=""', "data"),
            ('features="a","a"', "features"),
            ("lr=0.1 lr=0.2", "lr"),
            ("learning_rate=0.1", "learning_rate"),
            ("epochs=1e400", "epochs"),
            ("standardize=maybe", "standardize"),
        ],
    )
    def test_bad_line_names_the_setting_that_is_wrong(self, line, setting):
        with pytest.raises(InputError) as error:
            Experiment.from_line(line)
        refusal(error)
        assert error.value.setting == setting

    @given(st.text() | st.text('lr=data"\\,. \n0123456789'))
    def test_any_text_is_read_or_refused_in_one_line(self, line):
        assert told(lambda: Experiment.from_line(line)).isprintable()


class TestValues:
    def test_defaults_are_the_tutorials(self):
        experiment = Experiment()
        assert (experiment.problem, experiment.data, experiment.optimizer) == ("linear", "tutorial", "sgd")
        assert (experiment.lr, experiment.batch_size, experiment.order) == (0.01, 1, "sequential")
        assert experiment.epochs == 100

    @pytest.mark.parametrize(
        ("setting", "value"),
        [
            ("problem", ""),
            ("data", None),
            ("data", "\ud800"),
            ("features", ["x"]),
            ("features", ("",)),
            ("features", ("a\nb", "a\nb")),
            ("target", 3),
            ("standardize", 1),
            ("drop_missing", "yes"),
            ("optimizer", ""),
            ("lr", 0.0),
            ("lr", -0.1),
            ("lr", math.nan),
            ("lr", math.inf),
            ("lr", "0.1"),
            ("batch_size", 0),
            ("batch_size", 1.5),
            ("batch_size", True),
            ("batch_size", "half"),
            ("order", "random"),
            ("epochs", 0),
            ("epochs", 2.0),
            ("epochs", MAX_COUNT + 1),
            ("seed", -1),
            ("init", (math.nan,)),
            ("init", 1.0),
        ],
    )
    def test_wrong_value_is_refused_by_name(self, setting, value):
        with pytest.raises(InputError) as error:
            Experiment(**{setting: value})
        refusal(error)
        assert error.value.setting == setting

    def test_replace_checks_too(self):
        with pytest.raises(InputError):
            Experiment().replace(lr=-1.0)

    @given(experiments)
    def test_plain_values_survive_json(self, experiment):
        values = experiment.as_dict()
        assert json.loads(json.dumps(values)) == values
        assert "batch-size" in values


class TestOptions:
    def test_texts_become_values(self):
        experiment = Experiment.from_options(
            {"lr": "1e-3", "batch_size": "FULL", "epochs": "1e3", "features": 'a, "b,c"', "init": "1,-2"}
        )
        assert experiment == Experiment(
            lr=0.001, batch_size="full", epochs=1000, features=("a", "b,c"), init=(1.0, -2.0)
        )

    def test_dashes_and_underscores_are_the_same(self):
        assert Experiment.from_options({"batch-size": "8"}) == Experiment.from_options({"batch_size": "8"})

    def test_what_is_not_given_comes_from_the_base(self):
        base = Experiment(data="faithful", lr=0.5)
        assert Experiment.from_options({"lr": "0.25"}, base) == Experiment(data="faithful", lr=0.25)

    @pytest.mark.parametrize(("text", "value"), [(True, True), ("on", True), ("No", False), (False, False)])
    def test_flags_are_read_as_people_write_them(self, text, value):
        assert Experiment.from_options({"standardize": text}).standardize is value

    def test_decimal_comma_gets_a_hint(self):
        with pytest.raises(InputError) as error:
            Experiment.from_options({"lr": "0,01"})
        assert refusal(error) == "learning rate must be a number, got '0,01' (did you mean 0.01?)"

    @pytest.mark.parametrize(
        ("option", "text", "says"),
        [
            ("lr", "fast", "learning rate must be a number"),
            ("lr", "0", "must be a positive number"),
            ("lr", "nan", "must be a positive number"),
            ("lr", "1e999", "must be a positive number"),
            ("epochs", "2.5", "must be a whole number"),
            ("epochs", "inf", "must be a whole number"),
            ("epochs", "9" * 5000, "must be a whole number"),
            ("batch-size", "half", "full or a whole number"),
            ("batch-size", "0", "full or a whole number"),
            ("seed", "-1", "whole number from 0"),
            ("order", "shufle", "did you mean shuffle?"),
            ("standardize", "maybe", "standardize must be on or off"),
            ("drop_missing", "\n?", "drop missing must be on or off"),
            ("features", "a,,b", "must be column names"),
            ("features", "a\nb", "must be column names"),
            ("features", "a,a", "must differ"),
            ("init", "1,x", "must be a number"),
            ("init", "inf", "must be finite"),
            ("bach-size", "1", "did you mean batch-size?"),
        ],
    )
    def test_wrong_text_says_what_would_be_right(self, option, text, says):
        with pytest.raises(InputError) as error:
            Experiment.from_options({option: text})
        assert says in refusal(error)
        assert error.value.setting.replace("-", "_") == option.replace("-", "_")

    @given(
        st.sampled_from(["lr", "epochs", "batch-size", "seed", "init", "features", "standardize", "order"]),
        st.text(),
    )
    def test_any_text_is_read_or_refused_in_one_line(self, option, text):
        assert told(lambda: Experiment.from_options({option: text})).isprintable()
