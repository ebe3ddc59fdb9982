"""Tables: data from files (CSV, TSV, Parquet, JSON lines), read by DuckDB."""

from __future__ import annotations

import gzip
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gdtui.experiment import InputError, shown, unknown
from gdtui.problems.datasets import DATASETS, Dataset

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

# Types are inferred from every row: a sample would take 1 and 2 at the top for whole numbers and round the 3.5 far below.
# For the same reason every number is a double. `skip=0`: DuckDB otherwise skips leading lines that do not fit the rest.
# The folder's name is no data (`hive_partitioning`), and objects with many keys are still rows, not maps.
_READERS = {
    "csv": "read_csv(?, hive_partitioning=false, sample_size=-1, skip=0, "
    "auto_type_candidates=['BOOLEAN','DOUBLE','VARCHAR'], nullstr=['','NA','N/A','NULL','null']{})",
    "json": "read_json(?, hive_partitioning=false, sample_size=-1, map_inference_threshold=-1{})",
    "parquet": "read_parquet(?, hive_partitioning=false)",
}


def read_table(
    path: str, features: tuple[str, ...] = (), target: str = "", drop_missing: bool = False
) -> Dataset:
    """Read a dataset from a CSV, TSV, Parquet or JSON file, its rows in the file's order.

    The format is told by the file's name, by its content where the name does not tell. Missing are: NULL, NaN, and in CSV
    also an empty field, NA and N/A. Booleans are 0 and 1.

    Args:
        path: a regular file; CSV and JSON may be gzipped.
        features: the columns that are features; all numeric ones but the target where none is named.
        target: the column that is the target; the last numeric one where none is named.
        drop_missing: leave out the rows that have missing values in these columns, rather than refuse the file.

    Raises:
        InputError: if the file cannot be read, a column is not there or not numeric, a value is missing or infinite,
            or nothing is left.
    """
    import duckdb

    file = _regular_file(path)
    reader = _reader(path, file)
    pattern = _as_pattern(file)
    try:
        with duckdb.connect(":memory:", config=_CONFIG) as connection:
            # Only the file's folder is open to DuckDB. (The file alone would not do where its name has to be a pattern.)
            connection.execute("SET allowed_directories = ?", [[str(file.parent)]])
            connection.execute("SET enable_external_access = false")
            connection.execute("SET enable_progress_bar = false")
            rows = connection.execute(f"DESCRIBE SELECT * FROM {reader}", [pattern]).fetchall()
            table = _Table(path, connection, reader, pattern, {name: kind for name, kind, *_ in rows})
            features, target = _choose(table, features, target)
            columns = table.fetch((*features, target))
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

        what = ", ".join(f"{self.position(name)}::DOUBLE AS c{i}" for i, name in enumerate(names))
        columns = self.select(what).fetchnumpy()
        return {name: np.ma.filled(columns[f"c{i}"], np.nan) for i, name in enumerate(names)}

    def text_in(self, name: str) -> str | None:
        """A value of a column that is not numeric: the first that is no number if there is one."""
        values = f"(SELECT {self.position(name)}::VARCHAR AS v FROM {self.reader}) WHERE v IS NOT NULL"
        for condition in ("AND TRY_CAST(v AS DOUBLE) IS NULL", ""):
            sql = f"SELECT v FROM {values} {condition} LIMIT 1"
            if row := self.connection.execute(sql, [self.pattern]).fetchone():
                return str(row[0])
        return None


# --- the file --------------------------------------------------------------------------------------------------------


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
    raise InputError("data", unknown("dataset or file", path, tuple(DATASETS)))


def _reader(path: str, file: Path) -> str:
    """The table function for the file, its path left as a parameter."""
    try:
        with file.open("rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
        with gzip.open(file) if zipped else file.open("rb") as content:
            head = content.read(4096)
    except OSError as error:
        raise InputError("data", f"cannot read {shown(path)}: {error.strerror or 'damaged gzip'}") from None
    except (EOFError, zlib.error):
        raise InputError("data", f"cannot read {shown(path)}: damaged gzip") from None
    if not head:
        raise InputError("data", f"{shown(path)} is empty")
    name = file.name.lower().removesuffix(".gz")
    return _READERS[_FORMATS.get(Path(name).suffix) or _sniffed(head)].format(
        ", compression='gzip'" if zipped else ""
    )


def _sniffed(head: bytes) -> str:
    if head.startswith(b"PAR1"):
        return "parquet"
    return "json" if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[") else "csv"


def _as_pattern(file: Path) -> str:
    """DuckDB takes a path for a glob; this glob matches the file and nothing else."""
    return re.sub(r"[*?\[]", r"[\g<0>]", str(file))


def _reason(error: Exception, pattern: str) -> str:
    """DuckDB's words in one line; where the first only says that it is about CSV, with the next."""
    text = str(error).replace(f'"{pattern}"', "").replace(" in file ", "")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("Original Line")]
    most = 2 if re.search(r"CSV Error|sniffing", lines[0]) else 1
    return shown(" ".join(lines[:most]).partition(" Error: ")[2] or lines[0], 120)[1:-1]


# --- the columns -----------------------------------------------------------------------------------------------------


def _choose(table: _Table, features: tuple[str, ...], target: str) -> tuple[tuple[str, ...], str]:
    """The features and the target, where nothing is named the defaults."""
    named = [("features", name) for name in features] + ([("target", target)] if target else [])
    for setting, name in named:
        if name not in table.columns:
            raise InputError(setting, unknown("column", name, tuple(table.columns)))
    if not table.has_rows():
        raise InputError("data", f"{shown(table.path)} has no rows")
    numeric = table.numeric
    for setting, name in named:
        if name not in numeric:
            raise InputError(setting, f"{_textual(table, name)}; {_listed(numeric)}")
    if not numeric:
        raise InputError("data", f"no column of {shown(table.path)} is numeric: {_textual(table)}")
    target = target or numeric[-1]
    if target in features:
        raise InputError("features", f"{shown(target)} is the target; it cannot be a feature too")
    features = features or tuple(name for name in numeric if name != target)
    if not features:
        raise InputError(
            "features", f"no feature is left: {shown(target)} is the only numeric column, and the target"
        )
    return features, target


def _textual(table: _Table, name: str = "") -> str:
    name = name or next(iter(table.columns))
    value = table.text_in(name)
    holds = "has no values" if value is None else f"holds {shown(value, 30)}, not numbers"
    return f"column {shown(name, 40)} {holds}"


def _listed(names: list[str]) -> str:
    if not names:
        return "no column is numeric"
    shown_names = ", ".join(shown(name, 20) for name in names[:4])
    return f"numeric are {shown_names}{', …' if len(names) > 4 else ''}"


def _dataset(path: str, columns: dict[str, Array], drop_missing: bool) -> Dataset:
    """A dataset of the columns, the last of which is the target."""
    import numpy as np

    *features, target = columns
    n = len(columns[target])
    missing = np.zeros(n, dtype=bool)
    for values in columns.values():
        missing |= np.isnan(values)
    dropped = int(missing.sum())
    if dropped and not drop_missing:
        have = "row has" if n == 1 else "rows have" if dropped > 1 else "rows has"
        raise InputError(
            "drop_missing", f"{dropped} of {n} {have} missing values; --drop-missing leaves them out"
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
