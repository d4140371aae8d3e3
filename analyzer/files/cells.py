"""Text in the cells of a CSV: no spreadsheet runs it, and it comes back as it was."""

from __future__ import annotations

import re
from typing import Final

_HIDDEN: Final = (
    r"\s\x00-\x20\x7f-\xa0\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5"
    r"\u180b-\u180f\u200b-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffc"
    r"\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""What nobody sees before a sign: spaces, control and format characters, fillers."""
_RUNS: Final = rf"(?=[{_HIDDEN}']*[=+\-@|＝＋－＠﹢﹣﹦﹫])"
_CELL_BEGINS: Final = rf"(?:\A(?:{_RUNS}|(?=[ \xa0']*[\t\r\n]))|(?:[;\t\r\n]|%0[9ADad]){_RUNS})"
_MAY_RUN: Final = re.compile(_CELL_BEGINS)
_MAY_RUN_MARKED: Final = re.compile(rf"({_CELL_BEGINS})'")


def plain_cell(text: str) -> str:
    """Text as a cell of a CSV that no spreadsheet runs as a formula: an apostrophe stands before what it would run.

    Also behind characters that are not seen, and where a program that separates cells by semicolons, tabs or line ends
    would begin a new cell. `cell_text` gives the text back, whatever it was.
    """
    return _MAY_RUN.sub(r"\g<0>'", text)


def cell_text(cell: str) -> str:
    """The text of a cell that `plain_cell` wrote."""
    return _MAY_RUN_MARKED.sub(r"\1", cell)
