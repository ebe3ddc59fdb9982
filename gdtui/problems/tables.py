"""Tables: data from files (CSV, TSV, Parquet, JSON lines), read by DuckDB."""

from __future__ import annotations

import gzip
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from gdtui.experiment import InputError, shown, unknown
from gdtui.problems.datasets import Dataset

if TYPE_CHECKING:
    import numpy as np
    from duckdb import DuckDBPyConnection
    from numpy.typing import NDArray

    from gdtui.problems.datasets import Array

_NUMERIC = re.compile(r"BOOLEAN|FLOAT|DOUBLE|U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|DECIMAL\(\d+,\d+\)")

_FORMATS = {
    **dict.fromkeys((".csv", ".tsv", ".txt"), "csv"),
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), "json"),
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
}

# Types are inferred from every row: below a sample's whole numbers there may be 3.5, or text. With `skip=0`
# no leading lines are left out because they do not fit the rest. A folder named k=1 is no column
# (`hive_partitioning`), and objects with hundreds of keys are still rows (`map_inference_threshold`).
_READERS = {
    "csv": "read_csv(?, hive_partitioning=false, sample_size=-1, skip=0, "
    "auto_type_candidates=['BOOLEAN','DOUBLE','VARCHAR'], nullstr=['','NA','N/A','NULL','null']{})",
    "json": "read_json(?, hive_partitioning=false, sample_size=-1, map_inference_threshold=-1{})",
    "parquet": "read_parquet(?, hive_partitioning=false)",
}


def read_table(path: str, features: tuple[str, ...] = (), target: str = "", drop_missing: bool = False) -> Dataset:
    """Read a dataset from a CSV, TSV, Parquet or JSON file, its rows in the file's order.

    The format is told by the file's name, and by its content where the name does not tell. Missing are NULL
    and NaN, in CSV also an empty field, NA and N/A. Booleans are 0 and 1.

    Args:
        path: a regular file; CSV and JSON may be gzipped.
        features: the columns that are features; all numeric ones but the target where none is named.
        target: the column that is the target; the last numeric one where none is named.
        drop_missing: leave out rows with missing values in these columns, rather than refuse the file.

    Raises:
        InputError: if the file cannot be read, a column is not there or not numeric, a value is missing or
            infinite, or nothing is left.
    """
    import duckdb

    file = _regular_file(path)
    reader = _reader(path, file)
    pattern = _as_pattern(file)
    try:
        with duckdb.connect(":memory:", config=_CONFIG) as connection:
            # Nothing but the file's folder is open to DuckDB; the file alone would not do, for patterns.
            connection.execute("SET allowed_directories = ?", [[str(file.parent)]])
            connection.execute("SET enable_external_access = false")
            connection.execute("SET enable_progress_bar = false")
            rows = connection.execute(f"DESCRIBE SELECT * FROM {reader}", [pattern]).fetchall()
            table = _Table(path, connection, reader, pattern, {name: kind for name, kind, *_ in rows})
            features, target = _choose(table, features, target)
            columns = table.fetch((*features, target))
    except RuntimeError as error:
        if str(error) != "Query interrupted":
            raise
        raise KeyboardInterrupt from None  # Ctrl-C, in DuckDB's words
    except duckdb.Error as error:
        raise InputError("data", f"cannot read {shown(path)}: {_reason(error, pattern)}") from None
    return _dataset(path, columns, drop_missing)


_CONFIG: dict[str, Any] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "temp_directory": "",  # otherwise it may write to .tmp in the current folder
    "threads": 2,
}


@dataclass(frozen=True, slots=True)
class _Table:
    """A file as DuckDB sees it. SQL gets columns by position and the file as a parameter: never a name."""

    path: str
    connection: DuckDBPyConnection
    reader: str
    pattern: str
    columns: dict[str, str]

    @property
    def numeric(self) -> list[str]:
        return [name for name, kind in self.columns.items() if _NUMERIC.fullmatch(kind)]

    def select(self, what: str, more: str = "") -> DuckDBPyConnection:
        return self.connection.execute(f"SELECT {what} FROM {self.reader} {more}", [self.pattern])

    def position(self, name: str) -> str:
        return f"#{list(self.columns).index(name) + 1}"

    def has_rows(self) -> bool:
        return self.select("1", "LIMIT 1").fetchone() is not None

    def fetch(self, names: tuple[str, ...]) -> dict[str, Array]:
        """The named columns, shape (n,) each, nan where a value is missing."""
        import numpy as np

        # The cast rounds a decimal once. A boolean has none: DuckDB would take `true` for a double's text.
        casts = ["" if self.columns[name] == "BOOLEAN" else "::DOUBLE" for name in names]
        what = (f"{self.position(name)}{casts[i]} AS c{i}" for i, name in enumerate(names))
        columns = self.select(", ".join(what)).fetchnumpy()
        return {
            name: np.ma.filled(columns[f"c{i}"].astype(np.float64, copy=False), np.nan) for i, name in enumerate(names)
        }

    def text_in(self, name: str) -> str | None:
        """A value of a column that is not numeric: the first that is no number if there is one."""
        values = f"(SELECT {self.position(name)}::VARCHAR AS v FROM {self.reader}) WHERE v IS NOT NULL"
        for condition in ("AND (TRY_CAST(v AS DOUBLE) IS NULL OR v <> trim(v))", ""):
            sql = f"SELECT v FROM {values} {condition} LIMIT 1"
            if row := self.connection.execute(sql, [self.pattern]).fetchone():
                return str(row[0])
        return None


# --- the file -----------------------------------------------------------------------------------------------


def _regular_file(path: str) -> Path:
    """The file itself; a device or a pipe could be read for ever, and a URL is not fetched."""
    try:
        file = Path(path).resolve()
        str(file).encode()  # DuckDB takes UTF-8 only
        if file.is_file():
            return file
        exists = file.exists()
    except (OSError, ValueError, RuntimeError) as error:
        words = error.strerror if isinstance(error, OSError) else None
        raise InputError("data", f"cannot read {shown(path)}: {words or 'no usable file name'}") from None
    if exists:
        what = "a folder" if file.is_dir() else "not a regular file"
        raise InputError("data", f"cannot read {shown(path)}: it is {what}")
    if "://" in path:
        raise InputError("data", f"cannot read {shown(path)}: data is read from files, not from URLs")
    if re.search(r"[./\\]", path):
        raise InputError("data", f"there is no file {shown(path)}")
    from gdtui.problems.loading import SOURCES

    raise InputError("data", unknown("dataset or file", path, tuple(SOURCES)))


def _reader(path: str, file: Path) -> str:
    """The table function for the file, its path left as a parameter."""
    try:
        with file.open("rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
        with gzip.open(file) if zipped else file.open("rb") as content:
            head = content.read(4096)
            while zipped and content.read(1 << 20):
                pass  # DuckDB may take a file that is cut off, or that fails its checksum, for a shorter one
    except OSError as error:
        raise InputError("data", f"cannot read {shown(path)}: {error.strerror or 'damaged gzip'}") from None
    except (EOFError, zlib.error):
        raise InputError("data", f"cannot read {shown(path)}: damaged gzip") from None
    if not head:
        raise InputError("data", f"{shown(path)} is empty")
    name = file.name.lower().removesuffix(".gz")
    return _READERS[_FORMATS.get(Path(name).suffix) or _sniffed(head)].format(", compression='gzip'" if zipped else "")


def _sniffed(head: bytes) -> str:
    if head.startswith(b"PAR1"):
        return "parquet"
    return "json" if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[") else "csv"


def _as_pattern(file: Path) -> str:
    """DuckDB takes a path for a glob; this glob matches the file and nothing else."""
    return re.sub(r"[*?\[]", r"[\g<0>]", str(file))


def _reason(error: Exception, pattern: str) -> str:
    """DuckDB's words in one line: its first, with the second where the first only says that it is CSV."""
    text = str(error).replace(f' in file "{pattern}"', "")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("Original Line")]
    if "Error when sniffing" in lines[0]:
        return "it does not read as a table; do all lines have the same number of fields?"
    words = " ".join(lines[:2] if "CSV Error" in lines[0] else lines[:1])
    printable = "".join(c if c.isprintable() else " " for c in words.partition(" Error: ")[2] or words)
    return shorten(printable, 120, placeholder="…")


# --- the columns --------------------------------------------------------------------------------------------


def _choose(table: _Table, features: tuple[str, ...], target: str) -> tuple[tuple[str, ...], str]:
    """The features and the target, where nothing is named the defaults."""
    named = [("features", name) for name in features] + ([("target", target)] if target else [])
    for setting, name in named:
        if name not in table.columns:
            raise InputError(setting, unknown("column", name, tuple(table.columns)))
    numeric = table.numeric
    for setting, name in named or [("data", name) for name in table.columns if not numeric]:
        if name not in numeric:
            raise _not_numeric(table, setting, name)
    target = target or numeric[-1]
    if target in features:
        raise InputError("features", f"{shown(target)} is the target; it cannot be a feature too")
    features = features or tuple(name for name in numeric if name != target)
    if not features:
        raise InputError("features", f"no feature is left: the target, {shown(target)}, is the only numeric column")
    return features, target


def _not_numeric(table: _Table, setting: str, name: str) -> InputError:
    if not table.has_rows():
        return InputError("data", f"{shown(table.path)} has no rows")
    value, numeric = table.text_in(name), table.numeric
    holds = "has no values" if value is None else f"is not numeric, it holds {shown(value, 30)}"
    if numeric:
        hint = "numeric: " + ", ".join(shown(one, 20) for one in numeric[:4]) + ", …" * (len(numeric) > 4)
    elif len(table.columns) == 1:
        hint = "the only column; do all lines have the same number of fields?"
    else:
        hint = "no column is numeric"
    return InputError(setting, f"column {shown(name, 40)} {holds} ({hint})")


def _dataset(path: str, columns: dict[str, Array], drop_missing: bool) -> Dataset:
    """A dataset of the columns, the last of which is the target."""
    import numpy as np

    *features, target = columns
    n = len(columns[target])
    if n == 0:
        raise InputError("data", f"{shown(path)} has no rows")
    missing = np.zeros(n, dtype=bool)
    for values in columns.values():
        missing |= np.isnan(values)
    dropped = int(missing.sum())
    if dropped and not drop_missing:
        raise InputError(
            "drop_missing", f"missing values in {dropped} of {n} rows; --drop-missing leaves these rows out"
        )
    if dropped == n:
        raise InputError("data", f"no row of {shown(path)} is left: each has a missing value")
    _refuse_infinite(columns, missing)
    kept = ~missing
    x = np.empty((n - dropped, len(features)))
    for j, name in enumerate(features):
        x[:, j] = columns[name][kept]
    return Dataset(path, x, columns[target][kept], tuple(features), target, dropped)


def _refuse_infinite(columns: dict[str, Array], missing: NDArray[np.bool_]) -> None:
    import numpy as np

    for name, values in columns.items():
        infinite = np.isinf(values) & ~missing
        if infinite.any():
            row = int(infinite.argmax()) + 1
            raise InputError("data", f"column {shown(name)} has an infinite value in row {row}")
