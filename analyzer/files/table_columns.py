"""Which columns of a table hold the pitch, its id and its title: those that are named, else by their usual names.

Hidden here: what such columns are usually called, and that a name alone is not enough: the first rows must hold
something there. Where that leaves a doubt, the person is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from analyzer.errors import InputError

STANDARD_INPUT: Final = "standard input"
_PITCH_NAMES: Final = ("pitch", "pitch_text", "text")
_SHORT_NAMES: Final = ("one_liner", "oneliner", "tagline", "headline")
_PART_NAMES: Final = (*_SHORT_NAMES, "short_description", "description", "long_description", "full_description")
"""Parts of one description, in the order in which they are joined."""
_OTHER_NAMES: Final = ("body", "content", "about", "summary", "overview", "blurb")
_ID_NAMES: Final = ("id", "pitch_id", "uuid", "key", "slug")
_TITLE_NAMES: Final = (
    "name", "company", "company_name", "startup", "startup_name", "organization", "organization_name", "organisation",
    "product", "product_name", "title", "firm",
)  # fmt: skip
_MAY_BE_TEXT: Final = frozenset({"startup", "product", "title", "firm"})
"""Names of titles that the only other column may have."""
_SENTENCE: Final = 40
"""Characters from which the average cell of a column is more than a name."""
_MOST_NAMES: Final = 12
_SHOWN: Final = 40


@dataclass(frozen=True, slots=True)
class WantedColumns:
    """What a person says of a table; None or empty = to be found. `encoding`: of its text. `on_page`: chosen on the
    page, not with options of a command."""

    text: tuple[str, ...] = ()
    id: str | None = None
    title: str | None = None
    encoding: str | None = None
    on_page: bool = False

    def how_to(self, option: str, field: str) -> str:
        """How to answer a question: by an option of the command, or a field of the page."""
        return f"Choose it under {field}" if self.on_page else f"Name it with {option}"


@dataclass(frozen=True, slots=True)
class TableColumns:
    """The columns of a table by what they hold; `own` are all others, and the title's, in their order."""

    texts: tuple[str, ...]
    id: str | None
    title: str | None
    own: tuple[str, ...]

    def carries(self, name: str) -> bool:
        """Whether a column is carried to the output: all but the pitch and an id that is not also the title."""
        return name not in self.texts and (name != self.id or name == self.title)

    def text_of(self, row: Mapping[str, Any]) -> Any:
        """The pitch of a row: the cell of its column, or several joined by blank lines, each text once."""
        cells = [row.get(name) for name in self.texts]
        if len(cells) == 1:
            return cells[0]
        others = [cell for cell in cells if cell is not None and not isinstance(cell, str)]
        if others:
            return others[0]
        parts = list(dict.fromkeys(cell.strip() for cell in cells if isinstance(cell, str) and cell.strip()))
        kept = [part for part in parts if not any(part in other for other in parts if other != part)]
        return "\n\n".join(kept)


def find_columns(
    name: str, names: Sequence[str], sample: Sequence[Mapping[str, Any]], wanted: WantedColumns, typed: bool
) -> TableColumns:
    """The columns of a table by its first rows. `typed`: whether cells that are no text can be told apart from texts.

    Raises InputError if a wanted column does not exist, or to ask which column holds the pitch.
    """
    known = {_plain(column): column for column in reversed(names)}
    id_ = _wanted(name, names, wanted.id, "--id-column") if wanted.id else _first(known, _ID_NAMES)
    title = _wanted(name, names, wanted.title, "--title-column") if wanted.title else None
    if wanted.text:
        texts = tuple(dict.fromkeys(_wanted(name, names, column, "--text-column") for column in wanted.text))
    else:
        texts = _texts(known, names, sample, (id_, title), typed) or ()
    if not texts:
        raise _question(name, names, sample, wanted, id_)
    if title is None:
        free = {plain: column for plain, column in known.items() if column not in texts}
        title = _first(free, _TITLE_NAMES)
    id_ = id_ or title
    own = tuple(column for column in names if column not in texts and (column != id_ or column == title))
    return TableColumns(texts, id_, title, own)


def _texts(
    known: Mapping[str, str],
    names: Sequence[str],
    sample: Sequence[Mapping[str, Any]],
    taken: Sequence[str | None],
    typed: bool,
) -> tuple[str, ...] | None:
    """The columns of the pitch, as far as there is one sensible choice."""
    free = {plain: column for plain, column in known.items() if column not in taken}
    titles = frozenset(_TITLE_NAMES) - _MAY_BE_TEXT
    others = [column for column in names if column not in taken and _plain(column) not in titles]
    lengths = {column: _length(sample, column) for column in others}
    pitch = _first_filled(free, _PITCH_NAMES, lengths)
    if pitch is not None:
        return (pitch,)
    parts = [free[plain] for plain in _PART_NAMES if plain in free and lengths.get(free[plain])]
    if parts and all(_plain(part) in _SHORT_NAMES for part in parts):
        most = max(lengths[part] for part in parts)
        if any(length > 2 * max(most, _SENTENCE) for column, length in lengths.items() if column not in parts):
            return None  # another column says more than the one-liner
    if parts:
        return tuple(parts)
    other = _first_filled(free, _OTHER_NAMES, lengths)
    if other is not None:
        return (other,)
    if not any(lengths.values()):
        empty = _first(free, (*_PITCH_NAMES, *reversed(_PART_NAMES), *_OTHER_NAMES))
        if empty is not None:
            return (empty,)
    candidates = [column for column in others if not typed or lengths[column]]
    if len(candidates) != 1:
        return None
    # Of a CSV the types are not known, and any text has a first line: one column alone says nothing.
    is_prose = lengths[candidates[0]] > _SENTENCE and _first(known, _TITLE_NAMES) not in (None, candidates[0])
    return (candidates[0],) if typed or taken[0] is not None or is_prose else None


def _question(
    name: str, names: Sequence[str], sample: Sequence[Mapping[str, Any]], wanted: WantedColumns, id_: str | None
) -> InputError:
    shown = ", ".join(_with_example(column, sample) for column in names[:_MOST_NAMES])
    if name == STANDARD_INPUT and id_ is None:
        return InputError(
            f"standard input is read as a table, but its first line names no pitch column: {shown[:160]}\n"
            "One pitch as text: pitch analyze -. A table: name the column with --text-column."
        )
    how = wanted.how_to("--text-column", "Column of the pitch")
    return InputError(f"{name}: which column holds the pitch? {how}; the columns are: {shown}")


def _with_example(column: str, sample: Sequence[Mapping[str, Any]]) -> str:
    example = next((" ".join(str(row[column]).split()) for row in sample if not _blank(row.get(column))), "")
    cut = example if len(example) <= _SHOWN else f"{example[:_SHOWN].rstrip()}…"
    return f"{column[:80]} ({cut})" if cut else column[:80]


def _wanted(name: str, names: Sequence[str], wanted: str, option: str) -> str:
    if wanted in names:
        return wanted
    alike = [column for column in names if " ".join(column.split()) == " ".join(wanted.split())]
    if alike:
        return alike[0]
    shown = ", ".join(column[:80] for column in names[:_MOST_NAMES])
    raise InputError(f"{name}: column {wanted!r} ({option}) does not exist; the columns are: {shown}")


def _plain(column: str) -> str:
    """A column's name as it is compared: "Long Description (EN)" and "longDescription" are "long_description"."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", re.sub(r"\s*\([^()]*\)\s*$", "", column))
    return re.sub(r"[\s\-_]+", "_", words.strip().lower())


def _first(known: Mapping[str, str], wanted: Iterable[str]) -> str | None:
    return next((known[plain] for plain in wanted if plain in known), None)


def _first_filled(known: Mapping[str, str], wanted: Iterable[str], lengths: Mapping[str, float]) -> str | None:
    return next((known[plain] for plain in wanted if plain in known and lengths.get(known[plain])), None)


def _length(sample: Sequence[Mapping[str, Any]], column: str) -> float:
    """Characters of an average cell that holds text; 0 where none does."""
    cells = [cell for row in sample if isinstance(cell := row.get(column), str) and cell.strip()]
    return sum(map(len, cells)) / len(cells) if cells else 0.0


def _blank(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())
