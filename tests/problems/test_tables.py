"""Data from files: what is read, and what people are told when it cannot be."""

from __future__ import annotations

import gzip
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pytest

from gdtui.experiment import InputError
from gdtui.problems.tables import read_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from gdtui.problems.datasets import Dataset

    WriteFile = Callable[..., str]

HOSTILE_NAMES = ['a"; drop table t; --', "x,y", "new\nline", "[red]", "größe", "it's", "*", "#1"]


@pytest.fixture
def write(tmp_path: Path) -> WriteFile:
    """Write a file into an otherwise empty folder and return its path."""

    def write_file(content: str | bytes, name: str = "data.csv") -> str:
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(file)

    return write_file


@pytest.fixture
def parquet(tmp_path: Path) -> Callable[[str], str]:
    """Write a query's rows as Parquet and return the file's path."""

    def write_file(query: str) -> str:
        path = tmp_path / "data.parquet"
        duckdb.sql(query).write_parquet(str(path))
        return str(path)

    return write_file


def refusal(path: str, setting: str, **options: object) -> str:
    """What a person is told about a file that cannot be used."""
    with pytest.raises(InputError) as caught:
        read_table(path, **options)  # type: ignore[arg-type]
    message = str(caught.value)
    assert caught.value.setting == setting
    assert message.isprintable()
    assert len(message) <= 240
    return message


def rows(dataset: Dataset) -> list[list[float]]:
    return np.column_stack([dataset.x, dataset.y]).tolist()


class TestWhatIsRead:
    def test_last_numeric_column_is_the_target_and_the_other_numeric_ones_the_features(self, write):
        dataset = read_table(write("a,name,b,c,note\n1,x,2,3,y\n4,z,5,6,w\n"))
        assert (dataset.features, dataset.target) == (("a", "b"), "c")
        assert rows(dataset) == [[1, 2, 3], [4, 5, 6]]

    def test_named_columns_are_taken_in_the_order_named(self, write):
        dataset = read_table(write("a,b,c,d\n1,2,3,4\n"), features=("d", "a"), target="b")
        assert rows(dataset) == [[4, 1, 2]]

    def test_arrays_are_what_a_dataset_promises(self, write):
        path = write("a,b,c\n1,2,3\n4,5,6\n")
        dataset = read_table(path)
        assert dataset.name == path
        assert dataset.x.dtype == dataset.y.dtype == np.float64
        assert dataset.x.flags.c_contiguous
        assert not dataset.x.flags.writeable

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("data.csv", "a,b\n1,2\n3,4\n"),
            ("data.CSV", "a,b\n1,2\n3,4"),
            ("data.tsv", "a\tb\n1\t2\n3\t4\n"),
            ("data.txt", "a;b\n1;2\n3;4\n"),
            ("bom.csv", "\ufeffa,b\n1,2\n3,4\n"),
            ("windows.csv", "a,b\r\n1,2\r\n3,4\r\n"),
            ("data.json", '[{"a": 1, "b": 2}, {"a": 3, "b": 4}]'),
            ("data.jsonl", '{"a": 1, "b": 2}\n{"a": 3, "b": 4}\n'),
            ("data.csv.gz", gzip.compress(b"a,b\n1,2\n3,4\n", mtime=0)),
            ("data.jsonl.gz", gzip.compress(b'{"a": 1, "b": 2}\n{"a": 3, "b": 4}\n', mtime=0)),
            ("comma", "a,b\n1,2\n3,4\n"),
            ("objects.dat", ' \n{"a": 1, "b": 2}\n{"a": 3, "b": 4}\n'),
            ("zipped", gzip.compress(b"a,b\n1,2\n3,4\n", mtime=0)),
        ],
    )
    def test_format_is_told_by_the_name_or_else_by_the_content(self, write, name, content):
        dataset = read_table(write(content, name))
        assert (dataset.features, dataset.target) == (("a",), "b")
        assert rows(dataset) == [[1, 2], [3, 4]]

    def test_parquet_of_every_numeric_type(self, parquet):
        whole = ["tinyint", "smallint", "integer", "bigint", "hugeint"]
        kinds = ["bool", *whole, *(f"u{kind}" for kind in whole), "float", "double", "decimal(9,2)"]
        path = parquet("select " + ", ".join(f"1::{kind} as c{i}" for i, kind in enumerate(kinds)))
        assert rows(read_table(path)) == [[1.0] * len(kinds)]

    def test_missing_values_of_every_numeric_type(self, parquet):
        kinds = ["bool", "tinyint", "bigint", "hugeint", "float", "double", "decimal(9,2)"]
        values = ", ".join(f"[1, NULL, 0]::{kind}[] as c{i}" for i, kind in enumerate(kinds))
        path = parquet(f"select unnest(columns(*)) from (select {values})")
        assert rows(read_table(path, drop_missing=True)) == [[1.0] * len(kinds), [0.0] * len(kinds)]

    def test_parquet_without_its_suffix(self, parquet):
        file = Path(parquet("select 1 as a, 2 as b"))
        assert rows(read_table(str(file.rename(file.with_suffix(".data"))))) == [[1, 2]]

    def test_columns_without_a_header_are_numbered(self, write):
        dataset = read_table(write("1,2\n3,4\n"))
        assert (dataset.features, dataset.target) == (("column0",), "column1")
        assert len(dataset.y) == 2

    def test_booleans_are_numbers(self, write):
        assert rows(read_table(write("a,b\ntrue,2\nfalse,4\n"))) == [[1, 2], [0, 4]]

    def test_numbers_are_the_floats_that_python_reads(self, write):
        texts = [
            "0.1",
            "1e-320",
            "1.7976931348623157e308",
            "9007199254740993",
            "0.30000000000000004",
            "-2e-7",
        ]
        dataset = read_table(write("x,y\n" + "".join(f"{text},0\n" for text in texts)))
        assert dataset.x[:, 0].tolist() == [float(text) for text in texts]

    def test_decimals_are_rounded_once(self, parquet):
        texts = ["12345678901234.567", "0.100", "-987654321098765.432"]
        path = parquet(f"select unnest({texts})::decimal(18,3) as x, 0 as y")
        assert read_table(path).x[:, 0].tolist() == [float(text) for text in texts]

    def test_rows_keep_the_order_of_the_file(self, write):
        dataset = read_table(write("x,y\n" + "".join(f"{i},{-i}\n" for i in range(300_000))))
        assert np.array_equal(dataset.y, -np.arange(300_000.0))

    def test_fraction_far_below_whole_numbers_is_not_rounded(self, write):
        dataset = read_table(write("x,y\n" + "1,2\n" * 50_000 + "3.5,2\n"))
        assert dataset.x[-1, 0] == 3.5

    def test_comment_lines_are_no_rows(self, write):
        assert rows(read_table(write("# from the lab\na,b\n1,2\n3,4\n"))) == [[1, 2], [3, 4]]


class TestNames:
    @pytest.mark.parametrize("name", HOSTILE_NAMES)
    def test_any_column_name_works(self, write, name):
        quoted = name.replace('"', '""')
        path = write(f'"{quoted}","other","y"\n1,2,3\n4,5,6\n')
        assert rows(read_table(path, features=(name,), target="y")) == [[1, 3], [4, 6]]
        assert read_table(path).features == (name, "other")

    def test_columns_of_the_same_name_are_told_apart(self, write):
        dataset = read_table(write("a,a,b\n1,2,3\n"))
        assert dataset.features[0] == "a"
        assert rows(dataset) == [[1, 2, 3]]

    @pytest.mark.parametrize("name", ["d*.csv", "d[a]ta.csv", "d?ta.csv", "**.csv", "[!x].csv", "{a,b}.csv"])
    def test_file_name_is_not_a_pattern(self, write, name):
        write("a,b\n8,8\n", "data.csv")
        path = write("a,b\n1,2\n", name)
        assert rows(read_table(path)) == [[1, 2]]

    @pytest.mark.parametrize("name", ["it's.csv", "a'); drop table t; --.csv", "ü.csv", "~.csv", "a\nb.csv", " .csv"])
    def test_file_may_have_any_name(self, write, name):
        assert rows(read_table(write("a,b\n1,2\n", name))) == [[1, 2]]

    def test_folder_name_is_not_a_column(self, write):
        assert read_table(write("a,b\n1,2\n", "k=7/data.csv")).features == ("a",)

    def test_path_may_be_relative(self, write, monkeypatch):
        monkeypatch.chdir(Path(write("a,b\n1,2\n")).parent)
        dataset = read_table("data.csv")
        assert dataset.name == "data.csv"
        assert rows(dataset) == [[1, 2]]


class TestMissingAndInfiniteValues:
    MISSING = "a,b,note\n1,,x\nNA,3,x\n2,4,\nnan,5,x\n"

    def test_missing_values_are_counted_and_the_way_out_is_named(self, write):
        message = refusal(write(self.MISSING), "drop_missing")
        assert "3 of 4 rows" in message
        assert "--drop-missing" in message

    def test_rows_with_missing_values_are_dropped_on_request(self, write):
        dataset = read_table(write(self.MISSING), drop_missing=True)
        assert rows(dataset) == [[2, 4]]
        assert dataset.dropped == 3

    def test_only_the_columns_used_matter(self, write):
        assert read_table(write("a,b,c\n1,2,\n3,4,5\n"), features=("a",), target="b").dropped == 0

    def test_missing_keys_of_json_are_missing_values(self, write):
        assert read_table(write('{"a":1,"b":2}\n{"b":3}\n', "x.jsonl"), drop_missing=True).dropped == 1

    def test_nothing_left(self, write):
        assert "no row" in refusal(write("a,b\n1,\nNA,3\n"), "data", drop_missing=True)

    def test_infinite_value_is_found_by_column_and_row(self, write):
        assert refusal(write("a,b\n1,2\n3,-inf\n5,inf\n"), "data") == "column 'b' has an infinite value in row 2"

    def test_infinite_value_is_counted_in_rows_of_the_file(self, write):
        assert "row 3" in refusal(write("a,b\n,1\n,2\ninf,3\n"), "data", drop_missing=True)


class TestColumnsThatCannotBeUsed:
    def test_unknown_column_names_the_nearest(self, write):
        message = refusal(write("eruptions,waiting\n1,2\n"), "target", target="waitin")
        assert "did you mean waiting?" in message

    def test_textual_column_shows_a_value_and_what_is_numeric(self, write):
        message = refusal(write("a,b,c\n1,2,x\n3,4,y\n"), "features", features=("c",))
        for part in ("'c'", "'x'", "'a', 'b'"):
            assert part in message

    def test_text_far_below_numbers_is_shown(self, write):
        message = refusal(write("a,b,c\n" + "1,2,3\n" * 30_000 + "oops,5,6\n"), "features", features=("a",))
        assert "'oops'" in message

    def test_column_without_values_is_said_to_have_none(self, write):
        assert "has no values" in refusal(write("a,b,c\n,1,2\n,3,4\n"), "features", features=("a",))

    def test_target_is_not_a_feature(self, write):
        assert "'b' is the target" in refusal(write("a,b\n1,2\n"), "features", features=("b",), target="b")

    def test_one_numeric_column_leaves_no_feature(self, write):
        assert "no feature is left" in refusal(write("name,y\nu,1\nv,2\n"), "features")

    @pytest.mark.parametrize("name", HOSTILE_NAMES)
    def test_odd_name_is_told_on_one_line(self, write, name):
        quoted = name.replace('"', '""')
        refusal(write(f'"{quoted}",a,b\nx,1,2\n'), "target", target=name)

    def test_names_and_values_are_shortened(self, write):
        refusal(write(f"{'n' * 5000},a\n{'v' * 5000},1\n"), "target", target="n" * 5000)


class TestFilesThatCannotBeRead:
    @pytest.mark.parametrize(
        ("name", "content", "says"),
        [
            ("data.csv", "", "is empty"),
            ("data.csv", "a,b\n", "has no rows"),
            ("data.json", "[]", "has no rows"),
            ("data.csv", "a,b\nx,y\nz,t\nu,v\n", "no column is numeric"),
            ("data.csv", "a,b\n1,2\n3\n4,5\n", "same number of fields"),
            ("data.csv", "a,b\n" + "1,2\n" * 30_000 + "3\n", "same number of fields"),
            ("data.csv", bytes(range(256)) * 20, "cannot read"),
            ("data.csv", "a,b\n1,café\n".encode("latin-1"), "not utf-8"),
            ("data.csv", "a,b\n1,2\n".encode("utf-16"), "not utf-8"),
            ("data.jsonl", '{"a": 1, "b": 2}\n{"a": 1,', "Malformed JSON"),
            ("data.parquet", "no parquet at all", "cannot read"),
            ("data.parquet", b"PAR1" + bytes(100) + b"PAR1", "cannot read"),
            ("data.csv.gz", gzip.compress(b"a,b\n1,2\n", mtime=0)[:-9], "damaged gzip"),
            ("data.csv.gz", b"\x1f\x8bnot really", "damaged gzip"),
        ],
    )
    def test_unusable_content_is_told_in_one_line(self, write, name, content, says):
        assert says in refusal(write(content, name), "data")

    def test_gzip_cut_off_late_is_not_taken_for_a_shorter_file(self, write):
        content = "a,b\n" + "".join(f"{i},{i * i % 65537}\n" for i in range(50_000))
        zipped = gzip.compress(content.encode())
        assert "damaged gzip" in refusal(write(zipped[: len(zipped) // 2], "data.csv.gz"), "data")

    @pytest.mark.parametrize(
        ("path", "says"),
        [
            ("nowhere.csv", "there is no file 'nowhere.csv'"),
            ("*.csv", "there is no file '*.csv'"),
            ("faithfull", "did you mean faithful?"),
            (".", "it is a folder"),
            ("http://localhost/data.csv", "not from URLs"),
            ("s3://bucket/data.parquet", "not from URLs"),
            ("x'; select 1; --", "unknown dataset or file"),
            ("a\0b", "cannot read"),
            ("\udcff.csv", "cannot read"),
            ("x" * 5000, "cannot read"),
        ],
    )
    def test_path_that_is_no_file(self, tmp_path, monkeypatch, path, says):
        monkeypatch.chdir(tmp_path)
        assert says in refusal(path, "data")

    @pytest.mark.skipif(sys.platform == "win32", reason="has no devices and pipes among its files")
    def test_devices_and_pipes_are_not_waited_for(self, tmp_path):
        os.mkfifo(tmp_path / "pipe.csv")
        for path in ("/dev/zero", str(tmp_path / "pipe.csv")):
            assert "not a regular file" in refusal(path, "data")

    def test_file_that_may_not_be_read(self, write, monkeypatch):
        def refuse(*_args: object) -> None:
            raise PermissionError(13, "Permission denied")

        path = write("a,b\n1,2\n")
        monkeypatch.setattr(Path, "open", refuse)  # a mode of 0 does not stop root
        assert "Permission denied" in refusal(path, "data")

    def test_file_that_vanishes_while_it_is_read(self, write, monkeypatch):
        path = write("a,b\n1,2\n")
        connect = duckdb.connect

        def remove_and_connect(*args: object, **options: object) -> object:
            Path(path).unlink()
            return connect(*args, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(duckdb, "connect", remove_and_connect)
        assert "cannot read" in refusal(path, "data")

    def test_nothing_is_written_beside_the_file(self, write, monkeypatch):
        path = Path(write("a,b\n1,2\n"))
        monkeypatch.chdir(path.parent)
        read_table(str(path))
        assert list(path.parent.iterdir()) == [path]
