"""Where many pitches come from: folders, files, tables and standard input, as one stream.

Hidden here: how each kind is read piece by piece, so that memory does not grow with the number of pitches or the
length of a line. What cannot be read is an entry with an error in its place, naming file and row, and the stream goes
on.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from glob import glob, has_magic
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Final

from analyzer.errors import AnalyzerError, DocumentError, InputError
from analyzer.files.csv_rows import CsvRows, header_of
from analyzer.files.disk import TOO_LONG, read_lines, reason
from analyzer.files.document import Document
from analyzer.files.documents import SUFFIXES, DocumentReader
from analyzer.files.listing import KINDS, ListedFile, Listing, spelled

_TEXT_NAMES: Final = ("pitch", "text", "pitch_text", "description", "long_description", "body", "content", "about")
_ID_NAMES: Final = ("id", "pitch_id", "uuid", "key", "slug")
_BATCH: Final = 500
_STANDARD_INPUT: Final = "standard input"


@dataclass(frozen=True, slots=True)
class InputPitch:
    """One pitch of the input: its text, or the error in its place. `source`: file and row or line. `document`: the file
    that it was read from, if it is a file of its own."""

    source: str
    id: str
    text: str = ""
    error: AnalyzerError | None = None
    document: Document | None = None


class PitchFeed:
    """Pitches as `analyze_many` takes them, each `repeat` times. Holds each pitch until its result is there."""

    def __init__(self, pitches: Iterable[InputPitch], repeat: int = 1):
        self._pitches = pitches
        self._repeat = repeat
        self._open: dict[int, InputPitch] = {}

    def __iter__(self) -> Iterator[tuple[str, str | Document | AnalyzerError]]:
        number = 0
        for pitch in self._pitches:
            for _ in range(self._repeat):
                self._open[number] = pitch
                number += 1
                yield pitch.id, pitch.error or pitch.document or pitch.text

    def pop(self, number: int) -> InputPitch:
        """The pitch that the result of this number belongs to."""
        return self._open.pop(number)


@dataclass(frozen=True, slots=True)
class Sources:
    """Pitches from files, folders (with all below), patterns and tables; `-` is standard input, as JSON Lines or CSV.

    `text_column`, `id_column`: of tables; None = guessed where there is one sensible candidate. A pitch's id is the
    cell of its id column, else its file and row; of a document its name without the ending, below a folder its path.
    `notes_too`: whether speaker notes and the like are part of a document's text.
    """

    names: tuple[str, ...]
    text_column: str | None = None
    id_column: str | None = None
    notes_too: bool = False

    def check(self) -> None:
        """Opens every table once, so that a wrong name or column is an error before anything is paid for.

        Raises InputError. A table in a folder that does not fit becomes a failed entry instead.
        """
        for file in self._listing().files:
            if file.path is not None and file.is_table and not file.found:
                next(iter(self._table(file.path)), None)

    def paths(self) -> list[Path]:
        """All files that are read."""
        return [file.path for file in self._listing().files if file.path is not None]

    def documents(self) -> list[Path]:
        """All files that hold one pitch each. Raises InputError for a table that was named, or if there are none."""
        files = self._listing().files
        for file in files:
            if file.path is None or (file.is_table and not file.found):
                raise InputError(f"{file.path or 'standard input'} is a table of pitches; use one file for each pitch")
        documents = [file.path for file in files if file.path is not None and not file.is_table]
        if not documents:
            raise InputError(f"{', '.join(self.names)}: no pitches found; use {', '.join(SUFFIXES)}")
        return documents

    def notes(self) -> list[str]:
        """What was left out of folders and patterns, a sentence each."""
        return self._listing().notes()

    def count(self) -> int | None:
        """How many pitches there are; None where that is not known before reading them (standard input)."""
        total = 0
        for file in self._listing().files:
            if file.path is None:
                return None
            total += self._count(file)
        return total

    def __iter__(self) -> Iterator[InputPitch]:
        with DocumentReader() as reader:
            for file in self._listing().files:
                if file.path is None:
                    yield from self._standard_input()
                elif file.error:
                    yield _failed(spelled(file.path), file.error, file.id)
                elif not file.is_table:
                    yield _document(file.path, file.id, reader, self.notes_too)
                elif file.found:
                    yield from self._table_found(file.path, file.id)
                else:
                    yield from self._table(file.path)

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
        if file.path is None or file.error or not file.is_table:
            return 1
        try:
            if file.found:
                next(iter(self._table(file.path)), None)  # one that does not fit is one failed entry
            with file.path.open("rb") as table:
                return _rows(spelled(file.path), table)
        except OSError as error:
            raise InputError(f"{file.path} cannot be read: {reason(error)}") from error
        except InputError:
            if not file.found:
                raise
            return 1

    def _table_found(self, path: Path, id_: str) -> Iterator[InputPitch]:
        """A table in a folder or pattern: one that does not fit is one failed entry."""
        try:
            yield from self._table(path)
        except InputError as error:
            yield InputPitch(spelled(path), id_, error=DocumentError(str(error)))

    def _standard_input(self) -> Iterator[InputPitch]:
        lines = read_lines(sys.stdin.buffer)
        first = next(lines, b"")
        if first is not None and first.lstrip()[:1] == b"{":
            yield from self._json_lines(_STANDARD_INPUT, chain([first], lines))
        elif first is not None and first.lstrip()[:1] == b"[":
            raise InputError("standard input is a JSON array; use JSON Lines, one object a line (jq -c '.[]')")
        else:
            delimiter = "\t" if first is not None and b"\t" in first else None
            yield from self._csv(_STANDARD_INPUT, chain([first], lines), delimiter)

    def _table(self, path: Path) -> Iterator[InputPitch]:
        name = spelled(path)
        try:
            if path.suffix.lower() == ".parquet":
                yield from self._parquet(name, path)  # by its name, so that memory stays that of a batch
                return
            with path.open("rb") as file:
                yield from self.of_table(name, file)
        except OSError as error:
            raise InputError(f"{name} cannot be read: {reason(error)}") from error

    def of_table(self, name: str, file: BinaryIO) -> Iterator[InputPitch]:
        """The pitches of an open table; its name's ending says of which kind. Raises InputError."""
        suffix = Path(name).suffix.lower()
        if suffix == ".parquet":
            yield from self._parquet(name, file)
        elif suffix in (".csv", ".tsv"):
            yield from self._csv(name, read_lines(file), "\t" if suffix == ".tsv" else None)
        else:
            yield from self._json_lines(name, read_lines(file))

    # ------------------------------------------------------------ kinds of tables

    def _csv(self, name: str, lines: Iterator[bytes | None], delimiter: str | None) -> Iterator[InputPitch]:
        header, delimiter = header_of(name, next(lines, b""), delimiter)
        text_at, id_at = self._columns(name, header)
        number = 0
        for row in CsvRows(lines, delimiter, len(header)):
            if isinstance(row, list) and not any(cell.strip() for cell in row):
                continue  # a blank line is no row
            number += 1
            source = f"{name}, row {number}"
            if isinstance(row, str):
                yield _failed(source, row)
            elif len(row) != len(header):
                yield _failed(source, f"{len(row)} cells, but the first line names {len(header)} columns")
            else:
                yield _row(source, row[text_at], row[id_at] if id_at is not None else None)

    def _json_lines(self, name: str, lines: Iterable[bytes | None]) -> Iterator[InputPitch]:
        columns: tuple[str, str | None] | None = None
        for number, line in enumerate(lines):
            source = f"{name}, line {number + 1}"
            if line is None:
                yield _failed(source, TOO_LONG)
                continue
            if not line.strip():
                continue
            try:
                row = json.loads(line.decode("utf-8-sig"))
            except UnicodeDecodeError:
                yield _failed(source, "this is not UTF-8 text")
                continue
            except RecursionError:
                yield _failed(source, "this JSON is nested too deep to read")
                continue
            except ValueError as error:
                yield _failed(source, f"this is not JSON: {str(error)[:120]}")
                continue
            if not isinstance(row, dict):
                yield _failed(source, f"expected an object, found {type(row).__name__}")
                continue
            if columns is None:
                names = list(row)
                text_at, id_at = self._columns(name, names, [isinstance(cell, str) for cell in row.values()])
                columns = names[text_at], None if id_at is None else names[id_at]
            yield _row(source, row.get(columns[0]), row.get(columns[1]) if columns[1] else None)

    def _parquet(self, name: str, source: Path | BinaryIO) -> Iterator[InputPitch]:
        import pyarrow
        import pyarrow.parquet as parquet

        try:
            file = parquet.ParquetFile(source)
            schema = file.schema_arrow
            texts = [pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind) for kind in schema.types]
            text_at, id_at = self._columns(name, schema.names, texts)
            wanted = [schema.names[at] for at in (text_at, id_at) if at is not None]
            number = 0
            for batch in file.iter_batches(batch_size=_BATCH, columns=wanted):
                for row in batch.to_pylist():
                    number += 1
                    yield _row(f"{name}, row {number}", row[wanted[0]], row[wanted[1]] if len(wanted) > 1 else None)
        except (OSError, pyarrow.ArrowException) as error:
            raise InputError(f"{name} cannot be read as Parquet; is it complete?") from error

    def _columns(self, name: str, header: Sequence[str], texts: Sequence[bool] | None = None) -> tuple[int, int | None]:
        """Places of the text and the id column. `texts`: which columns hold texts, where that is known."""
        plain = [column.strip().lower() for column in header]
        id_at = _place(name, header, self.id_column, "--id-column") if self.id_column else None
        if id_at is None:
            id_at = next((plain.index(known) for known in _ID_NAMES if known in plain), None)
        if self.text_column:
            return _place(name, header, self.text_column, "--text-column"), id_at
        for known in _TEXT_NAMES:
            if known in plain:
                return plain.index(known), id_at
        others = [at for at in range(len(plain)) if at != id_at and (texts is None or texts[at])]
        # Of a CSV the types are not known, and any text has a first line: one column alone says nothing.
        if len(others) == 1 and (texts is not None or id_at is not None):
            return others[0], id_at
        shown = ", ".join(column[:80] for column in header[:12])
        if name == _STANDARD_INPUT and id_at is None:
            raise InputError(
                f"standard input is read as a table, but its first line names no pitch column: {shown[:160]}\n"
                "One pitch as text: pitch analyze -. A table: name the column with --text-column."
            )
        raise InputError(f"{name}: which column holds the pitch? Name it with --text-column; the columns are: {shown}")


@dataclass(frozen=True, slots=True)
class UploadedTable:
    """An uploaded table of pitches, in memory; columns as for `Sources`."""

    name: str
    data: bytes = field(repr=False)
    text_column: str | None = None
    id_column: str | None = None

    def columns(self) -> list[str]:
        """The columns' names (of JSON Lines the first row's). Raises InputError if the table cannot be read."""
        suffix = Path(self.name).suffix.lower()
        if suffix == ".parquet":
            import pyarrow
            import pyarrow.parquet as parquet

            try:
                return list(parquet.ParquetFile(io.BytesIO(self.data)).schema_arrow.names)
            except (OSError, pyarrow.ArrowException) as error:
                raise InputError(f"{self.name} cannot be read as Parquet; is it complete?") from error
        if suffix in (".csv", ".tsv"):
            return header_of(self.name, io.BytesIO(self.data).readline(), "\t" if suffix == ".tsv" else None)[0]
        for line in io.BytesIO(self.data):
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(row, dict):
                return list(row)
        return []

    def check(self) -> None:
        """Raises InputError where nothing can be read from it: no columns, none for the pitch, no Parquet."""
        next(iter(self), None)

    def count(self) -> int:
        """How many pitches there are. Raises InputError."""
        return _rows(self.name, io.BytesIO(self.data))

    def __iter__(self) -> Iterator[InputPitch]:
        yield from Sources((), self.text_column, self.id_column).of_table(self.name, io.BytesIO(self.data))


def _document(path: Path, id_: str, reader: DocumentReader, notes_too: bool) -> InputPitch:
    try:
        document = reader.read_file(path)
        document = document.including_asides(notes_too)
        return InputPitch(spelled(path), id_, document.text, document=document)
    except AnalyzerError as error:
        return InputPitch(spelled(path), id_, error=error)


def _row(source: str, text: Any, id_: Any) -> InputPitch:
    label = source if id_ is None or str(id_).strip() == "" else str(id_).strip()
    if text is None:
        text = ""
    if not isinstance(text, str):
        return _failed(source, f"the pitch is not text but {type(text).__name__}", label)
    try:
        (text + label).encode("utf-8")
    except UnicodeEncodeError:
        return _failed(
            source, "this is not UTF-8 text; save the file as UTF-8", label.encode("utf-8", "replace").decode()
        )
    return InputPitch(source, label, text)


def _failed(source: str, reason: str, label: str | None = None) -> InputPitch:
    return InputPitch(source, label or source, error=DocumentError(f"{source}: {reason}"))


def _place(name: str, header: Sequence[str], wanted: str, option: str) -> int:
    if wanted in header:
        return list(header).index(wanted)
    raise InputError(f"{name}: column {wanted!r} ({option}) does not exist; the columns are: {', '.join(header[:12])}")


def _rows(name: str, file: BinaryIO) -> int:
    """How many rows a table has, without holding them."""
    suffix = Path(name).suffix.lower()
    if suffix == ".parquet":
        import pyarrow
        import pyarrow.parquet as parquet

        try:
            return int(parquet.ParquetFile(file).metadata.num_rows)
        except (OSError, pyarrow.ArrowException) as error:
            raise InputError(f"{name} cannot be read as Parquet; is it complete?") from error
    if suffix in (".jsonl", ".ndjson"):
        return sum(1 for line in read_lines(file) if line is None or line.strip())
    lines = read_lines(file)
    header, delimiter = header_of(name, next(lines, b""), "\t" if suffix == ".tsv" else None)
    rows = CsvRows(lines, delimiter, len(header))
    return sum(1 for row in rows if isinstance(row, str) or any(cell.strip() for cell in row))
