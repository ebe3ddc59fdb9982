"""Cells: a character in a style. Each is kept once: two that look the same are the same object.

So a row of cells is compared with another at the speed of C, and what a change of style costs is found out once.
"""

from __future__ import annotations

from itertools import islice

from rich.cells import cell_len

ATTRIBUTES = {
    code: 1 << bit for bit, code in enumerate(("1", "2", "3", "4", "5", "6", "7", "8", "9", "21", "51", "52", "53"))
}
"""SGR codes that set an attribute, by their bit: bold, dim, italic, underline, blink, fast blink, reverse, conceal,
strike, double underline, frame, circle, overline; as Textual writes them."""

RESETS = {
    code: sum(ATTRIBUTES[one] for one in ones.split())
    for code, ones in {
        "22": "1 2", "23": "3", "24": "4 21", "25": "5 6", "27": "7", "28": "8", "29": "9", "54": "51 52", "55": "53",
    }.items()
}  # fmt: skip
"""SGR codes that take attributes away, with all the attributes that each takes."""

SEEN_ON_BLANKS = sum(ATTRIBUTES[code] for code in ("4", "7", "9", "21", "51", "52", "53"))
"""Attributes that change how a space looks: lines, frames, and reverse, which shows the foreground."""

WIDENER = "\ufe0f"
MOST = 4096
"""Styles kept. Colours that are animated make ever new ones; one forgotten is only taken for another."""


class Cell:
    """What one place of the screen shows; a wide character takes two places, the second its `half`.

    Attributes:
        text: the character, with its combining marks; empty for the half of a wide one.
        style: its style; of a blank only what is seen of it.
        width: in places: 1 or 2; 0 for the half of a wide one.
        size: bytes of the text in UTF-8.
        is_blank: a space of which only the background is seen: a terminal can erase instead.
        is_sure: every terminal gives it this width.
        half: the second place of a wide one.
    """

    __slots__ = ("half", "is_blank", "is_sure", "size", "style", "text", "width")

    def __init__(self, text: str, style: Style, width: int) -> None:
        self.text = text
        self.style = style
        self.width = width
        self.size = len(text.encode(errors="replace"))
        self.is_blank = text == " " and not style.is_seen_on_blanks
        # Terminals differ in what they make of emoji, and of characters that are joined.
        self.is_sure = len(text) <= 1 and text <= "\uffff"
        self.half = Cell("", style, 0) if width == 2 else None

    def __repr__(self) -> str:
        return f"{self.text!r} {self.style!r}"


class _Narrow(dict[str, Cell]):
    """The cells of a style by their text; a look-up of a character makes a cell one place wide, or is a `KeyError`."""

    def __init__(self, style: Style) -> None:
        super().__init__()
        self._style = style

    def __missing__(self, char: str) -> Cell:
        if cell_len(char) != 1:
            raise KeyError(char)
        owner = self._style
        if char == " " and not owner.is_seen_on_blanks and (owner.attributes or owner.foreground):
            self[char] = style_of(0, "", owner.background, "").cells[char]
        else:
            self[char] = Cell(char, owner, 1)
        return self[char]


class Style:
    """How characters look: what SGR (select graphic rendition) says, and the link of OSC 8.

    Attributes:
        attributes: bits of `ATTRIBUTES`.
        foreground, background: SGR codes such as `38;2;97;175;239`; empty for the terminal's own.
        link: parameters and address of a hyperlink, as OSC 8 has them; empty for none.
        is_seen_on_blanks: more than its background is seen of a space.
        cells: its characters one place wide.
    """

    __slots__ = (
        "_changes",
        "_followers",
        "_wide",
        "attributes",
        "background",
        "cells",
        "foreground",
        "is_seen_on_blanks",
        "link",
    )

    def __init__(self, attributes: int, foreground: str, background: str, link: str) -> None:
        self.attributes = attributes
        self.foreground = foreground
        self.background = background
        self.link = link
        self.is_seen_on_blanks = bool(attributes & SEEN_ON_BLANKS or link)
        self.cells = _Narrow(self)
        self._wide: dict[str, Cell] = {}
        self._followers: dict[str, Style] = {}
        self._changes: dict[Style, str] = {}

    def __repr__(self) -> str:
        return f"<{_codes(self)}{' ' + self.link if self.link else ''}>"

    @property
    def blank(self) -> Cell:
        """A space in this style."""
        return self.cells[" "]

    def after(self, parameters: str) -> Style:
        """The style that the parameters of an SGR sequence make of this one."""
        try:
            return self._followers[parameters]
        except KeyError:
            if len(self._followers) > MOST:
                self._followers.clear()
            style = self._followers[parameters] = _applied(self, parameters)
            return style

    def linked(self, link: str) -> Style:
        """The same with another link."""
        return style_of(self.attributes, self.foreground, self.background, link)

    def behind_blanks(self, blank: Cell) -> Style:
        """The style next to this one in which a space is that blank."""
        return style_of(self.attributes & ~SEEN_ON_BLANKS, self.foreground, blank.style.background, "")

    def cell(self, text: str) -> Cell:
        """The cell of one character with what joins it."""
        if cell_len(text) < 2 and len(text) == 1:
            return self.cells[text]
        if text not in self._wide:
            self._wide[text] = Cell(text, self, min(cell_len(text), 2))
        return self._wide[text]

    def change_to(self, other: Style) -> str:
        """The shortest sequence after which characters are written in another style."""
        try:
            return self._changes[other]
        except KeyError:
            if len(self._changes) > MOST:
                self._changes.clear()
            change = self._changes[other] = _change(self, other)
            return change


_styles: dict[tuple[int, str, str, str], Style] = {}


def style_of(attributes: int, foreground: str, background: str, link: str) -> Style:
    """The one style with these properties."""
    key = attributes, foreground, background, link
    if (style := _styles.get(key)) is None:
        if len(_styles) > MOST:
            _styles.clear()
            _styles[0, "", "", ""] = PLAIN
        style = _styles[key] = Style(*key)
    return style


def write_cells(cells: list[Cell], text: str, style: Style, before: Style | None = None) -> None:
    """Put the cells of a text behind others; combining marks at its start join the last of those.

    Args:
        cells: get the text's.
        text: without control characters.
        style: the text's.
        before: of what was written last, if it is known: of a blank that a mark joins, more is seen then.
    """
    try:
        cells.extend(list(map(style.cells.__getitem__, text)))
    except KeyError:  # not all are one place wide
        for char in text:
            last = next((cell for cell in reversed(cells) if cell.width), None)
            if last is not None and joins(last.text, char):
                del cells[len(cells) - last.width :]
                _add(cells, (before if before and last.is_blank else last.style).cell(last.text + char))
            elif cell_len(char):
                _add(cells, style.cell(char))
                before = style


def joins(before: str, char: str) -> bool:
    """Whether a character shares the place of the one before it: a combining mark, a part of an emoji."""
    return char == WIDENER or cell_len(before + char) == cell_len(before)


def _add(cells: list[Cell], cell: Cell) -> None:
    cells.append(cell)
    if cell.half is not None:
        cells.append(cell.half)


def _applied(style: Style, parameters: str) -> Style:
    attributes, foreground, background = style.attributes, style.foreground, style.background
    codes = iter(parameters.split(";"))
    for code in codes:
        if code in ("", "0"):
            attributes, foreground, background = 0, "", ""
        elif code in ATTRIBUTES:
            attributes |= ATTRIBUTES[code]
        elif code in RESETS:
            attributes &= ~RESETS[code]
        elif code in ("38", "48"):
            kind = next(codes, "")
            color = ";".join([code, kind, *islice(codes, 1 if kind == "5" else 3)])
            foreground, background = (color, background) if code == "38" else (foreground, color)
        elif code[:-1] in ("3", "9"):
            foreground = "" if code == "39" else code
        elif code[:-1] in ("4", "10"):
            background = "" if code == "49" else code
    return style_of(attributes, foreground, background, style.link)


def _codes(style: Style) -> str:
    codes = [code for code, bit in ATTRIBUTES.items() if style.attributes & bit]
    return ";".join([*codes, *filter(None, (style.foreground, style.background))])


def _change(one: Style, other: Style) -> str:
    """SGR from one style to another, from where it is or from a reset, whichever is shorter; and OSC 8 for its link."""
    codes, kept = [], one.attributes
    for code, bits in RESETS.items():
        if kept & bits & ~other.attributes:
            codes.append(code)
            kept &= ~bits
    codes += [code for code, bit in ATTRIBUTES.items() if other.attributes & bit & ~kept]
    if one.foreground != other.foreground:
        codes.append(other.foreground or "39")
    if one.background != other.background:
        codes.append(other.background or "49")
    direct = ";".join(codes)
    anew = _codes(other) and f"0;{_codes(other)}"
    sequence = f"\x1b[{min(direct, anew, key=len)}m" if codes else ""
    # ST, string terminator, ends an OSC, operating system command.
    return sequence if one.link == other.link else f"{sequence}\x1b]8;{other.link or ';'}\x1b\\"


PLAIN = style_of(0, "", "", "")
"""The terminal's own."""
