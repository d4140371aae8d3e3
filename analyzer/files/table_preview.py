"""What was understood of a table, before anything is paid for: its columns, first rows, and rows that need a look."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from analyzer.files.tables import InputPitch, Table, TableLayout

_FIRST: Final = 3
_EXAMPLES: Final = 5


@dataclass(frozen=True, slots=True)
class TablePreview:
    """A table as it is understood. `rows` counts all rows: `empty` have no text, `faulty` cannot be read, `same_id`
    share their id with another (`same_ids`: some of these ids), `same_text` repeat the text of an earlier row."""

    name: str
    layout: TableLayout
    first: tuple[InputPitch, ...]
    faults: tuple[str, ...]
    rows: int
    empty: int
    faulty: int
    same_id: int
    same_ids: tuple[str, ...]
    same_text: int

    def nothing_to_read(self) -> str:
        """Why there is no pitch in it, for people; empty if there may be one."""
        if not self.rows:
            return f"{self.name} has no rows, so there is nothing to read. Choose another file."
        if self.rows == self.empty + self.faulty:
            what = "is empty" if not self.faulty else "is empty or cannot be read"
            return f"In every row of {self.name}, the column of the pitch {what}. Choose another column or file."
        return ""

    def facts(self) -> list[tuple[str, str]]:
        """What was understood, each with its name, for people."""
        layout = self.layout
        columns = layout.columns
        form = [
            layout.kind.title,
            layout.kind.encoding,
            f"{layout.kind.separator}-separated" if layout.kind.separator else "",
        ]
        id_ = columns.id or "none; the file and row are used"
        rows = [f"{self.rows:,}"]
        rows += [f"{self.empty:,} empty"] if self.empty else []
        rows += [f"{self.faulty:,} cannot be read"] if self.faulty else []
        rows += [f"{self.same_text:,} repeat an earlier text"] if self.same_text else []
        rows += [f"{self.same_id:,} share their id with another ({', '.join(self.same_ids)})"] if self.same_id else []
        return [
            ("Format", ", ".join(filter(None, form))),
            ("Pitch column", " + ".join(columns.texts)),
            ("Id column", id_),
            ("Title column", columns.title or "none; the text's own title is used"),
            ("Other columns", ", ".join(columns.own) or "none"),
            ("Rows", ", ".join(rows)),
            *(("Note", note) for note in layout.kind.notes),
            *(("Cannot be read", fault) for fault in self.faults),
        ]

    def document(self) -> dict[str, Any]:
        """The preview for scripts."""
        kind, columns = self.layout.kind, self.layout.columns
        return {
            "name": self.name,
            "format": kind.title,
            "encoding": kind.encoding or None,
            "separator": kind.separator or None,
            "skipped": list(kind.skipped),
            "notes": list(kind.notes),
            "text_columns": list(columns.texts),
            "id_column": columns.id,
            "title_column": columns.title,
            "own_columns": list(columns.own),
            "rows": self.rows,
            "empty": self.empty,
            "faulty": self.faulty,
            "same_id": self.same_id,
            "same_ids": list(self.same_ids),
            "same_text": self.same_text,
            "first": [{"id": pitch.id, "title": pitch.title, "text": pitch.text} for pitch in self.first],
            "faults": list(self.faults),
        }


class PreviewBuilder:
    """Collects the preview of a table while its pitches stream by."""

    def __init__(self, table: Table):
        self._table = table
        self._first: list[InputPitch] = []
        self._faults: list[str] = []
        self._rows = self._empty = self._faulty = self._same_text = self._same_id = 0
        self._ids: set[int] = set()
        self._shared: dict[str, int] = {}
        self._texts: set[int] = set()

    def add(self, pitch: InputPitch) -> None:
        """Take one row."""
        self._rows += 1
        if len(self._first) < _FIRST and pitch.error is None:
            self._first.append(pitch)
        if pitch.error is not None:
            self._faulty += 1
            if len(self._faults) < _EXAMPLES:
                self._faults.append(str(pitch.error))
        elif not any(char.isalnum() for char in pitch.text):
            self._empty += 1
        else:
            text = hash(pitch.text)
            self._same_text += text in self._texts
            self._texts.add(text)
        id_ = hash(pitch.id)
        if id_ in self._ids:
            self._same_id += 1
            self._shared[pitch.id] = self._shared.get(pitch.id, 1) + 1
        self._ids.add(id_)

    def preview(self) -> TablePreview:
        """The preview of what has been taken so far. Raises InputError if the table cannot be read."""
        return TablePreview(
            self._table.name,
            self._table.layout(),
            tuple(self._first),
            tuple(self._faults),
            self._rows,
            self._empty,
            self._faulty,
            self._same_id + len(self._shared),
            tuple(list(self._shared)[:_EXAMPLES]),
            self._same_text,
        )


def preview_table(table: Table, pitches: Iterable[InputPitch] | None = None) -> TablePreview:
    """The preview of a table. Raises InputError."""
    builder = PreviewBuilder(table)
    for pitch in table if pitches is None else pitches:
        builder.add(pitch)
    return builder.preview()
