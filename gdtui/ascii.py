"""ASCII: a likeness in plain characters for every other one: in as many cells on a screen, or spelled out in a line."""

from __future__ import annotations

import codecs
import re
import unicodedata
from functools import cache
from itertools import product

MARKS = dict(zip("●○◐■□▲△◆◇×◉✓✗‖▿∙", "@OC#nA^&$x*v!|V_", strict=True))
"""Marks that carry meaning: those of one kind stay distinct, and are none of the lines and levels they stand on."""

SIGNS = dict(zip("−–—·⋅÷→←↑↓▸▶›▾▼◂◀‹▴…≈∝≤≥≠±⊗⌈⌉⌊⌋′½¼¾≫∞░▒▓", "---**/><^v>>>vv<<<^~~~<>!+x[][]'hft>I.:%", strict=True))

LETTERS = dict(zip("θλμρΣσΠΔ∇∂ℓκηξ√ψχ", "qlmrSsPDVdlkhxryc", strict=True))
"""Letters whose name in English does not begin with their likeness, and what formulas have beside letters."""

BLOCKS = dict(zip("▁▂▃▄▅▆▇█▉▊▋▌▍▎▏▐▔▕▀", '_      ####==||=-|"', strict=True))
"""Bars go to the right; what does not fill a cell upwards is the end of a scroll bar."""

CELLS = MARKS | SIGNS | LETTERS | BLOCKS | {"🔎": "/ "}

WORDS = {
    "→": "->", "←": "<-", "≤": "<=", "≥": ">=", "≠": "!=", "…": "...", "∞": "inf", "‖": "||", "√": "sqrt", "²": "^2",
    "½": "1/2", "¼": "1/4", "¾": "3/4",
}  # fmt: skip
"""What needs more than one cell."""

HAT = re.compile("(.)\u0302")
STANDING_DOT = re.compile(r"(?<= )·(?= )")
"""Between words it is no product."""

INFINITE = re.compile(r"  ∞|∞  ")
"""With blanks beside it, there is room for its name."""

STROKES = {
    "-": ("10 11", "20 21", "10 11 20 21", "10 21", "11 20", "10", "11", "20", "21"),
    '"': ("00 01", "00 01 10 11"),
    "'": ("00", "01", "00 10", "01 11", "00 11", "01 10"),
    "_": ("30 31",),
    ".": ("30", "31", "20 30", "21 31", "20 31", "21 30", "20 21 30 31"),
    "|": ("00 10 20 30", "01 11 21 31"),
    "/": ("01 11 20 30", "01 10 20 30", "01 11 21 30"),
    "\\": ("00 10 21 31", "00 11 21 31", "00 10 20 31"),
    "=": ("00 01 20 21", "10 11 30 31", "00 01 30 31"),
    "%": ("00 01 10 11 20 21 30 31",),
}
"""The dots of a braille cell, row and column, that look like a character."""


def in_ascii(text: str) -> str:
    """A text in plain characters, each in as many cells as what it stands for; a letter with a hat is a capital.

    >>> in_ascii("linear · tutorial"), in_ascii("‖θₜ₊₁ − θₜ‖ ≈ ŷ·∇ℓᵢ"), in_ascii("╭─ 2 Loss ─┤")
    ('linear - tutorial', '|qt+1 - qt| ~ Y*Vli', '+- 2 Loss -|')
    """
    if text.isascii():
        return text
    text = STANDING_DOT.sub("-", INFINITE.sub("inf", text))
    return "".join(map(likeness, HAT.sub(lambda match: likeness(match[1]).upper(), text)))


@cache
def likeness(char: str) -> str:
    """A character in ASCII: in one cell, in two where it is wide, in none where it joins the one before."""
    if char.isascii() or char in CELLS:
        return CELLS.get(char, char)
    name, category = unicodedata.name(char, ""), unicodedata.category(char)
    if name.startswith(("BOX DRAWINGS", "BRAILLE")):
        return _line(name) if name.startswith("BOX") else _braille(ord(char) - 0x2800)
    base, *joined = tuple(unicodedata.normalize("NFKD", char))
    if base != char and all(map(unicodedata.combining, joined)):
        return likeness(base).upper() if "\u0302" in joined else likeness(base)
    if name.startswith("GREEK"):
        return name.split()[-1][0].lower() if category == "Ll" else name.split()[-1][0]
    if category in ("Mn", "Me", "Cf"):
        return ""
    return "??" if unicodedata.east_asian_width(char) in "WF" else "?"


def _line(name: str) -> str:
    """A part of a line or of a frame, by its name."""
    if "DIAGONAL" in name:
        return "X" if "CROSS" in name else "/" if "UPPER RIGHT TO" in name else "\\"
    is_level = not re.search("VERTICAL|UP|DOWN", name)
    if "HEAVY" in name or "DOUBLE" in name:
        return "=" if is_level else "#"
    if is_level:
        return "-"
    return "+" if re.search("LEFT|RIGHT|HORIZONTAL", name) and name != "BOX DRAWINGS LIGHT VERTICAL AND LEFT" else "|"


def _braille(dots: int) -> str:
    """The character whose strokes differ from the dots in the fewest places."""
    bits = {
        f"{row}{column}": 1 << (row + 3 * column if row < 3 else 6 + column)
        for row, column in product(range(4), range(2))
    }
    shapes = [(glyph, sum(bits[dot] for dot in shape.split())) for glyph, ones in STROKES.items() for shape in ones]
    return min([(" ", 0), *shapes], key=lambda shape: (shape[1] ^ dots).bit_count())[0]


def spell(error: UnicodeError) -> tuple[str | bytes, int]:
    """Write what an encoding does not have as a word or a sign; what is not ours, as an escape: a `codecs` handler."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_spelled, error.object[error.start : error.end])), error.end


def _spelled(char: str) -> str:
    name = unicodedata.name(char, "")
    if char in WORDS:
        return WORDS[char]
    if name.startswith(("GREEK SMALL LETTER", "GREEK CAPITAL LETTER")) and name.count(" ") == 3:
        return name.split()[-1].lower() if "SMALL" in name else name.split()[-1].capitalize()
    if char in CELLS or name.startswith(("SUPERSCRIPT", "SUBSCRIPT", "MODIFIER LETTER")):
        return likeness(char)
    return char.encode("ascii", "backslashreplace").decode()


SPELLED = "spelled"
"""What the handler is called, as in `errors=SPELLED`."""

codecs.register_error(SPELLED, spell)
