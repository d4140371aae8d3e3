"""Where many pitches come from: folders, files, tables and standard input, as one stream.

Hidden here: how each kind is read piece by piece, so that memory does not grow with the number of pitches. What cannot
be read is an entry with an error in its place, naming file and row, and the stream goes on.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from glob import glob, has_magic
from pathlib import Path
from typing import Any, BinaryIO, Final

from analyzer.errors import AnalyzerError, DocumentError, InputError
from analyzer.files.documents import MAX_BYTES, SUFFIXES, DocumentReader

TABLES: Final = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
"""Endings of files that hold many pitches, one a row."""
_TEXT_NAMES: Final = ("pitch", "text", "pitch_text", "description", "long_description", "body", "content", "about")
_ID_NAMES: Final = ("id", "pitch_id", "uuid", "key", "slug")
_BATCH: Final = 500
_LONGEST_CELL: Final = MAX_BYTES
_STANDARD_INPUT: Final = "standard input"


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

        Raises InputError.
        """
        for path, _ in self._files():
            if path is not None and path.suffix.lower() in TABLES:
                next(iter(self._table(path)), None)

    def paths(self) -> list[Path]:
        """All files that are read."""
        return [path for path, _ in self._files() if path is not None]

    def count(self) -> int | None:
        """How many pitches there are; None where that is not known before reading them (standard input)."""
        total = 0
        for path, _ in self._files():
            if path is None:
                return None
            if path.suffix.lower() in TABLES:
                with path.open("rb") as file:
                    total += _rows(str(path), file)
            else:
                total += 1
        return total

    def __iter__(self) -> Iterator[Given]:
        with DocumentReader() as reader:
            for path, id_ in self._files():
                if path is None:
                    yield from self._standard_input()
                elif path.suffix.lower() in TABLES:
                    yield from self._table(path)
                else:
                    yield _document(path, id_, reader)

    def _files(self) -> Iterator[tuple[Path | None, str]]:
        """Every file with the id of a document in it. Raises InputError for a name that gives none."""
        for name in self.names:
            if name == "-":
                yield None, ""
                continue
            matched = sorted(glob(name, recursive=True)) if has_magic(name) and not Path(name).exists() else [name]
            found = [file for match in matched for file in _below(Path(match))]
            if not found:
                kinds = ", ".join((*SUFFIXES, *TABLES))
                raise InputError(f"{name}: there is no pitch in there; give files ending in {kinds}")
            yield from found

    def _standard_input(self) -> Iterator[Given]:
        stream = sys.stdin.buffer
        first = stream.readline()
        lines = _Again(first, stream)
        if first.lstrip()[:1] == b"{":
            yield from self._json_lines(_STANDARD_INPUT, lines)
        else:
            yield from self._csv(_STANDARD_INPUT, lines, "\t" if b"\t" in first else None)

    def _table(self, path: Path) -> Iterator[Given]:
        try:
            if path.suffix.lower() == ".parquet":
                yield from self._parquet(str(path), path)  # by its name, so that memory stays that of a batch
                return
            with path.open("rb") as file:
                yield from self.of_table(str(path), file)
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror or error}") from error

    def of_table(self, name: str, file: BinaryIO) -> Iterator[Given]:
        """The pitches of an open table; its name's ending says of which kind. Raises InputError."""
        suffix = Path(name).suffix.lower()
        if suffix == ".parquet":
            yield from self._parquet(name, file)
        elif suffix in (".csv", ".tsv"):
            yield from self._csv(name, file, "\t" if suffix == ".tsv" else None)
        else:
            yield from self._json_lines(name, file)

    # ------------------------------------------------------------ kinds of tables

    def _csv(self, name: str, lines: Iterable[bytes], delimiter: str | None) -> Iterator[Given]:
        csv.field_size_limit(_LONGEST_CELL)
        # A byte that is no UTF-8 becomes half a character, which the row's own check finds.
        texts = (
            line.decode("utf-8-sig" if number == 0 else "utf-8", "surrogateescape") for number, line in _counted(lines)
        )
        header_line = next(texts, "")
        if not header_line.strip():
            raise InputError(f"{name} is empty; its first line has to name the columns")
        delimiter = delimiter or max(",;\t", key=header_line.count)
        header = next(csv.reader([header_line], delimiter=delimiter))
        text_at, id_at = self._columns(name, header)
        rows = csv.reader(texts, delimiter=delimiter, strict=True)
        number = 0
        while True:
            number += 1
            source = f"{name}, row {number}"
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield _failed(source, f"this row is not CSV: {error}")
                continue
            if not any(cell.strip() for cell in row):
                number -= 1  # a blank line is no row
                continue
            if len(row) != len(header):
                yield _failed(source, f"{len(row)} cells, but the first line names {len(header)} columns")
                continue
            yield _row(source, row[text_at], row[id_at] if id_at is not None else None)

    def _json_lines(self, name: str, lines: Iterable[bytes]) -> Iterator[Given]:
        columns: tuple[str, str | None] | None = None
        for number, line in _counted(lines):
            if not line.strip():
                continue
            source = f"{name}, line {number + 1}"
            try:
                row = json.loads(line.decode("utf-8-sig"))
            except UnicodeDecodeError:
                yield _failed(source, "this is not UTF-8 text")
                continue
            except (ValueError, RecursionError) as error:
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
        if len(others) == 1:
            return others[0], id_at
        shown = ", ".join(header[:12])
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
            header = io.BytesIO(self.data).readline().decode("utf-8-sig", "replace")
            delimiter = "\t" if suffix == ".tsv" else max(",;\t", key=header.count)
            return next(csv.reader([header], delimiter=delimiter), [])
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


def _below(path: Path) -> Iterator[tuple[Path, str]]:
    """The files a name gives, each with its id. Raises InputError if there is nothing of that name."""
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            readable = file.suffix.lower() in (*SUFFIXES, *TABLES)
            if readable and file.is_file() and not file.name.startswith((".", "~$")):
                yield file, file.relative_to(path).with_suffix("").as_posix()
    elif path.exists():
        if path.suffix and path.suffix.lower() not in (*SUFFIXES, *TABLES):
            kinds = ", ".join((*SUFFIXES, *TABLES))
            raise InputError(f"{path} is of a kind that cannot be read; give {kinds} (a spreadsheet: save it as .csv)")
        yield path, path.stem
    else:
        raise InputError(f"{path}: there is no such file or folder")


def _document(path: Path, id_: str, reader: DocumentReader) -> Given:
    try:
        return Given(str(path), id_, reader.read_file(path))
    except AnalyzerError as error:
        return Given(str(path), id_, error=error)


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
        return sum(1 for line in file if line.strip())
    csv.field_size_limit(_LONGEST_CELL)
    texts = io.TextIOWrapper(file, "utf-8", errors="replace", newline="")
    first = texts.readline()  # the header, by which the cells are told apart
    delimiter = "\t" if suffix == ".tsv" else max(",;\t", key=first.count)
    count = sum(1 for row in csv.reader(texts, delimiter=delimiter) if any(cell.strip() for cell in row))
    texts.detach()  # the file is its opener's to close
    return count


def _counted(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    return enumerate(lines)


class _Again:
    """A stream of lines whose first has been looked at."""

    def __init__(self, first: bytes, rest: BinaryIO):
        self._first = first
        self._rest = rest

    def __iter__(self) -> Iterator[bytes]:
        yield self._first
        yield from self._rest
