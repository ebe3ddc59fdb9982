"""Text: the numbers in what a program prints: `loss=0.53`, `loss: 0.53`, `loss 0.53`, `Epoch 3/10`, a bar's 30/100."""

from __future__ import annotations

import re

LONGEST = 4_000
"""Characters of a line in which numbers are looked for."""

ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, motions
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC: titles, links
    r"|\x1b[ -/]*[0-~]?"
)

TOLD = re.compile(r"\d|\b(?:nan|inf)", re.IGNORECASE)
"""A line without any of these has no number."""

NOISE = re.compile(r"\w[\w+.-]*://\S+|\b(?:cuda|cpu|mps|xpu|npu|tpu):\d+")
"""What looks like a name and its number, and is an address or a device."""

COUNT = r"[\s:=#\[(]{0,4}(\d+(?:\.\d+)?)(?:\s*/\s*(\d+))?"
EPOCH = re.compile(rf"\b(?:current_)?epoch\b['\"]?{COUNT}(?!\w|[.,]\d)", re.IGNORECASE)
STEP = re.compile(
    rf"\b(?:global[ _]?step|step|iter(?:ation)?|it|batch|update)\b['\"]?{COUNT}(?!\w|[.,]\d)", re.IGNORECASE
)
COUNTER = re.compile(r"(?<![\w./:=-])(?<![:=] )(\d+)\s*/\s*(\d+)(?![\w./])")

NAMED = re.compile(
    r"(?<![\w./@-])([^\W\d][\w./@-]*)['\"]?[ \t]*[:=][ \t]*"
    r"(?:(?:tensor|array|np\.\w+)\()?['\"]?"
    r"([+-]?(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|[+-]?(?:nan|inf(?:inity)?)\b)"
    r"(?!['\"]?:|\d|[.,/-]\d|e[+-]?\d)"  # a longer number, a version, a date, a list, a line of a file
    r"(?:([kMGT])(?![^\W\d]))?(?=%|[^\W\d]{0,6}(?!\w))",
    re.IGNORECASE,
)
"""A name and its number. Either may be quoted, the number may have a unit."""

SPOKEN = re.compile(
    r"\b(loss|acc(?:uracy)?|lr|ppl|perplexity)[ \t]+(?=[+-]?(?:\d*\.\d|\d+e-|nan\b|inf\b))", re.IGNORECASE
)
"""Names that are clear enough to stand without a sign before their number: `train loss 2.57, val loss 2.61`."""

WORDS = re.compile(r"[^\W\d]+(?:[ _-][^\W\d]+)? $")
"""Up to two words before a name that belong to it, as in `Train Loss: 0.5`."""

NO_NAMES = {"info", "debug", "warning", "error", "s", "ms", "sec", "secs", "min", "h", "it", "and", "with", "the"}
"""Words that do not."""

TIMES = {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}


class Reader:
    """Reads one program's lines; counts on where a counter begins again, as in each epoch."""

    def __init__(self) -> None:
        self._before, self._count, self._of = 0.0, 0.0, 0.0

    def read(self, line: str) -> dict[str, float]:
        """The numbers in a line by name, with its epoch and its step where it says them; often none."""
        line = line[:LONGEST]
        if TOLD.search(line) is None:
            return {}
        line = plain(line)
        if ":" in line:
            line = NOISE.sub(" ", line)
        row: dict[str, float] = {}
        if "epoch" in line.lower() and (epoch := EPOCH.search(line)):
            row["epoch"] = float(epoch[1])
            line = line[: epoch.start()] + "|" + line[epoch.end() :]
        if step := STEP.search(line):
            row["step"] = self._counted(step[1], step[2]) if step[2] else float(step[1])
            line = line[: step.start()] + "|" + line[step.end() :]
        elif "/" in line and (counter := COUNTER.search(line)):
            row["step"] = self._counted(*counter.groups())
        line = SPOKEN.sub(r"\1=", line)
        end = 0
        for found in NAMED.finditer(line):
            name, value, unit = found.groups()
            row.setdefault(
                _full(name, line[end : found.start()]), float(value.replace(",", "")) * TIMES.get(unit or "", 1.0)
            )
            end = found.end()
        return row

    def _counted(self, count: str, of: str) -> float:
        """The step of a counter, over all the times that it began again."""
        now, all_of_it = float(count), float(of)
        if now < self._count or all_of_it != self._of:
            self._before += self._count
        self._count, self._of = now, all_of_it
        return self._before + now


def plain(line: str) -> str:
    """A line without colours and whatever else a terminal obeys."""
    return ESCAPES.sub("", line) if "\x1b" in line else line


def _full(name: str, before: str) -> str:
    """A name with the words that stand directly before it, if they are few."""
    words = WORDS.search(before[-40:])
    if words is None or (words.start() and before[-40:][words.start() - 1].isalpha()):
        return name
    parts = [word for word in words[0].split() if word.lower() not in NO_NAMES]
    return " ".join([*parts, name])
