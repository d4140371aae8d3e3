"""Documents of results: assessments and signals, as JSON, JSON Lines or Parquet. Their shape is known here alone.

Entries are independent: one that is not valid becomes an error that names file and line, and reading goes on.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from analyzer.errors import AnalyzerError, ConfigurationError, InputError, SignalsError, of_kind
from analyzer.files.disk import TOO_LONG, read_lines, reason
from analyzer.files.frames import OpenTable
from analyzer.framework.assessment import Assessment, Edit, PitchRef, ReaderRef, SourceRef, Usage, Warning
from analyzer.framework.edits import as_read
from analyzer.framework.market import MarketMap
from analyzer.framework.nested import DOCUMENT_COLUMNS, plain_document
from analyzer.framework.one_pitch import score
from analyzer.framework.rulebook import Rulebook
from analyzer.vocabulary.derived import INPUTS
from analyzer.vocabulary.records import VOCABULARY_CHANGES, VOCABULARY_VERSION
from analyzer.vocabulary.signals import Signals

JSON_LINES: Final = ".jsonl"
"""The ending of files with a document on each line."""
_BATCH: Final = 1000
_BEFORE_IT_WAS_SAID: Final = 1
"""The vocabulary of assessments that do not name theirs."""
_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class DocumentEntry:
    """One document of a file, not yet checked, and where it is ("file.jsonl, line 3"). `error`: why it cannot be read.
    `many`: it comes from a file that may hold several."""

    source: str
    document: Any = None
    error: AnalyzerError | None = None
    many: bool = False


@dataclass(frozen=True, slots=True)
class ResultDocument:
    """What a document says about one pitch: signals, or why it has none.

    `source`: file and row that the pitch came from, where the document says so, else where the document is. `signals`:
    with edits; `as_read`: before them. `failure`: why the pitch was not read, as the run reported it; `fault`: why the
    document is not valid. One of `signals`, `failure` and `fault` is set.
    """

    place: str
    source: str
    pitch: PitchRef = PitchRef()
    signals: Signals | None = None
    as_read: Signals | None = None
    reader: ReaderRef | None = None
    usage: Usage | None = None
    warnings: tuple[Warning, ...] = ()
    sources: tuple[SourceRef, ...] = ()
    failure: AnalyzerError | None = None
    fault: AnalyzerError | None = None

    @property
    def no_signals(self) -> AnalyzerError:
        """The error to report where there are no signals."""
        return self.fault or SignalsError(
            f"{self.place}: this pitch was not read ({self.failure}), so there are no signals to score"
        )


@dataclass(frozen=True, slots=True)
class ScoredEntry:
    """One entry scored, or the error that takes its place."""

    source: str
    assessment: Assessment | None = None
    error: AnalyzerError | None = None
    many: bool = False


def read_entries(name: str) -> Iterator[DocumentEntry]:
    """The documents in a file; `-` is standard input. Raises InputError if it cannot be opened."""
    if name == "-":
        yield from _json_entries("standard input", sys.stdin.buffer.read())
        return
    path = Path(name)
    if path.suffix.lower() in (".csv", ".tsv"):
        raise InputError(f"{name} is a table; use a .json, .jsonl or .parquet file (pitch bulk writes the last two)")
    if path.suffix.lower() == ".parquet":
        yield from _parquet_entries(name, path)
        return
    try:
        if path.suffix.lower() == JSON_LINES:
            with path.open("rb") as lines:
                yield from entries_of_lines(name, enumerate(read_lines(lines), 1))
        else:
            yield from _json_entries(name, path.read_bytes())
    except OSError as error:
        raise InputError(f"{name} cannot be read: {reason(error)}") from error


def entries_in(name: str, data: bytes) -> Iterator[DocumentEntry]:
    """The documents in the bytes of a file; the ending of its name says which kind. Raises InputError."""
    suffix = Path(name).suffix.lower()
    if suffix == ".parquet":
        yield from _parquet_entries(name, io.BytesIO(data))
    elif suffix == JSON_LINES:
        yield from entries_of_lines(name, enumerate(data.splitlines(), 1))
    else:
        yield from _json_entries(name, data)


def entries_of_lines(name: str, lines: Iterable[tuple[int, bytes | None]]) -> Iterator[DocumentEntry]:
    """The documents in lines of JSON, each with its number in the file (None = too long to read); empty ones have
    none."""
    for number, line in lines:
        source = f"{name}, line {number}"
        if line is None:
            yield DocumentEntry(source, error=SignalsError(f"{source}: {TOO_LONG}"), many=True)
        elif line.strip():
            yield _line(source, line)


def entries_of_table(name: str, value: Any) -> Iterator[DocumentEntry]:
    """The documents in a table in memory, as `to_frame` makes it. Raises InputError if no column holds any."""
    table = OpenTable.of(value)
    columns = [column for column in DOCUMENT_COLUMNS if column in table.names][:1]
    if not columns:
        found = ", ".join(map(str, table.names[:8])) or "no columns"
        raise InputError(
            f"{name} has no column 'assessment' or 'signals', as to_frame and Parquet outputs do; it has {found}"
        )
    ids = table.cells("id") if "id" in table.names else table.index or [None] * table.rows
    for number, (cell, own) in enumerate(zip(table.cells(columns[0]), ids, strict=True), 1):
        yield _row(f"{name}, row {number}", _plain(cell), columns[0], own)


def as_entry(place: str, document: object) -> DocumentEntry:
    """A document in memory: a mapping, or a record of ours."""
    return DocumentEntry(place, _plain(document), many=True)


def _plain(document: object) -> Any:
    if isinstance(document, BaseModel):
        return document.model_dump(mode="json", by_alias=True)
    return document if isinstance(document, str | bytes) else plain_document(document)


def parse_document(entry: DocumentEntry) -> ResultDocument:
    """What an entry says: an assessment, signals alone, or a pitch that was not read. Never raises: an entry that is
    not valid has a `fault`."""
    document, place = entry.document, entry.source
    if entry.error is not None:
        return ResultDocument(place, place, fault=entry.error)
    if not isinstance(document, dict):
        fault = SignalsError(f"{place}: expected a JSON object with signals, found {type(document).__name__}")
        return ResultDocument(place, place, fault=fault)
    source, pitch = place, PitchRef()
    try:
        source = str(_part(document, "input", place).get("source", place))
        pitch = _pitch(document, place)
        failure = _failure(document)
        if failure is not None:
            return ResultDocument(place, source, pitch, failure=failure)
        return _parsed(document, place, source, pitch)
    except SignalsError as error:
        return ResultDocument(place, source, pitch, fault=error)


def score_entry(entry: DocumentEntry, rulebook: Rulebook | None = None, market: MarketMap | None = None) -> ScoredEntry:
    """The entry's assessment. An entry that is an assessment keeps its pitch, sources, warnings, edits and reader."""
    parsed = parse_document(entry)
    if parsed.signals is None:
        return ScoredEntry(entry.source, error=parsed.no_signals, many=entry.many)
    return ScoredEntry(entry.source, score_document(parsed, rulebook, market), many=entry.many)


def score_document(
    parsed: ResultDocument, rulebook: Rulebook | None = None, market: MarketMap | None = None
) -> Assessment:
    """The assessment of a document that has signals. Raises its error if it has none."""
    if parsed.signals is None:
        raise parsed.no_signals
    return score(
        parsed.signals,
        rulebook,
        market=market,
        pitch=parsed.pitch,
        reader=parsed.reader,
        usage=parsed.usage,
        warnings=parsed.warnings,
        sources=parsed.sources,
        as_read=parsed.as_read,
    )


def _parsed(document: Mapping[str, Any], place: str, source: str, pitch: PitchRef) -> ResultDocument:
    if "signals" not in document:
        signals = Signals.from_document(document, place)
        return ResultDocument(place, source, pitch, signals, signals)
    made = _part(document, "provenance", place)
    written = made.get("vocabulary", _BEFORE_IT_WAS_SAID) if made else VOCABULARY_VERSION
    if written != VOCABULARY_VERSION:
        raise SignalsError(
            f"{place}: its signals are of vocabulary {str(written)[:20]}; {VOCABULARY_CHANGES}; read the pitch again"
        )
    signals = Signals.from_document(document["signals"], place)
    edits = [_validated(Edit, edit, place, "edits") for edit in _list(document, "edits", place)]
    return ResultDocument(
        place,
        source,
        pitch,
        signals,
        as_read(signals, edits, place),
        reader=_validated(ReaderRef, made["reader"], place, "provenance.reader") if made.get("reader") else None,
        usage=_validated(Usage, made["usage"], place, "provenance.usage") if made.get("usage") else None,
        warnings=tuple(_validated(Warning, each, place, "warnings") for each in _list(document, "warnings", place)),
        sources=tuple(_validated(SourceRef, each, place, "sources") for each in _list(document, "sources", place)),
    )


def _pitch(document: Mapping[str, Any], place: str) -> PitchRef:
    stated = _part(document, "pitch", place)
    id_ = stated.get("id")
    return _validated(PitchRef, {**stated, "id": None if id_ is None else str(id_)}, place, "pitch")


def _failure(document: Mapping[str, Any]) -> AnalyzerError | None:
    """Why a run could not read the pitch, as it reported that; None for a document that has signals."""
    error = document.get("error")
    if not error or document.get("signals") is not None:
        return None
    if not isinstance(error, dict):
        return of_kind("", str(error)[:200])
    return of_kind(str(error.get("kind")), str(error.get("message") or error.get("kind") or "not read"))


def _part(document: Mapping[str, Any], name: str, place: str) -> Mapping[str, Any]:
    part = document.get(name) or {}
    if not isinstance(part, dict):
        raise SignalsError(f"{place}: this is not an assessment: {name} is not an object")
    return part


def _list(document: Mapping[str, Any], name: str, place: str) -> list[Any]:
    part = document.get(name) or []
    if not isinstance(part, list):
        raise SignalsError(f"{place}: this is not an assessment: {name} is not a list")
    return part


def _validated(kind: type[_Model], part: Any, place: str, name: str) -> _Model:
    try:
        return kind.model_validate(part)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, (name, *first["loc"])))
        raise SignalsError(f"{place}: this is not an assessment: {where}: {first['msg']}") from error


def unique_files(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """The files, each once even if its path is written in several ways, and a note for each that is named again."""
    first: dict[object, str] = {}
    notes = []
    for name in names:
        key = name if name == "-" else Path(name).resolve()
        if key in first:
            notes.append(f"{name} is named twice; it counts once")
        first.setdefault(key, name)
    return list(first.values()), notes


def _json_entries(name: str, data: bytes) -> Iterator[DocumentEntry]:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        if data.count(b"\n{"):
            yield from entries_of_lines(name, enumerate(data.splitlines(), 1))
            return
        raise InputError(f"{name} is not JSON: {_not_json(error)}") from error
    if isinstance(document, list):
        for number, entry in enumerate(document, 1):
            yield DocumentEntry(f"{name}, entry {number}", entry, many=True)
    else:
        yield DocumentEntry(name, document)


def _line(source: str, line: bytes) -> DocumentEntry:
    try:
        return DocumentEntry(source, _from_json(line), many=True)
    except UnicodeDecodeError:
        return DocumentEntry(source, error=SignalsError(f"{source}: this is not UTF-8 text"), many=True)
    except (ValueError, RecursionError) as error:
        return DocumentEntry(source, error=SignalsError(f"{source}: this is not JSON: {_not_json(error)}"), many=True)


def _from_json(line: bytes) -> Any:
    """The value of a line. pydantic's parser takes a third of the time of `json`, which decides what is JSON and says
    what is wrong with the rest. Raises ValueError or RecursionError."""
    try:
        return from_json(line)
    except ValueError:
        return json.loads(line.decode("utf-8-sig"))


def _not_json(error: ValueError | RecursionError) -> str:
    return "it is nested too deep" if isinstance(error, RecursionError) else str(error)[:160]


def _parquet_entries(path: str, source: Any) -> Iterator[DocumentEntry]:
    """Rows of a Parquet file (path or open file) with a column `assessment` or `signals` (JSON text or a struct)."""
    try:
        import pyarrow
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise ConfigurationError(
            f"reading {path} needs a package that is not installed: pip install pyarrow"
        ) from error
    try:
        file = parquet.ParquetFile(source)
        columns = [name for name in DOCUMENT_COLUMNS if name in file.schema_arrow.names][:1]
        if not columns:
            if set(file.schema_arrow.names) & set(INPUTS):
                raise InputError(f"{path} is a table of signals; score it into another file with -o OUT.parquet")
            found = ", ".join(file.schema_arrow.names[:8])
            raise InputError(f"{path} has no column 'assessment' or 'signals'; it has {found}")
        with_id = [name for name in ("id",) if name in file.schema_arrow.names]
        number = 0
        for batch in file.iter_batches(batch_size=_BATCH, columns=columns + with_id):
            for row in batch.to_pylist():
                number += 1
                yield _row(f"{path}, row {number}", row[columns[0]], columns[0], row.get("id"))
    except (OSError, pyarrow.ArrowInvalid) as error:
        raise InputError(f"{path} cannot be read as Parquet; is it complete?") from error


def _row(source: str, cell: Any, column: str, id: Any) -> DocumentEntry:
    try:
        document = json.loads(cell) if isinstance(cell, str | bytes) else cell
    except (ValueError, RecursionError):
        return DocumentEntry(source, error=SignalsError(f"{source}: column {column!r} is not JSON"), many=True)
    if column == "signals":
        document = {"signals": document, "pitch": {"id": None if id is None else str(id)}}
    return DocumentEntry(source, document, many=True)
