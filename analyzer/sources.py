"""Where many pitches come from: folders, files, tables and standard input, as one stream.

Hidden here: how each kind is read piece by piece, so that memory does not grow with the number of pitches or the
length of a line. What cannot be read is an entry with an error in its place, naming file and row, and the stream goes
on.
"""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from glob import glob, has_magic
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Final

from analyzer.errors import AnalyzerError, DocumentError, InputError
from analyzer.files import LONGEST_LINE, TOO_LONG, read_lines
from analyzer.reading.documents import SUFFIXES, read_file
from analyzer.screen import printable

TABLES: Final = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
"""Endings of files that hold many pitches, one a row."""
_TEXT_NAMES: Final = ("pitch", "text", "pitch_text", "description", "long_description", "body", "content", "about")
_ID_NAMES: Final = ("id", "pitch_id", "uuid", "key", "slug")
_BATCH: Final = 500
_LONGEST_ROW: Final = 1_000_000
_MOST_LINES: Final = 2_000
"""Characters and lines that a row of a CSV may take; what is larger is a quotation mark left open."""
_STANDARD_INPUT: Final = "standard input"
_ENDINGS: Final = (*SUFFIXES, *TABLES)
_KINDS: Final = ", ".join(_ENDINGS)


@dataclass(frozen=True, slots=True)
class Given:
    """One pitch as it was given: its text, or the error in its place. `source` says where it stands."""

    source: str
    id: str
    text: str = ""
    error: AnalyzerError | None = None


class Feed:
    """Pitches as `analyze_many` takes them, each `repeat` times. Remembers every one until its result is there."""

    def __init__(self, given: Iterable[Given], repeat: int = 1):
        self._given = given
        self._repeat = repeat
        self._open: dict[int, Given] = {}

    def __iter__(self) -> Iterator[tuple[str, str | AnalyzerError]]:
        number = 0
        for given in self._given:
            for _ in range(self._repeat):
                self._open[number] = given
                number += 1
                yield given.id, given.error or given.text

    def pop(self, number: int) -> Given:
        """What the result of this number is of."""
        return self._open.pop(number)


@dataclass(frozen=True, slots=True)
class Sources:
    """Pitches from files, folders (with all below), patterns and tables; `-` is standard input, as JSON Lines or CSV.

    `text_column`, `id_column`: of tables; None = guessed where there is one sensible candidate. A pitch's id is the
    cell of its id column, else where it stands; of a document its name without the ending, below a folder its path.
    """

    names: tuple[str, ...]
    text_column: str | None = None
    id_column: str | None = None

    def check(self) -> None:
        """Opens every table once, so that a wrong name or column is told before anything is paid for.

        Raises InputError. A table that was found in a folder and does not fit becomes a failed entry instead.
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
                raise InputError(f"{file.path or 'standard input'} is a table of pitches; give a file for each pitch")
        documents = [file.path for file in files if file.path is not None and not file.is_table]
        if not documents:
            raise InputError(f"{', '.join(self.names)}: there is no pitch in there; give {', '.join(SUFFIXES)}")
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

    def __iter__(self) -> Iterator[Given]:
        for file in self._listing().files:
            if file.path is None:
                yield from self._standard_input()
            elif file.error:
                yield _failed(spelled(file.path), file.error, file.id)
            elif not file.is_table:
                yield _document(file.path, file.id)
            elif file.found:
                yield from self._table_found(file.path, file.id)
            else:
                yield from self._table(file.path)

    def _listing(self) -> _Listing:
        """Every file that the names give. Raises InputError for a name that gives none."""
        listing = _Listing()
        for name in self.names:
            if name == "-":
                listing.add(_File(None, ""))
                continue
            pattern = has_magic(name) and not Path(name).exists()
            before = len(listing.files) + listing.twice
            for match in sorted(glob(name, recursive=True)) if pattern else [name]:
                listing.take(Path(match), pattern)
            if len(listing.files) + listing.twice == before:
                raise InputError(f"{name}: there is no pitch in there; give files ending in {_KINDS}")
        listing.name_apart()
        return listing

    def _count(self, file: _File) -> int:
        if file.path is None or file.error or not file.is_table:
            return 1
        try:
            if file.found:
                next(iter(self._table(file.path)), None)  # one that does not fit is one failed entry
            with file.path.open("rb") as table:
                return _rows(spelled(file.path), table)
        except OSError as error:
            raise InputError(f"{file.path} cannot be read: {error.strerror or error}") from error
        except InputError:
            if not file.found:
                raise
            return 1

    def _table_found(self, path: Path, id_: str) -> Iterator[Given]:
        """A table that nobody named: where it does not fit, that is one failed entry."""
        try:
            yield from self._table(path)
        except InputError as error:
            yield Given(spelled(path), id_, error=DocumentError(str(error)))

    def _standard_input(self) -> Iterator[Given]:
        lines = read_lines(sys.stdin.buffer)
        first = next(lines, b"")
        if first is not None and first.lstrip()[:1] == b"{":
            yield from self._json_lines(_STANDARD_INPUT, chain([first], lines))
        elif first is not None and first.lstrip()[:1] == b"[":
            raise InputError("standard input is a JSON array; give JSON Lines, one object a line (jq -c '.[]')")
        else:
            delimiter = "\t" if first is not None and b"\t" in first else None
            yield from self._csv(_STANDARD_INPUT, chain([first], lines), delimiter)

    def _table(self, path: Path) -> Iterator[Given]:
        name = spelled(path)
        try:
            if path.suffix.lower() == ".parquet":
                yield from self._parquet(name, path)  # by its name, so that memory stays that of a batch
                return
            with path.open("rb") as file:
                yield from self.of_table(name, file)
        except OSError as error:
            raise InputError(f"{name} cannot be read: {error.strerror or error}") from error

    def of_table(self, name: str, file: BinaryIO) -> Iterator[Given]:
        """The pitches of an open table; its name's ending says of which kind. Raises InputError."""
        suffix = Path(name).suffix.lower()
        if suffix == ".parquet":
            yield from self._parquet(name, file)
        elif suffix in (".csv", ".tsv"):
            yield from self._csv(name, read_lines(file), "\t" if suffix == ".tsv" else None)
        else:
            yield from self._json_lines(name, read_lines(file))

    # ------------------------------------------------------------ kinds of tables

    def _csv(self, name: str, lines: Iterator[bytes | None], delimiter: str | None) -> Iterator[Given]:
        header, delimiter = _header(name, next(lines, b""), delimiter)
        text_at, id_at = self._columns(name, header)
        number = 0
        for row in _CsvRows(lines, delimiter, len(header)):
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

    def _json_lines(self, name: str, lines: Iterable[bytes | None]) -> Iterator[Given]:
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
                yield _failed(source, "this is JSON nested too deep to be read")
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

    def _parquet(self, name: str, source: Path | BinaryIO) -> Iterator[Given]:
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
                f"standard input is read as a table, and its first line names no column for the pitch: {shown[:160]}\n"
                "One pitch as text: pitch analyze -. A table: name the column with --text-column."
            )
        raise InputError(f"{name}: which column holds the pitch? Name it with --text-column; there are: {shown}")


@dataclass(frozen=True, slots=True)
class Table:
    """A table of pitches in memory, as somebody uploaded it; columns as for `Sources`."""

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
            return _header(self.name, io.BytesIO(self.data).readline(), "\t" if suffix == ".tsv" else None)[0]
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

    def __iter__(self) -> Iterator[Given]:
        yield from Sources((), self.text_column, self.id_column).of_table(self.name, io.BytesIO(self.data))


@dataclass(frozen=True, slots=True)
class _File:
    """A file to be read; `path` None is standard input. `found`: in a folder or by a pattern, not named itself.

    `error`: why it cannot be read, where that is known already.
    """

    path: Path | None
    id: str
    found: bool = False
    error: str = ""

    @property
    def is_table(self) -> bool:
        return self.path is not None and self.path.suffix.lower() in TABLES


class _Listing:
    """The files that names give, each once, and what was left out."""

    def __init__(self) -> None:
        self.files: list[_File] = []
        self.twice = 0
        self._seen: set[str] = set()
        self._other_kinds: Counter[str] = Counter()
        self._links: list[str] = []
        self._pipes = 0

    def take(self, path: Path, found: bool) -> None:
        """Adds a file, or all below a folder. Raises InputError if there is nothing of that name."""
        if path.is_dir():
            self._take_folder(path)
        elif not path.exists():
            raise InputError(f"{path}: there is no such file or folder")
        elif path.suffix and path.suffix.lower() not in _ENDINGS:
            if not found:
                raise InputError(
                    f"{path} is of a kind that cannot be read; give {_KINDS} (a spreadsheet: save it as .csv)"
                )
            self._other_kinds[path.suffix.lower()] += 1
        else:
            self.add(_File(path, spelled(path.stem), found))

    def add(self, file: _File) -> None:
        key = "-" if file.path is None else os.path.realpath(file.path)
        if key in self._seen:
            self.twice += 1
            return
        self._seen.add(key)
        self.files.append(file)

    def name_apart(self) -> None:
        """Gives documents of one id their path as id, with the ending where they differ in nothing else."""
        for ending in (False, True):
            documents = Counter(file.id for file in self.files if not file.is_table)
            for at, file in enumerate(self.files):
                if file.path is not None and not file.is_table and documents[file.id] > 1:
                    longer = file.path if ending else file.path.with_suffix("")
                    self.files[at] = replace(file, id=spelled(longer.as_posix()))

    def notes(self) -> list[str]:
        """What was left out, a sentence each."""
        notes = []
        if self._other_kinds:
            kinds = [f"{count} {ending or 'without an ending'}" for ending, count in self._other_kinds.most_common(6)]
            kinds += ["…"] if len(self._other_kinds) > 6 else []
            files = _counted(self._other_kinds.total(), "file of another kind was", "files of other kinds were")
            notes.append(f"{files} left out: {', '.join(kinds)}.")
        if self._links:
            links = _counted(len(self._links), "link that leads", "links that lead")
            notes.append(f"{links} out of the folder not followed: {', '.join(self._links[:3])}.")
        if self._pipes:
            notes.append(f"{_counted(self._pipes, 'entry that is', 'entries that are')} not a file left out.")
        if self.twice:
            notes.append(f"{_counted(self.twice, 'file', 'files')} named more than once, read once.")
        return notes

    def _take_folder(self, folder: Path) -> None:
        def unreadable(error: OSError) -> None:
            path = Path(error.filename or folder)
            reason = f"this folder cannot be read: {error.strerror or error}"
            self.add(_File(path, spelled(path), True, reason))

        root = os.path.realpath(folder)
        paths: list[Path] = []
        for parent, folders, names in os.walk(folder, onerror=unreadable):
            paths += [Path(parent, name) for name in names]
            paths += [path for name in folders if (path := Path(parent, name)).is_symlink()]
        for path in sorted(paths):
            if path.name.startswith((".", "~$")):
                continue
            if path.is_symlink() and os.path.commonpath([root, os.path.realpath(path)]) != root:
                self._links.append(spelled(path))
            elif path.is_dir():  # a link to a folder whose files are read where they are
                continue
            elif not path.is_file():
                self._pipes += 1
            elif path.suffix.lower() not in _ENDINGS:
                self._other_kinds[path.suffix.lower()] += 1
            else:
                self.add(_File(path, spelled(path.relative_to(folder).with_suffix("").as_posix()), found=True))


def spelled(name: str | Path) -> str:
    """A file's name as a line of text that every file and screen can take; what is not text in it is spelled out."""
    return printable(str(name)).replace("\n", "\\n").replace("\t", "\\t")


def _counted(count: int, one: str, many: str) -> str:
    return f"1 {one}" if count == 1 else f"{count:,} {many}"


def _document(path: Path, id_: str) -> Given:
    try:
        return Given(spelled(path), id_, read_file(path))
    except AnalyzerError as error:
        return Given(spelled(path), id_, error=error)


def _header(name: str, line: bytes | None, delimiter: str | None) -> tuple[list[str], str]:
    """The columns of a CSV by its first line, and what separates them. Raises InputError."""
    try:
        text = "" if line is None else line.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise InputError(f"{name} is not text in UTF-8; save it as CSV in UTF-8")
    if not text.strip():
        raise InputError(f"{name} is empty; its first line has to name the columns")
    delimiter = delimiter or max(",;\t", key=text.count)
    try:
        return next(csv.reader([text], delimiter=delimiter)), delimiter
    except csv.Error as error:
        raise InputError(f"{name}: its first line does not name the columns: {error}") from error


class _Large(Exception):
    """A row has grown larger than a row may be."""


class _CsvRows:
    """The rows of a CSV after its header: cells, or in place of a row why it is not one.

    Bytes that are no UTF-8 become half a character, which the row's own check finds. A quotation mark that is left open
    takes the lines after it into its row. They are read again as rows where each of them is one; otherwise the row
    fails and says which lines it took.
    """

    def __init__(self, lines: Iterator[bytes | None], delimiter: str, columns: int):
        self._lines = lines
        self._again: list[str | None] = []
        self._delimiter = delimiter
        self._columns = columns
        self._at = 1  # the last line that was taken; the header is the first
        self._taken: list[str | None] = []

    def __iter__(self) -> Iterator[list[str] | str]:
        csv.field_size_limit(LONGEST_LINE)
        rows = self._reader()
        while True:
            self._taken = []
            begin = self._at + 1
            try:
                row = next(rows)
            except StopIteration:
                return
            except (csv.Error, _Large) as error:
                yield self._fault(begin, error)
                rows = self._reader()
            else:
                yield row

    def _reader(self) -> Iterator[list[str]]:
        return iter(csv.reader(self._fed(), delimiter=self._delimiter, strict=True))

    def _fed(self) -> Iterator[str]:
        size = 0
        taken: list[str | None] | None = None
        while True:
            if taken is not self._taken:
                taken, size = self._taken, 0
            line = self._again.pop(0) if self._again else self._decoded(next(self._lines, b""))
            if line == "":
                return
            self._at += 1
            self._taken.append(line)
            size += len(line or "")
            if line is None or size > _LONGEST_ROW or len(self._taken) > _MOST_LINES:
                raise _Large
            yield line

    @staticmethod
    def _decoded(line: bytes | None) -> str | None:
        return None if line is None else line.decode("utf-8", "surrogateescape")

    def _fault(self, begin: int, error: Exception) -> str:
        """Why this row is none; gives back the lines that are rows of their own."""
        taken = self._taken
        if None in taken[-1:] and len(taken) == 1:
            return f"line {begin}: {TOO_LONG}"
        reason = str(error) or f"it takes more than {_LONGEST_ROW:,} characters or {_MOST_LINES:,} lines"
        if len(taken) < 2:
            return f"this row is not CSV: {reason} (line {begin})"
        after = taken[1:]
        if self._are_rows(after):
            self._again = after + self._again
            self._at -= len(after)
            return (
                f"this row is not CSV: a quotation mark in line {begin} is not closed; the next lines are read as rows"
            )
        lost = len(after)
        return (
            f"this row is not CSV: {reason}; a quotation mark opened in line {begin} took "
            f"{lost:,} more line{'s' if lost > 1 else ''}, up to line {begin + lost}, and the rows in them are not read"
        )

    def _are_rows(self, lines: Sequence[str | None]) -> bool:
        """Whether each line is a row by itself, so that none of them can be a part of a text."""
        if self._columns < 2:
            return False
        for line in lines:
            try:
                if (
                    line is not None
                    and len(next(csv.reader([line], delimiter=self._delimiter, strict=True))) != self._columns
                ):
                    return False
            except (csv.Error, StopIteration):
                return False
        return True


def _row(source: str, text: Any, id_: Any) -> Given:
    label = source if id_ is None or str(id_).strip() == "" else str(id_).strip()
    if text is None:
        text = ""
    if not isinstance(text, str):
        return _failed(source, f"the pitch is no text but {type(text).__name__}", label)
    try:
        (text + label).encode("utf-8")
    except UnicodeEncodeError:
        return _failed(
            source, "this is not UTF-8 text; save the file as UTF-8", label.encode("utf-8", "replace").decode()
        )
    return Given(source, label, text)


def _failed(source: str, reason: str, label: str | None = None) -> Given:
    return Given(source, label or source, error=DocumentError(f"{source}: {reason}"))


def _place(name: str, header: Sequence[str], wanted: str, option: str) -> int:
    if wanted in header:
        return list(header).index(wanted)
    raise InputError(f"{name}: there is no column {wanted!r} ({option}); there are: {', '.join(header[:12])}")


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
    header, delimiter = _header(name, next(lines, b""), "\t" if suffix == ".tsv" else None)
    rows = _CsvRows(lines, delimiter, len(header))
    return sum(1 for row in rows if isinstance(row, str) or any(cell.strip() for cell in row))
