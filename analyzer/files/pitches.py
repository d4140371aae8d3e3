"""Where many pitches come from: folders, files, tables and standard input, as one stream.

Hidden here: how documents and tables follow each other, so that memory does not grow with the number of pitches. What
cannot be read is an entry with an error in its place, naming file and row, and the stream goes on.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from glob import glob, has_magic
from pathlib import Path
from typing import Any, Final

from analyzer.errors import AnalyzerError, DocumentError, InputError
from analyzer.files.documents import SUFFIXES, DocumentReader
from analyzer.files.listing import KINDS, ListedFile, Listing, spelled
from analyzer.files.table_bytes import TableBytes
from analyzer.files.table_columns import STANDARD_INPUT, WantedColumns
from analyzer.files.tables import InputPitch, Table, failed_entry

_STANDARD_INPUT_KEY: Final = Path("-")


class PitchFeed:
    """Pitches as `analyze_many` takes them, each `repeat` times. Holds each pitch until its result is there."""

    def __init__(self, pitches: Iterable[InputPitch], repeat: int = 1):
        self._pitches = pitches
        self._repeat = repeat
        self._open: dict[int, InputPitch] = {}

    def __iter__(self) -> Iterator[dict[str, Any]]:
        number = 0
        for pitch in self._pitches:
            for _ in range(self._repeat):
                self._open[number] = pitch
                number += 1
                yield {"id": pitch.id, "text": pitch.error or pitch.document or pitch.text, "title": pitch.title}

    def pop(self, number: int) -> InputPitch:
        """The pitch that the result of this number belongs to."""
        return self._open.pop(number)


@dataclass(frozen=True, slots=True)
class PitchSource:
    """One file of the input, or standard input, with its pitches. `table`: what holds them; None for a document."""

    table: Table | None
    pitches: Iterator[InputPitch]


@dataclass(frozen=True, slots=True)
class Sources:
    """Pitches from files, folders (with all below), patterns and tables; `-` is a table on standard input.

    `text_column` (one or several, which are joined), `id_column` and `title_column`: of tables; None = found by their
    usual names. `encoding`: of tables that do not say; None = found from their bytes. A pitch's id is the cell of its
    id column, else its title, else its file and row; of a document its name without the ending, below a folder its
    path. `notes_too`: whether speaker notes and the like are part of a document's text.
    """

    names: tuple[str, ...]
    text_column: str | tuple[str, ...] | None = None
    id_column: str | None = None
    title_column: str | None = None
    encoding: str | None = None
    notes_too: bool = False
    _tables: dict[Path, Table] = field(default_factory=dict, init=False, repr=False, compare=False)

    def check(self) -> None:
        """Look at every table, so that a wrong name, column or encoding is an error before anything is paid for.

        Raises InputError. A table in a folder that does not fit becomes a failed entry instead.
        """
        for file in self._listing().files:
            if (file.path is None or file.is_table) and not file.found:
                self._table(file).layout()

    def paths(self) -> list[Path]:
        """All files that are read."""
        return [file.path for file in self._listing().files if file.path is not None]

    def documents(self) -> list[Path]:
        """All files that hold one pitch each. Raises InputError for a table that was named, or if there are none."""
        files = self._listing().files
        for file in files:
            if file.path is None or (file.is_table and not file.found):
                raise InputError(f"{file.path or STANDARD_INPUT} is a table of pitches; use one file for each pitch")
        documents = [file.path for file in files if file.path is not None and not file.is_table]
        if not documents:
            raise InputError(f"{', '.join(self.names)}: no pitches found; use {', '.join(SUFFIXES)}")
        return documents

    def notes(self) -> list[str]:
        """What was left out of folders, patterns and tables, a sentence each."""
        notes = self._listing().notes()
        for table in self._tables.values():
            try:
                notes += [f"{table.name}: {note}" for note in table.kind().notes]
            except AnalyzerError:  # it is a failed entry
                continue
        return notes

    def count(self) -> int | None:
        """How many pitches there are; None where that is not known before reading them (standard input)."""
        total = 0
        for file in self._listing().files:
            if file.path is None:
                return None
            total += self._count(file)
        return total

    def own_columns(self) -> tuple[str, ...]:
        """The columns of all tables that are carried to the output, each name once. Of standard input those of the
        rows that have come so far."""
        own: dict[str, None] = {}
        for file in self._listing().files:
            if file.path is None or file.is_table:
                try:
                    own.update(dict.fromkeys(self._table(file).own_columns()))
                except AnalyzerError:
                    if not file.found:
                        raise
        return tuple(own)

    def __iter__(self) -> Iterator[InputPitch]:
        for part in self.parts():
            yield from part.pitches

    def parts(self) -> Iterator[PitchSource]:
        """The files one by one, each with its pitches."""
        with DocumentReader() as reader:
            for file in self._listing().files:
                if file.path is not None and file.error:
                    yield PitchSource(None, iter([failed_entry(spelled(file.path), file.error, file.id)]))
                elif file.path is not None and not file.is_table:
                    yield PitchSource(None, iter([_document(file.path, file.id, reader, self.notes_too)]))
                else:
                    table = self._table(file)
                    yield PitchSource(table, _found_pitches(table, file.id) if file.found else iter(table))

    def _listing(self) -> Listing:
        """Every file that the names give. Raises InputError for a name that gives none."""
        listing = Listing()
        for name in self.names:
            if name == "-":
                listing.add(ListedFile(None, ""))
                continue
            pattern = has_magic(name) and not Path(name).exists()
            before = len(listing.files) + listing.twice
            for match in sorted(glob(name, recursive=True)) if pattern else [name]:
                listing.take(Path(match), pattern)
            if len(listing.files) + listing.twice == before:
                raise InputError(f"{name}: no pitches found; use files ending in {KINDS}")
        listing.name_apart()
        return listing

    def _count(self, file: ListedFile) -> int:
        if file.error or not file.is_table:
            return 1
        try:
            return self._table(file).count()
        except AnalyzerError:
            if not file.found:
                raise
            return 1  # one that does not fit is one failed entry

    def _table(self, file: ListedFile) -> Table:
        """The table in a file, the same one each time, so that it is looked at once."""
        path = file.path or _STANDARD_INPUT_KEY
        if path not in self._tables:
            texts = (self.text_column,) if isinstance(self.text_column, str) else self.text_column or ()
            wanted = WantedColumns(texts, self.id_column, self.title_column, self.encoding)
            source = (
                TableBytes.of_stream(sys.stdin.buffer) if file.path is None else TableBytes.of_path(path, spelled(path))
            )
            self._tables[path] = Table(source, wanted)
        return self._tables[path]


def uploaded_table(name: str, data: bytes, wanted: WantedColumns | None = None) -> Table:
    """An uploaded table of pitches, in memory; its name says of which kind it is."""
    return Table(TableBytes.of_upload(name, data), wanted or WantedColumns(on_page=True))


def _found_pitches(table: Table, id_: str) -> Iterator[InputPitch]:
    """The pitches of a table in a folder or pattern: one that does not fit is one failed entry."""
    try:
        yield from table
    except AnalyzerError as error:
        yield InputPitch(table.name, id_, error=DocumentError(str(error)))


def _document(path: Path, id_: str, reader: DocumentReader, notes_too: bool) -> InputPitch:
    try:
        document = reader.read_file(path)
        document = document.including_asides(notes_too)
        return InputPitch(spelled(path), id_, document.text, document=document)
    except AnalyzerError as error:
        return InputPitch(spelled(path), id_, error=error)
