"""The README's table of keys is made from the table of keys; `python tests/test_readme.py` writes it anew."""

from __future__ import annotations

from pathlib import Path

from gdtui.dashboard.manual import keys_in_markdown

README = Path(__file__).parents[1] / "README.md"
BEGIN = "<!-- keys: tests/test_readme.py writes what stands between these lines -->"
END = "<!-- end of keys -->"


def with_keys(text: str) -> str:
    """The README with the keys as they are."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{keys_in_markdown()}\n\n{END}{rest.partition(END)[2]}"


def test_the_readme_has_the_keys_as_they_are() -> None:
    text = README.read_text(encoding="utf-8")
    assert text.count(BEGIN) == text.count(END) == 1
    assert text == with_keys(text), "python tests/test_readme.py writes the keys into the README"


if __name__ == "__main__":
    README.write_text(with_keys(README.read_text(encoding="utf-8")), encoding="utf-8")
