"""Files of signals that exist already: assessments and signals documents, as JSON, JSON Lines or Parquet.

Each entry is read on its own: one that does not fit is an error in its place, naming file and line, and the others
go on.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from analyzer.errors import AnalyzerError, ConfigurationError, InputError, SignalsError
from analyzer.framework.assessment import Assessment, PitchRef, Provenance, Warning
from analyzer.framework.rulebook import Rulebook
from analyzer.framework.scoring import score
from analyzer.signals import Signals

_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """One document, and where it stands ("file.jsonl, line 3"). `many`: it comes from a file that may hold several."""

    source: str
    document: Any = None
    error: AnalyzerError | None = None
    many: bool = False


@dataclass(frozen=True, slots=True)
class Scored:
    """One entry scored, or the error that stands in its place."""

    source: str
    assessment: Assessment | None = None
    error: AnalyzerError | None = None
    many: bool = False


def read_entries(name: str) -> Iterator[Entry]:
    """The documents in a file; `-` is standard input. Raises InputError if it cannot be opened."""
    if name == "-":
        yield from _json_entries("standard input", sys.stdin.buffer.read())
        return
    path = Path(name)
    if path.suffix.lower() == ".parquet":
        yield from _parquet_entries(path)
        return
    try:
        if path.suffix.lower() == ".jsonl":
            with path.open("rb") as lines:
                yield from _lines(name, lines)
        else:
            yield from _json_entries(name, path.read_bytes())
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror or error}") from error


def score_entry(entry: Entry, rulebook: Rulebook | None = None) -> Scored:
    """The entry's assessment. One that was an assessment before keeps its pitch, warnings and reader."""
    if entry.error is not None:
        return Scored(entry.source, error=entry.error, many=entry.many)
    try:
        assessment = _scored(entry.document, entry.source, rulebook)
    except SignalsError as error:
        return Scored(entry.source, error=error, many=entry.many)
    return Scored(entry.source, assessment, many=entry.many)


def _scored(document: Any, source: str, rulebook: Rulebook | None) -> Assessment:
    if not isinstance(document, dict):
        raise SignalsError(f"{source}: expected a JSON object with signals, found {type(document).__name__}")
    if document.get("error") and "signals" not in document:
        raise SignalsError(f"{source}: this pitch failed when it was read; there are no signals to score")
    if "signals" not in document:
        return score(Signals.from_document(document, source), rulebook)
    signals = Signals.from_document(document["signals"], source)
    try:
        made = Provenance.model_validate(document["provenance"]) if document.get("provenance") else None
        return score(
            signals,
            rulebook,
            pitch=PitchRef.model_validate(document.get("pitch") or {}),
            reader=made.reader if made else None,
            usage=made.usage if made else None,
            warnings=[Warning.model_validate(warning) for warning in document.get("warnings") or ()],
        )
    except ValidationError as error:
        fault = error.errors()[0]
        raise SignalsError(
            f"{source}: this is no assessment: {'.'.join(map(str, fault['loc']))}: {fault['msg']}"
        ) from error


def _json_entries(name: str, data: bytes) -> Iterator[Entry]:
    try:
        document = json.loads(data)
    except ValueError as error:
        if data.count(b"\n{"):
            yield from _lines(name, data.splitlines())
            return
        raise InputError(f"{name} is not JSON: {error}") from error
    if isinstance(document, list):
        for number, entry in enumerate(document, 1):
            yield Entry(f"{name}, entry {number}", entry, many=True)
    else:
        yield Entry(name, document)


def _lines(name: str, lines: Any) -> Iterator[Entry]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        source = f"{name}, line {number}"
        try:
            yield Entry(source, json.loads(line), many=True)
        except ValueError as error:
            yield Entry(source, error=SignalsError(f"{source}: this is not JSON: {error}"), many=True)


def _parquet_entries(path: Path) -> Iterator[Entry]:
    """Rows of a Parquet file with a column `assessment` or `signals` (JSON text or a struct)."""
    try:
        import pyarrow
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise ConfigurationError(
            f"reading {path} needs a package that is not installed: pip install pyarrow"
        ) from error
    try:
        file = parquet.ParquetFile(path)
        columns = [name for name in ("assessment", "signals") if name in file.schema_arrow.names][:1]
        if not columns:
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


def _row(source: str, cell: Any, column: str, id: Any) -> Entry:
    try:
        document = json.loads(cell) if isinstance(cell, str | bytes) else cell
    except ValueError:
        return Entry(source, error=SignalsError(f"{source}: column {column!r} is not JSON"), many=True)
    if column == "signals":
        document = {"signals": document, "pitch": {"id": None if id is None else str(id)}}
    return Entry(source, document, many=True)
